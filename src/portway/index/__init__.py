"""The portal's read model: entities, relations, facets and full text, built by watching all workspaces.

Disposable: it holds nothing that the API does not. It never decides who may see what; callers pass the workspaces
that the user may read.
"""

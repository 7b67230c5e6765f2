"""Software templates (scaffolder.backstage.io/v1beta3): reading, expressions, rendering and actions.

Who may do what is asked of the API on behalf of the requester; runs are kept by ``controllers.templateruns``.
"""

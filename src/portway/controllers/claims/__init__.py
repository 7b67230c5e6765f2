"""Claims of every kind that ResourceTypes define: matched, planned, made, watched, removed with proof.

One reconciler serves all kinds; ``kinds`` starts and stops a controller per kind. ``planning`` answers dry runs.
"""

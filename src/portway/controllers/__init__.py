"""What keeps the world as the objects say: one module or sub-package per kind.

Reconcilers read as guard clauses and then the happy path; decisions are in ``orchestrator`` and ``scaffolder``, effects
in drivers and the API. ``composing`` makes them all from their collaborators.
"""

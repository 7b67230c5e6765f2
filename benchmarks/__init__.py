"""Measures that the project promises, each printed with its limit as a ratio: below 1.00 is within.

Run with ``make bench``; ``make bench ARGS="claims workspaces"`` runs some of them.
"""

"""The async client of the API: one interface, in-process and over HTTP."""

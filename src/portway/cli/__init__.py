"""Commands of the portway program."""

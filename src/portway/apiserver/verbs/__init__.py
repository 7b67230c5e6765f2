"""One module a verb: what a request means for the store and what is answered. Writes share ``writing``."""

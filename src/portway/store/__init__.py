"""The revisioned object log: contract, SQLite implementation, watch cache, compaction.

Only apiserver and bootstrap import it."""

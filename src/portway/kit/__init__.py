"""Clock, ids and asyncio primitives that know nothing of Portway and could be libraries of their own."""

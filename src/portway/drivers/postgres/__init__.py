"""PostgreSQL: the server that comes with Portway (or a configured one) and the driver that makes databases
on it.

Start with ``servers.Settings`` and ``servers.open_server``, then ``driver.PostgresDriver``.
"""

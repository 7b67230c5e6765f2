"""Free loopback ports below the ephemeral range (32768), so that no outgoing connection takes them first."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Container

FIRST, LAST = 20000, 32000


def free_port(key: str, taken: Container[int] = (), host: str = "127.0.0.1") -> int:
    """The first free port from a place that depends on ``key`` only: the same key gets the same port while
    it is free.

    Raises OSError when all are taken.
    """
    count = LAST - FIRST
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % count
    for step in range(count):
        port = FIRST + (start + step) % count
        if port not in taken and is_free(port, host):
            return port
    raise OSError(f"no free port between {FIRST} and {LAST} on {host}")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True

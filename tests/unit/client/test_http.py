"""Sockets with TLS: the local CA is trusted when given, and nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from portway.bootstrap import certificates
from portway.client.contract import Resource
from portway.client.http import HttpTransport, Tls
from portway.client.rest import RestClient
from portway.krm.errors import StatusError

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")


async def empty_list(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"metadata": {"resourceVersion": "7"}, "items": []}'})


@contextlib.asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[str]:
    context = certificates.server_context(folder, datetime.now(UTC))
    config = uvicorn.Config(empty_list, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    config.load()
    config.ssl = context
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_server_is_trusted_by_the_ca_of_the_kubeconfig_only(tmp_path: Path, trusted: bool) -> None:
    async with tls_server(tmp_path) as address:
        ca = (tmp_path / "ca.crt").read_text() if trusted else ""
        client = RestClient(HttpTransport(address, Tls(ca=ca)))
        try:
            if trusted:
                assert (await client.list(CONFIG_MAPS)).resource_version == "7"
            else:
                with pytest.raises(StatusError, match="certificate verify failed"):
                    await client.list(CONFIG_MAPS)
        finally:
            await client.close()

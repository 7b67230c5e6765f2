"""A watch over WebSocket, as pages in browsers open it."""

from __future__ import annotations

import base64

import orjson
from httpx_ws import AsyncWebSocketSession, aconnect_ws
from tests.conformance.specs.goclient import GoClient


async def test_events_come_as_text_frames(go: GoClient, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    token = base64.urlsafe_b64encode(go.token.encode()).rstrip(b"=").decode()
    protocols = [f"base64url.bearer.authorization.k8s.io.{token}", "base64.binary.k8s.io"]
    socket: AsyncWebSocketSession
    async with aconnect_ws(f"{path}?watch=true", go.http, subprotocols=protocols) as socket:
        first = orjson.loads(await socket.receive_text())
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "kube-root-ca.crt")
        await go.typed("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
        assert orjson.loads(await socket.receive_text())["object"]["metadata"]["name"] == "a"

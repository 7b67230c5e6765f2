"""Client certificates that are revoked, without a restart and whatever connection they came by."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from portway.apiserver.app import ApiServer
from portway.apiserver.users import Peer, authenticated

SECRETS = "/api/v1/namespaces/portway-system/secrets"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SERIAL = "5f3a0c9be1"


async def _who(server: ApiServer, token: str = "") -> tuple[int, str]:
    """As the TLS listener hands it over."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"peer": Peer(authenticated("grace", ("system:masters",)), SERIAL)}
        await server(scope, receive, send)

    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://portway") as client:
        answer = await client.post(WHO, json={}, headers=headers)
    return answer.status_code, answer.json()["status"]["userInfo"]["username"] if answer.status_code == 201 else ""


def _record(name: str = f"certificate-{SERIAL}", kind: str = "portway.dev/certificate", **data: str) -> Any:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"name": name}, "type": kind, "data": encoded}


async def test_a_certificate_is_void_from_the_moment_it_is_revoked(api: Any, server: ApiServer) -> None:
    assert await _who(server) == (201, "grace")
    await api.post(SECRETS, _record(user="grace"))
    assert await _who(server) == (201, "grace"), "that it was made is written down"
    await api.patch(f"{SECRETS}/certificate-{SERIAL}", {"data": _record(revoked="2026-01-01T00:00:00Z")["data"]})
    assert await _who(server) == (401, "")
    token = await server.tokens.mint("ada")
    assert await _who(server, token) == (201, "ada"), "a token counts before the certificate"


@pytest.mark.parametrize(
    "record",
    [
        _record("certificate-5f3a0c9be2", revoked="x"),
        _record(kind="Opaque", revoked="x"),
        _record(revoked=""),
    ],
    ids=["another serial", "another type of Secret", "not revoked"],
)
async def test_others_go_on(api: Any, server: ApiServer, record: Any) -> None:
    await api.post(SECRETS, record)
    assert await _who(server) == (201, "grace")


async def test_nobody_but_masters_revokes(api: Any, server: ApiServer) -> None:
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "User", "name": "alice", "apiGroup": group}
    ref = {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": "alice"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"/apis/{group}/v1/clusterrolebindings", body)
    alice = api.as_user(await server.tokens.mint("alice"))
    assert (await alice.refused("POST", SECRETS, _record(revoked="x")))[0] == 403

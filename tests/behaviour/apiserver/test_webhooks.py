"""Webhooks: a real HTTPS server is asked, with the CA that its configuration names."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from portway.bootstrap import certificates

GROUP = "/apis/admissionregistration.k8s.io/v1"
VALIDATING, MUTATING = f"{GROUP}/validatingwebhookconfigurations", f"{GROUP}/mutatingwebhookconfigurations"
CONFIGS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


class Hook:
    """Answers each review with what ``answer`` makes of the request."""

    def __init__(self, url: str, ca: str) -> None:
        self.url = url
        self.ca = ca
        self.asked: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda _request: {"allowed": True}

    def configuration(self, kind: str = "ValidatingWebhookConfiguration", **hook: Any) -> Any:
        client = {"url": f"{self.url}/review", "caBundle": self.ca}
        listed = {
            "name": "hook.example.org",
            "clientConfig": client,
            "rules": [RULE],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
            **hook,
        }
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": "hooks"},
            "webhooks": [listed],
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        request = json.loads(await reader.readexactly(length))["request"]
        self.asked.append(request)
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        body = json.dumps({**review, "response": {"uid": request["uid"], **self.answer(request)}}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def hook(tmp_path: Path) -> AsyncIterator[Hook]:
    context = certificates.server_context(tmp_path / "pki", datetime.datetime.now(datetime.UTC))
    made = Hook("", base64.b64encode((tmp_path / "pki" / "ca.crt").read_bytes()).decode())
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await server.wait_closed()


def patch(*operations: Any) -> Any:
    return {
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(json.dumps(operations).encode()).decode(),
    }


async def test_a_webhook_sees_the_request_and_may_refuse_it(api: Any, make: Any, hook: Hook) -> None:
    await api.post(VALIDATING, hook.configuration())
    hook.answer = lambda _request: {
        "allowed": False,
        "status": {"message": "not today", "code": 403},
        "warnings": ["hm"],
    }
    answer = await api.call("POST", CONFIGS, make.config("a", x="1"))
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        'admission webhook "hook.example.org" denied the request: not today',
    )
    (asked,) = hook.asked
    assert asked["operation"] == "CREATE"
    assert asked["object"]["data"] == {"x": "1"}
    assert asked["userInfo"]["username"] == "system:portway"
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}


async def test_warnings_of_a_webhook_reach_the_client(api: Any, make: Any, hook: Hook) -> None:
    await api.post(VALIDATING, hook.configuration())
    hook.answer = lambda _request: {"allowed": True, "warnings": ["think twice"]}
    answer = await api.call("POST", CONFIGS, make.config("a"))
    assert answer.status_code == 201
    assert "think twice" in answer.headers["warning"]


async def test_a_mutating_webhook_changes_the_object(api: Any, make: Any, hook: Hook) -> None:
    await api.post(MUTATING, hook.configuration("MutatingWebhookConfiguration"))
    hook.answer = lambda _request: patch({"op": "add", "path": "/data/by", "value": "hook"})
    assert (await api.post(CONFIGS, make.config("a", x="1")))["data"] == {"x": "1", "by": "hook"}


async def test_match_conditions_and_selectors_spare_the_call(api: Any, make: Any, hook: Hook) -> None:
    conditions = [{"name": "c", "expression": "'x' in object.data"}]
    await api.post(VALIDATING, hook.configuration(matchConditions=conditions))
    await api.post(CONFIGS, make.config("a", y="1"))
    assert hook.asked == []
    await api.post(CONFIGS, make.config("b", x="1"))
    assert len(hook.asked) == 1


@pytest.mark.parametrize(("policy", "code"), [("Fail", 500), ("Ignore", 201)])
async def test_a_webhook_that_is_not_there(api: Any, make: Any, hook: Hook, policy: str, code: int) -> None:
    client = {"url": "https://127.0.0.1:1/review", "caBundle": hook.ca}
    await api.post(VALIDATING, hook.configuration(failurePolicy=policy, clientConfig=client))
    answer = await api.call("POST", CONFIGS, make.config("a"))
    assert answer.status_code == code
    if code == 500:
        assert 'failed calling webhook "hook.example.org": failed to call webhook: Post' in answer.json()["message"]


async def test_a_server_with_another_certificate_is_not_trusted(
    api: Any, make: Any, hook: Hook, tmp_path: Path
) -> None:
    certificates.server_context(tmp_path / "other", datetime.datetime.now(datetime.UTC))
    other = base64.b64encode((tmp_path / "other" / "ca.crt").read_bytes()).decode()
    client = {"url": f"{hook.url}/review", "caBundle": other}
    await api.post(VALIDATING, hook.configuration(clientConfig=client))
    assert (await api.call("POST", CONFIGS, make.config("a"))).status_code == 500
    assert hook.asked == []


async def test_the_configuration_itself_is_never_held_up(api: Any, hook: Hook) -> None:
    rule = {**RULE, "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    await api.post(VALIDATING, hook.configuration(rules=[rule]))
    hook.answer = lambda _request: {"allowed": False}
    await api.delete(f"{VALIDATING}/hooks")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clientConfig": {"service": {"name": "s", "namespace": "n"}}}, "services are not reachable from here"),
        ({"clientConfig": {"url": "http://a.b/c"}}, "'https' is the only allowed URL scheme"),
        ({"clientConfig": {}}, "exactly one of url or service is required"),
        ({"name": "short"}, "should be a domain with at least three segments separated by dots"),
        ({"sideEffects": "Some"}, 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
        ({"timeoutSeconds": 31}, "the timeout value must be between 1 and 30 seconds"),
        ({"admissionReviewVersions": ["v2"]}, "must include at least one of v1, v1beta1"),
        ({"admissionReviewVersions": ["v1beta1"]}, "must include v1, the only version of AdmissionReview that is sent"),
        ({"matchConditions": [{"name": "c", "expression": "1"}]}, "must evaluate to bool but got int"),
    ],
)
async def test_bad_configurations_are_refused(api: Any, hook: Hook, change: Any, message: str) -> None:
    assert message in (await api.refused("POST", VALIDATING, hook.configuration(**change)))[2]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"allowed": True, "uid": "another"}, 'received invalid webhook response: expected response.uid="'),
        ({"allowed": True, "patch": "e30="}, "validating webhook may not return response.patch"),
        ({"allowed": True, "x": "y" * (17 << 20)}, "failed to call webhook: Post"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_a_failure(
    api: Any, make: Any, hook: Hook, answer: Any, message: str
) -> None:
    await api.post(VALIDATING, hook.configuration())
    hook.answer = lambda _request: answer
    code, _, told = await api.refused("POST", CONFIGS, make.config("a"))
    assert code == 500
    assert message in told


async def test_a_webhook_that_takes_too_long_is_a_failure(api: Any, make: Any, hook: Hook) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(silence, "127.0.0.1", 0)
    client = {"url": f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}/review", "caBundle": hook.ca}
    await api.post(VALIDATING, hook.configuration(clientConfig=client, timeoutSeconds=1))
    told = (await api.refused("POST", CONFIGS, make.config("a")))[2]
    assert told.endswith(f'failed to call webhook: Post "{client["url"]}?timeout=1s": context deadline exceeded')
    silent.close()
    await silent.wait_closed()

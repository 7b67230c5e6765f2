"""The audit log: who did what, and never a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from portway.apiserver import auditpolicies
from portway.apiserver.app import ApiServer
from portway.apiserver.auditing import Auditor
from portway.apiserver.auditlogs import AuditLog, Limits
from portway.apiserver.settings import Settings
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

CONFIGS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
WORD = "correct-horse"


class Lines:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.written.append(line)

    def events(self, **wanted: str) -> list[dict[str, Any]]:
        """Of those by users, as the server itself writes too."""
        found = [json.loads(line) for line in self.written]
        return [e for e in found if all(e[key] == value for key, value in wanted.items())]

    def of(self, resource: str) -> list[dict[str, Any]]:
        return [e for e in self.events() if (e.get("objectRef") or {}).get("resource") == resource]


@pytest.fixture
def policy() -> dict[str, Any]:
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "RequestResponse"}]}


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
async def server(tmp_path: Path, policy: dict[str, Any], lines: Lines) -> AsyncIterator[ApiServer]:
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    auditor = Auditor(auditpolicies.parse(policy), lines)
    api_server = ApiServer(cache, Settings(housekeeping=False), auditor=auditor)
    await api_server.start()
    yield api_server
    await api_server.close()
    await cache.close()


async def test_an_event_says_who_did_what_to_which_object_and_how_it_went(api: Any, lines: Lines) -> None:
    headers = {"audit-id": "my-own-id", "x-forwarded-for": "10.1.2.3"}
    body = {"metadata": {"name": "one"}, "data": {"a": "1"}}
    answer = await api.call("POST", CONFIGS, body, headers=headers, fieldManager="me")
    received, complete = lines.of("configmaps")
    assert answer.headers["audit-id"] == received["auditID"] == complete["auditID"] == "my-own-id"
    assert (received["stage"], complete["stage"]) == ("RequestReceived", "ResponseComplete")
    complete["stageTimestamp"] = complete["requestReceivedTimestamp"] = "now"
    stored = complete.pop("responseObject")
    assert stored["data"] == {"a": "1"}
    assert complete == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "my-own-id",
        "stage": "ResponseComplete",
        "requestURI": f"{CONFIGS}?fieldManager=me",
        "verb": "create",
        "user": {"username": "system:portway", "groups": ["system:masters", "system:authenticated"]},
        "sourceIPs": ["10.1.2.3", "127.0.0.1"],
        "userAgent": "test/1",
        "objectRef": {
            "resource": "configmaps",
            "namespace": "default",
            "name": "one",
            "uid": stored["metadata"]["uid"],
            "apiVersion": "v1",
        },
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": body,
        "requestReceivedTimestamp": "now",
        "stageTimestamp": "now",
        "annotations": {"portway.dev/workspace": "root", "authorization.k8s.io/decision": "allow"},
    }


async def test_secrets_and_tokens_are_never_in_it_whatever_the_policy_says(api: Any, server: Any, lines: Lines) -> None:
    await api.post(SECRETS, {"metadata": {"name": "s"}, "stringData": {"word": WORD}})
    await api.patch(f"{SECRETS}/s", {"stringData": {"word": WORD}})
    await api.get(SECRETS)
    await api.get("/api/v1/secrets")
    await api.refused("POST", SECRETS, {"metadata": {"name": "s"}, "stringData": {"word": WORD}})
    await api.refused("POST", SECRETS, {"metadata": {"name": "s"}, "stringData": {f"{WORD} x": "y"}})
    await api.refused("POST", SECRETS, {"metadata": {"name": "s"}, WORD: "y"}, fieldValidation="Strict")
    json_patch = {"headers": {"content-type": "application/json-patch+json"}}
    await api.refused("PATCH", f"{SECRETS}/s", [{"op": "remove", "path": f"/data/{WORD}"}], **json_patch)
    applied = {"apiVersion": "v1", "kind": "Secret", "stringData": {"word": WORD}}
    apply = {"fieldManager": "x", "force": "true", "headers": {"content-type": "application/apply-patch+yaml"}}
    await api.call("PATCH", f"{SECRETS}/s", applied, **apply)
    await api.refused("POST", CONFIGS, {**applied, "metadata": {"name": "misplaced"}})
    await api.get(f"{SECRETS}/s/history")
    account = "/api/v1/namespaces/default/serviceaccounts"
    await api.call("POST", account, {"metadata": {"name": "robot"}})
    request = await api.post(f"{account}/robot/token", {"spec": {}})
    token = await server.tokens.mint("ada")
    await api.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    await api.call("GET", CONFIGS, access_token=token)
    await api.as_user(token).call("GET", CONFIGS)
    whole = b"".join(lines.written)
    assert lines.of("secrets")
    for secret in (WORD, base64.b64encode(WORD.encode()).decode(), token, request["status"]["token"], api.token):
        assert secret.encode() not in whole


async def test_refusals_are_told_too(api: Any, server: Any, lines: Lines) -> None:
    ada = api.as_user(await server.tokens.mint("ada"))
    await ada.refused("DELETE", f"{CONFIGS}/x")
    await api.as_user("pw_wrong").refused("GET", CONFIGS)
    denied = lines.events(verb="delete", stage="ResponseComplete")[-1]
    assert denied["user"]["username"] == "ada"
    assert denied["responseStatus"]["reason"] == "Forbidden"
    assert denied["annotations"]["authorization.k8s.io/decision"] == "forbid"
    unknown = lines.of("configmaps")[-1]
    assert (unknown["user"]["username"], unknown["responseStatus"]["code"]) == ("system:anonymous", 401)
    assert "authorization.k8s.io/decision" not in unknown["annotations"], "nobody has asked yet what an unknown may do"


async def test_what_fails_after_it_was_allowed_was_allowed(api: Any, lines: Lines) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"configmaps": "0"}}}
    await api.post("/api/v1/namespaces/default/resourcequotas", quota)
    assert (await api.refused("POST", CONFIGS, {"metadata": {"name": "x"}}))[0] == 403
    event = lines.of("configmaps")[-1]
    assert event["responseStatus"]["code"] == 403
    assert event["annotations"]["authorization.k8s.io/decision"] == "allow"


async def test_only_what_nobody_expected_is_a_panic(api: Any, server: Any, lines: Lines) -> None:
    group = "/apis/admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]
    hook = {
        "name": "down.example.org",
        "clientConfig": {"url": "https://127.0.0.1:1/x"},
        "rules": rules,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    body = {"metadata": {"name": "down"}, "webhooks": [hook]}
    await api.call("POST", f"{group}/validatingwebhookconfigurations", body)
    assert (await api.refused("POST", CONFIGS, {"metadata": {"name": "x"}}))[0] == 500
    assert lines.of("configmaps")[-1]["stage"] == "ResponseComplete"

    class Defect:
        async def admit(self, _request: Any) -> None:
            raise RuntimeError("nobody expected this")

    server.plan_admissions.append(Defect())
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    assert (await api.refused("POST", accounts, {"metadata": {"name": "x"}}))[0] == 500
    assert lines.of("serviceaccounts")[-1]["stage"] == "Panic"


async def test_a_long_name_of_a_program_is_cut(api: Any, lines: Lines) -> None:
    await api.call("GET", CONFIGS, headers={"user-agent": "x" * 2000})
    assert lines.of("configmaps")[-1]["userAgent"] == "x" * 1024 + "...TRUNCATED"


async def test_one_who_acts_as_another_is_told_with_both_names(api: Any, lines: Lines) -> None:
    await api.call("GET", CONFIGS, headers={"impersonate-user": "ada"})
    event = lines.of("configmaps")[-1]
    assert (event["user"]["username"], event["impersonatedUser"]["username"]) == ("system:portway", "ada")


async def test_a_watch_is_told_at_its_start_and_end(api: Any, lines: Lines) -> None:
    async with api.watch(CONFIGS):
        assert [e["stage"] for e in lines.of("configmaps")] == ["RequestReceived", "ResponseStarted"]
    assert [e["stage"] for e in lines.of("configmaps")][-1] == "ResponseComplete"


def test_the_file_is_moved_aside_before_it_grows_beyond_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "audit.log"
    log = AuditLog(file, Limits(bytes=100, files=2))
    for number in range(50):
        log.write(b"%039d\n" % number)
    log.close()
    moved = sorted(file.parent.glob("audit-*.log"))
    assert len(moved) == 2
    assert all(each.stat().st_size <= 100 for each in (file, *moved))
    lines = b"".join(each.read_bytes() for each in (*moved, file)).splitlines()
    assert [int(line) for line in lines] == list(range(44, 50))
    assert file.stat().st_mode & 0o777 == 0o600


def test_lines_go_on_in_the_same_file_after_a_restart(tmp_path: Path) -> None:
    for number in range(2):
        log = AuditLog(tmp_path / "audit.log")
        log.write(b"%d\n" % number)
        log.close()
    assert (tmp_path / "audit.log").read_bytes() == b"0\n1\n"


async def test_what_policies_have_to_say_is_in_the_log(api: Any, lines: Lines) -> None:
    group = "/apis/admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]
    policy = {
        "metadata": {"name": "sizes"},
        "spec": {
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "size(object.data) < 1", "message": "has data"}],
            "auditAnnotations": [{"key": "keys", "valueExpression": "string(size(object.data))"}],
        },
    }
    binding = {"metadata": {"name": "b"}, "spec": {"policyName": "sizes", "validationActions": ["Audit"]}}
    assert (await api.call("POST", f"{group}/validatingadmissionpolicies", policy)).status_code == 201
    assert (await api.call("POST", f"{group}/validatingadmissionpolicybindings", binding)).status_code == 201
    answer = await api.call("POST", CONFIGS, {"metadata": {"name": "audited"}, "data": {"a": "1"}})
    assert answer.status_code == 201
    said = lines.of("configmaps")[-1]["annotations"]
    assert said["sizes/keys"] == "1"
    assert "has data" in said["validation.policy.admission.k8s.io/validation_failure"]

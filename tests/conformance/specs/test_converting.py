"""CRD conversion webhooks (with the fields of upstream's CustomResourceFieldSelectors), and events in both forms."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conformance.specs.goclient import CRDS, GoClient, Manifest, definition, resource_path

from portway.krm.errors import StatusError


class Webhook:
    """Converts between ``hostPort`` of v1 and ``host`` and ``port`` of v2, as upstream's agnhost does."""

    def __init__(self) -> None:
        self.url, self.bundle, self.asked, self.fails = "", "", 0, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = orjson.dumps(self.answer(orjson.loads(body)))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def answer(self, review: Manifest) -> Manifest:
        self.asked += 1
        request = review["request"]
        result = {"status": "Failure", "message": self.fails} if self.fails else {"status": "Success"}
        converted = [convert(each, request["desiredAPIVersion"]) for each in request["objects"]]
        response = {"uid": request["uid"], "result": result, "convertedObjects": converted}
        return {"kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response}


def convert(manifest: Manifest, api_version: str) -> Manifest:
    target = {key: value for key, value in manifest.items() if key not in ("host", "port", "hostPort")}
    target["apiVersion"] = api_version
    if api_version.endswith("/v2") and "hostPort" in manifest:
        target["host"], _, target["port"] = manifest["hostPort"].partition(":")
    elif api_version.endswith("/v1") and "host" in manifest:
        target["hostPort"] = f"{manifest['host']}:{manifest.get('port', '')}"
    return target


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "webhook.crt", folder / "webhook.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, unencrypted = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, unencrypted))
    return public, private


@pytest.fixture
async def webhook(tmp_path: Path) -> AsyncIterator[Webhook]:
    webhook = Webhook()
    public, private = certificate(tmp_path)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            webhook, log_config=None, lifespan="off", ssl_certfile=public, ssl_keyfile=private, timeout_keep_alive=1
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        webhook.url = f"https://127.0.0.1:{listener.getsockname()[1]}/crdconvert"
        webhook.bundle = base64.b64encode(public.read_bytes()).decode()
        yield webhook
        server.should_exit = True
        await task


def converted_crd(webhook: Webhook) -> Manifest:
    crd = definition("v1", "v2", scope="Namespaced")
    text = {"type": "string"}
    for version, fields in zip(crd["spec"]["versions"], (("hostPort",), ("host", "port")), strict=True):
        properties = dict.fromkeys(fields, text)
        version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
        version["selectableFields"] = [{"jsonPath": f".{field}"} for field in fields]
    client_config = {"url": webhook.url, "caBundle": webhook.bundle}
    webhook_config = {"clientConfig": client_config, "conversionReviewVersions": ["v1", "v1beta1"]}
    crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook_config}
    return crd


async def test_fields_are_selected_in_each_version(go: GoClient, namespace: str, webhook: Webhook) -> None:
    crd = converted_crd(webhook)
    await go.define(crd)
    v1, v2 = (resource_path(crd, version, namespace) for version in ("v1", "v2"))
    head = {"apiVersion": "mygroup.example.com/v2", "kind": crd["spec"]["names"]["kind"]}

    async def names(path: str, selector: str) -> list[str]:
        return [item["metadata"]["name"] for item in (await go.get(path, fieldSelector=selector))["items"]]

    async with (
        go.watch(v2, fieldSelector="host=host1") as of_host,
        go.watch(v1, fieldSelector="hostPort=host1:80") as of_host_port,
    ):
        for name, fields in (
            ("a", {"host": "host1", "port": "80"}),
            ("b", {"host": "host1", "port": "8080"}),
            ("c", {"host": "host2"}),
        ):
            metadata = {"name": name, "namespace": namespace, "labels": {"kept": "yes"}}
            created = await go.create(v2, {**head, "metadata": metadata, **fields})
            assert (created["apiVersion"], created["host"]) == (head["apiVersion"], fields["host"])
        assert await names(v2, "host=host1") == ["a", "b"]
        assert await names(v2, "host=host1,port=80") == ["a"]
        assert await names(v1, "hostPort=host1:8080") == ["b"]
        stored = await go.get(f"{v1}/a")
        assert (stored["hostPort"], stored["metadata"]["labels"]) == ("host1:80", {"kept": "yes"})
        assert [(await of_host.next("ADDED"))["port"] for _ in range(2)] == ["80", "8080"]
        assert (await of_host_port.next("ADDED"))["hostPort"] == "host1:80"
        await go.do("DELETE", v2, {"kind": "DeleteOptions", "apiVersion": "v1"}, fieldSelector="host=host1,port=80")
        found = await go.get(f"{v2}/b")
        updated = await go.update(f"{v2}/b", {**found, "host": "host2"})
        assert updated["metadata"]["uid"] == found["metadata"]["uid"]
        assert await names(v2, "host=host1") == []
        assert [(await of_host.next("DELETED"))["metadata"]["name"] for _ in range(2)] == ["a", "b"]
        assert (await of_host_port.next("DELETED"))["metadata"]["name"] == "a"
    asked = webhook.asked
    await go.get(f"{v2}/b")
    await go.get(v2)
    assert webhook.asked == asked, "an object at a revision is converted once"
    await go.undefine(crd)


async def test_what_a_webhook_refuses_is_told(go: GoClient, namespace: str, webhook: Webhook) -> None:
    crd = converted_crd(webhook)
    await go.define(crd)
    v1, v2 = (resource_path(crd, version, namespace) for version in ("v1", "v2"))
    head = {"apiVersion": "mygroup.example.com/v1", "kind": crd["spec"]["names"]["kind"]}
    await go.create(v1, {**head, "metadata": {"name": "a"}, "hostPort": "h:1"})
    webhook.fails = "not today"
    with pytest.raises(StatusError) as refused:
        await go.get(f"{v2}/a")
    kind = crd["spec"]["names"]["kind"]
    told = f"conversion webhook for mygroup.example.com/v1, Kind={kind} failed: not today"
    assert (refused.value.code, refused.value.message) == (500, told)
    assert (await go.get(f"{v1}/a"))["hostPort"] == "h:1", "the stored version needs no webhook"
    webhook.fails = ""
    await go.undefine(crd)


@pytest.mark.parametrize(
    ("conversion", "told"),
    [
        ({"strategy": "Webhook"}, "spec.conversion.webhookClientConfig: Required value"),
        (
            {
                "strategy": "Webhook",
                "webhook": {"clientConfig": {"url": "http://h"}, "conversionReviewVersions": ["v1"]},
            },
            "'https' is the only allowed URL scheme",
        ),
        (
            {"strategy": "Webhook", "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v1"]}},
            "spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required",
        ),
        (
            {
                "strategy": "Webhook",
                "webhook": {"clientConfig": {"url": "https://h"}, "conversionReviewVersions": ["v2"]},
            },
            "must include at least one of v1, v1beta1",
        ),
    ],
)
async def test_conversions_that_cannot_be_are_refused(go: GoClient, conversion: Manifest, told: str) -> None:
    crd = definition("v1", "v2")
    crd["spec"]["conversion"] = conversion
    with pytest.raises(StatusError) as refused:
        await go.create(CRDS, crd)
    assert refused.value.code == 422
    assert told in refused.value.message


async def test_an_event_is_one_object_in_both_groups(go: GoClient, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}/events"
    new = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    regarding = {"kind": "ConfigMap", "namespace": namespace, "name": "c"}
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": namespace},
        "eventTime": "2026-01-02T03:04:05.000006Z",
        "reportingController": "example.org/c",
        "reportingInstance": "c-1",
        **{"action": "Do", "reason": "Done", "type": "Normal", "note": "It is done", "regarding": regarding},
    }
    async with go.watch(core, fieldSelector="involvedObject.name=c") as watch:
        created = await go.typed("POST", new, event)
        assert created["note"] == "It is done"
        seen = await watch.next("ADDED")
        assert (seen["apiVersion"], seen["kind"]) == ("v1", "Event")
        assert (seen["message"], seen["involvedObject"]["name"]) == ("It is done", "c")
    found = await go.get(f"{core}/e")
    assert found["reportingComponent"] == "example.org/c"
    found["message"], found["count"] = "It is done again", 2
    await go.typed("PUT", f"{core}/e", found)
    listed = await go.get(new, fieldSelector="regarding.name=c")
    [item] = listed["items"]
    assert (listed["kind"], item["note"], item["deprecatedCount"]) == ("EventList", "It is done again", 2)
    for source, count in (("example.org/c", 1), ("c-1", 0)):
        assert len((await go.get(core, fieldSelector=f"source={source}"))["items"]) == count
    series = {"count": 2, "lastObservedTime": "2026-01-02T03:04:06.000007Z"}
    await go.patch(f"{new}/e", {"series": series})
    assert (await go.get(f"{core}/e"))["series"] == series
    with pytest.raises(StatusError) as refused:
        await go.patch(f"{new}/e", {"note": "patched"})
    assert refused.value.message == (
        'Event.events.k8s.io "e" is invalid: message: Invalid value: "patched": field is immutable'
    )
    await go.delete(f"{new}/e")
    assert await go.is_gone(f"{core}/e")


async def test_versions_of_a_bound_kind_are_converted_too(go: GoClient, namespace: str, webhook: Webhook) -> None:
    crd = converted_crd(webhook)
    spec = crd["spec"]
    versions = [{**version, "schema": version["schema"]["openAPIV3Schema"]} for version in spec["versions"]]
    name = f"v1.{spec['names']['plural']}.{spec['group']}"
    apis = "/apis/apis.kcp.io/v1alpha1"
    schema = {"metadata": {"name": name}, "spec": {**spec, "versions": versions}}
    await go.create(f"{apis}/apiresourceschemas", schema)
    unknown = {**schema["spec"], "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}}
    refused = {"metadata": {"name": f"v2.{spec['names']['plural']}.{spec['group']}"}, "spec": unknown}
    with pytest.raises(StatusError, match="clientConfig"):
        await go.create(f"{apis}/apiresourceschemas", refused)
    await go.create(f"{apis}/apiexports", {"metadata": {"name": "conv"}, "spec": {"latestResourceSchemas": [name]}})
    reference = {"export": {"name": "conv"}}
    await go.create(f"{apis}/apibindings", {"metadata": {"name": "conv"}, "spec": {"reference": reference}})
    v1, v2 = (resource_path(crd, version, namespace) for version in ("v1", "v2"))
    await go.create(v2, {"metadata": {"name": "a", "namespace": namespace}, "host": "host1", "port": "80"})
    assert (await go.get(f"{v1}/a"))["hostPort"] == "host1:80"

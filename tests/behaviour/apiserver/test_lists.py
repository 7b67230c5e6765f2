"""Lists: consistency, pages, selectors, forms."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ryaml import loads  # type: ignore[attr-defined]  # it lists no exports

from portway.apiserver import responses

CONFIGS = "/api/v1/namespaces/default/configmaps"


async def test_pages_show_the_state_of_the_first_page(api: Any, make: Any) -> None:
    await make.configs(api, "abcdef")
    first = await api.get(CONFIGS, limit=3)
    assert first["metadata"]["remainingItemCount"] == 4
    await api.delete(f"{CONFIGS}/e")
    await api.post(CONFIGS, make.config("g"))
    second = await api.get(CONFIGS, limit=10, **{"continue": first["metadata"]["continue"]})
    assert make.names_of(first) + make.names_of(second) == [*"abcdef", "kube-root-ca.crt"]
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


async def test_a_page_with_a_selector_does_not_count_what_remains(api: Any, make: Any) -> None:
    for name in "abc":
        labelled = make.config(name)
        labelled["metadata"]["labels"] = {"app": "x"}
        await api.post(CONFIGS, labelled)
    page = await api.get(CONFIGS, limit=2, labelSelector="app=x")
    assert make.names_of(page) == ["a", "b"]
    assert "remainingItemCount" not in page["metadata"]
    rest = await api.get(CONFIGS, limit=2, labelSelector="app=x", **{"continue": page["metadata"]["continue"]})
    assert make.names_of(rest) == ["c"]


async def test_an_exact_revision_is_shown_as_it_was(api: Any, make: Any) -> None:
    created = await api.post(CONFIGS, make.config("a"))
    revision = created["metadata"]["resourceVersion"]
    await api.post(CONFIGS, make.config("b"))
    exact = await api.get(CONFIGS, resourceVersion=revision, resourceVersionMatch="Exact")
    assert make.names_of(exact) == ["a", "kube-root-ca.crt"]
    assert exact["metadata"]["resourceVersion"] == revision


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"resourceVersion": "9" * 18}, 504, f"Too large resource version: {'9' * 18}"),
        ({"resourceVersion": "x"}, 400, 'Invalid value: "x"'),
        ({"resourceVersionMatch": "Exact"}, 422, "forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Most", "resourceVersion": "1"}, 422, 'Unsupported value: "Most"'),
        ({"continue": "!"}, 400, "continue key is not valid"),
        ({"labelSelector": "a in"}, 400, ""),
        ({"fieldSelector": "data.x=1"}, 400, "field label not supported: data.x"),
    ],
)
async def test_wrong_options_are_refused(api: Any, query: dict[str, str], code: int, text: str) -> None:
    answered, _, message = await api.refused("GET", CONFIGS, **query)
    assert answered == code
    assert text in message


async def test_forms(api: Any, make: Any) -> None:
    await api.post(CONFIGS, make.config("a", x="1"))
    table = await api.get(f"{CONFIGS}/a", headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
    assert table["kind"] == "Table"
    assert table["rows"][0]["cells"][:2] == ["a", "1"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    as_list = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    metadata = await api.get(CONFIGS, headers={"accept": as_list}, limit=1)
    assert metadata["kind"] == "PartialObjectMetadataList"
    assert set(metadata["items"][0]) == {"kind", "apiVersion", "metadata"}
    assert (await api.refused("GET", CONFIGS, headers={"accept": "text/html"}))[0] == 406


async def test_discovery_and_openapi_have_etags(api: Any) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = await api.call("GET", "/apis/", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert answer.headers["vary"] == "Accept"
    again = await api.call("GET", "/apis", headers={"accept": accept, "if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    index = await api.get("/openapi/v3")
    document = await api.get(index["paths"]["api/v1"]["serverRelativeURL"].split("?")[0])
    assert document["openapi"].startswith("3.0")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez", "/version", "/version/"])
async def test_health_and_version_are_public(api: Any, path: str) -> None:
    assert (await api.as_user("nobody").call("GET", path)).status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/pods", "/apis/none.org/v1/things", "/api/v2"])
async def test_what_is_not_served_is_not_found(api: Any, path: str) -> None:
    assert (await api.refused("GET", path))[0] == 404


async def test_who_prefers_yaml_is_answered_in_yaml(api: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.post(
        CONFIGS, make.config("a", number="1e3", octal="0o17", date="2026-01-01", no="no", text="x: y", lines="a\nb\n")
    )
    in_yaml = {"accept": "application/yaml, application/json"}
    one = await api.call("GET", f"{CONFIGS}/a", headers=in_yaml)
    assert (one.status_code, one.headers["content-type"]) == (200, "application/yaml")
    assert one.text.startswith("apiVersion: v1\ndata:\n")
    assert loads(one.text) == await api.get(f"{CONFIGS}/a")
    assert yaml.safe_load(one.text) == loads(one.text), "readers of YAML 1.1 and 1.2 read the same"
    several = await api.call("GET", CONFIGS, headers=in_yaml)
    assert loads(several.text) == await api.get(CONFIGS)
    missing = await api.call("GET", f"{CONFIGS}/none", headers=in_yaml)
    assert (missing.status_code, loads(missing.text)["reason"]) == (404, "NotFound")
    json = await api.call("GET", f"{CONFIGS}/a", headers={"accept": "application/json, application/yaml"})
    assert json.headers["content-type"] == "application/json"
    monkeypatch.setattr(responses, "YAML_BYTES", 10)
    large = await api.call("GET", f"{CONFIGS}/a", headers=in_yaml)
    assert (large.headers["content-type"], large.json()) == ("application/yaml", loads(one.text))


@pytest.mark.parametrize(
    ("path", "accept", "told"),
    [
        (
            CONFIGS,
            "as=PartialObjectMetadata",
            "you requested PartialObjectMetadata, but the requested object is a list",
        ),
        (f"{CONFIGS}/a", "as=PartialObjectMetadataList", "but the requested object is not a list (*core.ConfigMap)"),
    ],
)
async def test_a_form_that_does_not_fit_is_refused(api: Any, make: Any, path: str, accept: str, told: str) -> None:
    await api.post(CONFIGS, make.config("a"))
    headers = {"accept": f"application/json;{accept};g=meta.k8s.io;v=v1,application/json"}
    code, reason, message = await api.refused("GET", path, headers=headers)
    assert (code, reason) == (406, "NotAcceptable")
    assert told in message


async def test_a_watch_is_not_given_in_yaml(api: Any) -> None:
    answer = await api.call("GET", CONFIGS, headers={"accept": "application/yaml"}, watch="1")
    told = "only the following media types are accepted: application/json;stream=watch"
    assert (answer.status_code, loads(answer.text)["message"]) == (406, told)


async def test_a_watch_from_a_lost_future_has_to_list_again(api: Any) -> None:
    code, reason, message = await api.refused("GET", CONFIGS, watch="1", resourceVersion="9" * 18)
    assert (code, reason) == (410, "Expired")
    assert message.startswith(f"too new resource version: {'9' * 18}")

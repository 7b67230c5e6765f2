"""Webhooks as all parts of the API call them: JSON over HTTPS, the caBundle of the configuration, bounded answers.

``admission.webhooks`` asks them about requests, ``conversions`` about versions; both send a review and get it back.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from portway.apiserver import names
from portway.kit import lazily
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that are read: a conversion gives back a whole page of objects."""
_REVIEWS = ("v1", "v1beta1")
_HEADERS = {"content-type": "application/json", "accept": "application/json"}


class Failed(Exception):
    """The webhook could not be asked, or did not answer what it was asked."""


async def call(client_config: Manifest, body: Manifest, seconds: int) -> Manifest:
    """The answer's body. ``client_config`` is a WebhookClientConfig. Raises Failed with upstream's text."""
    url = client_config.get("url") or ""
    if not url:
        service = client_config.get("service") or {}
        raise Failed(
            f'service "{service.get("name", "")}" in namespace "{service.get("namespace", "")}" cannot be reached: '
            "there is no cluster network here, give clientConfig.url instead"
        )
    try:
        content = await _post(url, client_config.get("caBundle") or "", orjson.dumps(body), seconds)
        answer: Any = orjson.loads(content)
    except httpx.TimeoutException:
        raise _failed(url, seconds, "context deadline exceeded") from None
    except orjson.JSONDecodeError as error:
        raise _failed(url, seconds, f"the answer is not JSON: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
        raise _failed(url, seconds, str(error) or type(error).__name__) from None
    if not isinstance(answer, dict):
        raise _failed(url, seconds, "the answer is no object")
    return answer


async def _post(url: str, bundle: str, body: bytes, seconds: int) -> bytes:
    options: dict[str, Any] = {"verify": _trust(bundle), "timeout": seconds, "trust_env": False}
    async with (
        httpx.AsyncClient(**options) as client,
        client.stream("POST", url, content=body, headers=_HEADERS, params={"timeout": f"{seconds}s"}) as answer,
    ):
        if answer.status_code != 200:
            raise _failed(url, seconds, f"the webhook answered {answer.status_code}, 200 was expected")
        found = bytearray()
        async for part in answer.aiter_bytes():
            found += part
            if len(found) > _ANSWER_LIMIT:
                raise _failed(url, seconds, f"the answer is longer than {_ANSWER_LIMIT} bytes")
        return bytes(found)


def _failed(url: str, seconds: int, why: str) -> Failed:
    return Failed(f'Post "{url}?timeout={seconds}s": {why}')


@lru_cache(maxsize=256)
def _trust(bundle: str) -> ssl.SSLContext:
    """Raises ValueError and SSLError for a bundle that is no PEM in base64."""
    if not bundle:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=base64.b64decode(bundle, validate=True).decode())


def verify_kind(answer: Manifest, api_version: str, kind: str) -> None:
    """Raises Failed when a review of another kind came back."""
    expected, told = f"{api_version}, Kind={kind}", f"{answer.get('apiVersion')}, Kind={answer.get('kind')}"
    if told != expected:
        raise Failed(f"expected webhook response of {expected}, got {told}")


def verify_uid(response: Manifest, uid: str) -> None:
    """Raises Failed when another review is answered."""
    if response.get("uid") != uid:
        raise Failed(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')


def check(client_config: Any, path: str, *, certificates: bool = True) -> Iterator[Cause]:
    """What is wrong with a WebhookClientConfig. ``certificates``: whether caBundle has to be right."""
    url, service = client_config.get("url"), client_config.get("service")
    if (url is None) == (service is None):
        yield causes.required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from check_url(url, f"{path}.url")
    else:
        yield from _check_service(service, f"{path}.service")
    bundle = client_config.get("caBundle")
    if bundle and certificates:
        yield from check_bundle(bundle, f"{path}.caBundle")


def check_review_versions(versions: list[str], path: str) -> Iterator[Cause]:
    """Of reviews that a webhook understands, when any are given."""
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield causes.invalid(f"{path}[{index}]", version, "duplicate version")
            continue
        for fault in names.dns_1035_faults(version):
            yield causes.invalid(f"{path}[{index}]", version, fault)
    if not {*_REVIEWS} & {*versions}:
        yield causes.invalid(path, versions, f"must include at least one of {', '.join(_REVIEWS)}")


def check_bundle(bundle: str, path: str) -> Iterator[Cause]:
    try:
        _trust(bundle)
    except (ValueError, ssl.SSLError, binascii.Error):
        text = "unable to load root certificates: unable to parse bytes as PEM block"
        yield causes.invalid(path, bundle, text)


def check_url(url: str, path: str) -> Iterator[Cause]:
    form = "; desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        host = parts.hostname
    except ValueError as error:
        yield causes.required(path, f"url must be a valid URL: {error}{form}")
        return
    for wrong, shown, told in (
        (parts.scheme != "https", parts.scheme, f"'https' is the only allowed URL scheme{form}"),
        (not host, "", f"host must be specified{form}"),
        (bool(user), user, "user information is not permitted in the URL"),
        (bool(parts.fragment), parts.fragment, "fragments are not permitted in the URL"),
        (bool(parts.query), parts.query, "query parameters are not permitted in the URL"),
    ):
        if wrong:
            yield causes.invalid(path, shown, told)


def _check_service(service: Manifest, path: str) -> Iterator[Cause]:
    for field in ("name", "namespace"):
        if not service.get(field):
            yield causes.required(f"{path}.{field}")
    port, steps = service.get("port", 443), service.get("path") or "/"
    if not isinstance(port, int) or not 1 <= port <= 65535:
        yield causes.invalid(f"{path}.port", port, "port is not valid: must be between 1 and 65535, inclusive")
    if not steps.startswith("/"):
        yield causes.invalid(f"{path}.path", steps, "must start with a '/'")
    if steps == "/":
        return
    for index, step in enumerate(steps[1:].removesuffix("/").split("/")):
        if not step:
            yield causes.invalid(f"{path}.path", steps, f"segment[{index}] may not be empty")
            continue
        for fault in names.subdomain_faults(step):
            yield causes.invalid(f"{path}.path", steps, f"segment[{index}]: {fault}")

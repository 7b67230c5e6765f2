"""Calls of webhooks as the API machinery makes them: HTTPS with the caBundle of the configuration, JSON both ways."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from portway.apiserver import names
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_ANSWER_LIMIT = 16 * 1024 * 1024


class Failed(Exception):
    """The webhook could not be asked, or answered something else than JSON and 200."""


async def call(client_config: Manifest, body: Manifest, seconds: float) -> Manifest:
    """The answer's body. ``client_config`` is a WebhookClientConfig. Raises Failed."""
    url = client_config.get("url") or ""
    if not url:
        service = client_config.get("service") or {}
        raise Failed(
            f'service "{service.get("name", "")}" in namespace "{service.get("namespace", "")}" cannot be reached: '
            "there is no cluster network here, give clientConfig.url instead"
        )
    try:
        trust = _trust(client_config.get("caBundle") or "")
        async with httpx.AsyncClient(verify=trust, timeout=seconds, follow_redirects=False) as client:
            answer = await client.post(url, content=orjson.dumps(body), headers={"content-type": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError) as error:
        raise Failed(f'Post "{url}": {error or type(error).__name__}') from None
    if answer.status_code != 200:
        raise Failed(f'Post "{url}": the webhook answered {answer.status_code}, 200 was expected')
    return _read(url, answer.content)


def _read(url: str, content: bytes) -> Manifest:
    try:
        value: Any = orjson.loads(content) if len(content) <= _ANSWER_LIMIT else None
    except orjson.JSONDecodeError as error:
        raise Failed(f'Post "{url}": the answer is not JSON: {error}') from None
    if not isinstance(value, dict):
        raise Failed(f'Post "{url}": the answer is no object, or larger than {_ANSWER_LIMIT} bytes')
    return value


@lru_cache(maxsize=64)
def _trust(bundle: str) -> ssl.SSLContext:
    """Raises ValueError for a bundle that is no PEM in base64."""
    if not bundle:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=base64.b64decode(bundle, validate=True).decode())


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

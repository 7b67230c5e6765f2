"""Calls of webhooks as the API machinery makes them: HTTPS with the caBundle of the configuration, JSON both ways."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from portway.kit import lazily
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

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


def check(client_config: Any, path: str) -> Iterator[Cause]:
    """What is wrong with a WebhookClientConfig, in upstream's words."""
    if not isinstance(client_config, dict) or bool(client_config.get("url")) == bool(client_config.get("service")):
        yield Cause("FieldValueRequired", "Required value: exactly one of url or service is required", path)
        return
    url = client_config.get("url")
    if url:
        yield from _check_url(str(url), f"{path}.url")
    bundle = client_config.get("caBundle")
    if bundle:
        try:
            _trust(bundle)
        except (ValueError, ssl.SSLError, binascii.Error) as error:
            text = f"Invalid value: unable to load root certificates: {error}"
            yield Cause("FieldValueInvalid", text, f"{path}.caBundle")


def _check_url(url: str, path: str) -> Iterator[Cause]:
    form = "; desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        yield Cause("FieldValueRequired", f"Required value: url must be a valid URL: {error}{form}", path)
        return
    for wrong, told in (
        (parts.scheme != "https", "'https' is the only allowed URL scheme" + form),
        (not host, "host must be specified" + form),
        (parts.username is not None, "user information is not permitted in the URL"),
        (bool(parts.fragment), "fragments are not permitted in the URL"),
        (bool(parts.query), "query parameters are not permitted in the URL"),
    ):
        if wrong:
            yield Cause("FieldValueInvalid", f'Invalid value: "{url}": {told}', path)

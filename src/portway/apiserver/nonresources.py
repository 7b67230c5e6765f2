"""URLs that are not resources: health, version, metrics, discovery and OpenAPI."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import lru_cache

import orjson

from portway.apiserver import responses
from portway.apiserver.context import Context
from portway.apiserver.documents import Document, discovery, openapi_v2, openapi_v3
from portway.apiserver.metrics import Metrics
from portway.apiserver.requests import Request
from portway.apiserver.resources import ResourceSet
from portway.apiserver.responses import Response
from portway.apiserver.signingkeys import ALGORITHM
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersion, Manifest

HEALTH = frozenset(("/healthz", "/readyz", "/livez"))
ISSUER_DOCUMENT = "/.well-known/openid-configuration"
ISSUER_KEYS = "/openid/v1/jwks"
PUBLIC = HEALTH | {"/version", ISSUER_DOCUMENT, ISSUER_KEYS}
"""Answered to anybody. Whoever is to trust tokens of service accounts has no account here; public keys are public."""
VERSION = {"major": "1", "minor": "33", "gitVersion": "v1.33.0+portway", "gitCommit": "", "gitTreeState": "clean"}
PATHS = [
    "/.well-known/openid-configuration",
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/readyz",
    "/version",
]


def answer(context: Context, metrics: Metrics, request: Request) -> Response:
    """Raises StatusError 404 for what is not there."""
    path = request.target.path
    if request.method not in ("GET", "HEAD"):
        raise StatusError(405, "MethodNotAllowed", f"{path} can only be read")
    if path in HEALTH or path.startswith(("/healthz/", "/readyz/", "/livez/")):
        return Response(b"ok", content_type=responses.TEXT)
    if path == "/version":
        system = {"platform": f"{platform.system().lower()}/{platform.machine()}", "compiler": "python"}
        return responses.of({**VERSION, **system, "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none"})
    if path == ISSUER_KEYS:
        return Response(orjson.dumps(context.accounts.keys.to_jwks()), content_type=b"application/jwk-set+json")
    if path == ISSUER_DOCUMENT:
        return responses.of(_issuer(context))
    if path == "/metrics":
        if request.tenant is None or request.tenant.path != "root" or request.view is not None:
            raise discovery.missing()  # they count the requests of all workspaces
        return Response(metrics.text(context.storage.revision), content_type=b"text/plain; version=0.0.4")
    if path == "/":
        return responses.of({"paths": PATHS})
    document = _document(_serving(context, request), path, request)
    if document is None:
        raise discovery.missing()
    return _cached(document, request)


def _issuer(context: Context) -> Manifest:
    """OpenID Connect discovery of the issuer of service-account tokens."""
    base = context.settings.external_url
    return {
        "issuer": context.accounts.issuer,
        "jwks_uri": f"{base}{ISSUER_KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def _serving(context: Context, request: Request) -> ResourceSet:
    if request.view is not None:
        return request.view.serving(request.tenant)
    if request.tenant is None:
        return context.registry.serving("root")
    return context.registry.serving(request.tenant.cluster)


def _cached(document: Document, request: Request) -> Response:
    headers = [(b"etag", document.etag.encode()), (b"vary", b"Accept")]
    if request.header(b"if-none-match") == document.etag:
        return Response(b"", 304, document.media_type.encode(), headers)
    if request.query.get("hash"):
        headers.append((b"cache-control", b"public, immutable"))
    return Response(document.body, 200, document.media_type.encode(), headers)


def _document(serving: ResourceSet, path: str, request: Request) -> Document | None:
    parts = path.strip("/").split("/")
    aggregated = _aggregated_version(request.header(b"accept")) if path in ("/api", "/apis") else ""
    make = _maker(serving, parts, aggregated, request)
    if make is None:
        return None
    form = "protobuf" if path == "/openapi/v2" and _wants_protobuf(request) else aggregated
    name = f"{path};{form};{request.header(b'host') if path == '/api' else ''}"
    found: Document | None = serving.documents.get(name)
    if found is None:
        found = make()
        if len(serving.documents) < 1000:
            serving.documents[name] = found
    return found


def _maker(serving: ResourceSet, parts: list[str], aggregated: str, request: Request) -> Callable[[], Document] | None:
    served = serving.served
    match parts:
        case ["api" | "apis"] if aggregated:
            return lambda: discovery.aggregated(served, core=parts == ["api"], version=aggregated)
        case ["api"]:
            return lambda: discovery.api_versions(request.header(b"host"))
        case ["api", version]:
            return lambda: discovery.api_resource_list(served, GroupVersion("", version))
        case ["apis"]:
            return lambda: discovery.api_group_list(served)
        case ["apis", group]:
            return lambda: discovery.api_group(served, group)
        case ["apis", group, version]:
            return lambda: discovery.api_resource_list(served, GroupVersion(group, version))
        case ["openapi", "v2"] if _wants_protobuf(request):
            return lambda: openapi_v2.protobuf(served)
        case ["openapi", "v2"]:
            return lambda: openapi_v2.document(served)
        case ["openapi", "v3"]:
            return lambda: openapi_v3.index(served)
        case ["openapi", "v3", "api", version]:
            return lambda: openapi_v3.document(served, GroupVersion("", version))
        case ["openapi", "v3", "apis", group, version]:
            return lambda: openapi_v3.document(served, GroupVersion(group, version))
    return None


def _wants_protobuf(request: Request) -> bool:
    """client-go asks for OpenAPI v2 in this form only; others prefer JSON, even when they name both."""
    accept = request.header(b"accept")
    return "proto-openapi.spec.v2" in accept and "json" not in accept


@lru_cache(maxsize=64)
def _aggregated_version(accept: str) -> str:
    """v2 or v2beta1 when the client prefers aggregated discovery over the plain one; else empty."""
    for alternative in accept.split(","):
        parameters = dict(p.strip().split("=", 1) for p in alternative.split(";")[1:] if "=" in p)
        if parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("v") in ("v2", "v2beta1"):
            if alternative.strip().startswith("application/json"):
                return parameters["v"]
        elif not parameters.get("as") and "protobuf" not in alternative:
            return ""
    return ""

"""``/services/apiexport/<cluster>/<export>/clusters/*/…``: a provider's view of everybody who binds its export.

Seen are the resources of the export, the bindings to it, and what consumers accepted claims for; nothing else, not
even that it exists. RBAC: the verb of the request on ``apiexports/content`` in the provider's workspace.
Source: kcp pkg/virtual/apiexport.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Iterator
from functools import lru_cache

import orjson

from portway.apiserver import authorizing, eventforms, resources
from portway.apiserver.context import Context
from portway.apiserver.exporting import BINDINGS, Claim, Claimed, Export, allows, reference_of
from portway.apiserver.rbac import Attributes
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource, ResourceSet, Source
from portway.apiserver.responses import Response, Stream
from portway.apiserver.tenants import CLUSTER_ANNOTATION, LOGICAL_CLUSTERS, Tenant
from portway.apiserver.tokens import is_vault
from portway.krm.errors import expired, forbidden
from portway.krm.identity import Manifest

_SUBRESOURCES = ("status", "scale")
_READ = ("get", "list", "watch")
_REREAD = "what may be seen changed: list again"


class ExportView:
    def __init__(self, context: Context, request: Request, source: Source, export: Export) -> None:
        self._request = request
        self._grants = context.authorizer.grants
        self._registry = context.registry
        self.source: Source | None = source
        self._source = source
        self._export = export
        self._own_keys = frozenset(resource.key for resource in self._own())
        self._verb = authorizing.verb_of(request)

    def serving(self, tenant: Tenant | None) -> ResourceSet:
        found = [*self._bindings(), *self._own(), *self._claimed(tenant)]
        cluster = tenant.cluster if tenant is not None else None
        return ResourceSet(r for r in found if cluster is None or self.reaches(r, cluster))

    def find(self, tenant: Tenant | None, group: str, version: str, plural: str) -> Resource | None:
        for resource in self.serving(tenant).resources:
            gvk = resource.served.gvk
            if (gvk.group, gvk.version, resource.served.plural) == (group, version, plural):
                self._require_verb(tenant, resource)
                return resource
        return None

    def _require_verb(self, tenant: Tenant | None, resource: Resource) -> None:
        """Raises StatusError 403 for a claim that was accepted for other verbs."""
        if tenant is None or self._is_own(resource) or resource.key == BINDINGS:
            return
        if not self._claims(resource, tenant.cluster, self._verb):
            why = f"no claim accepted by the consumer allows the verb {self._verb}"
            served = resource.served
            raise forbidden(served.plural, self._request.target.name, why, served.gvk.group)

    def enter(self, tenant: Tenant, asked: Attributes) -> None:
        """Only workspaces with a binding to this export are there."""
        if not any(self._registry.bindings_to(tenant.cluster, self._source)):
            raise authorizing.denied(
                self._request.user, asked, f'no access to workspace "{self._request.target.cluster}"'
            )

    def reaches(self, resource: Resource, cluster: str) -> bool:
        """Whether anything of that kind in a workspace may be seen."""
        if resource.key == BINDINGS and any(self._registry.bindings_to(cluster, self._source)):
            return True
        if self._is_own(resource):
            return self._registry.serving(cluster).sources.get(resource.key) == self._source
        return bool(self._claims(resource, cluster))

    def clusters(self, resource: Resource) -> list[str]:
        return [cluster for cluster in self._registry.consumers(self._source) if self.reaches(resource, cluster)]

    def shows(self, resource: Resource, manifest: Manifest) -> bool:
        fields = manifest["metadata"]
        cluster = (fields.get("annotations") or {}).get(CLUSTER_ANNOTATION, "")
        if not self.reaches(resource, cluster):
            return False
        if self._is_own(resource):
            return True
        if is_vault(cluster, fields.get("namespace") or ""):
            return False
        if any(claim.covers(manifest) for claim in self._claims(resource, cluster, self._verb)):
            return True
        return resource.key == BINDINGS and self._binds_this(cluster, manifest)

    def check_write(self, resource: Resource, old: Manifest | None, new: Manifest) -> None:
        """Claims hold for what is written as for what is read; to apply what is not there is to create it."""
        if old is None and self._verb != "create":
            self._verb = "create"
            if not self._grants.allows(self._request.user, self._source.cluster, _content("create", self._source)):
                asked = authorizing.attributes_of(self._request.target, "create")
                raise authorizing.denied(self._request.user, asked, "the export's workspace does not allow it")
        if self._is_own(resource):
            return
        for manifest in (old, new):
            if manifest is not None and not self._covers(resource, manifest):
                why = "the consumer accepted no claim that covers the object"
                raise forbidden(resource.served.plural, self._request.target.name, why, resource.served.gvk.group)

    def _covers(self, resource: Resource, manifest: Manifest) -> bool:
        if resource.key == LOGICAL_CLUSTERS:
            return False
        fields = manifest["metadata"]
        annotations = {**(fields.get("annotations") or {}), CLUSTER_ANNOTATION: self._request.cluster}
        return self.shows(resource, {**manifest, "metadata": {**fields, "annotations": annotations}})

    def ended_by_changes(self, answer: Response | Stream, resource: Resource) -> Response | Stream:
        """A watch of claimed objects ends with 410 when claims change; clients list again then."""
        if isinstance(answer, Response) or self._is_own(resource):
            return answer
        changed = self._registry.claims.next(self._source)
        return dataclasses.replace(answer, chunks=_until(answer.chunks, changed))

    def _own(self) -> Iterator[Resource]:
        for _, schema in self._registry.schemas_of(self._source):
            yield from schema.resources

    def _is_own(self, resource: Resource) -> bool:
        return resource.key in self._own_keys

    def _bindings(self) -> Iterator[Resource]:
        for resource in self._registry.builtin.resources:
            if resource.key == BINDINGS:
                yield _read_only(resource)

    def _claimed(self, tenant: Tenant | None) -> Iterator[Resource]:
        for claim in self._export.claims:
            if not claim.identity:
                found = self._registry.builtin.resources
            elif tenant is not None:
                found = self._registry.serving(tenant.cluster).resources
            else:
                found = tuple(self._of_identity(claim.identity))
            for resource in found:
                claimed = resource.key == _key_of(claim) and resource.key not in self._own_keys
                if claimed and "get" in resource.served.verbs:
                    yield _without_side_doors(resource)

    def _of_identity(self, identity: str) -> Iterator[Resource]:
        exports = self._registry.exports
        for cluster in exports.clusters():
            for (_, name), export in exports.of(cluster).items():
                if export.identity == identity:
                    for _, schema in self._registry.schemas_of(Source(cluster, name)):
                        yield from schema.resources

    def _claims(self, resource: Resource, cluster: str, verb: str = "") -> list[Claim]:
        """Accepted in a workspace and asked for by the export, for the verb or for any."""
        return [
            claim
            for _, binding in self._registry.bindings_to(cluster, self._source)
            for claim in binding.claims
            if _key_of(claim.about) == resource.key
            and claim.about in self._export.claims
            and (not verb or (self._export.asks(claim.about, verb) and allows(claim.verbs, verb)))
            and self._has_identity(resource, cluster, claim.about.identity)
        ]

    def _has_identity(self, resource: Resource, cluster: str, identity: str) -> bool:
        source = self._registry.serving(cluster).sources.get(resource.key)
        if not identity:
            return source is None and not resource.served.custom
        export = self._registry.exports.get(*source) if source is not None else None
        return export is not None and export.identity == identity

    def _binds_this(self, cluster: str, manifest: Manifest) -> bool:
        binding = self._registry.bindings.get(cluster, manifest["metadata"]["name"])
        same = binding is not None and binding.reference == reference_of(manifest)
        return same and binding is not None and self._registry.source_for(cluster, binding) == self._source


def open_view(context: Context, request: Request, asked: Attributes) -> ExportView:
    """Raises StatusError 403, the same whether the export is missing or the permission."""
    cluster, _, name = request.target.domain.partition("/")
    home = context.tenants.resolve(cluster)
    user = request.user
    needed = _content(asked.verb, Source("", name))
    allowed = home is not None and context.authorizer.may_enter(user, home)
    allowed = allowed and home is not None and context.authorizer.grants.allows(user, home.cluster, needed)
    export = context.registry.exports.get(home.cluster, name) if home is not None else None
    if not allowed or home is None or export is None:
        raise authorizing.denied(user, asked, f'no access to API export "{request.target.domain}"')
    return ExportView(context, request, Source(home.cluster, name), export)


def _content(verb: str, source: Source) -> Attributes:
    return Attributes(verb, "apis.kcp.io", "apiexports/content", "", source.export)


def _key_of(claim: Claimed) -> str:
    """The resource of a claim, as in store keys. The two groups of events are one."""
    if not claim.group or (claim.group, claim.resource) == (eventforms.GROUP, "events"):
        return claim.resource
    return f"{claim.resource}.{claim.group}"


@lru_cache(maxsize=512)
def _without_side_doors(resource: Resource) -> Resource:
    """No subresource that gives away more than the object: tokens of service accounts, for one."""
    kept = tuple(s for s in resource.served.subresources if s.name in _SUBRESOURCES)
    return dataclasses.replace(resource, served=dataclasses.replace(resource.served, subresources=kept))


@lru_cache(maxsize=8)
def _read_only(resource: Resource) -> Resource:
    return resources.of(dataclasses.replace(resource.served, verbs=_READ, subresources=()))


async def _until(chunks: AsyncGenerator[bytes, None], changed: asyncio.Event) -> AsyncGenerator[bytes, None]:
    waiting = asyncio.ensure_future(changed.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(chunks, None))
            try:
                await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await following
            if waiting.done():
                yield b'{"type":"ERROR","object":%s}\n' % orjson.dumps(expired(_REREAD).to_status())
                return
            chunk = following.result()
            if chunk is None:
                return
            yield chunk
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await chunks.aclose()

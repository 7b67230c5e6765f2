"""Stored records in the form a client asked for. Bytes go through untouched unless the form needs the object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson

from portway.apiserver import negotiating, objects
from portway.apiserver.negotiating import Form
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Pieces
from portway.apiserver.tenants import Tenants
from portway.krm import tables
from portway.krm.errors import StatusError, bad_request
from portway.krm.identity import Manifest
from portway.krm.schemas import defaulting
from portway.store.contract import Record

_METADATA_FORMS = (Form.METADATA, Form.METADATA_LIST)


class Renderer:
    """``value`` gives the bytes of one object as this request sees it."""

    def __init__(
        self, request: Request, resource: Resource, tenants: Tenants, *, streams: bool = False, lists: bool = False
    ) -> None:
        """``streams``: of the Tables of a watch only the first says what its columns are. Raises StatusError 406."""
        self._resource = resource
        self._tenants = tenants if request.tenant is None and request.view is None else None
        self._accepted = negotiating.accepted(request.header(b"accept"), streams=streams)
        if not streams:
            _check_form(self.form, resource, lists=lists)
        self._include = _included(request) if self.form is Form.TABLE else tables.METADATA
        self._streams = streams
        self._headers = True
        self._prefix = objects.version_prefix(resource.served.gvk.api_version)

    @property
    def form(self) -> Form:
        return self._accepted.form

    def value(self, record: Record) -> bytes:
        """The object, whatever form was asked."""
        value = record.value
        if self._resource.has_defaults and record.revision < self._resource.changed_at:
            value = _defaulted(value, self._resource)
        value = objects.in_version(value, self._prefix)  # an older one may be stored
        if self._tenants is not None:
            cluster = record.key.cluster
            value = objects.with_path(value, cluster, self._tenants.path_of(cluster))
        return value

    def single(self, record: Record) -> bytes:
        return self.shaped(self.value(record))

    def shaped(self, value: bytes) -> bytes:
        """One object in the accepted form."""
        if self.form is Form.OBJECT:
            return value
        if self.form is Form.TABLE:
            return orjson.dumps(self.table([orjson.loads(value)]))
        return orjson.dumps(self._metadata(orjson.loads(value)))

    def several(self, records: Sequence[Record], list_metadata: Manifest) -> bytes | Pieces:
        """A list in the accepted form; ``list_metadata``: resourceVersion, continue, remainingItemCount."""
        gvk = self._resource.served.gvk
        if self.form is Form.OBJECT and self._tenants is None and self._resource.served.custom:
            head = {"kind": self._resource.served.list_kind or f"{gvk.kind}List", "apiVersion": gvk.api_version}
            return _list(head, list_metadata, [part for record in records for part in self._parts(record)])
        values = [self.value(record) for record in records]
        if self.form is Form.TABLE:
            table = self.table([orjson.loads(value) for value in values])
            table["metadata"] = list_metadata
            return orjson.dumps(table)
        if self.form in _METADATA_FORMS:
            values = [
                orjson.dumps(self._metadata(orjson.loads(value), typed=not self._accepted.as_protobuf))
                for value in values
            ]
            head = {"kind": "PartialObjectMetadataList", "apiVersion": self._accepted.api_version}
        else:
            if not self._resource.served.custom:
                values = [objects.without_type(value, gvk.api_version, gvk.kind) for value in values]
            head = {"kind": self._resource.served.list_kind or f"{gvk.kind}List", "apiVersion": gvk.api_version}
        return _list(head, list_metadata, [part for value in values for part in (b",", value)])

    def _parts(self, record: Record) -> tuple[bytes, ...]:
        """What stands in a list for the record: a comma and its value, in pieces as it is kept."""
        is_old = self._resource.has_defaults and record.revision < self._resource.changed_at
        if is_old or not record.begin.startswith(self._prefix):
            return (b",", self.value(record))
        return (b",", record.begin, record.end)

    def table(self, manifests: Sequence[Manifest]) -> Manifest:
        table = tables.render(self._resource.served, manifests, include=self._include)
        table["apiVersion"] = self._accepted.api_version
        if len(manifests) == 1:
            metadata = manifests[0]["metadata"]
            table["metadata"] = {"resourceVersion": metadata.get("resourceVersion", "")}
        if not self._headers:
            table["columnDefinitions"] = None
        self._headers = not self._streams
        return table

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        gvk = self._resource.served.gvk
        metadata: Manifest = {"resourceVersion": str(revision)}
        if annotations:
            metadata["annotations"] = annotations
        manifest: Manifest = {"kind": gvk.kind, "apiVersion": gvk.api_version, "metadata": metadata}
        if self.form is Form.TABLE:
            manifest = self.table([manifest])
            if annotations:  # says where the initial events end, whatever includeObject asks for
                manifest["rows"][0]["object"] = tables.partial({"metadata": metadata})
        elif self.form in _METADATA_FORMS:
            manifest = self._metadata(manifest)
        return orjson.dumps(manifest)

    def _metadata(self, manifest: Manifest, *, typed: bool = True) -> Manifest:
        type_ = {"kind": "PartialObjectMetadata", "apiVersion": self._accepted.api_version} if typed else {}
        return {**type_, "metadata": manifest["metadata"]}


def _list(head: Manifest, metadata: Manifest, parts: list[bytes]) -> Pieces:
    """``parts`` begin with a comma."""
    opening = orjson.dumps({**head, "metadata": metadata})[:-1]
    return Pieces([opening, b',"items":[', *parts[1:], b"]}"])


def _check_form(form: Form, resource: Resource, *, lists: bool) -> None:
    gvk = resource.served.gvk
    package, kind = gvk.group.partition(".")[0] or "core", gvk.kind
    name = ("unstructured", "Unstructured") if resource.served.custom else (package, kind)
    if form is Form.METADATA and lists:
        why = f"you requested {form}, but the requested object is a list (*{name[0]}.{name[1]}List)"
    elif form is Form.METADATA_LIST and not lists:
        why = f"you requested {form}, but the requested object is not a list (*{name[0]}.{name[1]})"
    else:
        return
    raise StatusError(406, "NotAcceptable", why)


def _included(request: Request) -> str:
    """What of the object a row holds. Raises StatusError 400 with upstream's text."""
    include = request.query.get("includeObject") or tables.METADATA
    if include in (tables.NONE, tables.METADATA, tables.OBJECT):
        return include
    raise bad_request(
        f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


@lru_cache(maxsize=2048)
def _defaulted(value: bytes, resource: Resource) -> bytes:
    """Defaults added to the schema after the object was stored."""
    manifest = orjson.loads(value)
    defaulting.default(resource.served.schema, manifest)
    return orjson.dumps(manifest)

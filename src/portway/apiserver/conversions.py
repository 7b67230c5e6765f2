"""Objects between the version they are stored in and the one a request speaks, where more than apiVersion differs.

Some built-in kinds have forms (events in two groups, exports in two versions); versions of a CRD with strategy Webhook
are converted by the webhook it names. Records come out of here as if they were stored in the served version.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from portway.apiserver import objects, webhooks
from portway.apiserver.resources import Forms, Resource, WebhookConversion
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersion, Manifest
from portway.store.contract import Event, Key, Record

_SECONDS = 30
_REMEMBERED = 20_000
_GROUP = "apiextensions.k8s.io"

_Place = tuple[Key, int, str, int]


class Conversions:
    """Remembers what webhooks answered: an object at a revision is asked for once."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Place, bytes] = OrderedDict()

    async def one(self, resource: Resource, record: Record) -> Record:
        if resource.conversion is None:
            return record
        return (await self.shown(resource, [record]))[0]

    async def shown(self, resource: Resource, records: Sequence[Record]) -> list[Record]:
        """The records in the served version. Raises StatusError 500."""
        if resource.conversion is None:
            return list(records)
        api_version = resource.served.gvk.api_version
        prefix = objects.version_prefix(api_version)
        found: dict[_Place, bytes] = {}
        todo = []
        for record in records:
            place = self._place(resource, record)
            if record.value.startswith(prefix):
                found[place] = record.value
            elif place in self._known:
                found[place] = self._known[place]
            else:
                todo.append(record)
        if todo:
            manifests = [objects.decode(record.value) for record in todo]
            for record, manifest in zip(todo, await self._convert(resource, manifests, api_version), strict=True):
                place = self._place(resource, record)
                found[place] = objects.encoder(manifest, record.key.cluster)(record.revision)
                self._remember(place, found[place])
        return [Record(r.key, r.revision, found[self._place(resource, r)]) for r in records]

    async def event(self, resource: Resource, event: Event) -> Event:
        """An event of a watch, with both states in the served version."""
        record = await self.one(resource, event.record)
        previous = event.previous
        if previous is not None:
            before = Record(event.record.key, event.previous_revision, previous)
            previous = (await self.one(resource, before)).value
        return Event(event.type, record, previous, event.previous_revision)

    async def stored(self, resource: Resource, manifest: Manifest) -> Manifest:
        """An object of the served version in the one it is stored in. Raises StatusError 500."""
        if resource.conversion is None or manifest["apiVersion"] == resource.storage_api_version:
            return manifest
        return (await self._convert(resource, [manifest], resource.storage_api_version))[0]

    async def _convert(self, resource: Resource, manifests: list[Manifest], api_version: str) -> list[Manifest]:
        if isinstance(resource.conversion, Forms):
            return [resource.conversion.convert(manifest, api_version) for manifest in manifests]
        if resource.conversion is None:
            return manifests
        try:
            return await _ask(resource.conversion, manifests, api_version)
        except webhooks.Failed as error:
            gvk = resource.served.gvk
            source = GroupVersion.parse(manifests[0]["apiVersion"])
            message = f"conversion webhook for {source.group}/{source.version}, Kind={gvk.kind} failed: {error}"
            raise StatusError(500, "InternalError", message) from None

    def _place(self, resource: Resource, record: Record) -> _Place:
        return record.key, record.revision, resource.served.gvk.version, resource.changed_at

    def _remember(self, place: _Place, value: bytes) -> None:
        self._known[place] = value
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


async def _ask(conversion: WebhookConversion, manifests: list[Manifest], api_version: str) -> list[Manifest]:
    version = next((v for v in conversion.review_versions if v in ("v1", "v1beta1")), "v1")
    uid = str(uuid.uuid4())
    review = {
        "kind": "ConversionReview",
        "apiVersion": f"{_GROUP}/{version}",
        "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": manifests},
    }
    answer = await webhooks.call(conversion.client_config, review, _SECONDS)
    if version == "v1":
        webhooks.verify_kind(answer, f"{_GROUP}/v1", "ConversionReview")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise webhooks.Failed("no response provided")
    if version == "v1":
        webhooks.verify_uid(response, uid)
    result = response.get("result") or {}
    if result.get("status") != "Success":
        told = f"response.result.status was '{result.get('status', '')}', not 'Success'"
        raise webhooks.Failed(result.get("message") or told)
    converted = response.get("convertedObjects") or []
    if len(converted) != len(manifests):
        raise webhooks.Failed(f"returned {len(converted)} objects, expected {len(manifests)}")
    pairs = enumerate(zip(manifests, converted, strict=True))
    return [_restored(index, source, target, api_version) for index, (source, target) in pairs]


def _restored(index: int, source: Manifest, target: Any, api_version: str) -> Manifest:
    """What a webhook made of an object, with all of its metadata but labels and annotations as they were."""
    where = f"returned invalid converted object at index {index}"
    if not isinstance(target, dict) or not isinstance(target.get("metadata"), dict):
        raise webhooks.Failed(f"{where}: missing metadata in converted object")
    for field, expected in (("apiVersion", api_version), ("kind", source["kind"])):
        if target.get(field) != expected:
            raise webhooks.Failed(f"{where}: invalid {field} (expected {expected}, received {target.get(field)})")
    before, after = source["metadata"], target["metadata"]
    for field in ("name", "namespace", "uid"):
        if (before.get(field) or "") != (after.get(field) or ""):
            told = f"must have the same {field}: {before.get(field)} != {after.get(field)}"
            raise webhooks.Failed(f"{where}: {told}")
    metadata = {key: value for key, value in before.items() if key not in ("labels", "annotations")}
    for field in ("labels", "annotations"):
        values = after.get(field)
        if values is None:
            continue
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise webhooks.Failed(f"{where}: metadata.{field} must be a map of strings")
        metadata[field] = values
    return {**target, "metadata": metadata}

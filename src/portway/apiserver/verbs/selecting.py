"""Label and field selectors of a request, applied to records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from portway.apiserver import eventforms, objects
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.views import View
from portway.krm import selectors
from portway.krm.errors import bad_request
from portway.krm.identity import Manifest

_ALWAYS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Selection:
    labels: selectors.LabelSelector | None
    fields: selectors.FieldSelector | None
    name: str = ""
    """Set when the field selector asks for exactly one metadata.name."""
    view: View | None = None
    """Below ``/services/``: what it lets through of ``resource``."""
    resource: Resource | None = None

    @property
    def is_everything(self) -> bool:
        return self.labels is None and self.fields is None and self.view is None

    def matches(self, manifest: Manifest) -> bool:
        if self.labels is not None and not self.labels.matches(manifest["metadata"].get("labels") or {}):
            return False
        if self.fields is not None and not self.fields.matches(manifest):
            return False
        return self.view is None or self.resource is None or self.view.shows(self.resource, manifest)

    def matches_value(self, value: bytes) -> bool:
        if self.is_everything:
            return True
        return self._reaches(value) and self.matches(objects.decode(value))

    def _reaches(self, value: bytes) -> bool:
        """Told without decoding: most objects of most workspaces are none of the view's business."""
        if self.view is None or self.resource is None:
            return True
        return self.view.reaches(self.resource, objects.cluster_of(value))


def of(request: Request, resource: Resource) -> Selection:
    """Raises StatusError 400 for selectors that do not parse or name a field that cannot be selected."""
    query = request.query
    found = _selection(query.get("labelSelector", ""), query.get("fieldSelector", ""), resource)
    view = request.view
    return found if view is None else replace(found, view=view, resource=resource)


@lru_cache(maxsize=1024)
def _selection(labels_text: str, fields_text: str, resource: Resource) -> Selection:
    labels = selectors.parse_labels(labels_text) if labels_text else None
    fields = selectors.parse_fields(fields_text) if fields_text else None
    if fields is None:
        return Selection(labels, None)
    selectable = (*_ALWAYS, *resource.served.selectable_fields)
    for field in fields.fields:
        if field not in selectable:
            raise bad_request(f"field label not supported: {field}")
    if resource.key == eventforms.KEY:
        fields = fields.read_at(eventforms.SELECTED_AT)
    return Selection(labels, fields, _exact_name(fields_text))


def _exact_name(text: str) -> str:
    for term in text.split(","):
        field, sign, value = term.partition("=")
        if sign and field == "metadata.name":
            return value.lstrip("=")
    return ""

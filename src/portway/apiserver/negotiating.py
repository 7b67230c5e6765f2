"""What the client accepts: the object itself, a Table, or metadata only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from portway.krm.errors import StatusError


class Form(StrEnum):
    OBJECT = ""
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"
    METADATA_LIST = "PartialObjectMetadataList"


@dataclass(frozen=True, slots=True)
class Accepted:
    form: Form
    api_version: str = "meta.k8s.io/v1"
    as_protobuf: bool = False
    """The client asked for this form in Protobuf first, where the items of a list carry no type."""


YAML = "application/yaml"
_FORMS = frozenset(form.value for form in Form if form)
_PLAIN = Accepted(Form.OBJECT)
_MEDIA_TYPES = frozenset(("application/json", "*/*", "application/*", "application/vnd.kubernetes.protobuf", YAML))


ALL_FORMS = frozenset(Form)
PLAIN_FORM = frozenset((Form.OBJECT,))


@lru_cache(maxsize=512)
def accepted(accept: str, offered: frozenset[Form] = ALL_FORMS, *, streams: bool = False) -> Accepted:
    """The first alternative that can be given. Protobuf is answered in JSON, which every client that asks can read.

    Raises StatusError 406 when there is none. ``streams``: of a watch, which is not given in YAML.
    """
    if not accept:
        return _PLAIN
    as_protobuf: set[str] = set()
    for alternative in accept.split(","):
        media, *parameters = (part.strip() for part in alternative.split(";"))
        values = dict(p.split("=", 1) for p in parameters if "=" in p)
        wanted = values.get("as", "")
        if media.endswith("protobuf") and wanted:
            as_protobuf.add(wanted)
            continue
        if media not in _MEDIA_TYPES or (streams and media == YAML):
            continue
        if not wanted:
            return _PLAIN
        if (
            values.get("g", "meta.k8s.io") == "meta.k8s.io"
            and wanted in _FORMS
            and Form(wanted) in offered
            and values.get("v") in ("v1", "v1beta1")
        ):
            return Accepted(Form(wanted), f"meta.k8s.io/{values['v']}", wanted in as_protobuf)
    given = "application/json;stream=watch" if streams else "application/json, application/yaml"
    message = f"only the following media types are accepted: {given}"
    raise StatusError(406, "NotAcceptable", message)


@lru_cache(maxsize=512)
def wants_yaml(accept: str) -> bool:
    """Whether YAML is the first of the syntaxes that can be given."""
    media = (alternative.split(";")[0].strip() for alternative in accept.split(","))
    return next((each for each in media if each in _MEDIA_TYPES), "") == YAML

"""Jinja templates with everything escaped, and the few filters that pages share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
import orjson
import ryaml
from markupsafe import Markup, escape

from portway.index.entities import Entity
from portway.index.references import Ref
from portway.portal import icons

HERE = Path(__file__).parent
STATIC = HERE / "static"
_SCHEMES = frozenset({"http", "https", "mailto"})


class Templates:
    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "ago": ago,
            "moment": moment,
            "duration": duration,
            "safe_url": safe_url,
            "entity_url": entity_url,
            "path": path,
            "json_text": lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
            "compact": lambda value: ", ".join(f"{k}: {v}" for k, v in value.items()),
            "yaml_text": yaml_text,
            "link_icon": icons.of_link,
            "team": lambda workspace: str(workspace).rpartition(":")[2],
        }
        self._environment.globals |= {"static": static_url, "icon": icon, "kind_icon": icons.of_kind}

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(values)


def icon(name: str, label: str = "") -> Markup:
    """An SVG from the sprite; with a label it speaks to screen readers, without it is decoration."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(said, static_url("icons.svg"), name)


@cache
def static_url(name: str) -> str:
    """Address of a file in static, with a mark of its content so that browsers may keep it for ever."""
    try:
        mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    except FileNotFoundError:
        mark = "absent"
    return f"/static/{name}?v={mark}"


def safe_url(address: Any) -> str:
    """The address when it is one to follow (http, https, mailto, or a path on this server), else nothing."""
    if not isinstance(address, str):
        return ""
    url: str = address.strip()
    if url.startswith("/") and not url.startswith(("//", "/\\")):
        return url
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return ""
    return url if scheme in _SCHEMES and url.lower().startswith(f"{scheme}:") else ""


def entity_url(entity: Entity) -> str:
    ref: Ref = entity.ref
    return path("/catalog", entity.workspace, ref.kind, ref.namespace, ref.name)


def path(prefix: str, *parts: Any) -> str:
    """An address from parts, each quoted."""
    return "/".join((prefix, *(quote(str(part), safe=":") for part in parts)))


def moment(value: Any) -> datetime | None:
    """An RFC 3339 text as a time; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def ago(value: Any) -> Markup:
    """How long ago, as a ``time`` element with the exact time in its title."""
    at = moment(value)
    if at is None:
        return Markup("")
    text = f"{_span((datetime.now(UTC) - at).total_seconds())} ago"
    if text.startswith("0 s"):
        text = "just now"
    exact = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, text)


def duration(start: Any, end: Any = None) -> str:
    """Time between two texts (until now without the second): ``3.2 s``, ``4 min``."""
    begun = moment(start)
    if begun is None:
        return ""
    seconds = ((moment(end) or datetime.now(UTC)) - begun).total_seconds()
    if 0 <= seconds < 10 and end:
        return f"{seconds:.1f} s"
    return _span(seconds)


def _span(seconds: float) -> str:
    seconds = max(seconds, 0)
    for size, name in ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"


def yaml_text(value: Any) -> str:
    return str(ryaml.dumps(value))  # type: ignore[attr-defined]  # its stub does not re-export


def text_of(value: Any) -> Markup:
    return escape("" if value is None else value)

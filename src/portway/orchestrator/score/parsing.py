"""Score file → ``Workload``, by the rules of the published v1b1 schema (score-spec/spec, score-v1b1.json).

Stricter than the schema in one point: ``before`` must name another container of the same file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portway.orchestrator.score.models import (
    Amounts,
    Container,
    File,
    HttpGet,
    Port,
    Probe,
    Ready,
    Resource,
    Volume,
    Workload,
)  # fmt: skip
from portway.orchestrator.score.reading import Path, Pattern, Problem, Reader

API_VERSION = "score.dev/v1b1"

LABEL = Pattern(
    re.compile(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"),
    "2 to 63 characters of a-z, 0-9 and -, not starting or ending with -",
)
_TYPE = Pattern(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]"),
    "2 to 63 characters of A-Z, a-z, 0-9 and -, not starting or ending with -",
)
_ID = Pattern(
    re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*"),
    "2 to 63 characters: labels of a-z, 0-9 and - joined by dots",
    2,
    63,
)
_ANNOTATION = Pattern(
    re.compile(
        r"(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?"
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]"
    ),
    "an annotation name such as example.com/owner",
    2,
    316,
)
_MODE = Pattern(re.compile(r"0?[0-7]{3}"), "octal digits in quotes, such as '0600'")
_MEMORY = Pattern(re.compile(r"[1-9]\d*(K|M|G|T|Ki|Mi|Gi|Ti)?"), "bytes with an optional unit, such as 125M or 1Gi")
_CPU = Pattern(re.compile(r"\d*(?:m|\.\d+)?"), "CPUs such as 2, 0.5 or 125m")
_VARIABLE = Pattern(re.compile(r"[^=]+"), "a name that is not empty and without =")
_HEADER = Pattern(re.compile(r"[A-Za-z0-9_-]+"), "letters, digits, - and _")

_CONTAINER_FIELDS = (
    "image", "command", "args", "variables", "files", "volumes", "resources", "livenessProbe", "readinessProbe",
    "before",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """``workload`` is None when there are problems."""

    workload: Workload | None
    problems: tuple[Problem, ...] = ()


def parse(value: Any) -> Parsed:
    """Read a decoded Score file. Never raises on bad input."""
    reader = Reader()
    if value is None:
        return Parsed(
            None, (Problem((), "the document is empty", "a Score file with apiVersion, metadata, containers"),)
        )
    workload = _workload(reader, value)
    if reader.problems:
        return Parsed(None, tuple(reader.problems))
    return Parsed(workload)


def _workload(reader: Reader, value: Any) -> Workload:
    known = ("apiVersion", "metadata", "service", "containers", "resources")
    root = reader.mapping(value, (), known=known, required=("apiVersion", "metadata", "containers"))
    if "apiVersion" in root and root["apiVersion"] != API_VERSION:
        reader.note(("apiVersion",), f"is {root['apiVersion']!r}", API_VERSION)
    metadata = _metadata(reader, root.get("metadata", {"name": "absent"}))
    containers = _containers(reader, root.get("containers", {"absent": {"image": "."}}))
    return Workload(
        name=metadata.get("name", ""),
        metadata=metadata,
        containers=containers,
        ports=_service(reader, root["service"]) if "service" in root else (),
        resources=_resources(reader, root["resources"]) if "resources" in root else (),
    )


def _metadata(reader: Reader, value: Any) -> Mapping[str, Any]:
    path: Path = ("metadata",)
    metadata = reader.mapping(value, path, required=("name",))
    if "name" in metadata:
        reader.text(metadata["name"], (*path, "name"), pattern=LABEL)
    if "annotations" in metadata:
        _annotations(reader, metadata["annotations"], (*path, "annotations"))
    return metadata


def _annotations(reader: Reader, value: Any, path: Path) -> None:
    for key, text in reader.named(value, path, _ANNOTATION).items():
        reader.text(text, (*path, key))


def _service(reader: Reader, value: Any) -> tuple[Port, ...]:
    service = reader.mapping(value, ("service",), known=("ports",))
    if "ports" not in service:
        return ()
    ports = reader.named(service["ports"], ("service", "ports"), LABEL)
    return tuple(_port(reader, name, port, ("service", "ports", name)) for name, port in ports.items())


def _port(reader: Reader, name: str, value: Any, path: Path) -> Port:
    port = reader.mapping(value, path, known=("port", "protocol", "targetPort"), required=("port",))
    number = reader.port(port["port"], (*path, "port")) if "port" in port else 0
    protocol = reader.choice(port.get("protocol", "TCP"), (*path, "protocol"), ("TCP", "UDP"))
    target = reader.port(port["targetPort"], (*path, "targetPort")) if "targetPort" in port else number
    return Port(name, number, protocol, target)


def _containers(reader: Reader, value: Any) -> tuple[Container, ...]:
    entries = reader.named(value, ("containers",), LABEL)
    if isinstance(value, Mapping) and not value:
        reader.note(("containers",), "is empty", "at least one container")
    containers = tuple(_container(reader, name, entry, ("containers", name)) for name, entry in entries.items())
    for container in containers:
        for other in container.before:
            path = ("containers", container.name, "before", other)
            if other == container.name:
                reader.note(path, "a container cannot start before itself", "another container of this file")
            elif other not in entries:
                reader.note(path, f"there is no container {other}", "one of " + ", ".join(sorted(entries)))
    return containers


def _container(reader: Reader, name: str, value: Any, path: Path) -> Container:
    fields = reader.mapping(value, path, known=_CONTAINER_FIELDS, required=("image",))

    def read(key: str, how: Callable[[Reader, Any, Path], Any], absent: Any) -> Any:
        return how(reader, fields[key], (*path, key)) if key in fields else absent

    amounts = read("resources", _amounts_of, {})
    return Container(
        name=name,
        image=read("image", lambda r, v, p: r.text(v, p, empty=False), ""),
        command=read("command", Reader.texts, ()),
        args=read("args", Reader.texts, ()),
        variables=read("variables", _variables, {}),
        files=read("files", _files, ()),
        volumes=read("volumes", _volumes, ()),
        limits=amounts.get("limits", Amounts()),
        requests=amounts.get("requests", Amounts()),
        liveness=read("livenessProbe", _probe, None),
        readiness=read("readinessProbe", _probe, None),
        before=read("before", _before, {}),
    )


def _variables(reader: Reader, value: Any, path: Path) -> Mapping[str, str]:
    entries = reader.named(value, path, _VARIABLE)
    return {key: reader.text(text, (*path, key)) for key, text in entries.items()}


def _by_target(reader: Reader, value: Any, path: Path) -> list[tuple[str, Any, Path, bool]]:
    """Entries of a list (with target inside) or of a map keyed by target: (target, entry, path, is a list)."""
    if isinstance(value, Mapping):
        return [(key, entry, (*path, key), False) for key, entry in reader.mapping(value, path).items()]
    if not isinstance(value, list):
        reader.note(path, "is neither a list nor a mapping", "a list of entries with target, or a map keyed by target")
        return []
    return [("", entry, (*path, i), True) for i, entry in enumerate(value)]


def _target(reader: Reader, fields: Mapping[str, Any], key: str, path: Path, listed: bool) -> str:
    if not listed:
        return reader.text(key, path, empty=False)
    return reader.text(fields["target"], (*path, "target"), empty=False) if "target" in fields else ""


def _files(reader: Reader, value: Any, path: Path) -> tuple[File, ...]:
    return tuple(_file(reader, *entry) for entry in _by_target(reader, value, path))


def _file(reader: Reader, key: str, value: Any, path: Path, listed: bool) -> File:
    forms = ("source", "content", "binaryContent")
    known = ("mode", "noExpand", *forms, *(("target",) if listed else ()))
    fields = reader.mapping(value, path, known=known, required=("target",) if listed else ())
    given = [form for form in forms if form in fields]
    if isinstance(value, Mapping) and len(given) != 1:
        has = " and ".join(given) if given else "none of them"
        reader.note(path, f"has {has}", "exactly one of source, content and binaryContent")
    texts = {form: reader.text(fields[form], (*path, form), empty=form != "source") for form in given}
    return File(
        target=_target(reader, fields, key, path, listed),
        mode=reader.text(fields["mode"], (*path, "mode"), pattern=_MODE) if "mode" in fields else "",
        source=texts.get("source"),
        content=texts.get("content"),
        binary_content=texts.get("binaryContent"),
        no_expand=reader.flag(fields["noExpand"], (*path, "noExpand")) if "noExpand" in fields else False,
    )


def _volumes(reader: Reader, value: Any, path: Path) -> tuple[Volume, ...]:
    return tuple(_volume(reader, *entry) for entry in _by_target(reader, value, path))


def _volume(reader: Reader, key: str, value: Any, path: Path, listed: bool) -> Volume:
    own = ("target",) if listed else ()
    fields = reader.mapping(value, path, known=("source", "path", "readOnly", *own), required=("source", *own))
    return Volume(
        target=_target(reader, fields, key, path, listed),
        source=reader.text(fields["source"], (*path, "source")) if "source" in fields else "",
        path=reader.text(fields["path"], (*path, "path")) if "path" in fields else "",
        read_only=reader.flag(fields["readOnly"], (*path, "readOnly")) if "readOnly" in fields else False,
    )


def _amounts_of(reader: Reader, value: Any, path: Path) -> Mapping[str, Amounts]:
    fields = reader.mapping(value, path, known=("limits", "requests"))
    return {
        key: _amounts(reader, entry, (*path, key)) for key, entry in fields.items() if key in ("limits", "requests")
    }


def _amounts(reader: Reader, value: Any, path: Path) -> Amounts:
    fields = reader.mapping(value, path, known=("memory", "cpu"))
    return Amounts(
        memory=reader.text(fields["memory"], (*path, "memory"), pattern=_MEMORY) if "memory" in fields else "",
        cpu=reader.text(fields["cpu"], (*path, "cpu"), pattern=_CPU) if "cpu" in fields else "",
    )


def _probe(reader: Reader, value: Any, path: Path) -> Probe:
    fields = reader.mapping(value, path, known=("httpGet", "exec"))
    if isinstance(value, Mapping) and len(fields) != 1:
        reader.note(path, "has " + (" and ".join(fields) or "neither"), "exactly one of httpGet and exec")
    command: tuple[str, ...] = ()
    if "exec" in fields:
        inner = reader.mapping(fields["exec"], (*path, "exec"), known=("command",), required=("command",))
        command = reader.texts(inner["command"], (*path, "exec", "command")) if "command" in inner else ()
    http = _http_get(reader, fields["httpGet"], (*path, "httpGet")) if "httpGet" in fields else None
    return Probe(http, command)


def _http_get(reader: Reader, value: Any, path: Path) -> HttpGet:
    known = ("port", "path", "host", "scheme", "httpHeaders")
    fields = reader.mapping(value, path, known=known, required=("port", "path"))
    return HttpGet(
        port=reader.port(fields["port"], (*path, "port")) if "port" in fields else 0,
        path=reader.text(fields["path"], (*path, "path")) if "path" in fields else "",
        host=reader.text(fields["host"], (*path, "host"), empty=False) if "host" in fields else "",
        scheme=reader.choice(fields.get("scheme", "HTTP"), (*path, "scheme"), ("HTTP", "HTTPS")),
        headers=_headers(reader, fields["httpHeaders"], (*path, "httpHeaders")) if "httpHeaders" in fields else (),
    )


def _headers(reader: Reader, value: Any, path: Path) -> tuple[tuple[str, str], ...]:
    headers = []
    for i, entry in enumerate(reader.sequence(value, path)):
        here = (*path, i)
        fields = reader.mapping(entry, here, known=("name", "value"), required=("name", "value"))
        name = reader.text(fields["name"], (*here, "name"), pattern=_HEADER) if "name" in fields else ""
        text = reader.text(fields["value"], (*here, "value"), empty=False) if "value" in fields else ""
        headers.append((name, text))
    return tuple(headers)


def _before(reader: Reader, value: Any, path: Path) -> Mapping[str, Ready]:
    waits: dict[str, Ready] = {}
    for name, entry in reader.named(value, path, LABEL).items():
        here = (*path, name)
        fields = reader.mapping(entry, here, known=("ready",), required=("ready",))
        if "ready" in fields:
            waits[name] = Ready(reader.choice(fields["ready"], (*here, "ready"), [r.value for r in Ready]))
    return waits


def _resources(reader: Reader, value: Any) -> tuple[Resource, ...]:
    entries = reader.named(value, ("resources",), LABEL)
    return tuple(_resource(reader, alias, entry, ("resources", alias)) for alias, entry in entries.items())


def _resource(reader: Reader, alias: str, value: Any, path: Path) -> Resource:
    known = ("type", "class", "id", "metadata", "params")
    fields = reader.mapping(value, path, known=known, required=("type",))
    metadata = reader.mapping(fields["metadata"], (*path, "metadata")) if "metadata" in fields else {}
    if "annotations" in metadata:
        _annotations(reader, metadata["annotations"], (*path, "metadata", "annotations"))
    return Resource(
        alias=alias,
        type=reader.text(fields["type"], (*path, "type"), pattern=_TYPE) if "type" in fields else "",
        class_=reader.text(fields["class"], (*path, "class"), pattern=_TYPE) if "class" in fields else "default",
        id=reader.text(fields["id"], (*path, "id"), pattern=_ID) if "id" in fields else "",
        metadata=metadata,
        params=reader.mapping(fields["params"], (*path, "params")) if "params" in fields else {},
    )

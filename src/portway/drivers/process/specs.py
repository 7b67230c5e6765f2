"""What a workload is for the node agent: ``Target.inputs`` of driver ``process``, parsed once.

Shape (for the orchestrator)::

    containers: {<name>: a Score container, placeholders resolved}
    ports:      {<name>: {port: 80, targetPort: 8080, protocol: TCP}}     Score's service.ports
    source:     {path: <local git repository> | url: <git URL>, revision: <commit>}
    grace_seconds: 10                                                     between SIGTERM and SIGKILL
    restarted_at: any text; another text means a graceful replacement

Wherever a container has text (``variables.<NAME>``, ``files[].content``, ``command[]``, ``args[]``, and in probes the
command, path and header values) the value is a string, or ``{"parts": ["text", {"secret": "<key of Target.secrets>"},
…]}``, joined when the process starts. ``image`` must be ``.``: the source, or an empty folder when there is none.
``$(NAME)`` in command, args and variables is replaced by the variable of that name, as Kubernetes does. Absolute
targets of files and volumes lie under the workload's own folder; a text part that says one gets the real path instead.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portway.drivers.contract import Refused

SOURCE_IMAGE = "."
_UNITS = {
    "": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Secret:
    key: str


Text = tuple[str | Secret, ...]
"""Parts to join; a Secret is looked up when the process starts."""


class Ready(StrEnum):
    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class HttpGet:
    port: int | str
    path: Text = ("/",)
    host: str = ""
    scheme: str = "HTTP"
    headers: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Exec:
    command: tuple[Text, ...]


Probe = HttpGet | Exec


@dataclass(frozen=True, slots=True)
class File:
    target: str
    mode: int | None
    content: Text | None = None
    binary: bytes | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    target: str
    source: str
    path: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    command: tuple[Text, ...]
    variables: tuple[tuple[str, Text], ...]
    files: tuple[File, ...]
    volumes: tuple[Volume, ...]
    memory: int | None
    """Bytes."""
    cpu: float | None
    """Cores."""
    readiness: Probe | None
    liveness: Probe | None
    before: tuple[tuple[str, Ready], ...]


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    port: int
    target: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Source:
    location: str
    local: bool
    revision: str


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    containers: tuple[Container, ...]
    ports: tuple[Port, ...]
    source: Source | None
    grace_seconds: float

    def awaited(self, name: str) -> tuple[tuple[str, Ready], ...]:
        """What must be true before this container starts: (other container, state)."""
        return tuple((other.name, ready) for other in self.containers for later, ready in other.before if later == name)

    def runs_once(self, container: Container) -> bool:
        """Others wait for its completion, so it is not started again after exit code 0."""
        return any(ready is Ready.COMPLETE for _, ready in container.before)

    @property
    def secret_keys(self) -> frozenset[str]:
        texts = [text for container in self.containers for text in _texts(container)]
        return frozenset(part.key for text in texts for part in text if isinstance(part, Secret))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is asked for and this runtime does not fully give."""
        notes = []
        for container in self.containers:
            if container.cpu is not None:
                notes.append(f"container {container.name}: the CPU limit only lowers its priority")
            if any(volume.read_only for volume in container.volumes):
                notes.append(f"container {container.name}: read-only volumes are writable")
        return tuple(notes)


def parse(inputs: Mapping[str, Any]) -> WorkloadSpec:
    """Refused names the field and what was expected."""
    containers = _mapping(inputs.get("containers"), "containers")
    if not containers:
        raise _refused("containers", "must name at least one container")
    ports = tuple(_port(name, port) for name, port in _mapping(inputs.get("ports"), "ports").items())
    spec = WorkloadSpec(
        containers=tuple(_container(name, one) for name, one in containers.items()),
        ports=ports,
        source=_source(inputs.get("source")),
        grace_seconds=_number(inputs.get("grace_seconds", 10), "grace_seconds"),
    )
    _check_order(spec)
    return spec


def _container(name: str, given: Any) -> Container:
    field = f"containers.{name}"
    if not _NAME.fullmatch(name):
        raise _refused(field, "must be named with lower-case letters, digits and dashes")
    given = _mapping(given, field)
    image = given.get("image", SOURCE_IMAGE)
    if image != SOURCE_IMAGE:
        raise _refused(
            f"{field}.image",
            f"is {image!r}, but this runtime has no container engine: it runs the workload's own source (image `.`) "
            "or needs a definition whose driver runs images",
        )
    command = [*_list(given.get("command"), f"{field}.command"), *_list(given.get("args"), f"{field}.args")]
    if not command:
        raise _refused(f"{field}.command", "must say how to start the program, for example [python, -m, app]")
    limits = _mapping(_mapping(given.get("resources"), f"{field}.resources").get("limits"), f"{field}.resources.limits")
    return Container(
        name=name,
        command=tuple(_text(part, f"{field}.command") for part in command),
        variables=tuple(
            (variable, _text(value, f"{field}.variables.{variable}"))
            for variable, value in _mapping(given.get("variables"), f"{field}.variables").items()
        ),
        files=tuple(_file(one, where) for one, where in _targets(given.get("files"), f"{field}.files")),
        volumes=tuple(_volume(one, where) for one, where in _targets(given.get("volumes"), f"{field}.volumes")),
        memory=_quantity(limits.get("memory"), f"{field}.resources.limits.memory", int),
        cpu=_quantity(limits.get("cpu"), f"{field}.resources.limits.cpu", float),
        readiness=_probe(given.get("readinessProbe"), f"{field}.readinessProbe"),
        liveness=_probe(given.get("livenessProbe"), f"{field}.livenessProbe"),
        before=_before(given.get("before"), f"{field}.before"),
    )


def _text(given: Any, field: str) -> Text:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Mapping):
        return (str(given),)
    parts: list[str | Secret] = []
    for part in _list(given.get("parts"), f"{field}.parts"):
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Mapping) and isinstance(part.get("secret"), str):
            parts.append(Secret(part["secret"]))
        else:
            raise _refused(f"{field}.parts", 'must hold strings and {"secret": "<key>"}')
    return tuple(parts)


def _texts(container: Container) -> Iterator[Text]:
    yield from container.command
    yield from (text for _, text in container.variables)
    yield from (file.content for file in container.files if file.content is not None)
    for probe in (container.readiness, container.liveness):
        match probe:
            case Exec(command):
                yield from command
            case HttpGet():
                yield from (probe.path, *(value for _, value in probe.headers))


def _targets(given: Any, field: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Both forms of Score: an array with ``target``, or a map keyed by target."""
    if isinstance(given, Mapping):
        for target, one in given.items():
            yield {**_mapping(one, f"{field}.{target}"), "target": target}, f"{field}.{target}"
        return
    for index, one in enumerate(_list(given, field)):
        yield _mapping(one, f"{field}[{index}]"), f"{field}[{index}]"


def _file(given: Mapping[str, Any], field: str) -> File:
    said = [key for key in ("content", "binaryContent", "source") if given.get(key) is not None]
    if len(said) != 1:
        raise _refused(field, "must have exactly one of content, binaryContent and source")
    mode = given.get("mode")
    try:
        bits = int(str(mode), 8) if mode else None
        binary = base64.b64decode(given["binaryContent"], validate=True) if said == ["binaryContent"] else None
        if bits is not None and not 0 <= bits <= 0o7777:
            raise ValueError(mode)
    except (TypeError, ValueError, binascii.Error):
        raise _refused(field, "must have an octal mode and base64 in binaryContent") from None
    return File(
        target=_target(given, field),
        mode=bits,
        content=_text(given["content"], f"{field}.content") if said == ["content"] else None,
        binary=binary,
        source=_inside(str(given.get("source") or ""), f"{field}.source"),
    )


def _volume(given: Mapping[str, Any], field: str) -> Volume:
    source = given.get("source")
    if not isinstance(source, str) or not source:
        raise _refused(f"{field}.source", "must name the volume")
    return Volume(
        target=_target(given, field),
        source=source,
        path=_inside(str(given.get("path") or ""), f"{field}.path"),
        read_only=bool(given.get("readOnly")),
    )


def _target(given: Mapping[str, Any], field: str) -> str:
    target = given.get("target")
    if not isinstance(target, str) or not target.strip("/"):
        raise _refused(f"{field}.target", "must be a path")
    return ("/" if target.startswith("/") else "") + _inside(target.lstrip("/"), f"{field}.target")


def _inside(path: str, field: str) -> str:
    if "\0" in path or ".." in path.split("/"):
        raise _refused(field, "must not leave its folder (no ..)")
    return path


def _probe(given: Any, field: str) -> Probe | None:
    if given is None:
        return None
    probe = _mapping(given, field)
    if "exec" in probe:
        command = _list(_mapping(probe["exec"], f"{field}.exec").get("command"), f"{field}.exec.command")
        if not command:
            raise _refused(f"{field}.exec.command", "must not be empty")
        return Exec(tuple(_text(word, f"{field}.exec.command") for word in command))
    if "httpGet" not in probe:
        raise _refused(field, "must have httpGet or exec")
    get = _mapping(probe["httpGet"], f"{field}.httpGet")
    port = get.get("port")
    if not isinstance(port, int | str) or isinstance(port, bool):
        raise _refused(f"{field}.httpGet.port", "must be a port number or the name of a service port")
    where = f"{field}.httpGet.httpHeaders"
    headers = [_mapping(one, where) for one in _list(get.get("httpHeaders"), where)]
    return HttpGet(
        port=port,
        path=_text(get.get("path") or "/", f"{field}.httpGet.path"),
        host=str(get.get("host") or ""),
        scheme=str(get.get("scheme") or "HTTP").upper(),
        headers=tuple(
            (str(one.get("name")), _text(one.get("value"), f"{field}.httpGet.httpHeaders")) for one in headers
        ),
    )


def _before(given: Any, field: str) -> tuple[tuple[str, Ready], ...]:
    found = []
    for later, condition in _mapping(given, field).items():
        state = _mapping(condition, f"{field}.{later}").get("ready", Ready.STARTED)
        if state not in set(Ready):
            raise _refused(f"{field}.{later}.ready", "must be started, healthy or complete")
        found.append((later, Ready(state)))
    return tuple(found)


def _check_order(spec: WorkloadSpec) -> None:
    names = {container.name for container in spec.containers}
    waiting = {container.name: {other for other, _ in spec.awaited(container.name)} for container in spec.containers}
    for container in spec.containers:
        for later, _ in container.before:
            if later not in names:
                raise _refused(f"containers.{container.name}.before.{later}", "names no container of this workload")
    while waiting:
        startable = {name for name, others in waiting.items() if not others & waiting.keys()}
        if not startable:
            raise _refused("containers", f"wait for each other in a circle: {', '.join(sorted(waiting))}")
        waiting = {name: others for name, others in waiting.items() if name not in startable}


def _port(name: str, given: Any) -> Port:
    field = f"ports.{name}"
    given = _mapping(given, field)
    port = _number(given.get("port"), f"{field}.port")
    target = _number(given.get("targetPort") or port, f"{field}.targetPort")
    for number in (port, target):
        if not 1 <= number <= 65535:
            raise _refused(field, "must be between 1 and 65535")
    return Port(name, int(port), int(target), str(given.get("protocol") or "TCP").upper())


def _source(given: Any) -> Source | None:
    if not given:
        return None
    source = _mapping(given, "source")
    revision = source.get("revision")
    if not isinstance(revision, str) or not re.fullmatch(r"[0-9a-f]{40,64}", revision):
        raise _refused("source.revision", "must be a whole commit id (40 hexadecimal digits)")
    path, url = source.get("path"), source.get("url")
    location = path or url
    if not isinstance(location, str) or location.startswith("-"):
        raise _refused("source", "must have a path or a url")
    return Source(location, local=bool(path), revision=revision)


def _quantity(given: Any, field: str, kind: type[int] | type[float]) -> Any:
    if given is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?", str(given))
    if match is None:
        raise _refused(field, f"must be a quantity such as 128Mi or 500m, not {given!r}")
    return kind(float(match[1]) * _UNITS[match[2] or ""])


def _number(given: Any, field: str) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _refused(field, f"must be a number, not {given!r}")
    return number


def _mapping(given: Any, field: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _refused(field, f"must be a mapping, not {type(given).__name__}")
    return given


def _list(given: Any, field: str) -> Sequence[Any]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise _refused(field, f"must be a list, not {type(given).__name__}")
    return given


def _refused(field: str, expected: str) -> Refused:
    return Refused("InvalidInputs", f"{field} {expected}")

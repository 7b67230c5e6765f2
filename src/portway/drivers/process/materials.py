"""Turning a container's files, volumes, variables and command into paths and words of this machine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portway.drivers.process import records, sources
from portway.drivers.process.launching import Command
from portway.drivers.process.sources import NotMaterialised
from portway.drivers.process.specs import Container, File, Secret, Text, WorkloadSpec

_READABLE = 0o644
_LOW_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workload lies on this machine."""

    home: Path
    """Folder of the workload: HOME of its processes."""
    roots: Path
    """Absolute targets of files and volumes lie under ``<roots>/<container>``."""
    volumes: Path
    working: Path
    """The checkout, or an empty folder."""
    environment: Mapping[str, str]
    """From the checkout: PATH, VIRTUAL_ENV."""
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    logs: Path

    def log(self, container: str) -> Path:
        return self.logs / f"{container}.log"


def command(container: Container, place: Place) -> Command:
    """What to run. NotMaterialised when a secret is missing."""
    root = place.roots / container.name
    laid_out = [*(file.target for file in container.files), *(volume.target for volume in container.volumes)]
    targets = [target for target in laid_out if target.startswith("/")]
    environment = {
        **sources.inherited_environment(),
        **place.environment,
        "HOME": str(place.home),
        "PYTHONUNBUFFERED": "1",
        "PORTWAY_ROOT": str(root),
        **port_variables(place.ports),
    }
    for name, text in container.variables:
        environment[name] = _render(text, place.secrets, targets, root)
    environment |= {name: _expand(environment[name], environment) for name, _ in container.variables}
    return Command(
        arguments=[_expand(_render(text, place.secrets, targets, root), environment) for text in container.command],
        folder=place.working,
        environment=environment,
        log=place.log(container.name),
        nice=_LOW_PRIORITY if container.cpu is not None and container.cpu < 1 else 0,
    )


def port_variables(ports: Mapping[str, int]) -> dict[str, str]:
    """PORT is the first service port, PORT_<NAME> each."""
    variables = {f"PORT_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}": str(port) for name, port in ports.items()}
    for port in ports.values():
        variables.setdefault("PORT", str(port))
    return variables


def render(text: Text, secrets: Mapping[str, str]) -> str:
    """The text itself, no path or variable in it replaced. NotMaterialised when a secret is missing."""
    return "".join(_secret(part, secrets) if isinstance(part, Secret) else part for part in text)


def probe_ports(spec: WorkloadSpec, ports: Mapping[str, int]) -> dict[str | int, int]:
    """What a probe may call a port → the port given: its name, its targetPort, its port."""
    known: dict[str | int, int] = {}
    for port in spec.ports:
        for called in (port.name, port.target, port.port):
            known.setdefault(called, ports[port.name])
    return known


def lay_out(container: Container, place: Place) -> None:
    """Writes the container's files and links its volumes, anew each time. NotMaterialised when a part is missing."""
    root = place.roots / container.name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for volume in sorted(container.volumes, key=lambda one: one.target):
        store = place.volumes / records.folder_name(volume.source) / volume.path
        store.mkdir(parents=True, exist_ok=True)
        link = _real(volume.target, root, place)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(store, target_is_directory=True)
    for file in container.files:
        path = _real(file.target, root, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(0o600)
        path.write_bytes(_content(file, place))
        path.chmod(file.mode if file.mode is not None else _READABLE)


def _real(target: str, root: Path, place: Place) -> Path:
    return root / target.lstrip("/") if target.startswith("/") else place.working / target


def _content(file: File, place: Place) -> bytes:
    if file.binary is not None:
        return file.binary
    if file.content is not None:
        return render(file.content, place.secrets).encode()
    try:
        return (place.working / file.source.lstrip("/")).read_bytes()
    except OSError as error:
        raise NotMaterialised(
            f"file {file.target}: its source {file.source} cannot be read ({error.strerror})"
        ) from None


def _render(text: Text, secrets: Mapping[str, str], targets: Sequence[str], root: Path) -> str:
    return "".join(_secret(part, secrets) if isinstance(part, Secret) else _moved(part, targets, root) for part in text)


def _secret(part: Secret, secrets: Mapping[str, str]) -> str:
    try:
        return secrets[part.key]
    except KeyError:
        raise NotMaterialised(f"secret {part.key!r} was not given") from None


def _moved(text: str, targets: Sequence[str], root: Path) -> str:
    for target in targets:
        real = os.path.join(root, target.lstrip("/"))
        text = real.join(re.split(rf"(?<![\w.-]){re.escape(target)}(?![\w.-])", text))
    return text


def _expand(text: str, environment: Mapping[str, str]) -> str:
    """Kubernetes' ``$(NAME)``; ``$$(NAME)`` is literal, unknown names stay."""

    def replaced(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        return environment.get(match[1], match[0])

    return re.sub(r"\$?\$\(([A-Za-z_][A-Za-z0-9_]*)\)", replaced, text)

"""A Score file as values. Both written forms of files and volumes (list, map) become the same tuple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Ready(StrEnum):
    """How far another container must be before this one starts."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    port: int
    protocol: str = "TCP"
    target_port: int = 0
    """Equals ``port`` when the file gives none."""


@dataclass(frozen=True, slots=True)
class File:
    """Exactly one of source, content and binary_content (base64) is set."""

    target: str
    mode: str = ""
    source: str | None = None
    content: str | None = None
    binary_content: str | None = None
    no_expand: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    target: str
    source: str
    path: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class HttpGet:
    port: int
    path: str
    host: str = ""
    scheme: str = "HTTP"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One of the two is set."""

    http_get: HttpGet | None = None
    exec: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amounts:
    memory: str = ""
    cpu: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    volumes: tuple[Volume, ...] = ()
    limits: Amounts = Amounts()
    requests: Amounts = Amounts()
    liveness: Probe | None = None
    readiness: Probe | None = None
    before: Mapping[str, Ready] = field(default_factory=dict)
    """Containers that start only when this one has got so far."""


@dataclass(frozen=True, slots=True)
class Resource:
    alias: str
    type: str
    class_: str = "default"
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workload:
    name: str
    metadata: Mapping[str, Any]
    """As written, with name and annotations."""
    containers: tuple[Container, ...]
    ports: tuple[Port, ...] = ()
    resources: tuple[Resource, ...] = ()

"""Names of types: group, version, kind, resource. Pure values used everywhere above."""

from __future__ import annotations

from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""A Kubernetes object as decoded JSON: apiVersion, kind, metadata and the rest."""


class GroupKind(NamedTuple):
    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupVersion(NamedTuple):
    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @classmethod
    def parse(cls, api_version: str) -> GroupVersion:
        group, _, version = api_version.rpartition("/")
        return cls(group, version)


class GroupVersionKind(NamedTuple):
    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    @classmethod
    def of(cls, manifest: Manifest) -> GroupVersionKind:
        group, version = GroupVersion.parse(manifest.get("apiVersion", ""))
        return cls(group, version, manifest.get("kind", ""))


class GroupResource(NamedTuple):
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Resource(NamedTuple):
    """A served resource, as in the URL. Constants for known ones are in ``portway.apis.resources``."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

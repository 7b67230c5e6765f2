"""Which resources a workspace serves, and which of them a word such as ``pg``, ``Postgres`` or ``deploy.apps`` means.

By aggregated discovery (apidiscovery.k8s.io/v2), two requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from portway.client.contract import Resource
from portway.client.rest import RestClient

_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class UnknownResource(Exception):
    """The message says what is served that looks like it."""


@dataclass(frozen=True, slots=True)
class Found:
    resource: Resource
    singular: str
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    verbs: tuple[str, ...]
    preferred: bool
    """Whether it is the first version its group names."""

    def is_called(self, word: str) -> bool:
        plural, group, version = self.resource.plural, self.resource.group, self.resource.version
        names = {plural, self.singular, self.resource.kind.lower(), *self.short_names}
        name, _, rest = word.lower().partition(".")
        return name in names and rest in ("", group, f"{version}.{group}" if group else version)


async def resources(client: RestClient) -> list[Found]:
    """Core group first, then groups as the server orders them; no subresources."""
    found: list[Found] = []
    for path in ("/api", "/apis"):
        document = await client.read(path, accept=_ACCEPT)
        for group in document.get("items") or ():
            found += _in_group(group)
    return found


def choose(found: Sequence[Found], word: str) -> Found:
    """The first that is called so, preferred versions before others. Raises UnknownResource."""
    called = [candidate for candidate in found if candidate.is_called(word)]
    if not called:
        near = sorted({f.resource.plural for f in found if f.resource.plural[:3] == word.lower()[:3]})
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownResource(f"this workspace serves no resource {word!r}{hint}")
    return next((candidate for candidate in called if candidate.preferred), called[0])


def _in_group(group: dict[str, Any]) -> Iterator[Found]:
    name = group["metadata"].get("name", "")
    for position, version in enumerate(group.get("versions") or ()):
        for entry in version.get("resources") or ():
            kind = (entry.get("responseKind") or {}).get("kind", "")
            namespaced = entry.get("scope") == "Namespaced"
            yield Found(
                Resource(name, version["version"], entry["resource"], kind, namespaced),
                entry.get("singularResource") or kind.lower(),
                tuple(entry.get("shortNames") or ()),
                tuple(entry.get("categories") or ()),
                tuple(entry.get("verbs") or ()),
                preferred=position == 0,
            )

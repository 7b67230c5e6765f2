"""ClusterRoles with an aggregationRule: the rules of those they select are written into them, for people to read.

What they allow does not wait for it: ``rbac`` joins the rules itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.rbac import RBAC_GROUP, Grants
from portway.krm import selectors
from portway.krm.identity import Manifest
from portway.store.contract import Event, EventType, Key, Record

CLUSTER_ROLES = f"clusterroles.{RBAC_GROUP}"


class AggregatedRoles:
    name = "aggregated roles"

    def __init__(self, editor: Editor, grants: Grants) -> None:
        self._editor = editor
        self._grants = grants
        self._aggregating: dict[str, set[Key]] = {}
        """By cluster."""
        self._seen = 0

    def load(self, record: Record) -> Iterable[Key]:
        key = record.key
        if key.resource != CLUSTER_ROLES or b'"aggregationRule"' not in record.value:
            return ()
        self._aggregating.setdefault(key.cluster, set()).add(key)
        return (key,)

    def observe(self, event: Event) -> Iterable[Key]:
        key = event.record.key
        if key.resource != CLUSTER_ROLES:
            return ()
        self._seen = event.record.revision
        if event.type is EventType.DELETED:
            self._aggregating.get(key.cluster, set()).discard(key)
        else:
            self.load(event.record)
        return tuple(self._aggregating.get(key.cluster, ()))

    async def work(self, key: Key, /) -> float | None:
        await self._grants.cluster_roles.reached(self._seen)

        def write(manifest: Manifest) -> bool:
            rules = self._rules(key, manifest)
            changed = (manifest.get("rules") or []) != rules
            manifest["rules"] = rules
            return changed

        await self._editor.edit(key, write)
        return None

    def _rules(self, key: Key, manifest: Manifest) -> list[Manifest]:
        wanted = (manifest.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        matching = [selectors.labels_from(selector) for selector in wanted]
        found: list[Manifest] = []
        for (_, name), role in sorted(self._grants.cluster_roles.of(key.cluster).items()):
            if name != key.name and any(each.matches(role.labels) for each in matching):
                found += [r for r in (rule.to_manifest() for rule in role.rules) if r not in found]
        return found

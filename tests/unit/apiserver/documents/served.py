"""Resources that the tests of this folder serve."""

from typing import Any

from portway.krm.builtins import served_from_crd
from portway.krm.identity import Manifest
from portway.krm.served import Served


def crd(kind: str = "Tab", *, schema: dict[str, Any] | None = None, versions: tuple[str, ...] = ("v1",)) -> Manifest:
    version = {
        "served": True,
        "schema": {"openAPIV3Schema": schema or {"type": "object", "properties": {"spec": {"type": "object"}}}},
        "subresources": {"status": {}},
    }
    return {
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {
                "plural": f"{kind.lower()}s",
                "kind": kind,
                "shortNames": [kind[:2].lower()],
                "categories": ["all"],
            },
            "versions": [{**version, "name": name, "storage": name == versions[0]} for name in versions],
        },
    }


def tab(**given: Any) -> Served:
    return served_from_crd(crd(**given), "v1")

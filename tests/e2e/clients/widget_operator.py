"""A kopf operator of a few handlers, run by test_kopf as ``kopf run``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import kopf

_KIND = ("shop.example.org", "v1", "widgets")


def _note(what: str, name: str) -> None:
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(json.dumps([what, name]) + "\n")


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = True
    settings.watching.server_timeout = 60


@kopf.index(*_KIND)
def by_colour(name: str, spec: Any, **_: Any) -> dict[str, str]:
    return {spec.get("colour", "none"): name}


@kopf.on.create(*_KIND)
def created(name: str, spec: Any, body: kopf.Body, **_: Any) -> dict[str, Any]:
    _note("create", name)
    kopf.info(body, reason="Made", message="as asked")
    return {"colour": spec.get("colour")}


@kopf.on.update(*_KIND, field="spec.colour")
def recoloured(name: str, patch: kopf.Patch, new: Any, by_colour: Any = None, **_: Any) -> None:
    _note("update", name)
    patch.status["colour"] = new
    patch.status["indexed"] = sorted(key for key in by_colour)


@kopf.timer(*_KIND, interval=0.5)
def ticked(name: str, patch: kopf.Patch, status: Any, **_: Any) -> None:
    if not status.get("ticked"):
        patch.status["ticked"] = True


@kopf.on.delete(*_KIND)
def deleted(name: str, **_: Any) -> None:
    _note("delete", name)

"""``fs:readdir``: names of the files and folders in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.scaffolder.contract import ActionContext, ActionFailed


class FsReaddir:
    id = "fs:readdir"
    description = "Lists files and folders."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "paths": {"type": "array", "items": {"type": "string"}},
            "recursive": {"type": "boolean"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        files: list[dict[str, str]] = []
        folders: list[dict[str, str]] = []
        for path in given.get("paths") or [given.get("path") or "."]:
            start = context.folder.path(path)
            if not start.is_dir():
                raise ActionFailed(f"there is no folder {path}")
            for found in sorted(start.rglob("*") if given.get("recursive") else start.iterdir()):
                place = found.relative_to(context.folder.root).as_posix()
                entry = {"name": found.name, "path": place, "fullPath": place}
                (folders if found.is_dir() else files).append(entry)
        return {"files": files, "folders": folders}

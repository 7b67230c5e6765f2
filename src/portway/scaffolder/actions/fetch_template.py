"""``fetch:template``: files from git or beside the template, with values filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.scaffolder import expressions
from portway.scaffolder.actions import fetching
from portway.scaffolder.contract import ActionContext, ActionFailed
from portway.scaffolder.folders import write_all
from portway.scaffolder.rendering import Options, Rendering


class FetchTemplate:
    id = "fetch:template"
    description = "Copies files and fills in values, in their contents and their paths."
    works_dry = True
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string"},
            "targetPath": {"type": "string"},
            "values": {"type": "object"},
            "copyWithoutTemplating": {"type": "array", "items": {"type": "string"}},
            "copyWithoutRender": {"type": "array", "items": {"type": "string"}},
            "templateFileExtension": {"type": ["string", "boolean"]},
            "cookiecutterCompat": {"type": "boolean"},
            "replace": {"type": "boolean"},
            "trimBlocks": {"type": "boolean"},
            "lstripBlocks": {"type": "boolean"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        files = await fetching.tree(given["url"], context)
        try:
            made = Rendering(given.get("values") or {}, _options(given)).tree(files)
        except expressions.ExpressionError as error:
            raise ActionFailed(str(error)) from error
        target = str(given.get("targetPath") or "")
        written = write_all(context.folder, target, made, replace=bool(given.get("replace")))
        context.say(f"{len(made)} files from {given['url']}, {len(made) - len(written)} were there already")
        for name in written:
            context.say(f"  {name}")
        return {}


def _options(given: Mapping[str, Any]) -> Options:
    extension = given.get("templateFileExtension")
    globs = [*(given.get("copyWithoutTemplating") or ()), *(given.get("copyWithoutRender") or ())]
    return Options(
        without_templating=tuple(globs),
        only_extension=".njk" if extension is True else str(extension or ""),
        cookiecutter=bool(given.get("cookiecutterCompat")),
        trim_blocks=bool(given.get("trimBlocks")),
        lstrip_blocks=bool(given.get("lstripBlocks")),
    )

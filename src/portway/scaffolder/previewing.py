"""What a template would make: its files, without making anything else."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portway.drivers.services import SourceFile
from portway.scaffolder import parameters, stepping
from portway.scaffolder.contract import Action, ActionContext, ActionFailed
from portway.scaffolder.folders import Folder
from portway.scaffolder.stepping import Known
from portway.scaffolder.templates import Problem, Template


@dataclass(frozen=True, slots=True)
class Preview:
    """``files`` by path; ``left_out`` are the steps that would do more than write files."""

    files: Mapping[str, SourceFile]
    left_out: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


async def render(
    template: Template, given: Mapping[str, Any], actions: Mapping[str, Action], context: ActionContext
) -> Preview:
    """Run the steps that only write files, in a folder of their own."""
    values = parameters.with_defaults(template, given)
    if problems := parameters.check(template, values):
        return Preview({}, (), tuple(problems))
    outputs: dict[str, dict[str, Any]] = {}
    left_out = []
    with tempfile.TemporaryDirectory(prefix="portway-preview-") as scratch:
        place = replace(context, folder=Folder(Path(scratch)), dry_run=True)
        for i, step in enumerate(template.steps):
            known = Known(values, outputs, context.requester.user, context.uid)
            action = actions.get(step.action)
            try:
                if not stepping.is_wanted(step, known):
                    continue
                if action is None or not action.works_dry:
                    left_out.append(step.id)
                    outputs[step.id] = {}
                    continue
                outputs[step.id] = await stepping.run(step, action, known, place)
            except ActionFailed as error:
                return Preview(place.folder.files(), tuple(left_out), (Problem(("spec", "steps", i), str(error)),))
        return Preview(place.folder.files(), tuple(left_out))

"""What is wrong with an object when it is written, field by field, so that the API can refuse it at once.

Controllers check again: what admission never saw (an older object, another API host) is told in the Ready condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic

from portway.apis.portal import TemplateRunSpec
from portway.controllers.templateruns import finding
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.orchestrator import graph, inputs, score
from portway.orchestrator.graph import GraphError
from portway.runtime.contract import Lister
from portway.scaffolder import parameters, templates
from portway.scaffolder.contract import Action, ActionFailed


@dataclass(frozen=True, slots=True)
class Vetting:
    templates: Lister
    actions: Mapping[str, Action]

    def causes(self, workspace: str, manifest: Manifest) -> tuple[Cause, ...]:
        """Of a new or changed object of Portway's kinds; empty for all others."""
        kind, spec = manifest.get("kind"), manifest.get("spec")
        if not isinstance(spec, Mapping):
            return ()
        if kind == "Workload":
            return tuple(_of_score(spec.get("score")))
        if kind == "Template":
            return tuple(_invalid(problem.field, problem.message) for problem in templates.parse_spec(spec).problems)
        if kind == "ResourceDefinition":
            return tuple(_invalid("spec.inputs", text) for text in inputs.check(spec.get("inputs") or {}))
        if kind == "TemplateRun":
            return tuple(self._of_run(workspace, spec))
        return ()

    def _of_run(self, workspace: str, spec: Mapping[str, Any]) -> Iterable[Cause]:
        try:
            asked = TemplateRunSpec.read(dict(spec))
            found = finding.known(self.templates, workspace, asked.template)
            if found is None:
                return ()  # perhaps it is new; the run itself will tell
            template = finding.usable(found, dict(self.actions))
        except pydantic.ValidationError:
            return ()  # the schema says it better
        except ActionFailed as error:
            return (_invalid("spec.template", str(error)),)
        problems = parameters.check(template, parameters.with_defaults(template, asked.parameters))
        return (_invalid(f"spec.{problem.field}", problem.message) for problem in problems)


def _of_score(value: Any) -> Iterable[Cause]:
    parsed = score.parse(value)
    for problem in parsed.problems:
        field = ".".join(filter(None, ("spec.score", problem.field)))
        yield _invalid(
            field, f"{problem.message}; expected {problem.expected}" if problem.expected else problem.message
        )
    if parsed.workload is not None:
        try:
            graph.build([parsed.workload])
        except GraphError as error:
            yield _invalid("spec.score.resources", str(error))


def _invalid(field: str, message: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {message}", field)

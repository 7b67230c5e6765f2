"""The template of a run: in the workspace it names, else in the run's own or the nearest one above."""

from __future__ import annotations

from portway.apis.portal import TemplateReference
from portway.controllers import lineages
from portway.krm.identity import Manifest
from portway.runtime.contract import Lister
from portway.scaffolder import templates
from portway.scaffolder.contract import Action, ActionFailed
from portway.scaffolder.templates import Template


def find(lister: Lister, workspace: str, reference: TemplateReference) -> Manifest:
    """Raises ``ActionFailed``."""
    places = [reference.workspace] if reference.workspace else list(lineages.upward(workspace))
    if reference.workspace and not lineages.is_within(workspace, reference.workspace):
        raise ActionFailed(f"templates of {reference.workspace} cannot be used in {workspace}, which is not below it")
    for place in places:
        found = lister.get(place, reference.namespace, reference.name)
        if found is not None:
            return found
    known = sorted({m["metadata"]["name"] for place in places for m in lister.list(place)})
    listed = ", ".join(known) or "none"
    raise ActionFailed(f"there is no Template {reference.name} in {' or '.join(places)}; there are {listed}")


def usable(manifest: Manifest, actions: dict[str, Action]) -> Template:
    """Raises ``ActionFailed`` with every problem and its field."""
    parsed = templates.parse_spec(manifest.get("spec"))
    problems = list(parsed.problems)
    if parsed.template is not None:
        problems += templates.unknown_actions(parsed.template, actions)
    for path in templates.includes(manifest.get("spec")):
        problems.append(templates.Problem(path, "stands for another file, which was not included when it was read"))
    if problems or parsed.template is None:
        raise ActionFailed(f"Template {manifest['metadata']['name']}: " + "; ".join(map(str, problems)))
    return parsed.template

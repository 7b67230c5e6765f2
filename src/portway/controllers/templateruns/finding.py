"""The template of a run: in the workspace it names, else in the run's own or the nearest one above."""

from __future__ import annotations

from portway.apis.portal import TemplateReference
from portway.apis.resources import TEMPLATES
from portway.client.contract import Client
from portway.controllers import lineages, reading
from portway.krm.identity import Manifest
from portway.runtime.contract import Lister, Request
from portway.scaffolder import templates
from portway.scaffolder.contract import Action, ActionFailed
from portway.scaffolder.templates import Template


def known(lister: Lister, workspace: str, reference: TemplateReference) -> Manifest | None:
    """As far as the informer has heard; None is no proof."""
    found = (lister.get(place, reference.namespace, reference.name) for place in _places(workspace, reference))
    return next((manifest for manifest in found if manifest is not None), None)


async def fetch(client: Client, lister: Lister, workspace: str, reference: TemplateReference) -> Manifest:
    """Raises ``ActionFailed`` that names the templates there are."""
    if reference.workspace and not lineages.is_within(workspace, reference.workspace):
        raise ActionFailed(f"templates of {reference.workspace} cannot be used in {workspace}, which is not below it")
    places = _places(workspace, reference)
    for place in places:
        found = await reading.fresh(client, TEMPLATES, Request(place, reference.namespace, reference.name))
        if found is not None:
            return found
    names = sorted({m["metadata"]["name"] for place in places for m in lister.list(place)})
    listed = ", ".join(names) or "none"
    raise ActionFailed(f"there is no Template {reference.name} in {' or '.join(places)}; there are {listed}")


def _places(workspace: str, reference: TemplateReference) -> list[str]:
    return [reference.workspace] if reference.workspace else list(lineages.upward(workspace))


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

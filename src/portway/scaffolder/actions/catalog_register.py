"""``catalog:register``: the entities of a descriptor file in a repository, made in the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.apis.resources import COMPONENTS
from portway.apis.wellknown import MANAGED_BY_LOCATION, REPOSITORY, SOURCE_LOCATION
from portway.drivers.services import RepositoryMissing
from portway.scaffolder.contract import ActionContext, ActionFailed

_NAMESPACE = "default"


class CatalogRegister:
    id = "catalog:register"
    description = "Registers the entities of a catalog-info.yaml."
    works_dry = False
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "repository": {"type": "string", "description": "Name of a Repository of this workspace."},
            "revision": {"type": "string"},
            "repoContentsUrl": {"type": "string"},
            "catalogInfoUrl": {"type": "string"},
            "catalogInfoPath": {"type": "string"},
            "optional": {"type": "boolean"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        path = str(given.get("catalogInfoPath") or "catalog-info.yaml").lstrip("/")
        repository, revision = given.get("repository"), str(given.get("revision") or "HEAD")
        if not repository:
            repository, revision, path = _from_url(given, path)
        await context.must_be_allowed("create", COMPONENTS, _NAMESPACE)
        repositories = context.services.repositories
        try:
            content = await repositories.read(context.workspace, repository, revision, path)
            url = await repositories.url(context.workspace, repository)
        except RepositoryMissing as error:
            raise ActionFailed(str(error)) from error
        if content is None:
            if given.get("optional"):
                context.say(f"there is no {path} in {repository}; nothing is registered")
                return {}
            raise ActionFailed(f"there is no {path} in {repository} at {revision[:12]}")
        location = f"url:{url}@main//{path}"
        text = content.decode("utf-8", "replace")
        annotations = {
            MANAGED_BY_LOCATION: location,
            SOURCE_LOCATION: f"url:{url}",
            REPOSITORY: repository,
            **context.annotations,
        }
        references = await context.services.catalog.register(context.client, text, annotations)
        for reference in references:
            context.say(f"registered {reference}")
        return {"entityRef": references[0] if references else "", "catalogInfoUrl": location}


def _from_url(given: Mapping[str, Any], path: str) -> tuple[str, str, str]:
    """``<…>/<repository>.git@<revision>`` of Portway's own git server, as publish:portway gives it."""
    url = str(given.get("catalogInfoUrl") or given.get("repoContentsUrl") or "").removeprefix("url:")
    address, marked, rest = url.partition(".git@")
    if not marked:
        raise ActionFailed("give repository and revision, or repoContentsUrl as publish:portway gives it")
    revision, _, inner = rest.partition("//")
    return address.rsplit("/", 1)[-1], revision, inner or path

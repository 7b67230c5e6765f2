"""``publish:portway``: a Repository of Portway's own git server with the run's folder as its first commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.apis.platform import Phase
from portway.apis.portal import TemplateRunStatus
from portway.apis.resources import TEMPLATE_RUNS, claim
from portway.apis.wellknown import MANAGED_BY, REQUESTED_BY, TEMPLATE_RUN
from portway.drivers.services import Change, RepositoryMissing
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import conditions
from portway.runtime.contract import Retry
from portway.scaffolder.contract import ActionContext, ActionFailed

REPOSITORIES = claim("repositories", "Repository")
_NAMESPACE = "default"
_LOOK_AGAIN_SECONDS = 0.2
_HOPELESS = ("NoMatchingDefinition", "InvalidInputs", "DefinitionChanged")


class PublishPortway:
    id = "publish:portway"
    description = "Makes a repository and pushes what was rendered."
    works_dry = False
    schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
            "owner": {"type": "string"},
            "description": {"type": "string"},
            "defaultBranch": {"type": "string"},
            "sourcePath": {"type": "string"},
            "commitMessage": {"type": "string"},
        },
    }

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        name = given["name"]
        repository = await self._ensure(name, given, context)
        if not conditions.is_true(repository):
            said = conditions.get(repository, "Ready") or {}
            if said.get("reason") in _HOPELESS:
                raise ActionFailed(f"Repository {name}: {said.get('message')}")
            why = said.get("message") or "is being made"
            raise Retry("WaitingForRepository", f"Repository {name}: {why}", _LOOK_AGAIN_SECONDS)
        branch = str(given.get("defaultBranch") or "main")
        files = context.folder.files(str(given.get("sourcePath") or ""))
        if not files:
            raise ActionFailed("there is nothing to publish: the folder of the run is empty")
        user = context.requester.user or "portway"
        change = Change(
            key=context.uid,
            files=files,
            message=str(given.get("commitMessage") or "Initial commit"),
            author=f"{user} <{user if '@' in user else user + '@portway.local'}>",
            branch=branch,
        )
        try:
            commit = await context.services.repositories.commit(context.workspace, name, change)
            url = await context.services.repositories.url(context.workspace, name)
        except RepositoryMissing as error:
            raise ActionFailed(str(error)) from error
        context.say(f"{len(files)} files pushed to {url} as {commit[:12]}")
        return {
            "repository": name,
            "commit": commit,
            "commitHash": commit,
            "remoteUrl": url,
            "repoContentsUrl": f"{url}@{commit}",
        }

    async def _ensure(self, name: str, given: Mapping[str, Any], context: ActionContext) -> Manifest:
        try:
            found = await context.client.get(REPOSITORIES, name, _NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            return await self._create(name, given, context)
        made_by = (found["metadata"].get("annotations") or {}).get(TEMPLATE_RUN)
        if made_by != context.run and not await self._is_left_over(made_by, context):
            raise ActionFailed(f"there is a Repository {name} in {context.workspace} already; choose another name")
        return found

    async def _is_left_over(self, run: str | None, context: ActionContext) -> bool:
        """Of a run of the same requester that did not come to its end: trying again goes on with it."""
        if not run:
            return False
        try:
            earlier = await context.client.get(TEMPLATE_RUNS, run, _NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        requester = (earlier["metadata"].get("annotations") or {}).get(REQUESTED_BY)
        phase = TemplateRunStatus.read(earlier.get("status")).phase
        return requester == context.requester.user and phase in (Phase.FAILED, Phase.CANCELLED)

    async def _create(self, name: str, given: Mapping[str, Any], context: ActionContext) -> Manifest:
        await context.must_be_allowed("create", REPOSITORIES, _NAMESPACE)
        spec = {key: given[key] for key in ("description", "defaultBranch") if given.get(key)}
        manifest = {
            "apiVersion": REPOSITORIES.api_version,
            "kind": REPOSITORIES.kind,
            "metadata": {
                "name": name,
                "labels": {MANAGED_BY: "portway"},
                "annotations": context.annotations,
            },
            "spec": spec,
        }
        context.say(f"Repository {name} in {context.workspace}")
        try:
            return await context.client.create(REPOSITORIES, manifest, _NAMESPACE)
        except StatusError as error:
            if error.code == 404:
                raise ActionFailed(f"{context.workspace} offers no resource type repository") from error
            raise ActionFailed(f"Repository {name}: {error.message}") from error

"""From a push to its PipelineRun: same repository and commit, same name, so that saying it twice makes one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portway.apis.resources import PIPELINE_RUNS
from portway.client.contract import Client
from portway.controllers.pipelineruns import definitions
from portway.controllers.pipelineruns.definitions import Unusable
from portway.drivers.services import Repositories
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Push:
    workspace: str
    repository: str
    """Name of the Repository claim in namespace ``default``."""
    branch: str
    revision: str
    """The branch's new commit."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """``client`` decides on whose behalf: for a push over HTTP bootstrap gives the pusher's."""

    client: Client
    repositories: Repositories

    async def received(self, push: Push) -> str | None:
        """Name of the run; None when the commit has no pipeline, or none for this branch.

        A pipeline file that cannot be read makes a run too, which fails and says why.
        """
        if set(push.revision) == {"0"}:
            return None  # the branch was deleted
        path = definitions.PATH
        if await self.repositories.read(push.workspace, push.repository, push.revision, path) is None:
            return None
        try:
            pipeline = await definitions.pipeline(self.repositories, push.workspace, push.repository, push.revision)
        except Unusable:
            pipeline = None
        if pipeline is not None and push.branch not in pipeline.branches:
            return None
        await ensure_run(self.client.at(push.workspace), push.repository, push.revision, push.branch, {})
        return run_name(push.repository, push.revision)


def run_name(repository: str, revision: str) -> str:
    return f"{repository}-{revision[:12]}"


async def ensure_run(
    client: Client, repository: str, revision: str, branch: str, annotations: Mapping[str, str]
) -> Manifest:
    """The run of this commit; made when there is none, then with these annotations."""
    name = run_name(repository, revision)
    manifest = {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": name, "annotations": dict(annotations)},
        "spec": {"repository": repository, "revision": revision, "branch": branch},
    }
    try:
        return await client.create(PIPELINE_RUNS, manifest, NAMESPACE)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        return await client.get(PIPELINE_RUNS, name, NAMESPACE)

"""The actions that templates can use, one a module."""

from __future__ import annotations

from collections.abc import Mapping

from portway.scaffolder.actions.catalog_register import CatalogRegister
from portway.scaffolder.actions.catalog_write import CatalogWrite
from portway.scaffolder.actions.debug_log import DebugLog
from portway.scaffolder.actions.debug_wait import DebugWait
from portway.scaffolder.actions.deploy_workload import DeployWorkload
from portway.scaffolder.actions.fetch_plain import FetchPlain
from portway.scaffolder.actions.fetch_template import FetchTemplate
from portway.scaffolder.actions.fs_delete import FsDelete
from portway.scaffolder.actions.fs_readdir import FsReaddir
from portway.scaffolder.actions.fs_rename import FsRename
from portway.scaffolder.actions.pipeline_run import PipelineRun
from portway.scaffolder.actions.publish_portway import PublishPortway
from portway.scaffolder.contract import Action


def built_in() -> Mapping[str, Action]:
    actions: tuple[Action, ...] = (
        CatalogRegister(), CatalogWrite(), DebugLog(), DebugWait(), DeployWorkload(), FetchPlain(), FetchTemplate(),
        FsDelete(), FsReaddir(), FsRename(), PipelineRun(), PublishPortway(),
    )  # fmt: skip
    return {action.id: action for action in actions}

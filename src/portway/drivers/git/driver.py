"""Driver for type ``repository``: a bare git repository of Portway's own hosting.

Outputs: url (HTTP), path, name, default_branch, head (commit of the default branch, empty before the first one).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portway.drivers.contract import Applied, DriverError, Health, Observation, Plan, Refused, Step, Target, Verb
from portway.drivers.git import commits
from portway.drivers.git.places import Places

_BRANCH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-")
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "description": {"type": "string"},
        "default_branch": {"type": "string", "minLength": 1, "default": "main"},
    },
}


@dataclass(frozen=True, slots=True)
class Wanted:
    description: str
    default_branch: str

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> Wanted:
        unknown = sorted(set(inputs) - set(_SCHEMA["properties"]))
        if unknown:
            raise Refused(
                "InvalidInputs", f"unknown input {unknown[0]!r}; driver git knows description, default_branch"
            )
        branch = str(inputs.get("default_branch") or "main")
        if not set(branch) <= _BRANCH_CHARACTERS or branch[0] in "-./" or ".." in branch or branch.endswith("/"):
            raise Refused("InvalidInputs", f"default_branch {branch!r} is no branch name")
        return cls(" ".join(str(inputs.get("description") or "").split()), branch)


class GitDriver:
    name = "git"

    def __init__(self, places: Places) -> None:
        self._places = places

    def schema(self) -> Mapping[str, Any]:
        return _SCHEMA

    async def observe(self, target: Target) -> Observation:
        return await asyncio.to_thread(self._observe, target)

    async def plan(self, target: Target, observed: Observation) -> Plan:
        wanted = Wanted.of(target.inputs)
        if not observed.exists:
            after = {"default_branch": wanted.default_branch, "description": wanted.description}
            return Plan((Step(Verb.CREATE, f"create repository {target.name}", after=after),))
        if not observed.drift:
            return Plan(())
        before = {field: found for field, (_, found) in observed.drift.items()}
        after = {field: value for field, (value, _) in observed.drift.items()}
        what = f"change {', '.join(observed.drift)} of repository {target.name}"
        return Plan((Step(Verb.UPDATE, what, before, after),))

    async def apply(self, target: Target, plan: Plan) -> Applied:  # noqa: ARG002 - reality decides, not the plan
        wanted = Wanted.of(target.inputs)
        folder = self._places.folder(target.uid)
        try:
            if not folder.exists():
                await _initialize(folder, wanted.default_branch)
            await asyncio.to_thread(self._set, target, wanted)
        except OSError as error:
            raise DriverError("GitFailed", f"repository {target.name}: {error.strerror or error}") from error
        return Applied(await self.observe(target))

    async def destroy(self, target: Target) -> None:
        await asyncio.to_thread(self._destroy, target)

    def _observe(self, target: Target) -> Observation:
        folder = self._places.folder(target.uid)
        name = self._places.name(target.uid, target.workspace, target.name)
        if not folder.exists():
            missing = {"folder": ("there", "missing")} if name else {}
            return Observation(exists=bool(name), message="its folder is missing" if name else "", drift=missing)
        branch = _head_branch(folder)
        drift = self._drift(target, folder, name, branch)
        return Observation(
            exists=True,
            health=Health.HEALTHY if name else Health.PROGRESSING,
            message="" if name else "it has no address yet",
            outputs={
                "url": self._places.url(target.workspace, name or target.name),
                "path": str(folder),
                "name": name or target.name,
                "default_branch": branch,
                "head": commits.resolve(folder, f"refs/heads/{branch}"),
            },
            handle={"folder": folder.name, "name": name or ""},
            drift=drift,
        )

    def _drift(self, target: Target, folder: Path, name: str | None, branch: str) -> dict[str, tuple[Any, Any]]:
        try:
            wanted = Wanted.of(target.inputs)
        except Refused:
            return {}
        drift: dict[str, tuple[Any, Any]] = {}
        if name is None:
            drift["address"] = (self._places.url(target.workspace, target.name), "none")
        if branch != wanted.default_branch:
            drift["default_branch"] = (wanted.default_branch, branch)
        description = _read(folder / "description")
        if description != wanted.description:
            drift["description"] = (wanted.description, description)
        return drift

    def _set(self, target: Target, wanted: Wanted) -> None:
        folder = self._places.folder(target.uid)
        _write(folder / "description", wanted.description)
        if _head_branch(folder) != wanted.default_branch:
            _write(folder / "HEAD", f"ref: refs/heads/{wanted.default_branch}")
        self._places.take_name(target.uid, target.workspace, target.name)

    def _destroy(self, target: Target) -> None:
        folder = self._places.folder(target.uid)
        leaving = folder.with_suffix(".gone")
        self._places.drop_name(target.uid, target.workspace, target.name)
        if folder.exists():
            shutil.rmtree(leaving, ignore_errors=True)
            folder.rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)


async def _initialize(folder: Path, branch: str) -> None:
    """Made beside and renamed, so that a folder is a whole repository."""
    await asyncio.to_thread(folder.parent.mkdir, parents=True, exist_ok=True)
    fresh = folder.with_suffix(f".{os.urandom(4).hex()}")
    arguments = ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(fresh)]
    try:
        process = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE)
    except FileNotFoundError:
        raise Refused("MissingBinaries", "git is not installed: install it, then try again") from None
    try:
        _, said = await process.communicate()
        if process.returncode:
            raise DriverError("GitFailed", f"git init failed: {said.decode(errors='replace').strip()}")
        await asyncio.to_thread(_move, fresh, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        shutil.rmtree(fresh, ignore_errors=True)


def _move(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.exists():  # else somebody else was faster
            raise


def _head_branch(folder: Path) -> str:
    return _read(folder / "HEAD").removeprefix("ref: refs/heads/")


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(f"{text}\n")
    fresh.replace(path)

"""Publishes a folder of templates: into a repository of Portway's own git server, and as Template objects.

Uses git over HTTP as any user would, with the token of the one who publishes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from portway.apis import resources, wellknown
from portway.bootstrap import loading
from portway.bootstrap.errors import StartError
from portway.catalog import objects, reading
from portway.client.contract import Client
from portway.krm.identity import Manifest

_GIT_SECONDS = 60.0
REPOSITORY = "templates"


async def publish_templates(client: Client, folder: Path, token: str) -> int:
    """Push the folder to repository ``templates`` and apply each ``*/template.yaml``; the number of templates."""
    claim = await _ensure_repository(client)
    url = str(claim["status"]["outputs"]["url"])
    await asyncio.to_thread(_push, url, folder, token)
    count = 0
    for file in _templates(folder):
        location = f"url:{url}@main//{file.relative_to(folder).as_posix()}"
        for descriptor in reading.read(file.read_text()):
            if descriptor.value is None or descriptor.faults:
                raise StartError(f"{file}, {descriptor.faults[0]}")
            manifest = objects.to_object(descriptor.value, {wellknown.MANAGED_BY_LOCATION: location})
            await loading.apply(client, manifest, file)
            count += 1
    return count


def _templates(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/template.yaml"))


async def _ensure_repository(client: Client) -> Manifest:
    manifest: Manifest = {
        "apiVersion": "resources.portway.dev/v1",
        "kind": "Repository",
        "metadata": {"name": REPOSITORY, "namespace": "default"},
        "spec": {"description": "Templates of the organisation."},
    }
    repositories = resources.claim("repositories", "Repository")
    await client.apply(repositories, manifest, manager=loading.MANAGER)
    return await loading.until_ready(client, repositories, REPOSITORY, "default")


def _push(url: str, folder: Path, token: str) -> None:
    """Commit what differs and push it; nothing when the repository has it already."""
    with tempfile.TemporaryDirectory(prefix="portway-templates-") as scratch:
        clone = Path(scratch) / "clone"
        _git(["clone", "--quiet", url, str(clone)], Path(scratch), token)
        for entry in clone.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(folder, clone, dirs_exist_ok=True)
        _git(["add", "--all", "--force"], clone, token)
        if not _git(["status", "--porcelain"], clone, token).strip():
            return
        _git(["commit", "--quiet", "--message", "Publish templates"], clone, token)
        _git(["push", "--quiet", "origin", "HEAD:refs/heads/main"], clone, token)


def _git(arguments: list[str], folder: Path, token: str) -> str:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Acme Platform",
        "GIT_AUTHOR_EMAIL": "platform@acme.example",
        "GIT_COMMITTER_NAME": "Acme Platform",
        "GIT_COMMITTER_EMAIL": "platform@acme.example",
        # the token goes by the environment: an argument would show in the list of processes
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}",
    }
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise StartError("git is not installed or not on the PATH; install it and start again.") from None
    except subprocess.TimeoutExpired:
        raise StartError(f"git {arguments[0]} did not finish within {_GIT_SECONDS:.0f} s.") from None
    if done.returncode != 0:
        raise StartError(f"git {arguments[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout

"""From a commit to a folder that runs: a checkout, and a virtual environment with its requirements."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uv

from portway.drivers.process.specs import Source

_GIT_SECONDS = 300
_INSTALL_SECONDS = 900
_PASSED_ON = re.compile(r"PATH|LANG|LC_.*|TZ|TMPDIR|SSL_CERT_(FILE|DIR)|.*_proxy|.*_PROXY|REQUESTS_CA_BUNDLE")
_OF_TOOLS = re.compile(r"UV_.*|PIP_.*|XDG_CACHE_HOME")


class NotMaterialised(Exception):
    """One sentence for the user: what could not be fetched or installed, and the last lines of the tool."""


@dataclass(frozen=True, slots=True)
class Checkout:
    folder: Path
    environment: Mapping[str, str]
    """PATH with the virtual environment first, VIRTUAL_ENV."""


def inherited_environment() -> dict[str, str]:
    """The few variables of the agent that programs may see; everything else is the workload's own."""
    return {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}


def building_environment() -> dict[str, str]:
    """For tools and jobs, which install packages: where from (with credentials), and uv's cache."""
    tools = {name: value for name, value in os.environ.items() if _OF_TOOLS.fullmatch(name)}
    return {"UV_CACHE_DIR": _uv_cache(), **inherited_environment(), **tools}


class Materialiser:
    """Checkouts are kept per owner and commit, environments per content of requirements.txt and interpreter."""

    def __init__(self, home: Path) -> None:
        self._work = home / "work"
        self._environments = home / "venvs"
        self._busy: dict[Path, asyncio.Lock] = {}

    async def materialise(self, owner: str, source: Source) -> Checkout:
        folder = self._work / owner / source.revision
        async with self._busy.setdefault(folder, asyncio.Lock()):
            if not folder.exists():
                await self._check_out(source, folder)
        environment = await self._environment(folder, source.revision)
        path = os.pathsep.join([str(environment / "bin"), os.environ.get("PATH", os.defpath), _uv_folder()])
        return Checkout(folder, {"PATH": path, "VIRTUAL_ENV": str(environment)})

    def forget(self, owner: str, keep: frozenset[str] = frozenset()) -> None:
        """Removes the owner's checkouts but those of the commits to keep."""
        folder = self._work / owner
        for checkout in folder.glob("*"):
            if checkout.name not in keep:
                shutil.rmtree(checkout, ignore_errors=True)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)

    async def _check_out(self, source: Source, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f"{folder.name}.new")
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        if source.local and not await asyncio.to_thread(Path(source.location).is_dir):
            raise NotMaterialised(f"there is no repository at {source.location}")
        # A local repository lends its objects: nothing is copied but the files.
        lending = ["--shared"] if source.local else []
        clone = ["git", "clone", "--quiet", "--no-checkout", *lending, "--", source.location, str(fresh)]
        await _run(clone, folder.parent, _GIT_SECONDS, f"the source {source.location} cannot be fetched")
        switch = ["git", "-C", str(fresh), "checkout", "--quiet", "--detach", source.revision]
        await _run(switch, fresh, _GIT_SECONDS, f"commit {source.revision[:12]} cannot be checked out")
        fresh.rename(folder)

    async def _environment(self, checkout: Path, revision: str) -> Path:
        requirements = checkout / "requirements.txt"
        text = await asyncio.to_thread(_read, requirements)
        key = hashlib.sha256(b"\0".join([sys.version.encode(), sys.executable.encode(), text]))
        if re.search(rb"^\s*(-[recf]|--(requirement|constraint|editable|find-links)|\.|/|file:)", text, re.MULTILINE):
            key.update(revision.encode())  # it refers to other files of the checkout
        folder = self._environments / key.hexdigest()[:20]
        async with self._busy.setdefault(folder, asyncio.Lock()):
            if not (folder / ".complete").exists():
                await self._install(folder, requirements if text.strip() else None, checkout)
        return folder

    async def _install(self, folder: Path, requirements: Path | None, checkout: Path) -> None:
        self._environments.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        program = uv.find_uv_bin()
        make = [program, "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)]
        await _run(make, checkout, _INSTALL_SECONDS, "the virtual environment cannot be made")
        if requirements is not None:
            install = [program, "pip", "install", "--quiet", "--python", str(folder), "-r", str(requirements)]
            await _run(install, checkout, _INSTALL_SECONDS, "requirements.txt cannot be installed")
        (folder / ".complete").touch()


async def _run(arguments: Sequence[str], folder: Path, seconds: float, failure: str) -> None:
    environment = building_environment() | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "HOME": os.environ.get("HOME", "/"),
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise NotMaterialised(f"{failure}: the program {arguments[0]} is not installed") from None
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    except TimeoutError:
        raise NotMaterialised(f"{failure}: it took longer than {seconds:.0f} s") from None
    finally:
        if process.returncode is None:
            # With its children, which would keep the pipe open.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise NotMaterialised(f"{failure}: {' / '.join(line.strip() for line in lines[-4:])}")


def _uv_cache() -> str:
    """Of the user the agent runs as; jobs have another HOME and share it."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("UV_CACHE_DIR") or os.path.join(cache, "uv")


def _uv_folder() -> str:
    return str(Path(uv.find_uv_bin()).parent)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""

"""What keeps Portway from starting: one sentence on the standard error, status 1, and nothing left running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e.installations import Installation, free_port

pytestmark = pytest.mark.xdist_group("starting")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """Not started, and stopped in any case."""
    installation = Installation(tmp_path / "home", free_port())
    yield installation
    if (installation.home / "run").is_dir():
        installation.run("down", "--workloads")


def _run(installation: Installation, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portway", *arguments],
        env={**installation.environment, **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _refused(installation: Installation, *arguments: str, **environment: str) -> str:
    """The sentence with which a start fails; the test fails when there is more to see than that."""
    done = _run(installation, *arguments, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    assert lines[0].endswith(".")
    assert installation.processes() == []
    return lines[0].removeprefix("Error: ")


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach"), ("demo",)])
def test_a_port_that_is_taken_is_named_with_another_to_take(fresh: Installation, arguments: tuple[str, ...]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.port))
        other.listen()
        sentence = _refused(fresh, *arguments)
    assert sentence == (
        f"Port {fresh.port} on 127.0.0.1 is taken by another program. Stop it, or choose another port: "
        f"PORTWAY_PORT={fresh.port + 1}."
    )


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach"), ("demo", "--detach")])
def test_without_git_nothing_starts(fresh: Installation, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    nothing = tmp_path / "bin"
    nothing.mkdir()
    sentence = _refused(fresh, *arguments, PATH=str(nothing))
    assert sentence == "git is not installed or not on the PATH; install it and start again."


def test_a_folder_without_the_database_programs_is_refused_before_anything_starts(
    fresh: Installation, tmp_path: Path
) -> None:
    sentence = _refused(fresh, "up", PORTWAY_POSTGRES_BIN=str(tmp_path))
    assert sentence == (
        f"PORTWAY_POSTGRES_BIN is {tmp_path}, which has no initdb and no postgres and no pg_ctl; give the folder with "
        "PostgreSQL's programs, or leave it out for the packaged ones."
    )
    assert not fresh.home.exists()


def test_database_programs_that_do_not_work_leave_no_agent_behind(fresh: Installation, tmp_path: Path) -> None:
    for program in ("initdb", "postgres", "pg_ctl"):
        (tmp_path / program).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / program).chmod(0o755)
    assert "has no working PostgreSQL programs" in _refused(fresh, "up", PORTWAY_POSTGRES_BIN=str(tmp_path))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTWAY_PORT", "http", "PORTWAY_PORT is 'http', expected a TCP port from 1 to 65535."),
        ("PORTWAY_PORT", "0", "PORTWAY_PORT is '0', expected a TCP port from 1 to 65535."),
        ("PORTWAY_PORT", "65536", "PORTWAY_PORT is '65536', expected a TCP port from 1 to 65535."),
        ("PORTWAY_POSTGRES_URL", "localhost:5432", "PORTWAY_POSTGRES_URL is no URL of a PostgreSQL server; expected"),
        ("PORTWAY_POSTGRES_URL", "mysql://a:b@127.0.0.1/x", "PORTWAY_POSTGRES_URL is no URL of a PostgreSQL server"),
        ("PORTWAY_STORE_URL", "sqlite:///x", "PORTWAY_STORE_URL is expected to begin with postgresql://"),
        ("PORTWAY_STORE_URL", "postgresql://127.0.0.1:1/none", "The store cannot be opened: "),
    ],
)
def test_a_wrong_setting_is_named(fresh: Installation, name: str, value: str, said: str) -> None:
    assert _refused(fresh, "up", **{name: value}).startswith(said)


@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach"), ("status",)])
def test_a_file_where_the_state_should_be_is_named(
    fresh: Installation, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "file"
    file.write_text("something else\n")
    if arguments == ("status",):
        assert _run(fresh, *arguments, PORTWAY_HOME=str(file)).returncode == 1
        return
    sentence = _refused(fresh, *arguments, PORTWAY_HOME=str(file))
    assert sentence == f"Cannot use {file} for the state: Not a directory. Choose another PORTWAY_HOME."
    assert file.read_text() == "something else\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_that_is_not_writable_is_named(fresh: Installation, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        sentence = _refused(fresh, "up")
    finally:
        tmp_path.chmod(0o700)
    assert sentence == f"Cannot use {fresh.home} for the state: Permission denied. Choose another PORTWAY_HOME."


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[ExitStack]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    with ExitStack() as stack:
        yield stack


def _mount(mounts: ExitStack, folder: Path, options: str) -> None:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    mounts.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("size", ["16k", "128k", "2m", "30m"])
def test_a_full_disk_is_said_in_one_sentence(fresh: Installation, tmp_path: Path, mounts: ExitStack, size: str) -> None:
    _mount(mounts, tmp_path / "disk", f"size={size}")
    small = Installation(tmp_path / "disk" / "home", fresh.port)
    assert "full" in _refused(small, "up")


def test_a_disk_that_cannot_be_written_is_named(fresh: Installation, tmp_path: Path, mounts: ExitStack) -> None:
    _mount(mounts, tmp_path / "disk", "ro")
    home = tmp_path / "disk" / "home"
    sentence = _refused(Installation(home, fresh.port), "up")
    assert sentence == f"Cannot use {home} for the state: Read-only file system. Choose another PORTWAY_HOME."


@pytest.mark.parametrize("content", [b"", b"no store" * 1000, b"SQLite format 3\0" + os.urandom(50_000)])
@pytest.mark.parametrize("arguments", [("up",), ("up", "--detach")])
def test_a_store_that_is_none_is_named_and_left_as_it_is(
    fresh: Installation, arguments: tuple[str, ...], content: bytes
) -> None:
    fresh.home.mkdir()
    store = fresh.home / "store.db"
    store.write_bytes(content)
    if not content:  # what a start that was killed at once leaves
        fresh.succeed("up", "--detach")
        return
    sentence = _refused(fresh, *arguments)
    assert sentence.startswith(f"The store cannot be opened: {store}: ")
    assert store.read_bytes() == content


def test_certificates_that_are_none_are_named(fresh: Installation) -> None:
    folder = fresh.home / "pki"
    folder.mkdir(parents=True)
    for name in ("ca.crt", "ca.key"):
        (folder / name).write_text("nonsense")
    assert _refused(fresh, "up") == (
        f"The certificates in {folder} cannot be read. Move the folder away and start again: new ones are made."
    )


def test_a_second_start_on_the_same_state_is_refused_and_harms_nothing(fresh: Installation) -> None:
    fresh.succeed("up", "--detach")
    pid = fresh.control_plane()
    for arguments in (("up",), ("demo",)):
        second = _run(fresh, *arguments, PORTWAY_PORT=str(fresh.port + 1))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == (
            f"Error: Portway already runs on {fresh.home} (process {pid}, {fresh.address}). Stop it with "
            "`portway down`, or choose another PORTWAY_HOME.\n"
        )
    elsewhere = _run(fresh, "up", "--detach", PORTWAY_PORT=str(fresh.port + 1))
    assert elsewhere.returncode == 1
    assert elsewhere.stderr.startswith(f"Error: Portway already runs on {fresh.home} at {fresh.address} ")
    assert f"Portway runs on {fresh.address} (process {pid})." in fresh.succeed("up", "--detach")
    assert fresh.control_plane() == pid


def test_a_configured_server_that_is_away_is_said_at_the_start(fresh: Installation) -> None:
    started = _run(fresh, "up", "--detach", PORTWAY_POSTGRES_URL="postgresql://a:b@127.0.0.1:1/postgres")
    assert started.returncode == 0, started.stderr
    log = (fresh.home / "logs" / "start.log").read_text()
    assert "PostgreSQL at 127.0.0.1:1 does not answer" in log

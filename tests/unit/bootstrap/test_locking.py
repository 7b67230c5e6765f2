from __future__ import annotations

import os
from pathlib import Path

import pytest

from portway.bootstrap import locking, settings
from portway.bootstrap.errors import StartError


def test_a_second_start_on_the_same_state_is_refused_and_names_the_first(tmp_path: Path) -> None:
    with (
        locking.hold(tmp_path, "http://127.0.0.1:8700"),
        pytest.raises(
            StartError, match=rf"already runs on .*process {os.getpid()}, http://127.0.0.1:8700.*portway down"
        ),
        locking.hold(tmp_path, "http://127.0.0.1:8701"),
    ):
        pass


def test_what_runs_can_be_asked_and_is_gone_afterwards(tmp_path: Path) -> None:
    assert locking.running(tmp_path) is None
    with locking.hold(tmp_path, "http://127.0.0.1:8700") as announcement:
        locking.announce(announcement, locking.Running(os.getpid(), "http://127.0.0.1:8700", ready=True))
        assert locking.running(tmp_path) == locking.Running(os.getpid(), "http://127.0.0.1:8700", ready=True)
    assert locking.running(tmp_path) is None


def test_a_state_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"Cannot use .*PORTWAY_HOME"), locking.hold(tmp_path / "file", "x"):
        pass


@pytest.mark.parametrize("port", ["", "x", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(StartError, match="PORTWAY_PORT"):
        settings.read({"PORTWAY_PORT": port})

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from portway.telemetry import logs, traces


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def test_a_line_has_its_keys_in_the_file_and_short_on_the_console(tmp_path: Path) -> None:
    console = io.StringIO()
    logs.set_up(tmp_path / "logs" / "portway.log", console=console)
    log = logging.getLogger("portway.test")
    with traces.trace("4711"):
        log.warning("watch interrupted", extra={"resource": "configmaps", "error": ""})
    log.info("only in the file")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("reconcile failed")
    lines = [json.loads(line) for line in (tmp_path / "logs" / "portway.log").read_text().splitlines()]
    assert [line["message"] for line in lines] == ["watch interrupted", "only in the file", "reconcile failed"]
    assert {k: v for k, v in lines[0].items() if k != "time"} == {
        "level": "warning",
        "logger": "portway.test",
        "message": "watch interrupted",
        "resource": "configmaps",
        "error": "",
        "trace": "4711",
    }
    assert "Traceback" in lines[2]["exception"]
    shown = [line.partition(" ")[2] for line in console.getvalue().splitlines()]
    assert shown == [
        "warning: watch interrupted (resource=configmaps)",
        "error: reconcile failed ValueError: why",
    ]


def test_a_trace_ends_with_its_block() -> None:
    with traces.trace() as outer:
        with traces.trace() as inner:
            assert traces.current() == inner
        assert traces.current() == outer != inner
    assert traces.current() == ""

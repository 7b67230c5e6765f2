from __future__ import annotations

import asyncio
from pathlib import Path

from portway.drivers.process import logs


def test_the_tail_goes_on_in_the_rotated_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"{number}\n" for number in range(5)))
    logs.rotate(log, limit=3)
    with log.open("a") as writer:
        writer.write("5\nhalf")
    assert logs.tail(log, 3) == ["4", "5", "half"]
    assert logs.tail(log, 100) == ["0", "1", "2", "3", "4", "5", "half"]
    assert logs.tail(log, 0) == []
    assert logs.tail(tmp_path / "none", 3) == []


def test_the_tail_of_a_long_file_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(50_000)))
    assert logs.tail(log, 2) == ["line 49998", "line 49999"]


async def test_following_gives_whole_lines_over_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\nhal")
    heard: list[str] = []
    done = False

    async def listen() -> None:
        async for line in logs.follow(log, 5, until=lambda: done):
            heard.append(line)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        for text, expected in (("f\nnew\n", ["old", "half", "new"]), ("more\n", ["old", "half", "new", "more"])):
            with log.open("a") as writer:
                writer.write(text)
            async with asyncio.timeout(30):
                while heard != expected:  # noqa: ASYNC110 - the listener polls
                    await asyncio.sleep(0.01)
        logs.rotate(log, limit=1)
        await asyncio.sleep(0.3)
        with log.open("a") as writer:
            writer.write("after\nend")
        async with asyncio.timeout(30):
            while heard[-1] != "after":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        done = True
    assert heard == ["old", "half", "new", "more", "after", "end"]


def test_last_words_are_the_programs_own_since_its_last_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    logs.note(log, "main starts")
    with log.open("a") as writer:
        writer.write("one\n\ntwo\n")
    logs.note(log, "main exited with code 1")
    assert logs.last_words(log, since="main starts") == "one / two"
    assert logs.last_words(log) == "before / one / two"

"""How answers are handed to the server."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portway.apiserver import responses
from portway.apiserver.responses import Pieces, Response


async def _sent(response: Response, *, head: bool = False) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append({**message, "body": bytes(message.get("body", b""))})

    await responses.send_response(response, [], send, head=head)
    return messages


@pytest.mark.parametrize("content", [b"x" * 1_000_000, Pieces([b"x" * 1000] * 1000)], ids=["bytes", "pieces"])
async def test_a_large_answer_is_handed_over_in_slices(content: bytes | Pieces) -> None:
    start, *parts = await _sent(Response(content))
    assert (b"content-length", b"1000000") in start["headers"]
    assert b"".join(part["body"] for part in parts) == b"x" * 1_000_000
    assert len(parts) > 5
    assert max(len(part["body"]) for part in parts) <= responses.SLICE_BYTES + 1000
    assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]


@pytest.mark.parametrize("content", [b"short", Pieces([b"sh", b"ort"])], ids=["bytes", "pieces"])
async def test_a_small_one_is_handed_over_at_once(content: bytes | Pieces) -> None:
    assert [message["body"] for message in await _sent(Response(content))] == [b"", b"short"]
    start, body = await _sent(Response(content), head=True)
    assert (b"content-length", b"5") in start["headers"]
    assert body["body"] == b""


@given(st.lists(st.binary(max_size=20)), st.integers(1, 30))
def test_slices_are_the_whole_in_order(parts: list[bytes], size: int) -> None:
    pieces = Pieces(parts)
    slices = list(pieces.slices(size))
    assert b"".join(slices) == pieces.whole() == b"".join(parts)
    assert len(pieces) == len(pieces.whole())
    assert all(size <= len(piece) < size + 20 for piece in slices[:-1])

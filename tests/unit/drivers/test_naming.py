from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portway.drivers import naming


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("payments", "orders-db"), "payments_orders_db_"),
        (("9lives",), "x9lives_"),
        (("Größe", ""), "gr_e_"),
        (("",), "x_"),
    ],
)
def test_a_name_begins_readably(words: tuple[str, ...], expected: str) -> None:
    assert re.fullmatch(expected + "[0-9a-f]{10}", naming.external_name("uid", *words))


@given(some.text(), some.text(), some.text())
def test_a_name_is_always_a_short_identifier_of_its_uid(uid: str, first: str, second: str) -> None:
    name = naming.external_name(uid, first, second)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name)
    assert name == naming.external_name(uid, first, second)
    assert name != naming.external_name(uid + "x", first, second)

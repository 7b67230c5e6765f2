from __future__ import annotations

import pytest

from portway.kit import namelists


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), ""),
        (("dev",), "dev"),
        (("dev", "ops"), "dev,ops"),
        (("cn=dev,ou=acme", "x"), '["cn=dev,ou=acme", "x"]'),
        (("a,system:masters",), '["a,system:masters"]'),
        (("[odd]",), '["[odd]"]'),
    ],
)
def test_names_come_back_as_they_were(names: tuple[str, ...], text: str) -> None:
    assert namelists.joined(names) == text
    assert namelists.parted(text) == names

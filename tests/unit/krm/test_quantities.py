from __future__ import annotations

from decimal import Decimal

import pytest

from portway.krm import quantities


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("500m", "0.5"),
        ("1.5Gi", "1610612736"),
        ("1k", "1000"),
        ("2Ki", "2048"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1000000000000000000"),
        ("-5", "-5"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("100n", "0.0000001"),
        ("12u", "0.000012"),
        ("1e-2", "0.01"),
    ],
)
def test_quantities_have_exact_values(text: str, value: str) -> None:
    assert quantities.parse(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1GiB", "1.2.3", "--1", "1e", "1K", "0x1", "٣", "1" * 100])
def test_a_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(quantities.BadQuantity, match="is not a quantity"):
        quantities.parse(text)

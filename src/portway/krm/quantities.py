"""Resource quantities such as ``500m``, ``1.5Gi`` or ``1e3`` as decimals.

Grammar: k8s.io/apimachinery pkg/api/resource Quantity.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE](?P<exponent>[+-]?\d{1,3}))?",
    re.ASCII,
)
_SCALES: Final[dict[str, Decimal]] = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate(("m", "u", "n"), 1)},
}
_MAX_LENGTH = 64


class BadQuantity(ValueError):
    """The text is no quantity."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Decimal:
    """The exact value. Raises BadQuantity."""
    found = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if not found:
        raise BadQuantity(
            f"{text[:_MAX_LENGTH]!r} is not a quantity: "
            "expected a number with an optional suffix such as m, k, M, Gi or e3"
        )
    number = Decimal(found["number"])
    if found["suffix"]:
        return number * _SCALES[found["suffix"]]
    return number.scaleb(int(found["exponent"])) if found["exponent"] else number

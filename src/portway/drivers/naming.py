"""Names of external things: a readable beginning, then a digest of the uid, so that doing it again finds
it.
"""

from __future__ import annotations

import hashlib
import re

_DIGEST_CHARACTERS = 10


def external_name(uid: str, *words: str, separator: str = "_", limit: int = 63) -> str:
    """``payments_orders_db_1f0c2d3e4a``: lower-case ASCII, starts with a letter, at most ``limit``
    characters.
    """
    digest = hashlib.sha256(uid.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    readable = separator.join(filter(None, (_plain(word, separator) for word in words)))
    readable = readable[: limit - _DIGEST_CHARACTERS - len(separator)].strip(separator)
    if not readable or not readable[0].isalpha():
        readable = f"x{readable}"[: limit - _DIGEST_CHARACTERS - len(separator)]
    return f"{readable}{separator}{digest}"


def last_segment(workspace: str) -> str:
    return workspace.rpartition(":")[2]


def _plain(word: str, separator: str) -> str:
    return re.sub(r"[^a-z0-9]+", separator, word.lower()).strip(separator)

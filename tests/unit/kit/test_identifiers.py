from __future__ import annotations

import uuid

from portway.kit import identifiers


def test_a_random_uuid_is_of_version_4() -> None:
    for text in (identifiers.random_uuid() for _ in range(200)):
        assert (str(uuid.UUID(text)), uuid.UUID(text).version, uuid.UUID(text).variant) == (text, 4, uuid.RFC_4122)

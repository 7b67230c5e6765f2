from __future__ import annotations

import pytest

from portway.krm.schemas import formats


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("byte", "aGk=", "a b"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("creditcard", "4111 1111 1111 1111", "4111111111111112"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00.5+01:00", "2026-02-28 10:00:00"),
        ("duration", "1h30m", "an hour"),
        ("duration", "3 days", "3 moons"),
        ("email", "a@b.c", "a.b.c"),
        ("hexcolor", "#fff", "#ffg"),
        ("hostname", "a.example", "-a.example"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("isbn10", "0-306-40615-2", "0-306-40615-3"),
        ("isbn13", "978-0-306-40615-7", "978-0-306-40615-8"),
        ("k8s-short-name", "a-b", "a.b"),
        ("k8s-long-name", "a.b", "A.b"),
        ("mac", "00:1a:2b:3c:4d:5e", "00:1a:2b"),
        ("rgbcolor", "rgb(1, 2, 255)", "rgb(1,2,256)"),
        ("ssn", "123-45-6789", "123"),
        ("uri", "https://a/b", "no scheme"),
        ("uuid", "c2a1e1f0-5a2f-4f4c-9f0b-2f6f0f1a2b3c", "c2a1e1f0"),
        ("uuid4", "c2a1e1f0-5a2f-4f4c-9f0b-2f6f0f1a2b3c", "c2a1e1f0-5a2f-3f4c-9f0b-2f6f0f1a2b3c"),
    ],
)
def test_a_format_accepts_the_good_and_refuses_the_bad(name: str, good: str, bad: str) -> None:
    assert formats.CHECKS[name](good)
    assert not formats.CHECKS[name](bad)

from __future__ import annotations

from portway.tenancy import clusters, paths


def test_a_cluster_name_is_a_label_that_begins_with_a_letter() -> None:
    for start in range(0, 256, 5):
        name = clusters.generate(lambda count, start=start: bytes((start + 31 * i) % 256 for i in range(count)))  # type: ignore[misc]
        assert paths.check_name(name)[0].isalpha()
        assert len(name) == clusters.LENGTH


def test_names_differ() -> None:
    assert len({clusters.generate() for _ in range(1000)}) == 1000


def test_a_path_is_told_from_a_cluster_name() -> None:
    assert [clusters.is_path(text) for text in ("root", "root:acme", clusters.generate())] == [True, True, False]

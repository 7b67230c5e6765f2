"""``fetch:template``'s rules, and the walls of a run's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from portway.drivers.services import SourceFile
from portway.scaffolder.folders import Folder, OutsideFolder
from portway.scaffolder.rendering import Options, Rendering


def text(content: str) -> SourceFile:
    return SourceFile(content.encode())


def test_contents_and_paths_are_rendered_and_the_mode_is_kept() -> None:
    files = {
        "${{ values.name }}/run.sh": SourceFile(b"echo ${{ values.name }}\n", executable=True),
        "image.png": SourceFile(b"\x00\x01${{ values.name }}"),
        "{% if values.docs %}docs.md{% endif %}": text("left out"),
        "${{ values.nothing }}/x": text("left out"),
    }

    assert Rendering({"name": "orders", "docs": False}).tree(files) == {
        "orders/run.sh": SourceFile(b"echo orders\n", executable=True),
        "image.png": SourceFile(b"\x00\x01${{ values.name }}"),
    }


def test_files_can_be_copied_without_templating() -> None:
    files = {"a/${{ values.n }}.tpl": text("${{ values.n }}"), "b.txt": text("${{ values.n }}")}

    made = Rendering({"n": "1"}, Options(without_templating=("a/**",))).tree(files)

    assert made == {"a/1.tpl": text("${{ values.n }}"), "b.txt": text("1")}


def test_only_files_with_the_extension_are_rendered_and_lose_it() -> None:
    files = {"a.yaml.njk": text("${{ values.n }}"), "b.yaml": text("${{ values.n }}")}

    assert Rendering({"n": 1}, Options(only_extension=".njk")).tree(files) == {
        "a.yaml": text("1"), "b.yaml": text("${{ values.n }}"),
    }  # fmt: skip


def test_cookiecutters_marks_are_understood_when_asked_for() -> None:
    made = Rendering({"n": 1}, Options(cookiecutter=True)).tree({"a": text("{{ cookiecutter.n }}")})

    assert made == {"a": text("1")}


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "link/x", "a\\..\\x"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")

    with pytest.raises(OutsideFolder):
        Folder(root).write(path, text("x"))

    assert list((tmp_path / "outside").iterdir()) == []


def test_files_behind_symbolic_links_are_not_published(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "own").write_text("y")

    assert Folder(root).files() == {"own": text("y")}

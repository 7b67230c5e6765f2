"""Moving in the tree of workspaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from portway.cli import workspaces
from portway.cli.errors import CommandError
from portway.client import kubeconfig, kubecontexts
from portway.client.kubeconfig import Context, KubeconfigError


@pytest.mark.parametrize(
    ("word", "path", "reason"),
    [
        ("payments", "root:acme:payments", "below here"),
        ("a:b", "root:acme:a:b", "further below"),
        ("a/b", "root:acme:a:b", "with slashes"),
        ("..", "root", "up"),
        ("..:beta", "root:beta", "beside"),
        (".", "root:acme", "here"),
        ("root:x", "root:x", "from the top"),
        (":root:x", "root:x", "from the top, as kubectl ws has it"),
        (":", "root", "the top"),
    ],
)
def test_a_word_means_a_path(word: str, path: str, reason: str) -> None:
    assert workspaces.resolve("root:acme", word) == path, reason


@pytest.mark.parametrize(
    ("current", "word", "path"),
    [
        ("root:acme", "user:alice", "user:alice"),
        ("user:alice", "play", "user:alice:play"),
        ("user:alice:play", "..", "user:alice"),
        ("user:alice", ":", "root"),
    ],
)
def test_a_home_is_a_top_of_its_own(current: str, word: str, path: str) -> None:
    assert workspaces.resolve(current, word) == path


def test_nothing_is_above_a_home() -> None:
    with pytest.raises(CommandError, match="nothing above user:alice"):
        workspaces.resolve("user:alice", "..")


@pytest.mark.parametrize("word", ["..:..", "A", "a b"])
def test_a_word_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(CommandError):
        workspaces.resolve("root:acme", word)


def test_entering_and_going_back_moves_the_current_context_only(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    text = kubeconfig.render("https://h:1", [Context("root", "root"), Context("x", "root:x")], token="t", ca="pem")
    kubeconfig.write(file, text)
    with pytest.raises(KubeconfigError, match="no previous workspace"):
        kubecontexts.go_back(file)
    kubecontexts.enter(file, "https://h:1", "root:acme")
    kubecontexts.enter(file, "https://h:1", "root:acme:payments")
    assert kubeconfig.load(file).workspace == "root:acme:payments"
    assert kubeconfig.load(file, "x").workspace == "root:x"
    kubecontexts.go_back(file)
    assert kubeconfig.load(file).workspace == "root:acme"
    kubecontexts.go_back(file)
    found = kubeconfig.load(file)
    assert (found.workspace, found.token, found.tls.ca) == ("root:acme:payments", "t", "pem")

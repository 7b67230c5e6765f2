from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import jwt
import pytest

from portway.cli import credentials, logins
from portway.cli.errors import CommandError
from portway.cli.logins import Login
from portway.client import plugins
from portway.client.plugins import Plugin
from portway.kit import clocks

AWAY = "http://127.0.0.1:9"


def _login(seconds: float, token: str = "") -> Login:
    made = token or jwt.encode({"exp": time.time() + seconds}, "x" * 32, "HS256")
    return Login(AWAY, "", "https://login.test", made, "r1")


def test_a_log_in_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    file = logins.file_of(tmp_path / "portway-logins", AWAY, "https://login.test")
    logins.keep(file, _login(300))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert logins.fresh(file) == Login(**json.loads(file.read_text()))


def test_each_server_and_provider_has_a_file_of_its_own(tmp_path: Path) -> None:
    named = {logins.file_of(tmp_path, server, issuer) for server in ("a", "b") for issuer in ("x", "y")}
    assert len(named) == 4


def test_a_token_that_is_still_good_does_while_the_server_is_away(tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    logins.keep(file, _login(10))
    assert logins.fresh(file).lasts()


@pytest.mark.parametrize(
    "login", [_login(-1), _login(0, "no.jwt"), _login(0, "a.e30.c")], ids=["over", "odd", "no end"]
)
def test_one_that_is_not_is_never_given_away(tmp_path: Path, login: Login) -> None:
    file = tmp_path / "login.json"
    logins.keep(file, login)
    with pytest.raises(CommandError, match=f"The log-in cannot be renewed: {AWAY} does not answer"):
        logins.fresh(file)


def test_a_file_that_is_gone_or_broken_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no log-in in"):
        logins.fresh(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(CommandError, match="log in again"):
        logins.fresh(tmp_path / "broken.json")


def test_only_the_plugin_that_is_portway_itself_is_recognized(tmp_path: Path) -> None:
    own = logins.plugin(("/opt/portway",), tmp_path / "login.json")
    assert logins.behind(own) == tmp_path / "login.json"
    assert own.args == ("token", "get", "--login", str(tmp_path / "login.json"))
    assert logins.behind(Plugin("aws", ("eks", "get-token"))) is None


def test_a_kept_token_is_printed_as_kubectl_asks_for_it(tmp_path: Path) -> None:
    login = _login(300)
    logins.keep(tmp_path / "login.json", login)
    env = {**os.environ, plugins.INFO: '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'}
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "portway",
        "token",
        "get",
        "--login",
        str(tmp_path / "login.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert json.loads(done.stdout) == {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": login.id_token, "expirationTimestamp": clocks.rfc3339(login.ends)},
    }
    assert not {"typer", "httpx", "pydantic"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("arguments", [[], ["--login"], ["--help", "x"], ["--login", "none.json"]])
def test_all_else_is_left_to_the_command(tmp_path: Path, arguments: list[str]) -> None:
    assert not credentials.print_kept(arguments)
    logins.keep(tmp_path / "login.json", _login(-1))
    assert not credentials.print_kept(["--login", str(tmp_path / "login.json")])


@pytest.mark.parametrize(("subject", "taken"), [("ada", True), ("eve", False)])
def test_a_renewed_token_is_of_the_same_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str, taken: bool
) -> None:
    def token(sub: str, seconds: float) -> str:
        claims = {"iss": "https://login.test", "sub": sub, "exp": time.time() + seconds}
        return jwt.encode(claims, "x" * 32, "HS256")

    answer = {"id_token": token(subject, 300), "refresh_token": "r2"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **_: client(transport=transport))
    monkeypatch.setattr(logins, "httpx", httpx)
    file = tmp_path / "login.json"
    logins.keep(file, _login(0, token("ada", -1)))
    if taken:
        assert logins.fresh(file).refresh_token == "r2"
        return
    with pytest.raises(CommandError, match="the token of somebody else"):
        logins.fresh(file)
    assert "r2" not in file.read_text()

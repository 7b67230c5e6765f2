from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from portway.client import kubeconfig, plugins
from portway.client.http import Tls
from portway.client.kubeconfig import Connection, Context, KubeconfigError
from portway.client.plugins import Plugin, PluginError

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_what_is_written_is_read_again_with_a_context_per_workspace(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kubeconfig"
    contexts = [Context("acme", "root:acme"), Context("payments", "root:acme:payments", "staging")]
    text = kubeconfig.render("https://127.0.0.1:8700", contexts, token="pw_x", ca=PEM, current="payments")
    kubeconfig.write(path, text)
    assert kubeconfig.load(path) == Connection(
        "https://127.0.0.1:8700", "root:acme:payments", "staging", "pw_x", Tls(ca=PEM)
    )
    assert kubeconfig.load(path, "acme").workspace == "root:acme"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["kubeconfig"]


def test_files_beside_it_and_a_plain_server_are_understood(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    (tmp_path / "token").write_text("secret\n")
    certificate = base64.b64encode(PEM.encode()).decode()
    (tmp_path / "config").write_text(
        f"""
apiVersion: v1
kind: Config
current-context: dev
clusters: [{{name: c, cluster: {{server: "https://box:6443", certificate-authority: ca.pem, tls-server-name: api}}}}]
users: [{{name: u, user: {{tokenFile: token, client-certificate-data: {certificate}, client-key: ca.pem}}}}]
contexts: [{{name: dev, context: {{cluster: c, user: u}}}}]
"""
    )
    tls = Tls(ca=PEM, certificate=PEM, key=PEM, server_name="api")
    expected = Connection("https://box:6443", "root", "default", "secret", tls)
    assert kubeconfig.load(tmp_path / "config") == expected


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        (None, "", "does not exist; start Portway"),
        ("a: [", "", "cannot be read as a kubeconfig"),
        ("[]", "", "is no kubeconfig"),
        ("contexts: [{name: a, context: {cluster: x}}]", "b", "has no context 'b'; it has: a"),
        ("contexts: [{name: a, context: {cluster: x}}]", "a", "has no cluster 'x'; it has: none"),
        (
            "{contexts: [{name: a, context: {cluster: x}}], clusters: [{name: x, cluster: {server: 'ftp:'}}]}",
            "a",
            "no http",
        ),
        (
            "{contexts: [{name: a, context: {cluster: x, user: u}}], clusters: [{name: x}], "
            "users: [{name: u, user: {auth-provider: {}}}]}",
            "a",
            "logs in by 'auth-provider', which is not supported",
        ),
        (
            "{contexts: [{name: a, context: {cluster: x, user: u}}], clusters: [{name: x, cluster: {server: 'https:"
            "//x'}}], users: [{name: u, user: {exec: {}}}]}",
            "a",
            "the exec plugin of its user names no command",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, text: str | None, context: str, message: str
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KubeconfigError, match=message) as refused:
        kubeconfig.load(path, context)
    assert str(path) in str(refused.value)


def _plugin(tmp_path: Path, *lines: str) -> Connection:
    """Of a kubeconfig whose user is asked from a shell script beside it."""
    script = tmp_path / "bin" / "credential"
    script.parent.mkdir()
    script.write_text("\n".join(("#!/bin/sh", *lines, "")))
    script.chmod(0o700)
    asked = Plugin("bin/credential", ("--for", "me"), (("PLACE", "here"),))
    kubeconfig.write(tmp_path / "config", kubeconfig.render("https://box:6443", [Context("a", "root")], plugin=asked))
    return kubeconfig.load(tmp_path / "config")


def test_a_plugin_is_asked_for_the_token(tmp_path: Path) -> None:
    version = f'{{"apiVersion": "{plugins.VERSION}", "kind": "ExecCredential", "status"'
    connection = _plugin(tmp_path, f"echo '{version}: {{\"token\": \"'$1-$2-$PLACE'\"}}}}'")
    assert connection.token == ""
    assert connection.asked().token == "--for-me-here"


def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    status = '{"clientCertificateData": "c", "clientKeyData": "k"}'
    connection = _plugin(tmp_path, f'echo \'{{"apiVersion": "{plugins.VERSION}", "status": {status}}}\'')
    assert (connection.asked().tls.certificate, connection.asked().tls.key) == ("c", "k")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("exit 3",), "ended with status 3"),
        (("echo nonsense",), "printed no ExecCredential"),
        (('echo \'{"apiVersion": "client.authentication.k8s.io/v9", "status": {}}\'',), "answered in version"),
        ((f'echo \'{{"apiVersion": "{plugins.VERSION}", "status": {{}}}}\'',), "neither token nor certificate"),
    ],
)
def test_a_plugin_that_gives_nothing_is_named(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(PluginError, match=message) as refused:
        _plugin(tmp_path, *lines).asked()
    assert "bin/credential" in str(refused.value)


def test_a_plugin_that_is_not_there_comes_with_its_hint() -> None:
    with pytest.raises(PluginError, match=r"'none-such' is not there\. Get it at x\."):
        plugins.ask(Plugin("none-such", install_hint="Get it at x."))

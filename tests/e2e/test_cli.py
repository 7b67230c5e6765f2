"""The commands as a user types them, against a real Portway with the example organisation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.installations import Installation, free_port

pytestmark = pytest.mark.xdist_group("cli")
PAYMENTS = ("-w", "root:acme:payments")


@pytest.fixture(scope="module")
def portway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With the example organisation and its service ``orders``."""
    installation = Installation(tmp_path_factory.mktemp("cli") / "home", free_port())
    try:
        installation.succeed("demo", "--detach")
        yield installation
    finally:
        installation.run("down", "--workloads")


def _as(portway: Installation, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portway", *arguments],
        env={**portway.environment, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _failed(portway: Installation, *arguments: str, **environment: str) -> str:
    done = _as(portway, *arguments, **environment)
    assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr.strip().removeprefix("Error: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("get", "nothing"), "root: this workspace serves no resource 'nothing'"),
        (("get", "components", "-w", "root:nope"), "There is no workspace root:nope, or you may not enter it."),
        (("get", "components", "-w", "Bad path"), "workspace path 'Bad path' must begin with 'root'"),
        (("get", "components", "x", *PAYMENTS), "There is no Component 'x' in root:acme:payments; `portway get"),
        (("get", "environments", "-n", "staging", *PAYMENTS), "environments are in no namespace"),
        (("explain", "postgres", *PAYMENTS), "'postgres': expected KIND/NAME, such as postgres/orders-db."),
        (("explain", "postgres/x", *PAYMENTS), "There is no Postgres 'x' in root:acme:payments"),
        (("logs", "x", *PAYMENTS), "There is no workload 'x' in root:acme:payments"),
        (("create", "x"), "There is no template 'x'. There are: python-service."),
        (("create", "python-service", "--set", "name=a1b", "-y"), '"owner" is a required property.'),
        (("create", "python-service", "--set", "nam=a", "-y"), "There is no field nam; there are name, owner,"),
        (("create", "python-service", "--set", "name=abc", "--set", "owner=x", "-y"), "owner: there is no group 'x'"),
        (("create", "python-service", "--set", "name", "-y"), "--set name: expected name=value."),
        (("request", "mongo", "x", "-e", "staging", *PAYMENTS, "-y"), "There is no resource type 'mongo'. There are:"),
        (("request", "postgres", "x", "-e", "moon", *PAYMENTS, "-y"), "There is no environment 'moon' here; root:acme"),
        (("request", "postgres", "x", *PAYMENTS, "-y"), "Say where with --environment; root:acme:payments has"),
        (("request", "postgres", "x", "-e", "staging", "-y"), "root:acme:checkout, root:acme:payments have an"),
        (("kubeconfig", "-w", "root:nope"), "There is no workspace root:nope, or you may not enter it."),
        (("login", "ftp://x", "--token", "x"), "'ftp://x' is no address; expected one such as https://"),
    ],
)
def test_a_wrong_command_is_told_in_one_sentence_what_to_do(
    portway: Installation, arguments: tuple[str, ...], said: str
) -> None:
    assert _failed(portway, *arguments).startswith(said)


def test_without_any_portway_known_it_says_how_to_get_one(portway: Installation, tmp_path: Path) -> None:
    sentence = _failed(portway, "get", "components", PORTWAY_HOME=str(tmp_path), HOME=str(tmp_path))
    assert sentence.startswith("No Portway is known here")
    assert sentence.endswith("Start one with `portway up`, or log in to one with `portway login URL`.")


def test_a_server_that_is_down_is_told(portway: Installation, tmp_path: Path) -> None:
    text = portway.succeed("kubeconfig").replace(f":{portway.port}", ":1")
    (tmp_path / "kubeconfig").write_text(text)
    for command in (("get", "components"), ("open",), ("create",)):
        sentence = _failed(portway, *command, PORTWAY_KUBECONFIG=str(tmp_path / "kubeconfig"))
        assert sentence.startswith("Portway does not answer on https://127.0.0.1:1. Start it with `portway up`")


def test_a_login_works_and_a_refused_token_changes_nothing(portway: Installation, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    place = {"PORTWAY_KUBECONFIG": str(file)}
    token = (portway.home / "tokens" / "admin").read_text().strip()
    address = f"https://127.0.0.1:{portway.port}"
    done = _as(portway, "login", address, "--token", token, "-w", "root:acme:payments", **place)
    assert done.stdout == f"Logged in to {address} as admin; kept in {file}.\n", done.stderr
    assert os.stat(file).st_mode & 0o077 == 0
    assert "payment-gateway" in _as(portway, "get", "components", **place).stdout
    before = file.read_text()
    sentence = _failed(portway, "login", address, "--token", "wrong", **place)
    assert sentence == f"{address} refused the token; nothing was changed."
    assert file.read_text() == before
    file.write_text(before.replace(token, "pw_void"))
    sentence = _failed(portway, "get", "components", **place)
    assert sentence.startswith(f"{address} refused the token in {file}. Log in again with `portway login {address}`")


def test_one_without_rights_is_told_who_can_help(portway: Installation, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    admin = (portway.home / "tokens" / "admin").read_text().strip()
    barbara = (portway.home / "tokens" / "barbara").read_text().strip()  # of team checkout
    file.write_text(portway.succeed("kubeconfig", *PAYMENTS).replace(admin, barbara))
    place = {"PORTWAY_KUBECONFIG": str(file)}
    assert _as(portway, "get", "components", **place).returncode == 0
    sentence = _failed(portway, "request", "postgres", "mine", "-e", "staging", "-y", **place)
    assert "forbidden" in sentence
    assert sentence.endswith("Who administers root:acme:payments can give you the right to.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", "components", *PAYMENTS),
        ("get", "workload/orders", *PAYMENTS),
        ("explain", "workload/orders", *PAYMENTS),
        ("explain", "postgres", "orders-db", *PAYMENTS),
        ("create",),
        ("request", *PAYMENTS),
        ("request", "postgres", "dry", "-e", "staging", "--dry-run", *PAYMENTS),
        ("status",),
    ],
)
def test_json_and_yaml_are_the_same_data_and_nothing_else(portway: Installation, arguments: tuple[str, ...]) -> None:
    def shape(value: Any) -> Any:
        return sorted(value) if isinstance(value, dict) else len(value)

    from_json = json.loads(portway.succeed(*arguments, "-o", "json"))
    from_yaml = yaml.safe_load(portway.succeed(*arguments, "-o", "yaml"))
    assert shape(from_json) == shape(from_yaml)
    assert "managedFields" not in json.dumps(from_json)


def test_a_service_is_created_from_a_template_to_the_end(portway: Installation) -> None:
    done = portway.succeed("create", "python-service", "--set", "name=billing", "--set", "owner=payments", "-y")
    lines = [line.strip() for line in done.splitlines()]
    for step in ("Render the repository", "Create the repository and push", "Test and deploy"):
        assert any(line.startswith(f"✓ {step}") for line in lines), done
    assert any(line.startswith("Open the service: http://127.0.0.1:") for line in lines), done
    assert portway.get("workload/billing", *PAYMENTS)["status"]["health"] == "healthy"
    assert "/healthz" in portway.succeed("logs", "billing", "--tail", "50", *PAYMENTS)
    told = portway.succeed("explain", "workload/billing", *PAYMENTS)
    assert "resource db: postgres by Postgres/billing-db, ready" in told


def test_a_database_is_requested_to_the_end_and_not_twice(portway: Installation) -> None:
    asked = ("request", "postgres", "reports", "-e", "staging", "-y", *PAYMENTS)
    done = portway.succeed(*asked)
    assert "✓ root:acme/postgres-shared: " in done
    assert "credentials: Secret reports in the same namespace" in done
    assert _failed(portway, *asked).startswith("staging of root:acme:payments has a Postgres 'reports' already;")


def test_with_json_the_result_of_a_request_is_the_object_alone(portway: Installation) -> None:
    asked = ("request", "postgres", "ledger", "-e", "staging", "-y", *PAYMENTS, "-o", "json")
    assert json.loads(portway.succeed(*asked))["metadata"]["name"] == "ledger"


def test_nobody_there_to_confirm_makes_nothing(portway: Installation) -> None:
    done = _as(portway, "request", "postgres", "unasked", "-e", "staging", *PAYMENTS)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Nobody is there to confirm; give --yes")
    assert _failed(portway, "get", "postgres", "unasked", *PAYMENTS).startswith("There is no Postgres 'unasked'")


def test_a_client_certificate_is_revoked_without_a_restart(portway: Installation, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(portway.succeed("certificate", "create", "grace", "-g", "system:masters", "--hours", "1"))
    environment = {"PORTWAY_KUBECONFIG": str(file)}
    assert _as(portway, "get", "namespaces", **environment).returncode == 0
    [made] = json.loads(portway.succeed("certificate", "list", "-o", "json"))
    assert (made["user"], made["groups"], made["revoked"]) == ("grace", "system:masters", "")
    assert portway.succeed("certificate", "revoke", made["serial"].upper()) == f"Revoked {made['serial']}.\n"
    assert "refused the token" in _failed(portway, "get", "namespaces", **environment)
    [made] = json.loads(portway.succeed("certificate", "list", "-o", "json"))
    assert made["revoked"]
    assert portway.succeed("certificate", "revoke", "00:11:22:33:44:55") == "Revoked 1122334455.\n"
    assert "There is no certificate nobody" in _failed(portway, "certificate", "revoke", "nobody")


def test_kubectl_takes_the_kubeconfig(portway: Installation, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(portway.succeed("kubeconfig", *PAYMENTS))
    try:
        done = subprocess.run(
            ["kubectl", "get", "components", "-o", "name"],
            env={**os.environ, "KUBECONFIG": str(file)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("kubectl is not installed")
    assert "component.catalog.portway.dev/payment-gateway" in done.stdout, done.stderr


def test_open_prints_a_link_that_logs_in(portway: Installation) -> None:
    link = portway.succeed("open", "/catalog").strip()
    assert link.startswith(f"http://localhost:{portway.port}/login?token=")
    assert link.endswith("&next=/catalog")


@pytest.mark.parametrize("command", [(), ("create",), ("request",), ("get",), ("explain",), ("logs",), ("validate",)])
def test_every_command_has_help(portway: Installation, command: tuple[str, ...]) -> None:
    assert "Usage:" in portway.succeed(*command, "--help")

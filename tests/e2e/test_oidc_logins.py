"""kubectl and ``portway`` with a log-in at a provider, renewed when it is over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.device_providers import CLIENT, SECRET, DeviceProvider, device_provider
from tests.e2e.installations import Installation, free_port

pytestmark = [
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
    pytest.mark.xdist_group("oidc"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the provider's own libraries
]
OVER_SOON = 10
"""Seconds: less than what is given away, more than a request takes."""


@pytest.fixture(scope="module")
def provider() -> Iterator[DeviceProvider]:
    with device_provider() as found:
        yield found


@dataclass(frozen=True)
class Trusting(Installation):
    issuer: str = ""

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "ISSUER": self.issuer,
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": SECRET,
            "USERNAME_CLAIM": "email",
            "GROUPS_CLAIM": "groups",
        }
        given = {f"PORTWAY_OIDC_{name}": value for name, value in settings.items()}
        return {**super().environment, **given, "HOME": str(self.home.parent)}


@pytest.fixture(scope="module")
def portway(tmp_path_factory: pytest.TempPathFactory, provider: DeviceProvider) -> Iterator[Trusting]:
    installation = Trusting(tmp_path_factory.mktemp("oidc") / "home", free_port(), provider.url)
    try:
        installation.succeed("up", "--detach")
        yield installation
    finally:
        installation.run("down", "--workloads")


@dataclass(frozen=True)
class Person:
    """Logged in on a machine without a browser, and allowed to make ConfigMaps."""

    portway: Trusting
    kubeconfig: Path

    @property
    def login(self) -> Path:
        [file] = (self.kubeconfig.parent / "portway-logins").glob("*.json")
        return file

    def kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *arguments],
            env=self.portway.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="module")
def ada(portway: Trusting, provider: DeviceProvider) -> Person:
    server = f"https://127.0.0.1:{portway.port}"
    process = portway.start("login", server, "--device")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    assert f"open {provider.url}/device" in lines[0]
    provider.enter(lines[1].split()[-1])
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    person = Person(portway, portway.home.parent / ".config" / "portway" / "kubeconfig")
    assert f"Logged in to {server} as ada@acme.test; kept in {person.kubeconfig}." in rest
    admin = subprocess.run(
        ["kubectl", "create", "clusterrolebinding", "ada", "--clusterrole=edit", "--group=payments"],
        env={**portway.environment, "KUBECONFIG": str(portway.home / "kubeconfig")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert admin.returncode == 0, admin.stderr
    return person


def test_the_tokens_are_in_a_file_of_their_owner_and_not_in_the_kubeconfig(ada: Person) -> None:
    assert ada.login.stat().st_mode & 0o777 == 0o600
    kept = json.loads(ada.login.read_text())
    assert set(kept) == {"server", "ca", "issuer", "id_token", "refresh_token"}
    written = ada.kubeconfig.read_text()
    assert kept["id_token"] not in written
    assert kept["refresh_token"] not in written


def test_kubectl_is_ada_and_renews_only_what_is_over(ada: Person, provider: DeviceProvider) -> None:
    before = provider.renewals
    assert "ada@acme.test" in ada.kubectl("auth", "whoami").stdout
    assert "payments" in ada.kubectl("auth", "whoami").stdout
    assert provider.renewals == before
    _let_it_end(ada, provider)
    renewed = provider.renewals
    made = ada.kubectl("create", "configmap", "mine")
    assert made.returncode == 0, made.stderr
    assert provider.renewals == renewed + 1


def test_several_at_once_renew_one_after_another(ada: Person, provider: DeviceProvider) -> None:
    _let_it_end(ada, provider)
    provider.lifetime, before = OVER_SOON, provider.renewals
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: ada.kubectl("get", "configmaps"), range(4)))
    assert [each.returncode for each in done] == [0] * 4, done
    assert provider.renewals >= before + 4
    assert not provider.revoked, "no refresh token was used twice"


def test_the_commands_of_portway_renew_it_too(ada: Person, provider: DeviceProvider) -> None:
    _let_it_end(ada, provider)
    before = provider.renewals
    environment = {**ada.portway.environment, "PORTWAY_KUBECONFIG": str(ada.kubeconfig)}
    done = subprocess.run(
        _portway("get", "configmaps", "-n", "default"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "kube-root-ca.crt" in done.stdout
    assert provider.renewals == before + 1
    printed = subprocess.run(
        _portway("kubeconfig"), env=environment, capture_output=True, text=True, check=False
    ).stdout
    assert "portway-logins" in printed


def test_when_the_provider_ends_it_one_is_told_to_log_in_again(ada: Person, provider: DeviceProvider) -> None:
    _let_it_end(ada, provider)
    provider.revoked = True
    refused = ada.kubectl("get", "configmaps")
    assert refused.returncode != 0
    assert f"Log in again: portway login https://127.0.0.1:{ada.portway.port} --oidc" in refused.stderr
    provider.revoked = False


def _let_it_end(ada: Person, provider: DeviceProvider) -> None:
    """Put a token that ends soon in the place of the one that is kept; the next ones last."""
    provider.lifetime = OVER_SOON
    kept = json.loads(ada.login.read_text())
    ada.login.write_text(json.dumps({**kept, "id_token": provider.id_token()}))
    provider.lifetime = 300


def _portway(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "portway", *arguments]

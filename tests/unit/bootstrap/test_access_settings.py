"""Settings of who may come in, and where: wrong values are one sentence that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portway.apiserver.oidc import ALGORITHMS, Issuer
from portway.bootstrap import settings
from portway.bootstrap.errors import StartError

OIDC = {"PORTWAY_OIDC_ISSUER": "https://login.acme.test", "PORTWAY_OIDC_CLIENT_ID": "portway"}


def test_a_provider_is_read_from_the_environment() -> None:
    [issuer] = settings.read(
        OIDC
        | {
            "PORTWAY_OIDC_USERNAME_CLAIM": "email",
            "PORTWAY_OIDC_GROUPS_CLAIM": "groups",
            "PORTWAY_OIDC_GROUPS_PREFIX": "acme:",
            "PORTWAY_OIDC_REQUIRED_CLAIMS": "hd=acme.test, kind=staff",
            "PORTWAY_OIDC_SIGNING_ALGORITHMS": "ES256",
        }
    ).issuers
    assert issuer == Issuer(
        url="https://login.acme.test",
        client_id="portway",
        username_claim="email",
        groups_claim="groups",
        groups_prefix="acme:",
        required=(("hd", "acme.test"), ("kind", "staff")),
        algorithms=("ES256",),
    )


def test_names_that_are_no_addresses_carry_their_issuer() -> None:
    assert settings.read(OIDC).issuers[0].username_prefix == "https://login.acme.test#"
    assert settings.read(OIDC | {"PORTWAY_OIDC_USERNAME_PREFIX": "-"}).issuers[0].username_prefix == ""
    assert settings.read(OIDC).issuers[0].algorithms == ALGORITHMS


def test_several_providers_come_from_an_authentication_configuration(tmp_path: Path) -> None:
    file = tmp_path / "authentication.yaml"
    file.write_text(
        """
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: https://one.test, audiences: [portway, other]}
  claimMappings: {username: {claim: email, prefix: ""}, groups: {claim: roles, prefix: "one:"}}
  claimValidationRules: [{claim: hd, requiredValue: acme}]
- issuer: {url: https://two.test, audiences: [portway]}
  claimMappings: {username: {claim: sub, prefix: "two:"}}
"""
    )
    one, two = settings.read({"PORTWAY_AUTHENTICATION_CONFIG": str(file)}).issuers
    assert (one.client_id, one.audiences, one.groups_prefix, one.required) == (
        "portway",
        ("other",),
        "one:",
        (("hd", "acme"),),
    )
    assert (two.url, two.username_prefix) == ("https://two.test", "two:")
    file.write_text(file.read_text().replace("claim: sub", "expression: claims.sub"))
    with pytest.raises(StartError, match="CEL is not supported"):
        settings.read({"PORTWAY_AUTHENTICATION_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"PORTWAY_OIDC_ISSUER": "https://x.test"}, "PORTWAY_OIDC_CLIENT_ID is missing"),
        (OIDC | {"PORTWAY_OIDC_ISSUER": "http://x.test"}, "expected an https:// address"),
        (OIDC | {"PORTWAY_OIDC_SIGNING_ALGORITHMS": "HS256"}, "HS256"),
        (OIDC | {"PORTWAY_OIDC_REQUIRED_CLAIMS": "hd"}, "expected claim=value"),
        (OIDC | {"PORTWAY_OIDC_CA": "/none"}, "cannot be read"),
        ({"PORTWAY_AUTHENTICATION_CONFIG": "/none"}, "cannot be read"),
        ({"PORTWAY_HOST": "portway.test"}, "expected an IP address"),
        ({"PORTWAY_TLS_KEY": "/none"}, "there is no file"),
        ({"PORTWAY_AUDIT_FILES": "0"}, "expected a whole number from 1"),
    ],
)
def test_a_wrong_value_is_one_sentence(environment: dict[str, str], text: str) -> None:
    with pytest.raises(StartError, match=re.escape(text)):
        settings.read(environment)


@pytest.mark.parametrize(
    ("environment", "local", "secure", "external"),
    [
        ({}, True, "https://127.0.0.1:8700", "https://127.0.0.1:8700"),
        ({"PORTWAY_HOST": "0.0.0.0"}, False, "https://127.0.0.1:8700", "https://127.0.0.1:8700"),
        (
            {"PORTWAY_HOST": "0.0.0.0", "PORTWAY_NAMES": "portway.acme.test, 10.0.0.5"},
            False,
            "https://127.0.0.1:8700",
            "https://portway.acme.test:8700",
        ),
        ({"PORTWAY_HOST": "10.0.0.5"}, False, "https://10.0.0.5:8700", "https://10.0.0.5:8700"),
        ({"PORTWAY_HOST": "::1"}, True, "https://[::1]:8700", "https://[::1]:8700"),
    ],
)
def test_addresses_follow_the_host(environment: dict[str, str], local: bool, secure: str, external: str) -> None:
    found = settings.read(environment)
    assert (found.is_local, found.secure_address, found.external_address) == (local, secure, external)


def test_every_setting_is_documented() -> None:
    root = Path(__file__).parents[3]
    sources = [root / "src/portway/bootstrap" / name for name in ("settings.py", "issuers.py")]
    named = {name for source in sources for name in re.findall(r"PORTWAY_[A-Z_]*[A-Z]", source.read_text())}
    named |= {f"PORTWAY_OIDC_{name}" for name in re.findall(r'value\("([A-Z_]+)"', sources[1].read_text())}
    text = (root / "docs/reference/settings.md").read_text()
    assert {name for name in named if f"`{name}`" not in text} == {"PORTWAY_OIDC"}  # the prefix of many

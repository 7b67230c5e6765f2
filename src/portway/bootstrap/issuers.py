"""OpenID Connect providers as the operator names them: one in the environment, several in a file.

The file is upstream's AuthenticationConfiguration (apiserver.config.k8s.io), of which Portway knows what claims say
plainly; CEL expressions are refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portway.apiserver.oidc import ALGORITHMS, Issuer
from portway.bootstrap.errors import StartError
from portway.krm import decoding
from portway.krm.errors import StatusError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def read(environment: Mapping[str, str]) -> tuple[Issuer, ...]:
    """Raises StartError when a value cannot be used."""
    found = [_from_environment(environment)] if environment.get("PORTWAY_OIDC_ISSUER") else []
    file = environment.get("PORTWAY_AUTHENTICATION_CONFIG", "")
    if file:
        found += _from_file(Path(file).expanduser())
    if len({issuer.url for issuer in found}) != len(found):
        raise StartError("The same OpenID Connect issuer is configured twice; give it once, with all its audiences.")
    return tuple(found)


def _from_environment(environment: Mapping[str, str]) -> Issuer:
    def value(name: str, default: str = "") -> str:
        return environment.get(f"PORTWAY_OIDC_{name}", default)

    url = _checked(value("ISSUER"), "PORTWAY_OIDC_ISSUER")
    if not value("CLIENT_ID"):
        raise StartError("PORTWAY_OIDC_CLIENT_ID is missing: the name under which the provider knows Portway.")
    claim = value("USERNAME_CLAIM", "sub")
    # As upstream: names other than addresses get the issuer in front, lest two providers' people be one.
    prefix = value("USERNAME_PREFIX", "" if claim == "email" else f"{url}#")
    algorithms = tuple(_list(value("SIGNING_ALGORITHMS"))) or ALGORITHMS
    unknown = set(algorithms) - set(ALGORITHMS)
    if unknown:
        raise StartError(
            f"PORTWAY_OIDC_SIGNING_ALGORITHMS: {', '.join(sorted(unknown))}: expected some of {', '.join(ALGORITHMS)}."
        )
    return Issuer(
        url=url,
        client_id=value("CLIENT_ID"),
        client_secret=value("CLIENT_SECRET"),
        username_claim=claim,
        username_prefix="" if prefix == "-" else prefix,
        groups_claim=value("GROUPS_CLAIM"),
        groups_prefix=value("GROUPS_PREFIX"),
        required=tuple(_pair(each) for each in _list(value("REQUIRED_CLAIMS"))),
        algorithms=algorithms,
        scopes=tuple(_list(value("SCOPES").replace(" ", ","))),
        ca=_authority(value("CA"), "PORTWAY_OIDC_CA"),
    )


def _from_file(file: Path) -> list[Issuer]:
    try:
        document = decoding.decode_yaml(file.read_bytes()).value
    except (OSError, StatusError) as error:
        raise StartError(f"PORTWAY_AUTHENTICATION_CONFIG: {file} cannot be read: {error}.") from None
    if not isinstance(document, dict) or document.get("kind") != "AuthenticationConfiguration":
        raise StartError(f"PORTWAY_AUTHENTICATION_CONFIG: {file} is no AuthenticationConfiguration.")
    try:
        return [_from_entry(entry, f"{file}: jwt[{index}]") for index, entry in enumerate(document.get("jwt") or ())]
    except (KeyError, TypeError, AttributeError) as error:
        text = f"PORTWAY_AUTHENTICATION_CONFIG: {file}: a field is missing or of another type: {error}."
        raise StartError(text) from None


def _from_entry(entry: Mapping[str, Any], where: str) -> Issuer:
    issuer, mappings = entry["issuer"], entry["claimMappings"]
    for field in ("userValidationRules",):
        if entry.get(field):
            raise StartError(f"{where}.{field}: CEL expressions are not supported.")
    username, groups = mappings["username"], mappings.get("groups") or {}
    for field, mapping in (("username", username), ("groups", groups), ("uid", mappings.get("uid") or {})):
        if mapping.get("expression"):
            raise StartError(f"{where}.claimMappings.{field}.expression: CEL is not supported; name a claim.")
    required = []
    for rule in entry.get("claimValidationRules") or ():
        if rule.get("expression"):
            raise StartError(f"{where}.claimValidationRules: CEL is not supported; use claim and requiredValue.")
        required.append((rule["claim"], rule.get("requiredValue", "")))
    audiences = issuer["audiences"]
    return Issuer(
        url=_checked(issuer["url"], where),
        client_id=audiences[0],
        audiences=tuple(audiences[1:]),
        username_claim=username["claim"],
        username_prefix=username.get("prefix", ""),
        groups_claim=groups.get("claim", ""),
        groups_prefix=groups.get("prefix", ""),
        required=tuple(required),
        ca=issuer.get("certificateAuthority", ""),
    )


def _checked(url: str, where: str) -> str:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.query or parts.fragment:
        raise StartError(f"{where}: {url!r}: expected an https:// address as the provider's tokens name it in `iss`.")
    return url


def _authority(file: str, where: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).expanduser().read_text()
    except OSError as error:
        raise StartError(f"{where}: {file} cannot be read: {error.strerror}.") from None


def _list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise StartError(f"PORTWAY_OIDC_REQUIRED_CLAIMS: {text!r}: expected claim=value.")
    return name, value

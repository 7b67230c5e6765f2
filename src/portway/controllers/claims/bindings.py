"""The Secret with a claim's credentials, in the form of servicebinding.io. It has the claim's name and goes with it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from portway.apis.resources import SECRETS
from portway.apis.wellknown import MANAGED_BY
from portway.client.contract import Client
from portway.controllers.claims.targets import Asked
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects
from portway.runtime.contract import Terminal


async def read(client: Client, asked: Asked) -> dict[str, str]:
    """What the Secret holds; empty when the type has no credentials or the Secret is not there (yet).

    Raises ``Terminal`` when another Secret has the name.
    """
    if not asked.type.spec.binding_type:
        return {}
    secret = await _get(client, objects.name_of(asked.manifest), objects.namespace_of(asked.manifest))
    if secret is None:
        return {}
    _check_ours(asked, secret)
    return decoded(secret)


async def find(client: Client, name: str, namespace: str) -> dict[str, str] | None:
    """The values of a Secret by name; None when it is not there."""
    secret = await _get(client, name, namespace)
    return decoded(secret) if secret is not None else None


async def write(client: Client, asked: Asked, before: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Make the Secret hold ``values``; no request when it does already."""
    if not asked.type.spec.binding_type or not values or dict(before) == dict(values):
        return
    secret = _secret(asked, values)
    namespace = objects.namespace_of(asked.manifest)
    if before:
        await client.patch(SECRETS, objects.name_of(asked.manifest), {"data": secret["data"]}, namespace)
        return
    try:
        await client.create(SECRETS, secret, namespace)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        _check_ours(asked, await client.get(SECRETS, objects.name_of(asked.manifest), namespace))
        await client.patch(SECRETS, objects.name_of(asked.manifest), {"data": secret["data"]}, namespace)


async def _get(client: Client, name: str, namespace: str) -> Manifest | None:
    try:
        return await client.get(SECRETS, name, namespace)
    except StatusError as error:
        if error.code == 404:
            return None
        raise


def decoded(secret: Manifest) -> dict[str, str]:
    """The values of a Secret as text."""
    return {k: base64.b64decode(v).decode("utf-8", "replace") for k, v in (secret.get("data") or {}).items()}


def _secret(asked: Asked, values: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": objects.name_of(asked.manifest),
            "namespace": objects.namespace_of(asked.manifest),
            "labels": {MANAGED_BY: "portway"},
            "ownerReferences": [objects.owner_reference(asked.manifest)],
        },
        "type": f"servicebinding.io/{asked.type.spec.binding_type}",
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()},
    }


def _check_ours(asked: Asked, secret: Manifest) -> None:
    if not objects.is_owned_by(secret, asked.manifest):
        raise Terminal(
            "SecretNameTaken",
            f"the Secret {objects.name_of(secret)} is not of this claim, but its credentials belong there; "
            "delete or rename that Secret, or give the claim another name",
        )

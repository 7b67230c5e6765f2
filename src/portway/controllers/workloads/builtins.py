"""Score resource types that need no claim on this machine. A ResourceType of the same name takes precedence.

- ``service-port`` [workload, port]: hostname and port of a port of another workload in the same environment.
- ``dns``: host, which is ``localhost`` here. ``route``: no outputs; the endpoint is the route.
- ``volume``: source, a directory that the runtime keeps; one per workload, or shared by id.
- ``environment``: the keys of ConfigMap ``environment`` and, as secrets, of Secret ``environment`` in the namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from portway.apis.resources import CONFIG_MAPS, SECRETS, WORKLOADS
from portway.client.contract import Client
from portway.controllers.claims import bindings
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.orchestrator.graph import Identity
from portway.runtime.contract import Retry, Terminal

NAMES = ("dns", "environment", "route", "service-port", "volume")
_ENVIRONMENT = "environment"
_LOOK_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a Score resource gives: plain values, and secret ones."""

    plain: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    itself: str = ""
    """Value of ``${resources.<alias>}`` without an output."""


async def outputs(client: Client, namespace: str, identity: Identity, params: Mapping[str, Any]) -> Outputs:
    """Raises ``Retry`` while it is not there yet, ``Terminal`` for wrong params."""
    if identity.type == "dns":
        return Outputs({"host": "localhost"}, itself="localhost")
    if identity.type == "volume":
        name = identity.id.removeprefix("workloads.").replace(".", "-")
        return Outputs({"source": name}, itself=name)
    if identity.type == _ENVIRONMENT:
        plain = (await _find(client, CONFIG_MAPS, _ENVIRONMENT, namespace) or {}).get("data") or {}
        secret = await _find(client, SECRETS, _ENVIRONMENT, namespace)
        return Outputs(plain, bindings.decoded(secret) if secret else {}, str(identity))
    if identity.type == "service-port":
        return await _service_port(client, namespace, params)
    return Outputs(itself=str(identity))


async def _service_port(client: Client, namespace: str, params: Mapping[str, Any]) -> Outputs:
    name, port = params.get("workload"), params.get("port")
    if not isinstance(name, str) or not isinstance(port, str | int) or isinstance(port, bool):
        raise Terminal("InvalidParams", "a service-port needs the params workload (a name) and port (a name or number)")
    other = await _find(client, WORKLOADS, name, namespace)
    if other is None:
        raise Retry("WaitingForWorkload", f"there is no Workload {name} in {namespace} yet", _LOOK_AGAIN_SECONDS)
    wanted = _port_name(other, port)
    for endpoint in (other.get("status") or {}).get("endpoints") or ():
        if endpoint.get("name") == wanted:
            address = urlsplit(endpoint["url"])
            return Outputs({"hostname": address.hostname or "", "port": address.port or 80}, itself=endpoint["url"])
    raise Retry("WaitingForWorkload", f"Workload {name} has no endpoint {wanted} yet", _LOOK_AGAIN_SECONDS)


def _port_name(other: Manifest, port: str | int) -> str:
    """Ports may be given by their number, too."""
    ports = ((other["spec"].get("score") or {}).get("service") or {}).get("ports") or {}
    for name, entry in ports.items():
        if name == str(port) or str(entry.get("port")) == str(port):
            return str(name)
    known = ", ".join(ports) or "none"
    raise Terminal("InvalidParams", f"Workload {other['metadata']['name']} has no port {port}; it has {known}")


async def _find(client: Client, resource: Any, name: str, namespace: str) -> Manifest | None:
    try:
        return await client.get(resource, name, namespace)
    except StatusError as error:
        if error.code == 404:
            return None
        raise

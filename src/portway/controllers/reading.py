"""The object of a request as it is now, not as the informer last heard: for reconcilers that write step by step."""

from __future__ import annotations

from portway.client.contract import Client, Resource
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime.contract import Request


async def fresh(client: Client, resource: Resource, request: Request) -> Manifest | None:
    """None when it is gone. ``client`` may be bound anywhere."""
    try:
        return await client.at(request.workspace).get(resource, request.name, request.namespace or None)
    except StatusError as error:
        if error.code == 404:
            return None
        raise

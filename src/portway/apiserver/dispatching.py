"""From an authorized request for a resource to the verb that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from portway.apiserver import negotiating, reviews
from portway.apiserver.context import Context
from portway.apiserver.documents import discovery
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response, Stream
from portway.apiserver.verbs import (
    creating,
    deleting,
    getting,
    listing,
    patching,
    recalling,
    scaling,
    updating,
    watching,
)
from portway.krm.errors import StatusError

Verb = Callable[[Context, Request, Resource], Awaitable[Response | Stream]]

_VERBS: dict[str, Verb] = {
    "get": getting.get,
    "list": listing.list_,
    "watch": watching.watch,
    "create": creating.create,
    "update": updating.update,
    "patch": patching.patch,
    "delete": deleting.delete,
    "deletecollection": deleting.delete_collection,
}
_SUBRESOURCES: dict[str, dict[str, Verb]] = {
    "scale": {"get": scaling.get, "update": scaling.update, "patch": scaling.patch},
    "token": {"create": reviews.token},
}
_PAST: dict[str, dict[str, Verb]] = {
    "history": {"get": recalling.history},
    "undelete": {"create": recalling.undelete},
}
"""Below every object whose kind offers the verb itself; not in discovery, as they are no resources of Kubernetes."""
_OBJECT_VERBS: dict[str, Verb] = {"get": getting.get, "update": updating.update, "patch": patching.patch}


def verb_for(request: Request, resource: Resource, verb: str) -> Verb:
    """Raises StatusError 404 for a subresource that is not there, 405 for a verb and 406 for a form not offered."""
    served, subresource = resource.served, request.target.subresource
    if subresource:
        offered = served.subresource(subresource)
        if offered is None and subresource in _PAST and _has_past(request, resource):
            return _of_the_past(request, resource, verb)
        if offered is None:
            raise discovery.missing()
        verbs, table = offered.verbs, _SUBRESOURCES.get(subresource, _OBJECT_VERBS)
    elif reviews.is_review(resource):
        negotiating.accepted(request.header(b"accept"), negotiating.PLAIN_FORM)
        verbs, table = served.verbs, {"create": reviews.review}
    else:
        verbs, table = served.verbs, _VERBS
    found = table.get(verb)
    named = bool(request.target.name)
    if found is None or verb not in verbs or (verb == "create" and named and not subresource):
        raise not_allowed()
    if verb in ("update", "patch") and not named:
        raise not_allowed()
    if verb == "deletecollection" and served.namespaced and not request.target.namespace:
        raise not_allowed()  # of one namespace at a time
    return found


def _has_past(request: Request, resource: Resource) -> bool:
    """Below ``/services/`` only what is there now is seen: it may have been none of the view's business before."""
    return request.view is None and not reviews.is_review(resource)


def _of_the_past(request: Request, resource: Resource, verb: str) -> Verb:
    found = _PAST[request.target.subresource].get(verb)
    if found is None or verb not in resource.served.verbs or not request.target.name:
        raise not_allowed()
    return found


def not_allowed() -> StatusError:
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

"""Questions that are asked by creating an object and answered in its status: may I, who am I, whose token is this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from portway.apiserver import bodies, clocks, objects, responses, reviewchecks
from portway.apiserver.accounts import CLUSTER_EXTRA, Account
from portway.apiserver.authorizing import describe
from portway.apiserver.context import Context
from portway.apiserver.rbac import Attributes, Rule
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.apiserver.responses import Response
from portway.apiserver.routing import Target
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import User, split_account
from portway.krm.builtins import definitions
from portway.krm.builtins.catalogue import TOKEN_REQUEST, definition_name
from portway.krm.errors import Cause, bad_request, conflict, invalid, not_found
from portway.krm.identity import Manifest
from portway.store.contract import Key

Answer = Callable[[Context, Request, Manifest], Awaitable[Manifest]]


def is_review(resource: Resource) -> bool:
    return resource.key in _ANSWERS


async def review(context: Context, request: Request, resource: Resource) -> Response:
    manifest, source = await bodies.read_manifest(request, resource.served.gvk, custom=False)
    bodies.check_types(resource.served.gvk, resource.served.schema, manifest)
    bodies.be_strict(request, resource.served.gvk, (), source)
    manifest["status"] = await _ANSWERS[resource.key](context, request, manifest)
    manifest["metadata"].setdefault("creationTimestamp", None)
    return responses.of(manifest, 201)


async def token(context: Context, request: Request, resource: Resource) -> Response:
    """POST …/serviceaccounts/<name>/token."""
    manifest, _ = await bodies.read_manifest(request, TOKEN_REQUEST, custom=False)
    bodies.check_types(TOKEN_REQUEST, definitions.inlined(definition_name(TOKEN_REQUEST)), manifest)
    target = request.target
    record = context.storage.get(Key(resource.key, request.cluster, target.namespace, target.name))
    if record is None:
        raise not_found("serviceaccounts", target.name)
    uid = objects.decode(record.value)["metadata"]["uid"]
    _check_identity(manifest.get("metadata") or {}, target, uid)
    account = Account(request.cluster, target.namespace, target.name, uid)
    spec = manifest["spec"] = manifest.get("spec") or {}
    before = spec.get("expirationSeconds")
    manifest["status"] = context.accounts.issue(account, spec)
    if before and spec["expirationSeconds"] != before:
        request.warnings.append(
            f"requested expiration of {before} seconds shortened to {spec['expirationSeconds']} seconds"
        )
    made = clocks.stamp(context.now())
    manifest["metadata"] = {"name": target.name, "namespace": target.namespace, "uid": uid, "creationTimestamp": made}
    return responses.of(manifest, 201)


def _check_identity(metadata: Manifest, target: Target, uid: str) -> None:
    """What a TokenRequest says of its account must be so. Raises StatusError."""
    for field, actual in (("name", target.name), ("namespace", target.namespace)):
        given = metadata.get(field)
        if given and given != actual:
            text = f'Invalid value: "{given}": must match the service account {field} if specified'
            cause = Cause("FieldValueInvalid", text, f"metadata.{field}")
            raise invalid(TOKEN_REQUEST.kind, target.name, (cause,), TOKEN_REQUEST.group)
    wanted = metadata.get("uid")
    if wanted and wanted != uid:
        raise conflict(
            TOKEN_REQUEST.kind,
            target.name,
            f"the UID in the token request ({wanted}) does not match the UID of the service account ({uid})",
            TOKEN_REQUEST.group,
        )


async def _self_access(context: Context, request: Request, manifest: Manifest) -> Manifest:
    reviewchecks.check_self(manifest)
    return _access(context, request.here, request.user, manifest.get("spec") or {})


async def _access_of(context: Context, request: Request, manifest: Manifest) -> Manifest:
    reviewchecks.check_other(manifest)
    return _access(context, request.here, _user(request, manifest["spec"]), manifest["spec"])


def _user(request: Request, spec: Manifest) -> User:
    name = spec.get("user", "")
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    home = (extra.get(CLUSTER_EXTRA) or (request.here.cluster,))[0] if split_account(name) else ""
    return User(name, tuple(spec.get("groups") or ()), spec.get("uid", ""), extra, home)


async def _local_access(context: Context, request: Request, manifest: Manifest) -> Manifest:
    reviewchecks.check_local(manifest)
    namespace = request.target.namespace
    if namespace != manifest["metadata"].get("namespace"):
        raise bad_request(f"spec.resourceAttributes.namespace must match namespace: {namespace}")
    return _access(context, request.here, _user(request, manifest["spec"]), manifest["spec"])


def _access(context: Context, tenant: Tenant, user: User, spec: Manifest) -> Manifest:
    allowed, reason = _decided(context, tenant, user, _attributes(spec))
    error = reviewchecks.evaluation_error(spec)
    return {"allowed": allowed, "reason": reason, **({"evaluationError": error} if error else {})}


def _decided(context: Context, tenant: Tenant, user: User, asked: Attributes) -> tuple[bool, str]:
    authorizer = context.authorizer
    if user.is_master:
        return True, 'RBAC: allowed by ClusterRoleBinding "cluster-admin" to Group "system:masters"'
    if not authorizer.may_enter(user, tenant):
        return False, f'no access to workspace "{tenant.path}"'
    if authorizer.allows(user, tenant, asked):
        return True, f'RBAC: allowed in workspace "{tenant.path}"'
    why = " ".join(cause.message for cause in authorizer.why_not(tenant, asked))
    return False, f'{describe(user, asked)} in workspace "{tenant.path}". {why}'


def _attributes(spec: Manifest) -> Attributes:
    """Selectors narrow what is asked; RBAC knows no rules that would allow the narrower only."""
    asked = spec.get("resourceAttributes")
    if asked is None:
        path = spec["nonResourceAttributes"]
        return Attributes(path.get("verb", ""), path=path.get("path") or "/")
    resource = asked.get("resource", "")
    if asked.get("subresource"):
        resource = f"{resource}/{asked['subresource']}"
    return Attributes(
        asked.get("verb", ""), asked.get("group", ""), resource, asked.get("namespace", ""), asked.get("name", "")
    )


async def _self_rules(context: Context, request: Request, manifest: Manifest) -> Manifest:
    namespace = (manifest.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request: set spec.namespace")
    tenant = request.here
    rules = list(dict.fromkeys(context.authorizer.grants.rules_for(request.user, tenant.cluster, namespace)))
    return {**_listed(rules), "incomplete": False}


def _listed(rules: Iterable[Rule]) -> Manifest:
    shown = [rule.to_manifest() for rule in rules]
    return {
        "resourceRules": [rule for rule in shown if "nonResourceURLs" not in rule],
        "nonResourceRules": [rule for rule in shown if "nonResourceURLs" in rule],
    }


async def _self(_context: Context, request: Request, _manifest: Manifest) -> Manifest:
    return {"userInfo": request.user.to_user_info()}


async def _token(context: Context, request: Request, manifest: Manifest) -> Manifest:
    """Tokens that are for no audience in particular are for this API, as upstream.

    A service account of another workspace is nobody here: its name may be that of one of this workspace.
    """
    spec = manifest.get("spec") or {}
    token, wanted = str(spec.get("token", "")), tuple(spec.get("audiences") or ())
    if not token:
        raise bad_request("token is required for TokenReview in authentication")
    claims = context.accounts.claims(token)
    user = claims.account.user(claims.id) if claims else await context.authenticator.owner(token)
    if user is None or (user.home and user.home != request.cluster):
        return {"authenticated": False, "user": {}, "error": "the token is unknown or has expired"}
    own = context.accounts.audiences
    meant = [each for each in wanted or own if each in (claims.audiences if claims else own)]
    if not meant:
        given = " ".join(claims.audiences if claims else own)
        error = f"token audiences [{given}] is invalid for the target audiences [{' '.join(wanted or own)}]"
        return {"authenticated": False, "user": {}, "error": error}
    return {"authenticated": True, "user": user.to_user_info(), "audiences": meant}


_ANSWERS: dict[str, Answer] = {
    "selfsubjectaccessreviews.authorization.k8s.io": _self_access,
    "subjectaccessreviews.authorization.k8s.io": _access_of,
    "localsubjectaccessreviews.authorization.k8s.io": _local_access,
    "selfsubjectrulesreviews.authorization.k8s.io": _self_rules,
    "selfsubjectreviews.authentication.k8s.io": _self,
    "tokenreviews.authentication.k8s.io": _token,
}

"""``authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from portway.krm.cel.library.declaring import Library

LIBRARY = Library()
declare = LIBRARY.declare
_PACKAGE = "kubernetes.authorization"
_A, _P, _G, _R, _D = (f"{_PACKAGE}.{n}" for n in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"))


class Question(NamedTuple):
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    service_account: tuple[str, str] | None = None
    """(namespace, name) of whom to ask about; None: the user of the request."""


Ask = Callable[[Question], tuple[bool, str]]
"""Whether it is allowed, and why."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    ask: Ask
    service_account: tuple[str, str] | None = None
    type_name: ClassVar[str] = _A


@dataclass(frozen=True, slots=True)
class PathCheck:
    authorizer: Authorizer
    path: str
    type_name: ClassVar[str] = _P


@dataclass(frozen=True, slots=True)
class GroupCheck:
    authorizer: Authorizer
    group: str
    type_name: ClassVar[str] = _G


@dataclass(frozen=True, slots=True)
class ResourceCheck:
    authorizer: Authorizer
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    type_name: ClassVar[str] = _R

    def check(self, verb: str) -> Decision:
        question = Question(
            verb,
            self.group,
            self.resource,
            self.subresource,
            self.namespace,
            self.name,
            "",
            self.authorizer.service_account,
        )
        return Decision(*self.authorizer.ask(question))


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str
    type_name: ClassVar[str] = _D


def _check_path(check: PathCheck, verb: str) -> Decision:
    question = Question(verb, path=check.path, service_account=check.authorizer.service_account)
    return Decision(*check.authorizer.ask(question))


declare("path", f"{_A}.(string) {_P}", PathCheck)
declare("group", f"{_A}.(string) {_G}", GroupCheck)
declare("serviceAccount", f"{_A}.(string, string) {_A}", lambda a, ns, name: Authorizer(a.ask, (ns, name)))
declare("resource", f"{_G}.(string) {_R}", lambda g, resource: ResourceCheck(g.authorizer, g.group, resource))
declare("subresource", f"{_R}.(string) {_R}", lambda r, value: replace(r, subresource=value))
declare("namespace", f"{_R}.(string) {_R}", lambda r, value: replace(r, namespace=value))
declare("name", f"{_R}.(string) {_R}", lambda r, value: replace(r, name=value))
declare("fieldSelector", f"{_R}.(string) {_R}", lambda r, _selector: r)
declare("labelSelector", f"{_R}.(string) {_R}", lambda r, _selector: r)
declare("check", f"{_R}.(string) {_D}", ResourceCheck.check)
declare("check", f"{_P}.(string) {_D}", _check_path)
declare("allowed", f"{_D}.() bool", lambda d: d.allowed)
declare("reason", f"{_D}.() string", lambda d: d.reason)
declare("errored", f"{_D}.() bool", lambda _d: False)
declare("error", f"{_D}.() string", lambda _d: "")

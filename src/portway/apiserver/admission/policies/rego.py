"""Policies in Rego (kind Policy of platform.portway.dev): judged when written, evaluated in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from portway.apiserver.admission import inputs, matchchecks, matching
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.matching import Criteria, Matcher
from portway.apiserver.following import Follower
from portway.krm import causes
from portway.krm.errors import Cause, forbidden, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads

POLICIES = "policies.platform.portway.dev"
EVALUATION_SECONDS = 2.0
_ANSWER_LIMIT = 1 << 20
_PACKAGE = re.compile(r"^\s*package\s+([A-Za-z_][\w.]*)\s*$", re.MULTILINE)
_IMPORT = re.compile(r"^\s*import\s+rego\.v1\s*$", re.MULTILINE)
_DENY = re.compile(r"^\s*deny\b", re.MULTILINE)
_OLD_HEAD = re.compile(
    r"^[ \t]*(?:default\s+)?[a-zA-Z_]\w*(?:\([^)\n]*\)|\[[^\]\n]*\])?[ \t]*(?::?=[ \t]*[^{\n]*?)?[ \t]*\{", re.MULTILINE
)
_OLD_SET = re.compile(r"^[ \t]*[a-zA-Z_]\w*\[[^\]\n]*\][ \t]*(?:\{|if\b)", re.MULTILINE)
_TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True, slots=True)
class RegoPolicy:
    name: str
    source: str
    query: str
    criteria: Criteria
    actions: tuple[str, ...]
    fails: bool


class RegoFailed(Exception):
    """No answer, or none in time."""


def parse(_key: Key, _revision: int, manifest: Manifest) -> RegoPolicy | None:
    spec = manifest.get("spec") or {}
    source = spec.get("rego") or ""
    package = _PACKAGE.search(source)
    if package is None:
        return None
    return RegoPolicy(
        manifest["metadata"]["name"],
        source,
        f"data.{package[1]}.deny",
        Criteria.of(spec.get("match") or {}),
        tuple(spec.get("actions") or ("Deny",)),
        spec.get("failurePolicy") != "Ignore",
    )


def faults(source: str) -> Iterator[str]:
    """What keeps a module from being taken. The evaluator takes old syntax silently, so that is looked for here."""
    bare = _TEXT.sub(lambda m: "" if m.group()[0] == "#" else '""', source)
    if _PACKAGE.search(bare) is None:
        yield "it has to begin with a package, such as: package policy"
    if _IMPORT.search(bare) is None:
        yield "it has to say `import rego.v1`; older Rego is not taken"
    if _DENY.search(bare) is None:
        yield "it has to define `deny`, a set of messages: deny contains message if { … }"
    for found in (*_OLD_SET.finditer(bare), *_OLD_HEAD.finditer(bare)):
        head = found.group().strip().rstrip("{").strip()
        if head not in ("else", "every", "not") and " if" not in found.group() and "=" not in head:
            yield f"`{head}` is older Rego: write `{head.partition('[')[0]} contains … if {{ … }}` or `… if {{ … }}`"
            break
    if re.search(r"\bhttp\.send\b", bare):
        yield "http.send is not available: policies decide by the request alone"


class Worker:
    """The evaluating process; started when first needed, killed when an evaluation takes too long."""

    def __init__(self, seconds: float = EVALUATION_SECONDS) -> None:
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def evaluate(self, source: str, query: str, given: Any) -> Any:
        """Value of the query; None when undefined. Raises RegoFailed."""
        asked = orjson.dumps({"source": source, "query": query, "input": given}) + b"\n"
        async with self._lock:
            try:
                async with asyncio.timeout(self._seconds if self._process is not None else self._seconds + 10):
                    answer = await self._exchange(asked)
            except TimeoutError:
                await self.close()
                raise RegoFailed(f"it took longer than {self._seconds:g} s") from None
            except (OSError, ValueError, asyncio.CancelledError) as error:
                await self.close()
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise RegoFailed(f"the evaluating process ended: {error}") from None
        if "error" in answer:
            raise RegoFailed(str(answer["error"])[:1000])
        expressions = (answer["found"] or {}).get("expressions") or [None]
        return expressions[0]

    async def _exchange(self, asked: bytes) -> Any:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(Path(__file__).with_name("regoworker.py"))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_ANSWER_LIMIT,
            )
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise OSError("it has no pipes")
        process.stdin.write(asked)
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise OSError("it closed its output")
        return json.loads(line)

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


class RegoPolicies:
    """Completes and judges policies as they are written, and asks them about everything else."""

    def __init__(self, cache: Reads, matcher: Matcher, worker: Worker) -> None:
        self._matcher = matcher
        self.worker = worker
        self.follower: Follower[RegoPolicy] = Follower(cache, POLICIES, parse)

    async def admit(self, request: AdmissionRequest) -> None:
        if request.resource.key == POLICIES:
            if request.object is not None and not request.subresource:
                await self._judge(request, request.object)
            return
        found = self.follower.of(request.tenant.cluster)
        if not found or matching.is_exempt(request):
            return
        for _, policy in sorted(found.items()):
            seen = self._matcher.match(policy.criteria, request)
            if seen is not None:
                await self._apply(policy, seen, request)

    async def _judge(self, request: AdmissionRequest, manifest: Manifest) -> None:
        spec = manifest.get("spec") or {}
        source, found = spec.get("rego") or "", list(matchchecks.match_resources(spec.get("match") or {}, "spec.match"))
        if not (spec.get("match") or {}).get("resourceRules"):
            found.append(causes.required("spec.match.resourceRules"))
        found += [Cause("FieldValueInvalid", f"Invalid value: {why}", "spec.rego") for why in faults(source)]
        policy = parse(Key(POLICIES, "", "", request.name), 0, manifest)
        if policy is not None and not found:
            try:
                await self.worker.evaluate(source, policy.query, {"request": {}})
            except RegoFailed as failure:
                found.append(Cause("FieldValueInvalid", f"Invalid value: {failure}", "spec.rego"))
        if found:
            raise invalid("Policy", request.name, tuple(found), request.resource.served.gvk.group)

    async def _apply(self, policy: RegoPolicy, seen: AdmissionRequest, request: AdmissionRequest) -> None:
        given = {"request": {**inputs.describe(seen), "object": seen.object, "oldObject": seen.old}}
        try:
            found = await self.worker.evaluate(policy.source, policy.query, given)
        except RegoFailed as failure:
            if policy.fails:
                self._deny(policy, request, f"it could not be evaluated: {failure}")
            return
        messages = sorted(map(str, found)) if isinstance(found, list) else []
        if not messages:
            return
        text = "; ".join(messages)
        if "Warn" in policy.actions:
            request.warnings += [f"Policy '{policy.name}': {message}" for message in messages]
        if "Audit" in policy.actions:
            request.annotations[f"policy.portway.dev/{policy.name}"] = text
        if "Deny" in policy.actions:
            self._deny(policy, request, text)

    def _deny(self, policy: RegoPolicy, request: AdmissionRequest, why: str) -> None:
        served = request.resource.served
        message = f"Policy '{policy.name}' denied request: {why}"
        error = forbidden(served.plural, request.name, message, served.gvk.group)
        error.causes = (Cause("", message),)
        raise error

"""Which definition makes a resource, and why the others do not.

Rules: every field set in a criterion must be equal. The more specific criterion wins: fields weigh, least first,
class < envType < workspace < environment < resourceId, and the most specific field decides before the next (so the
weights are powers of two). A definition without criteria fits always, at the lowest specificity. At equal specificity
the definition in the nearer workspace wins (the claim's own, then its parent, …). Equal in both is an error that names
the two: nobody wins by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portway.apis.platform import Criteria, MatchLine, ResourceDefinitionSpec

_WEIGHTS = (("class_", 1), ("env_type", 2), ("workspace", 4), ("environment", 8), ("resource_id", 16))
_WORDS = {
    "class_": "class",
    "env_type": "environment type",
    "workspace": "workspace",
    "environment": "environment",
    "resource_id": "resource id",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What is asked for, and where."""

    type: str
    workspace: str
    environment: str
    env_type: str = ""
    class_: str = "default"
    resource_id: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A definition that could be chosen."""

    workspace: str
    name: str
    spec: ResourceDefinitionSpec
    distance: int = 0
    """0 in the workspace of the claim, 1 in its parent, and so on."""
    problem: str = ""
    """Why it cannot be used at all, such as a driver that is not installed."""

    @property
    def title(self) -> str:
        return f"{self.workspace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Match:
    """``chosen`` None: ``problem`` is the reason in words, naming the definitions looked at."""

    chosen: Candidate | None
    lines: tuple[MatchLine, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Fit:
    candidate: Candidate
    criterion: Criteria
    specificity: int


def match(context: Context, candidates: Sequence[Candidate]) -> Match:
    """Choose among the definitions of ``context.type``; those of other types are passed over silently."""
    ordered = sorted((c for c in candidates if c.spec.type == context.type), key=lambda c: (c.distance, c.title))
    fits = sorted(
        (fit for c in ordered if not c.problem and (fit := _best(context, c)) is not None),
        key=lambda fit: (-fit.specificity, fit.candidate.distance),
    )
    if not fits:
        return _nothing(context, ordered)
    best = fits[0]
    rivals = [f for f in fits[1:] if _rank(f) == _rank(best)]
    if rivals:
        return _tie(context, ordered, best, rivals)
    lines = tuple(_line(context, c, best) for c in ordered)
    return Match(best.candidate, lines)


def duplicates(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, Candidate, str]]:
    """Pairs in one workspace and of one type that have a criterion in common, with that criterion in words."""
    seen: dict[tuple[str, str, tuple[str | None, ...]], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.title):
        for criterion in candidate.spec.criteria or [Criteria()]:
            key = (candidate.workspace, candidate.spec.type, tuple(getattr(criterion, f) for f, _ in _WEIGHTS))
            earlier = seen.setdefault(key, candidate)
            if earlier.title != candidate.title:
                yield earlier, candidate, _describe(criterion)


def _rank(fit: _Fit) -> tuple[int, int]:
    return fit.specificity, fit.candidate.distance


def _best(context: Context, candidate: Candidate) -> _Fit | None:
    fits = [
        _Fit(candidate, criterion, specificity(criterion))
        for criterion in candidate.spec.criteria or [Criteria()]
        if not _mismatches(context, criterion)
    ]
    return max(fits, key=lambda fit: fit.specificity, default=None)


def specificity(criterion: Criteria) -> int:
    return sum(weight for name, weight in _WEIGHTS if getattr(criterion, name) is not None)


def _mismatches(context: Context, criterion: Criteria) -> list[str]:
    reasons = []
    for name, _ in _WEIGHTS:
        wanted, found = getattr(criterion, name), getattr(context, name)
        if wanted is not None and wanted != found:
            reasons.append(f"{_WORDS[name]} is {found or 'not set'}, needs {wanted}")
    return reasons


def _describe(criterion: Criteria) -> str:
    set_fields = [
        f"{_WORDS[name]} {getattr(criterion, name)}" for name, _ in _WEIGHTS if getattr(criterion, name) is not None
    ]
    return " and ".join(set_fields) or "always"


def _why_not(context: Context, candidate: Candidate) -> str:
    if candidate.problem:
        return candidate.problem
    return "; or ".join(", ".join(_mismatches(context, criterion)) for criterion in candidate.spec.criteria)


def _line(context: Context, candidate: Candidate, best: _Fit) -> MatchLine:
    fit = None if candidate.problem else _best(context, candidate)
    if fit is None:
        return MatchLine(definition=candidate.title, reason=_why_not(context, candidate))
    how = _describe(fit.criterion)
    if candidate is best.candidate:
        return MatchLine(definition=candidate.title, matched=True, chosen=True, reason=f"matches: {how}")
    if fit.specificity < best.specificity:
        why = f"matches ({how}), but {best.candidate.title} is more specific ({_describe(best.criterion)})"
    else:
        why = f"matches ({how}), but {best.candidate.title} is in a nearer workspace"
    return MatchLine(definition=candidate.title, matched=True, reason=why)


def _nothing(context: Context, ordered: Sequence[Candidate]) -> Match:
    lines = tuple(MatchLine(definition=c.title, reason=_why_not(context, c)) for c in ordered)
    asked = f"type {context.type}, class {context.class_}, environment {context.environment}"
    asked += f" ({context.env_type})" if context.env_type else ""
    if not lines:
        problem = (
            f"There is no ResourceDefinition of type {context.type} in {context.workspace} or its parent workspaces; "
            "the platform team has to add one."
        )
        return Match(None, (), problem)
    looked = "; ".join(f"{line.definition}: {line.reason}" for line in lines)
    return Match(None, lines, f"No ResourceDefinition matches {asked}. Looked at {looked}.")


def _tie(context: Context, ordered: Sequence[Candidate], best: _Fit, rivals: Sequence[_Fit]) -> Match:
    tied = {fit.candidate.title for fit in (best, *rivals)}
    names = " and ".join(sorted(tied))
    problem = (
        f"{names} match equally well ({_describe(best.criterion)}), so none is chosen; "
        "make the criteria of one of them more specific."
    )
    lines = tuple(
        MatchLine(definition=c.title, matched=True, reason=f"ties with {' and '.join(sorted(tied - {c.title}))}")
        if c.title in tied
        else _line(context, c, best)
        for c in ordered
    )
    return Match(None, lines, problem)

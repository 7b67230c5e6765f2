"""A template as values, with every problem at its field path."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "scaffolder.backstage.io/v1beta3"
INCLUDES = ("$yaml", "$json", "$text")
"""Keys that stand for the content of another file (catalog placeholders)."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    path: Path
    message: str

    @property
    def field(self) -> str:
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.path else self.message


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    name: str
    action: str
    input: Mapping[str, Any] = field(default_factory=dict)
    condition: Any = True
    """``if``: a boolean, or text with an expression."""
    each: Any = None


@dataclass(frozen=True, slots=True)
class Template:
    """``pages`` are JSON Schemas."""

    pages: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    template: Template | None
    problems: tuple[Problem, ...] = ()


def parse(document: Any) -> Parsed:
    """A whole descriptor, with envelope."""
    if not isinstance(document, Mapping):
        return Parsed(
            None, (Problem((), "is not a mapping; expected a Template with apiVersion, kind, metadata, spec"),)
        )
    problems = []
    if document.get("apiVersion") != API_VERSION:
        problems.append(Problem(("apiVersion",), f"is {document.get('apiVersion')!r}, expected {API_VERSION}"))
    if document.get("kind") != "Template":
        problems.append(Problem(("kind",), f"is {document.get('kind')!r}, expected Template"))
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        problems.append(Problem(("metadata", "name"), "is missing; a template needs a name"))
    parsed = parse_spec(document.get("spec"))
    problems += parsed.problems
    return Parsed(None if problems else parsed.template, tuple(problems))


def parse_spec(spec: Any) -> Parsed:
    """The ``spec`` alone, as a Template object has it."""
    if not isinstance(spec, Mapping):
        return Parsed(None, (Problem(("spec",), "is missing; expected type and steps"),))
    problems = [*_envelope(spec), *_pages(spec.get("parameters")), *_steps(spec.get("steps"))]
    if problems:
        return Parsed(None, tuple(problems))
    steps = tuple(_step(i, step) for i, step in enumerate(spec["steps"]) if not is_include(step))
    parameters = spec.get("parameters") or []
    pages = tuple(parameters) if isinstance(parameters, list) else (parameters,)
    return Parsed(Template(pages, steps, spec.get("output") or {}))


def unknown_actions(template: Template, known: Collection[str]) -> Iterator[Problem]:
    for i, step in enumerate(template.steps):
        if step.action not in known:
            names = ", ".join(sorted(known))
            yield Problem(("spec", "steps", i, "action"), f"there is no action {step.action}; there are {names}")


def is_include(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in INCLUDES


def includes(spec: Any, path: Path = ("spec",)) -> Iterator[Path]:
    """Places that stand for other files."""
    if is_include(spec):
        yield path
    elif isinstance(spec, Mapping):
        for key, value in spec.items():
            yield from includes(value, (*path, key))
    elif isinstance(spec, list):
        for i, value in enumerate(spec):
            yield from includes(value, (*path, i))


def _envelope(spec: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(spec.get("type"), str) or not spec["type"]:
        yield Problem(("spec", "type"), "is missing; expected text such as service")
    if spec.get("owner") is not None and not isinstance(spec["owner"], str):
        yield Problem(("spec", "owner"), "is not text; expected an entity reference")
    if spec.get("output") is not None and not isinstance(spec["output"], Mapping):
        yield Problem(("spec", "output"), "is not a mapping; expected links and text")


def _pages(parameters: Any) -> Iterator[Problem]:
    if parameters is None or isinstance(parameters, Mapping):
        return
    if not isinstance(parameters, list):
        yield Problem(("spec", "parameters"), "is neither a JSON Schema nor a list of them")
        return
    for i, page in enumerate(parameters):
        if not isinstance(page, Mapping):
            yield Problem(("spec", "parameters", i), "is not a mapping; expected a JSON Schema")
        elif not is_include(page) and not isinstance(page.get("properties", {}), Mapping):
            yield Problem(("spec", "parameters", i, "properties"), "is not a mapping")


def _steps(steps: Any) -> Iterator[Problem]:
    if not isinstance(steps, list):
        yield Problem(("spec", "steps"), "is missing; expected a list of steps")
        return
    seen: dict[str, int] = {}
    for i, step in enumerate(steps):
        path: Path = ("spec", "steps", i)
        if not isinstance(step, Mapping):
            yield Problem(path, "is not a mapping; expected id, name, action and input")
        elif not is_include(step):
            yield from _step_problems(step, path, seen, i)


def _step_problems(step: Mapping[str, Any], path: Path, seen: dict[str, int], index: int) -> Iterator[Problem]:
    if not isinstance(step.get("action"), str) or not step["action"]:
        yield Problem((*path, "action"), "is missing; expected the name of an action")
    for key in ("id", "name"):
        if step.get(key) is not None and not isinstance(step[key], str):
            yield Problem((*path, key), "is not text")
    if step.get("input") is not None and not isinstance(step["input"], Mapping) and not is_include(step["input"]):
        yield Problem((*path, "input"), "is not a mapping")
    if step.get("if") is not None and not isinstance(step["if"], str | bool):
        yield Problem((*path, "if"), "is neither text nor a boolean")
    if step.get("each") is not None and not isinstance(step["each"], str | list | Mapping):
        yield Problem((*path, "each"), "is neither text nor a list or mapping")
    identifier = step.get("id")
    if isinstance(identifier, str):
        if identifier in seen:
            yield Problem((*path, "id"), f"{identifier!r} is the id of step {seen[identifier]} too")
        seen.setdefault(identifier, index)


def _step(index: int, step: Mapping[str, Any]) -> Step:
    identifier = str(step.get("id") or f"step-{index + 1}")
    return Step(
        id=identifier,
        name=str(step.get("name") or identifier),
        action=str(step["action"]),
        input=step.get("input") or {},
        condition=step.get("if", True),
        each=step.get("each"),
    )

"""The single checks a schema node is made of: type, enum, lengths, ranges, formats, duplicates.

Each factory reads its keywords once and returns closures that answer None for a good value; a check ignores values
of a type it does not speak about, as JSON Schema says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from portway.krm.schemas import findings, formats, patterns
from portway.krm.schemas.compiling import Schema
from portway.krm.schemas.findings import Findings

Check = Callable[[Any], "Findings | None"]

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_INTEGERS = {"int32": 2**31, "int64": 2**63}
_MAX_EXACT = 2**63


def of_type(kinds: frozenset[str]) -> Check:
    accepted = frozenset(python for kind in kinds for python in _PYTHON.get(kind, ()))
    whole = "integer" in kinds and float not in accepted
    expected = ",".join(sorted(kinds))

    def check_type(value: Any) -> Findings | None:
        if type(value) in accepted or (whole and type(value) is float and value.is_integer()):
            return None
        return [findings.wrong_type(expected, value)]

    return check_type


_PLAIN = {"string": str, "boolean": bool}
_SAYS_NOTHING = frozenset(("type", "description", "default", "title", "example", "nullable"))


def plain_type(schema: Schema) -> type | None:
    """The Python type of which every value is right, when the schema says nothing more than that."""
    if schema.keys() - _SAYS_NOTHING:
        extra = {k: v for k, v in schema.items() if k not in _SAYS_NOTHING and not k.startswith("x-kubernetes-patch")}
        if extra.keys() - {"format"} or extra.get("format") in formats.CHECKS:
            return None
    return _PLAIN.get(schema.get("type", ""))


def scalar_checks(schema: Schema, kinds: frozenset[str]) -> list[Check]:
    checks: list[Check] = []
    if kinds:
        checks.append(of_type(kinds))
    if "enum" in schema:
        checks.append(one_of(schema["enum"]))
    if not kinds or "string" in kinds:
        checks += string_checks(schema)
    if not kinds or kinds & {"integer", "number"}:
        checks += number_checks(schema)
    return checks


def quick(schema: Schema, kinds: frozenset[str], check: Check) -> Check:
    """The same check, asked only when a shorter test fails; for the two kinds of scalars that fill most objects."""
    if kinds == {"string"}:
        return _quick_string(schema, check)
    plain_integer = kinds == {"integer"} and not schema.keys() & {"enum", "multipleOf", "exclusiveMaximum"}
    if not plain_integer or schema.get("exclusiveMinimum"):
        return check
    size = _INTEGERS.get(schema.get("format") or "", _MAX_EXACT)
    least = max(schema.get("minimum", -size), -size)
    most = min(schema.get("maximum", size - 1), size - 1)
    return lambda value: None if type(value) is int and least <= value <= most else check(value)


def _quick_string(schema: Schema, check: Check) -> Check:
    least, most = schema.get("minLength") or 0, schema.get("maxLength")
    longest = most if most is not None else 1 << 40
    tests: list[Callable[[str], bool]] = []
    if "enum" in schema:
        tests.append(frozenset(item for item in schema["enum"] if isinstance(item, str)).__contains__)
    if schema.get("pattern"):
        tests.append(patterns.matcher(schema["pattern"]))
    known = formats.CHECKS.get(schema.get("format") or "")
    if known:
        tests.append(known)
    if not tests:
        return lambda value: None if type(value) is str and least <= len(value) <= longest else check(value)
    if len(tests) == 1 and not least and most is None:
        test = tests[0]
        return lambda value: None if type(value) is str and test(value) else check(value)

    def check_string(value: Any) -> Findings | None:
        if type(value) is str and least <= len(value) <= longest and all(test(value) for test in tests):
            return None
        return check(value)

    return check_string


def refuse(value: Any) -> Findings | None:
    """For additionalProperties: false."""
    return [findings.invalid(value, "is a forbidden property")]


def one_of(allowed: list[Any]) -> Check:
    texts = frozenset(item for item in allowed if isinstance(item, str))
    others = [_canonical(item) for item in allowed if not isinstance(item, str)]

    def check_enum(value: Any) -> Findings | None:
        if type(value) is str:
            return None if value in texts else [findings.unsupported(value, allowed)]
        return None if _canonical(value) in others else [findings.unsupported(value, allowed)]

    return check_enum


def _canonical(value: Any) -> bytes:
    """Equal for equal JSON values: 1 and 1.0 are the same, true and 1 are not."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT:
        value = int(value)
    if type(value) is int and abs(value) >= _MAX_EXACT:
        value = float(value)
    if isinstance(value, dict | list):
        value = _whole(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT:
        return int(value)
    return value


def string_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    if schema.get("maxLength") is not None:
        checks.append(_max_length(schema["maxLength"]))
    if schema.get("minLength"):
        checks.append(_min_length(schema["minLength"]))
    if schema.get("pattern"):
        checks.append(_pattern(schema["pattern"]))
    if len(checks) > 1:
        checks = [_first(checks)]
    known = formats.CHECKS.get(schema.get("format") or "")
    if known:
        checks.append(_format(schema["format"], known))
    return checks


def _first(checks: list[Check]) -> Check:
    """Of lengths and pattern only the first that fails is told, as upstream."""
    return lambda value: next(filter(None, (check(value) for check in checks)), None)


def _max_length(limit: int) -> Check:
    return lambda value: [findings.too_long(limit)] if type(value) is str and len(value) > limit else None


def _min_length(limit: int) -> Check:
    text = f"should be at least {limit} chars long"
    return lambda value: [findings.invalid(value, text)] if type(value) is str and len(value) < limit else None


def _pattern(pattern: str) -> Check:
    matches = patterns.matcher(pattern)
    text = f"should match '{pattern}'"
    return lambda value: [findings.invalid(value, text)] if type(value) is str and not matches(value) else None


def _format(name: str, known: formats.Check) -> Check:
    return lambda value: [findings.wrong_format(name, value)] if type(value) is str and not known(value) else None


def number_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    maximum, minimum, multiple = schema.get("maximum"), schema.get("minimum"), schema.get("multipleOf")
    if maximum is not None:
        if schema.get("exclusiveMaximum"):
            checks.append(_number(lambda n: n < maximum, f"should be less than {findings.number(maximum)}"))
        else:
            text = f"should be less than or equal to {findings.number(maximum)}"
            checks.append(_number(lambda n: n <= maximum, text))
    if minimum is not None:
        if schema.get("exclusiveMinimum"):
            checks.append(_number(lambda n: n > minimum, f"should be greater than {findings.number(minimum)}"))
        else:
            text = f"should be greater than or equal to {findings.number(minimum)}"
            checks.append(_number(lambda n: n >= minimum, text))
    if multiple:
        text = f"should be a multiple of {findings.number(multiple)}"
        checks.append(_number(lambda n: float(n / multiple).is_integer(), text))
    size = _INTEGERS.get(schema.get("format") or "")
    if size:
        text = f"must be of type integer with format {schema['format']}"
        checks.append(_number(lambda n: -size <= n < size, text))
    return checks


def _number(holds: Callable[[Any], bool], text: str) -> Check:
    def check_number(value: Any) -> Findings | None:
        if type(value) in (int, float) and not holds(value):
            return [findings.invalid(value, text)]
        return None

    return check_number


def size_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None:
        checks.append(lambda v: [findings.too_many(len(v), most)] if type(v) is list and len(v) > most else None)
    if least:
        text = f"should have at least {least} items"
        checks.append(lambda v: [findings.invalid(len(v), text)] if type(v) is list and len(v) < least else None)
    if schema.get("uniqueItems"):
        checks.append(_unique)
    return checks


def _unique(value: Any) -> Findings | None:
    if type(value) is list and len({_canonical(item) for item in value}) < len(value):
        return [findings.invalid(value, "shouldn't contain duplicates")]
    return None


def property_count_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None:
        checks.append(lambda v: [findings.too_many(len(v), most)] if type(v) is dict and len(v) > most else None)
    if least:
        text = f"should have at least {least} properties"
        checks.append(lambda v: [findings.invalid(len(v), text)] if type(v) is dict and len(v) < least else None)
    return checks


def with_required(names: tuple[str, ...]) -> Check:
    wanted = frozenset(names)

    def check_required(value: Any) -> Findings | None:
        if type(value) is not dict or value.keys() >= wanted:
            return None
        return [findings.required("." + name) for name in names if name not in value]

    return check_required


def embedded_type(value: Any) -> Findings | None:
    """An embedded resource names its type."""
    if type(value) is not dict:
        return None
    missing = [name for name in ("apiVersion", "kind") if not value.get(name)]
    return [findings.required("." + name, "must not be empty" if name in value else "") for name in missing] or None


def distinct_items(value: Any) -> Findings | None:
    """For list type ``set``."""
    if type(value) is not list or len(value) < 2:
        return None
    seen: set[bytes] = set()
    found: Findings = []
    for index, item in enumerate(value):
        key = _canonical(item)
        if key in seen:
            found.append(findings.duplicate(f"[{index}]", item))
        seen.add(key)
    return found or None


def distinct_keys(keys: tuple[str, ...], defaults: dict[str, Any]) -> Check:
    """For list type ``map``: every item has its keys (or defaults for them), and no two the same."""

    def check_keys(value: Any) -> Findings | None:
        if type(value) is not list or _plainly_distinct(value, keys):
            return None
        found: Findings = []
        seen: set[bytes] = set()
        for index, item in enumerate(value):
            if type(item) is not dict:
                continue
            identity = {key: item.get(key, defaults[key]) for key in keys}
            missing = [key for key in keys if key not in item and defaults[key] is None]
            found += [findings.required(f"[{index}].{key}") for key in missing]
            canonical = _canonical(identity)
            if canonical in seen and not missing:
                found.append(findings.duplicate(f"[{index}]", identity))
            seen.add(canonical)
        return found or None

    return check_keys


def _plainly_distinct(items: list[Any], keys: tuple[str, ...]) -> bool:
    """Whether all items have all their keys and no two the same: the common case, without canonical forms."""
    try:
        if len(keys) == 1:
            key = keys[0]
            return len({item[key] for item in items}) == len(items)
        return len({tuple([item[key] for key in keys]) for item in items}) == len(items)
    except (KeyError, TypeError, IndexError):
        return False

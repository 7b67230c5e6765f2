"""What expressions come to, over values as they are in requests."""

from __future__ import annotations

from typing import Any

import pytest

from portway.krm.cel import schematypes
from portway.krm.cel.programs import Budget, CompileError, Environment, EvaluationError
from portway.krm.cel.values import CostExceeded, Optional, StructValue

SCHEMA = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "a-b": {"type": "string"},
        "port": {"x-kubernetes-int-or-string": True},
        "at": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "blob": {"type": "string", "format": "byte"},
        "missing": {"type": "string"},
        "nested": {"type": "object", "properties": {"deep": {"type": "string"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "items": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
        "days": {"type": "array", "items": {"type": "string", "format": "date"}},
    },
}
SELF = {
    "replicas": 3,
    "ratio": 1,
    "name": "abc",
    "namespace": "ns",
    "a-b": "dashed",
    "port": "80%",
    "at": "2024-02-29T12:30:00Z",
    "wait": "90m",
    "blob": "aGk=",
    "labels": {"x": "1", "y": "2"},
    "items": [{"k": "a"}, {"k": "b"}],
    "days": ["2024-01-01", "2024-02-01"],
}
TYPE = schematypes.declared(SCHEMA)
assert TYPE is not None
ENVIRONMENT = Environment({"self": TYPE})


def evaluate(source: str) -> Any:
    return ENVIRONMENT.compile(source).run([SELF])


@pytest.mark.parametrize(
    "source",
    [
        "self.replicas == 3 && self.replicas + 1 > 3 && -self.replicas < 0 && self.replicas % 2 == 1",
        "7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1 && 0x10 == 16 && 2u + 3u == 5u",
        "self.ratio / 2.0 == 0.5",
        "self.replicas < 3.5 && 3.0 == double(self.replicas)",
        "self.__namespace__ == 'ns' && self.a__dash__b == 'dashed'",
        "type(self.port) == string && self.port.endsWith('%')",
        "type(self.replicas) == int && type([]) == list && type(null) == null_type",
        "self.at.getFullYear() == 2024 && self.at.getMonth() == 1 && self.at.getDate() == 29",
        "self.at.getHours('+02:00') == 14 && self.at + duration('1h') > timestamp('2024-02-29T13:00:00Z')",
        "self.wait == duration('1h30m') && self.wait.getMinutes() == 90 && string(duration('90s')) == '90s'",
        "self.blob == b'hi' && string(self.blob) == 'hi' && size(self.blob) == 2",
        "self.days[0] < self.days[1] && self.days.all(d, d.getFullYear() == 2024)",
        "!has(self.missing) && has(self.name)",
        "self.?missing.orValue('none') == 'none' && !self.?missing.hasValue()",
        "self.?nested.?deep.orValue('x') == 'x' && self.?nested.deep.orValue('x') == 'x'",
        "self.labels[?'x'].orValue('') == '1' && self.labels[?'z'].orValue('q') == 'q' && 'x' in self.labels",
        "self.items[?5].optMap(i, i.k).orValue('gone') == 'gone'",
        "optional.of(1).or(optional.none()).value() == 1 && optional.ofNonZeroValue('').hasValue() == false",
        "[?self.?missing, ?self.?name] == ['abc'] && {?'m': self.?missing} == {}",
        "self.items.map(i, i.k) == ['a', 'b'] && self.items.map(i, i.k == 'a', i.k) == ['a']",
        "self.items.filter(i, i.k != 'a').size() == 1 && self.items.exists_one(i, i.k == 'b')",
        "self.labels.all(k, size(k) == 1) && self.labels.exists(k, v, k == 'y' && v == '2')",
        "self.labels.transformMap(k, v, v + v)['x'] == '11'",
        "self.items.transformList(i, v, v.k + string(i)) == ['a0', 'b1']",
        "[0, 1].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
        "(1 / 0 == 1 || true) && !(1 / 0 == 1 && false)",
        "self.name.matches('^[a-z]+$') && 'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
        "'A,B'.lowerAscii().split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b'",
        "' x '.trim() == 'x' && 'hello'.substring(1, 3) == 'el' && 'hello'.replace('l', 'L', 1) == 'heLlo'",
        "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hi'.charAt(1) == 'i'",
        "'%s: %d of %.1f %x'.format(['a', 3, 1.25, 255]) == 'a: 3 of 1.2 ff'",
        "[3, 1, 2].max() == 3 && [3, 1].min() == 1 && [1, 2].sum() == 3 && [1, 2].isSorted()",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1, 1, 2].distinct() == [1, 2]",
        "sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        "quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('50k').add(20).asInteger() == 50020",
        "isQuantity('1.5') && !isQuantity('x') && quantity('1.5').sign() == 1 && !quantity('1.5').isInteger()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2 && !isSemver('1.2')",
        "semver('1.0.0-alpha').isLessThan(semver('1.0.0')) && semver('1.0.0').compareTo(semver('1.0.0')) == 0",
        "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && isIP('1.2.3.4') && !isIP('1.2.3')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.2.0.0/16')",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && string(cidr('10.0.0.0/8').ip()) == '10.0.0.0'",
        "url('https://a.b:80/c?d=e').getPort() == '80' && url('https://a/c?d=e').getQuery()['d'] == ['e']",
        "isURL('/absolute') && !isURL('relative') && url('https://[::1]:80/').getHostname() == '::1'",
        "!format.dns1123Label().validate('good').hasValue() && format.named('uuid').value().validate('x').hasValue()",
        "'x' == 'x' ? true : 1 / 0 == 0",
        "r'\\d' == '\\\\d' && '''a\"b''' == 'a\"b' && '\\u00e9' == 'é' && b'\\xff' != b''",
        "int('12') == 12 && double('1.5') == 1.5 && bool('true') && string(1.0) == '1' && string(true) == 'true'",
        "timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')",
        "dyn(1) == 1.0 && dyn('1') != dyn(1) && dyn(true) != dyn(1)",
    ],
)
def test_true_statements_are_true(source: str) -> None:
    assert evaluate(source) is True


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("self.missing == 'x'", "no such key: missing"),
        ("self.items[7].k == 'x'", "index out of bounds: 7"),
        ("1 / (self.replicas - 3) == 1", "division by zero"),
        ("9223372036854775807 + self.replicas > 0", "integer overflow"),
        ("self.port > 5", "no such overload"),
        ("optional.none().value() == 1", "optional.none() dereference"),
        ("quantity('x').sign() == 1", "quantities must match the regular expression"),
    ],
)
def test_faults_say_what_upstream_says(source: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        evaluate(source)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("self.foo", "ERROR: <input>:1:5: undefined field 'foo'\n | self.foo\n | ....^"),
        ("x", "undeclared reference to 'x' (in container '')"),
        ("self.name + 1", "found no matching overload for '_+_' applied to '(string, int)'"),
        ("self.name.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("self.name == null", "found no matching overload for '_==_' applied to '(string, null)'"),
        ("self.name.deep", "type 'string' does not support field selection"),
        ("self.replicas.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
        ("[1, 'a'] == []", "expected type 'int' but found 'string'"),
        ("self.items.all(i, i.k)", "found no matching overload for '_&&_' applied to '(bool, string)'"),
        ("has(self)", "invalid argument to has() macro"),
        ("self.namespace", "undefined field 'namespace'"),
        ("self.name ==", "Syntax error: mismatched input '<EOF>'"),
        ("'a' 'b'", "Syntax error: mismatched input"),
        ("self.name.matches('[a')", "invalid matches argument"),
        ("duration('x') > duration('1s')", "invalid duration argument"),
        ("99999999999999999999", "invalid int literal"),
        ("self.items.map(a.b, true)", "argument is not an identifier"),
        ("for", "reserved identifier: for"),
        ("(" * 300 + "1" + ")" * 300, "expression recursion limit exceeded"),
    ],
)
def test_bad_expressions_are_refused_in_the_words_of_upstream(source: str, reason: str) -> None:
    with pytest.raises(CompileError) as refused:
        ENVIRONMENT.compile(source)
    assert reason in str(refused.value)


def test_all_issues_are_reported_in_order_of_their_place() -> None:
    with pytest.raises(CompileError) as refused:
        ENVIRONMENT.compile("self.b == self.a")
    assert str(refused.value) == (
        "ERROR: <input>:1:5: undefined field 'b'\n | self.b == self.a\n | ....^\n"
        "ERROR: <input>:1:15: undefined field 'a'\n | self.b == self.a\n | ..............^"
    )


def test_an_evaluation_that_takes_too_long_is_stopped() -> None:
    program = Environment({"x": schematypes.declared({"type": "array", "items": {"type": "integer"}})}).compile(  # type: ignore[dict-item]
        "x.all(a, x.all(b, x.all(c, a + b + c >= 0)))"
    )
    budget = Budget()
    with pytest.raises(CostExceeded, match="operation cancelled: actual cost limit exceeded"):
        program.run([list(range(1000))], budget)
    assert budget.left <= 9_100_000


def test_loops_inside_loops_keep_their_variables_apart() -> None:
    assert evaluate("[1, 2].map(x, [10, 20].map(y, x + y))") == [[11, 21], [12, 22]]
    assert evaluate("[1, 2].map(x, [3].map(x, x) + [x])") == [[3, 1], [3, 2]]


def test_structs_are_made_where_the_environment_has_them() -> None:
    environment = Environment({}, open_structs=("Object",))
    assert environment.compile("Object{spec: Object.spec{replicas: 1}}").run([]) == StructValue(
        "Object", {"spec": StructValue("Object.spec", {"replicas": 1})}
    )


def test_optional_values_compare_by_content() -> None:
    found = evaluate("self.?name")
    assert isinstance(found, Optional)
    assert found.value == "abc"

from __future__ import annotations

from typing import Any

import pytest

from portway.krm import composing, decoding
from portway.krm.errors import StatusError


def refused(function: Any, body: bytes) -> StatusError:
    with pytest.raises(StatusError) as caught:
        function(body)
    return caught.value


def test_json_is_decoded_and_the_last_of_two_equal_keys_counts() -> None:
    decoded = decoding.decode_json(b'{"a":{"b":1,"b":2},"l":[{"c":1},{"c":1,"c":2,"c":3}],"a2":1,"a2":2}')
    assert decoded.value == {"a": {"b": 2}, "l": [{"c": 1}, {"c": 3}], "a2": 2}
    assert decoded.duplicates == ("a2", "a.b", "l[1].c")


def test_json_without_repeated_keys_has_no_duplicates() -> None:
    assert decoding.decode_json(b'{"a":[{"b":1},{"b":1}]}').duplicates == ()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nope", b'{"a":NaN}', b'{"a":"\xff"}', b"[" * 300 + b"]" * 300, b"[" * 5000]
)
def test_a_body_that_is_no_bounded_json_is_a_bad_request(body: bytes) -> None:
    error = refused(decoding.decode_json, body)
    assert (error.code, error.reason) == (400, "BadRequest")


def test_a_wide_body_is_not_taken_for_a_deep_one() -> None:
    assert len(decoding.decode_json(b"[" + b"{}," * 5000 + b"{}]").value) == 5001


def test_a_body_above_the_limit_is_too_large() -> None:
    error = refused(decoding.decode_json, b'"' + b"a" * decoding.MAX_BYTES + b'"')
    assert (error.code, error.reason) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!int '7'", 7),
        ("!!float 1", 1.0),
        ("1.2.3", "1.2.3"),
        ("- a", ["a"]),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    result = decoding.decode_yaml(b"k: " + text.encode() if text != "- a" else b"k:\n- a").value["k"]
    assert result == value
    assert type(result) is type(value)


def test_yaml_reports_repeated_keys_with_their_path() -> None:
    decoded = decoding.decode_yaml(b"a:\n  b: 1\n  b: 2\nc:\n- d: 1\n  d: 2\n")
    assert decoded.value == {"a": {"b": 2}, "c": [{"d": 2}]}
    assert decoded.duplicates == ("a.b", "c[0].d")


def test_json_sent_as_yaml_takes_the_json_path_and_flow_yaml_still_works() -> None:
    assert decoding.decode_yaml(b' {"a": 1, "a": 2}').duplicates == ("a",)
    assert decoding.decode_yaml(b"{a: 1, b: [x, y]}").value == {"a": 1, "b": ["x", "y"]}


def test_aliases_and_merge_keys_expand_to_values_of_their_own() -> None:
    decoded = decoding.decode_yaml(b"base: &b {x: 1, y: [1]}\nuse:\n  <<: *b\n  x: 2\nagain: *b\n")
    value = decoded.value
    assert value == {"base": {"x": 1, "y": [1]}, "use": {"x": 2, "y": [1]}, "again": {"x": 1, "y": [1]}}
    value["again"]["y"].append(2)
    assert value["base"]["y"] == [1]


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "more than"),
        ("[" * 20000, "nested deeper"),
        ("a: [1\nb: 2", "line 2"),
        ("a: *missing", "undefined alias"),
        ("a: &x [*x]", "undefined alias"),
        ("{[1]: 2}", "a key must be a text"),
        ("a: 1\n---\nb: 2", "single document"),
        ("a: !!python/object:os.system {}", "not supported"),
        ("\ta: 1", "line 1"),
        ("a: \x01", "line 1"),
    ],
)
def test_yaml_that_is_broken_or_hostile_is_a_bad_request_that_says_where(text: str, says: str) -> None:
    error = refused(decoding.decode_yaml, text.encode())
    assert error.code == 400
    assert says in error.message


def test_bytes_that_are_no_utf8_are_a_bad_request() -> None:
    assert "UTF-8" in refused(decoding.decode_yaml, b"a: \xff").message


STREAM = """\
# leading comment
kind: A
spec:
  ports:
    - name: http
      port: 80
    - port: 81
---
kind: [broken
---
# only a comment
---
{"kind": "C", "spec": {"x": 1}}
...
---
kind: D
text: |
  line
   --- not a marker
kind: again
"""


def test_documents_know_the_line_of_every_field() -> None:
    first, broken, flow, last = decoding.documents(STREAM)
    assert (first.index, first.line, first.value["kind"], first.error) == (0, 2, "A", None)
    assert first.locate(["spec", "ports", 1, "port"]) == 7
    assert first.locate(["spec", "ports", 0, "missing", "deeper"]) == 5
    assert first.locate([]) == 2
    assert broken.value is None
    assert broken.error is not None
    assert broken.error.startswith("line 10")
    assert (flow.index, flow.value, flow.locate(["spec", "x"])) == (2, {"kind": "C", "spec": {"x": 1}}, 13)
    assert last.value == {"kind": "again", "text": "line\n --- not a marker\n"}
    assert last.duplicates == (("kind", 20),)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    documents = decoding.documents("\ufeffa: 1\r\n---\r\nb: 2\r\n")
    assert [(d.line, d.value) for d in documents] == [(1, {"a": 1}), (3, {"b": 2})]


def test_directives_stay_with_their_document() -> None:
    documents = decoding.documents("%YAML 1.2\n---\na: 1\n---\nb: 2\n")
    assert [(d.value, d.error, d.locate(["a"])) for d in documents] == [({"a": 1}, None, 3), ({"b": 2}, None, 5)]


def test_content_may_follow_a_marker_on_its_line() -> None:
    assert [d.value for d in decoding.documents("--- {a: 1}\n--- |\n text\n")] == [{"a": 1}, "text\n"]


def test_an_empty_file_has_no_documents() -> None:
    assert decoding.documents("") == []
    assert decoding.documents("---\n# nothing\n---\n") == []


def test_paths_are_written_dotted() -> None:
    assert composing.dotted(("spec", "ports", 0, "name")) == "spec.ports[0].name"


def test_integers_beyond_64_bits_are_floats_in_json_and_yaml_alike() -> None:
    number = "1" + "0" * 30
    assert (
        decoding.decode_yaml(b"a: " + number.encode()).value
        == decoding.decode_json(b'{"a":' + number.encode() + b"}").value
    )
    assert decoding.encode(decoding.decode_yaml(b"a: 0x" + b"F" * 248).value)


def test_numbers_too_long_for_a_float_stay_texts() -> None:
    assert decoding.decode_yaml(b"a: 0x" + b"F" * 400).value == {"a": "0x" + "F" * 400}

from __future__ import annotations

from typing import Any

import orjson
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portway.krm import decoding, selectors
from portway.krm.errors import StatusError
from portway.krm.values import same

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"), max_size=8
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6), texts),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(texts, below, max_size=4)),
    max_leaves=20,
)


@given(values)
@settings(deadline=None)
def test_what_is_encoded_is_decoded_again_as_json_and_as_yaml(value: Any) -> None:
    body = decoding.encode(value)
    assert same(decoding.decode_json(body).value, orjson.loads(body))
    assert same(decoding.decode_yaml(body).value, value)


_FIELDS = st.tuples(
    st.sampled_from(['"a"', '"b"', '"a:"', '":"', '"\\""', r'"\u0061"', r'"\u003a"', r'"\\u003A"']),
    st.sampled_from(["", " ", "\n\t"]),
    st.sampled_from(
        ["1", '":"', '":x"', r'"\":"', r'"\u0022:"', r'"\u003a"', '{"a":1}', '{"a":1,"a":2}', '[{"a" :1}]']
    ),
)


@given(st.lists(_FIELDS, max_size=5))
@settings(max_examples=300)
def test_keys_given_twice_are_found_however_they_are_spelled(fields: list[tuple[str, str, str]]) -> None:
    body = ("{" + ",".join(f"{key}{space}:{item}" for key, space, item in fields) + "}").encode()
    assert decoding.decode_json(body).duplicates == decoding.json_duplicates(body)


@given(st.dictionaries(texts, values, max_size=4))
@settings(deadline=None)
def test_yaml_of_another_writer_means_the_same(value: dict[str, Any]) -> None:
    body = yaml.safe_dump(value, allow_unicode=True, default_style='"', sort_keys=False)
    decoded = decoding.decode_yaml(body.encode())
    assert decoded.duplicates == ()
    assert decoded.value.keys() == value.keys()


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_are_decoded_or_refused_with_a_status(body: bytes) -> None:
    for decode in (decoding.decode_json, decoding.decode_yaml):
        try:
            decode(body)
        except StatusError as error:
            assert error.code == 400  # noqa: PT017


@given(st.text(st.sampled_from(list("ab: -[]{},\n#&*!|>'\"%@`?.0")), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_list_of_documents(text: str) -> None:
    for document in decoding.documents(text):
        assert document.line >= 1
        assert (document.value is None) or document.error is None


@given(st.text(st.sampled_from(list("ab/=!,() <>in.-")), max_size=20))
def test_any_text_is_a_selector_or_a_bad_request(text: str) -> None:
    for parse in (selectors.parse_labels, selectors.parse_fields):
        try:
            parse(text)
        except StatusError as error:
            assert error.code == 400  # noqa: PT017


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", ""]), max_size=3), st.sampled_from("abc"))
def test_a_requirement_and_its_negation_divide_all_labels(labels: dict[str, str], key: str) -> None:
    for positive, negative in ((f"{key}=x", f"{key}!=x"), (f"{key} in (x,y)", f"{key} notin (x,y)"), (key, f"!{key}")):
        left, right = selectors.parse_labels(positive).matches(labels), selectors.parse_labels(negative).matches(labels)
        assert left is not right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portway.krm import protobuf
from portway.krm.errors import StatusError
from portway.krm.identity import GroupVersionKind
from portway.krm.protobuf import wire

CONFIG_MAP = protobuf.encode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})


def envelope(api_version: str, kind: str, raw: bytes, *more: bytes) -> bytes:
    type_meta = wire.bytes_field(1, api_version.encode()) + wire.bytes_field(2, kind.encode())
    return b"k8s\x00" + wire.bytes_field(1, type_meta) + wire.bytes_field(2, raw) + b"".join(more)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", 'the protobuf body cannot be read: it does not begin with "k8s\\x00"'),
        (CONFIG_MAP[:-7], "the protobuf body cannot be read: field 2 ends after the body"),
        (envelope("v1", "ConfigMap", b"\xff"), "the protobuf body cannot be read: a number does not end"),
        (envelope("v1", "ConfigMap", b"\x0b"), "the protobuf body cannot be read: wire type 3 of field 1"),
        (
            envelope("v1", "ConfigMap", wire.bytes_field(1, wire.bytes_field(1, b"\xff"))),
            "the protobuf body cannot be read: field 1 is not UTF-8 text",
        ),
        (
            envelope("v1", "ConfigMap", wire.number_field(1, 3)),
            "the protobuf body cannot be read: field 1 should hold bytes",
        ),
        (
            envelope("v1", "ConfigMap", b"", wire.bytes_field(3, b"gzip")),
            "the protobuf body cannot be read: its content encoding is not supported; send it unencoded",
        ),
        (envelope("v1", "Pod", b""), "v1 Pod cannot be sent as protobuf; send it as application/json"),
        (
            envelope("tenancy.kcp.io/v1alpha1", "Workspace", b""),
            "tenancy.kcp.io/v1alpha1 Workspace cannot be sent as protobuf; send it as application/json",
        ),
        (
            b"k8s\x00",
            "an object without apiVersion and kind cannot be sent as protobuf; send it as application/json",
        ),
    ],
)
def test_a_bad_body_is_refused_with_what_is_wrong_with_it(body: bytes, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        protobuf.decode(body)
    assert (refused.value.code, refused.value.message) == (400, message)


@given(st.binary(max_size=60))
def test_any_bytes_either_decode_or_are_refused_with_400(raw: bytes) -> None:
    body = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", raw)
    try:
        assert protobuf.decode(body)["kind"] == "CustomResourceDefinition"
    except StatusError as error:
        assert error.code == 400  # noqa: PT017


def test_schemas_nested_too_deep_are_refused() -> None:
    schema = b""
    for _ in range(200):
        schema = wire.bytes_field(28, schema)
    version = wire.bytes_field(4, wire.bytes_field(1, schema))
    body = envelope(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", wire.bytes_field(2, wire.bytes_field(7, version))
    )
    with pytest.raises(StatusError, match="nested more than 100 deep"):
        protobuf.decode(body)


def test_unknown_fields_are_skipped() -> None:
    raw = wire.bytes_field(1, wire.bytes_field(1, b"one")) + wire.bytes_field(99, b"new") + wire.double_field(98, 1.5)
    assert protobuf.decode(envelope("v1", "ConfigMap", raw)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one"},
    }


def test_a_body_without_type_is_of_the_kind_that_the_url_implies() -> None:
    body = envelope("", "", wire.bytes_field(1, wire.bytes_field(1, b"one")))
    kind = GroupVersionKind("", "v1", "ServiceAccount")
    assert protobuf.decode(body, kind) == {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "one"}}


def test_delete_options_are_read_in_any_group() -> None:
    options = {"propagationPolicy": "Foreground", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
    manifest = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "DeleteOptions", **options}
    assert protobuf.decode(protobuf.encode(manifest)) == manifest

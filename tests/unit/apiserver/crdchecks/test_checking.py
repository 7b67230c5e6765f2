"""Definitions that are refused, with upstream's fields and words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from portway.apiserver.crdchecks import checking

STRING = {"type": "string"}
SPEC = {"type": "object", "properties": {"a": STRING, "n": {"type": "integer"}, "o": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"spec": SPEC, "status": SPEC}}
OTHER = {"type": "object", "properties": {"spec": {**SPEC, "description": "Other."}}}
LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
MIXED = "may have mixed case, but should otherwise match: "
COLUMN_TYPES = "must be one of boolean,date,integer,number,string"
NOT_SET = "Forbidden: should not be set when strategy is not set to Webhook"
FORM = "; desired format: https://host[/path]"
SELECTABLE = (
    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
)
AT_ROOT = (
    "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations] fields are allowed at the root of the schema if the status subresource is enabled"
)
APPROVAL = 'protected groups must have approval annotation "api-approved.kubernetes.io"'
SEE = "see https://github.com/kubernetes/enhancements/pull/1111"

Found = list[tuple[str, str]]


def version(name: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": SCHEMA}, **fields}


def crd(*versions: dict[str, Any], names: Any = None, annotations: Any = None, **spec: Any) -> dict[str, Any]:
    given = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList", **(names or {})}
    whole = {
        "group": "example.org",
        "scope": "Namespaced",
        "names": given,
        "versions": list(versions) or [version()],
        **spec,
    }
    metadata = {"name": f"{given['plural']}.{whole['group']}", "annotations": annotations or {}}
    return {"kind": "CustomResourceDefinition", "metadata": metadata, "spec": whole}


def stored(manifest: dict[str, Any], *versions: str) -> dict[str, Any]:
    """As it is in the store, established."""
    conditions = [{"type": "Established", "status": "True"}]
    return {
        **copy.deepcopy(manifest),
        "status": {"storedVersions": list(versions or ("v1",)), "conditions": conditions},
    }


def judged(manifest: dict[str, Any], old: dict[str, Any] | None = None) -> Found:
    found = checking.as_upstream_names_them(checking.check(manifest, old), manifest)
    return [(cause.field, cause.message) for cause in found]


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (crd(), "the least there is"),
        (crd(version(deprecated=True, deprecationWarning="gone soon")), "words of its own"),
        (crd(version(), version("v2")), "two versions that have all in common"),
        (crd(version(), version("v1beta1", schema={"openAPIV3Schema": OTHER})), "and two that differ"),
        (
            crd(version(selectableFields=[{"jsonPath": ".spec.a"}, {"jsonPath": ".spec.n"}])),
            "texts and whole numbers can be selected by",
        ),
        (
            crd(conversion={"strategy": "Webhook", "webhook": {
                "clientConfig": {"url": "https://hooks.example.org", "caBundle": "Cg=="},
                "conversionReviewVersions": ["v1"],
            }}),
            "certificates may come later",
        ),
        (crd(group="policy.k8s.io", annotations={"api-approved.kubernetes.io": "unapproved, a test"}), "says so"),
    ],
)  # fmt: skip
def test_a_definition_that_is_right_is_accepted(manifest: dict[str, Any], reason: str) -> None:
    assert judged(manifest) == [], reason


@pytest.mark.parametrize(
    ("manifest", "found", "reason"),
    [
        (crd(group=""),
         [("metadata.name", f'Invalid value: "widgets.": {SUBDOMAIN}'), ("spec.group", "Required value")],
         "needed"),
        (crd(group="example"),
         [("spec.group", 'Invalid value: "example": should be a domain with at least one dot')], "that is a domain"),
        (crd(group="Example.org"),
         [("metadata.name", f'Invalid value: "widgets.Example.org": {SUBDOMAIN}'),
          ("spec.group", f'Invalid value: "Example.org": {SUBDOMAIN}')], "in lower case"),
        (crd(scope=""), [("spec.scope", "Required value")], "a scope is needed"),
        (crd(scope="World"),
         [("spec.scope", 'Unsupported value: "World": supported values: "Cluster", "Namespaced"')], "one of two"),
        (crd(names={"plural": "Widgets"}),
         [("metadata.name", f'Invalid value: "Widgets.example.org": {SUBDOMAIN}'),
          ("spec.names.plural", f'Invalid value: "Widgets": {LABEL}')], "the plural is in lower case"),
        (crd(names={"singular": "1widget"}), [("spec.names.singular", f'Invalid value: "1widget": {LABEL}')],
         "and the singular begins with a letter"),
        (crd(names={"kind": "", "singular": "", "listKind": ""}),
         [("spec.names.singular", "Required value"), ("spec.names.kind", "Required value"),
          ("spec.names.listKind", "Required value")], "all names are derived from the kind"),
        (crd(names={"kind": "My_Widget"}), [("spec.names.kind", f'Invalid value: "My_Widget": {MIXED}{LABEL}')],
         "a kind may have capitals, nothing more"),
        (crd(names={"listKind": "Widget"}),
         [("spec.names.listKind", 'Invalid value: "Widget": kind and listKind may not be the same')],
         "a list is told from an object"),
        (crd(names={"shortNames": ["w", "W"], "categories": ["All"]}),
         [("spec.names.shortNames[1]", f'Invalid value: "W": {LABEL}'),
          ("spec.names.categories[0]", f'Invalid value: "All": {LABEL}')], "names that are typed are in lower case"),
        ({**crd(), "metadata": {"name": "gadgets.example.org"}},
         [("metadata.name", 'Invalid value: "gadgets.example.org": must be spec.names.plural+"."+spec.group')],
         "the name says what it defines"),
        (crd(preserveUnknownFields=True),
         [("spec.preserveUnknownFields", "Invalid value: true: cannot set to true, set "
           "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead")], "all is pruned"),
        (crd(group="policy.k8s.io"),
         [("metadata.annotations[api-approved.kubernetes.io]", f"Required value: {APPROVAL}, {SEE}")],
         "the community's groups are guarded"),
        (crd(group="kubernetes.io", annotations={"api-approved.kubernetes.io": "sure"}),
         [("metadata.annotations[api-approved.kubernetes.io]", f'Invalid value: "sure": {APPROVAL} with either a URL '
           f'or a reason starting with "unapproved", {SEE}')], "by an approval that can be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_definition_is_named(manifest: dict[str, Any], found: Found, reason: str) -> None:
    assert judged(manifest) == found, reason


ONE_STORED = "must have exactly one version marked as storage version"


def shown(stored: str = "true") -> str:
    return (
        f'{{"Name":"v1","Served":true,"Storage":{stored},"Deprecated":false,"DeprecationWarning":null,"Schema":null,'
        '"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}'
    )


COLUMN = {"name": "A", "type": "string", "jsonPath": ".spec.a"}
SCALE = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
MANY = {"type": "object", "properties": {f"f{index}": STRING for index in range(9)}}


@pytest.mark.parametrize(
    ("versions", "found", "reason"),
    [
        ([version("V1", storage=True)],
         [("spec.versions[0].name", f'Invalid value: "V1": {LABEL}'),
          ("spec.version", f'Invalid value: "V1": {LABEL}')], "a name in URLs"),
        ([version(), version()],
         [("spec.versions", f"Invalid value: [{shown()},{shown()}]: must contain unique version names"),
          ("spec.versions", f"Invalid value: [{shown()},{shown()}]: {ONE_STORED}")],
         "every version is another"),
        ([version(storage=False)],
         [("spec.versions", f"Invalid value: [{shown(stored='false')}]: {ONE_STORED}"),
          ("status.storedVersions", "Invalid value: null: must have at least one stored version")],
         "one is stored"),
        ([version(schema=None)], [("spec.versions[0].schema.openAPIV3Schema", "Required value")], "each has a schema"),
        ([version(schema={"openAPIV3Schema": {}}), version("v2", schema={"openAPIV3Schema": {}})],
         [("spec.validation.openAPIV3Schema.type", "Required value: must not be empty at the root")],
         "what all versions have in common is told once, where upstream has it"),
        ([version(), version("v2", schema={"openAPIV3Schema": {}})],
         [("spec.versions[1].schema.openAPIV3Schema.type", "Required value: must not be empty at the root")],
         "and what one version has in that version"),
        ([version(deprecationWarning="old")],
         [("spec.versions[0].deprecationWarning", 'Invalid value: "old": can only be set for deprecated versions')],
         "only what is deprecated warns"),
        ([version(deprecated=True, deprecationWarning="")],
         [("spec.versions[0].deprecationWarning", 'Invalid value: "": must not be an empty string')], "with words"),
        ([version(deprecated=True, deprecationWarning="é\n" + "x" * 255)],
         [("spec.versions[0].deprecationWarning", f'Invalid value: "é\\n{"x" * 255}": must be <= 256 characters long'),
          ("spec.versions[0].deprecationWarning", f'Invalid value: "é\\n{"x" * 255}": must only contain printable '
           "UTF-8 characters; non-printable character found at index 2")], "that fit in a header"),
        ([version(schema={"openAPIV3Schema": {**SCHEMA, "minProperties": 1}}, subresources={"status": {}})],
         [("spec.validation.openAPIV3Schema", f"Invalid value: {AT_ROOT}")], "a status is judged apart"),
        ([version(subresources={"scale": {}})],
         [("spec.subresources.scale.specReplicasPath", "Required value"),
          ("spec.subresources.scale.statusReplicasPath", "Required value")], "scale has two paths"),
        ([version(subresources={"scale": {"specReplicasPath": ".status.n", "statusReplicasPath": "status.n",
                                          "labelSelectorPath": ".metadata.a"}})],
         [("spec.subresources.scale.specReplicasPath",
           'Invalid value: ".status.n": should be a json path under .spec'),
          ("spec.subresources.scale.statusReplicasPath",
           'Invalid value: "status.n": must be a simple json path starting with .'),
          ("spec.subresources.scale.labelSelectorPath",
           'Invalid value: ".metadata.a": should be a json path under either .spec or .status')], "each in its place"),
        ([version(subresources={"scale": SCALE}),
          version("v2", subresources={"scale": {**SCALE, "specReplicasPath": "x"}})],
         [("spec.versions[1].subresources.scale.specReplicasPath",
           'Invalid value: "x": must be a simple json path starting with .')], "in the version it is wrong in"),
        ([version(additionalPrinterColumns=[{}])],
         [("spec.additionalPrinterColumns[0].name", "Required value"),
          ("spec.additionalPrinterColumns[0].type", f"Required value: {COLUMN_TYPES}"),
          ("spec.additionalPrinterColumns[0].JSONPath", "Required value")], "a column has a name, a type and a path"),
        ([version(additionalPrinterColumns=[{**COLUMN, "type": "text", "format": "odd", "jsonPath": "spec.a"}])],
         [("spec.additionalPrinterColumns[0].type", f'Invalid value: "text": {COLUMN_TYPES}'),
          ("spec.additionalPrinterColumns[0].format", 'Invalid value: "odd": must be one of '
           "byte,date,date-time,double,float,int32,int64,password"),
          ("spec.additionalPrinterColumns[0].JSONPath",
           'Invalid value: "spec.a": must be a simple json path starting with .')], "that are known"),
        ([version(selectableFields=[{"jsonPath": ""}, {"jsonPath": ".spec.x"}, {"jsonPath": ".spec['a']"},
                                    {"jsonPath": "spec"}, {"jsonPath": ".spec.o"}, {"jsonPath": ".spec.a"},
                                    {"jsonPath": ".spec.a"}])],
         [("spec.selectableFields[0].jsonPath", "Required value"),
          ("spec.selectableFields[1].jsonPath",
           'Invalid value: ".spec.x": is an invalid path: does not refer to a valid field'),
          ("spec.selectableFields[2].jsonPath",
           "Invalid value: \".spec['a']\": is an invalid path: array notation is not allowed"),
          ("spec.selectableFields[3].jsonPath",
           'Invalid value: "spec": is an invalid path: expected [ or . but got: spec'),
          ("spec.selectableFields[4].jsonPath", f'Invalid value: ".spec.o": {SELECTABLE}'),
          ("spec.selectableFields[6].jsonPath", 'Duplicate value: ".spec.a"')], "selected are single values, once"),
        ([version(schema={"openAPIV3Schema": {"type": "object", "properties": {
            "metadata": {"type": "object", "properties": {"name": STRING}}}}},
            selectableFields=[{"jsonPath": ".metadata.name"}])],
         [("spec.selectableFields[0].jsonPath",
           'Invalid value: ".metadata.name": must not point to fields in metadata')], "names can be anyway"),
        ([version(schema={"openAPIV3Schema": {"type": "object", "properties": {"spec": MANY}}},
                  selectableFields=[{"jsonPath": f".spec.f{index}"} for index in range(9)])],
         [("spec.selectableFields", "Too many: 9: must have at most 8 items")], "each of them costs"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_version_is_named(versions: list[dict[str, Any]], found: Found, reason: str) -> None:
    assert judged(crd(*versions)) == found, reason


def webhook(url: Any = "https://hooks.example.org", reviews: Any = ("v1",), **client: Any) -> dict[str, Any]:
    config = {**({"url": url} if url else {}), **client}
    return {"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": list(reviews)}}


@pytest.mark.parametrize(
    ("conversion", "found", "reason"),
    [
        ({"strategy": "Magic"},
         [("spec.conversion.strategy", 'Unsupported value: "Magic": supported values: "None", "Webhook"')], "two ways"),
        ({**webhook(), "strategy": "None"},
         [("spec.conversion.webhookClientConfig", NOT_SET), ("spec.conversion.conversionReviewVersions", NOT_SET)],
         "no webhook where none is asked"),
        ({"strategy": "Webhook"},
         [("spec.conversion.webhookClientConfig", "Required value: required when strategy is set to Webhook"),
          ("spec.conversion.conversionReviewVersions", "Required value")], "one where it is"),
        (webhook(""), [("spec.conversion.webhookClientConfig",
                        "Required value: exactly one of url or service is required")], "that can be found"),
        (webhook("http://me@hooks.example.org/?a=b#c"),
         [("spec.conversion.webhookClientConfig.url",
           f"Invalid value: \"http\": 'https' is the only allowed URL scheme{FORM}"),
          ("spec.conversion.webhookClientConfig.url",
           'Invalid value: "me": user information is not permitted in the URL'),
          ("spec.conversion.webhookClientConfig.url", 'Invalid value: "c": fragments are not permitted in the URL'),
          ("spec.conversion.webhookClientConfig.url",
           'Invalid value: "a=b": query parameters are not permitted in the URL')], "by a plain address"),
        (webhook("", service={"name": "", "namespace": "a", "port": 0, "path": "b//c_d"}),
         [("spec.conversion.webhookClientConfig.service.name", "Required value"),
          ("spec.conversion.webhookClientConfig.service.port",
           "Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive"),
          ("spec.conversion.webhookClientConfig.service.path", "Invalid value: \"b//c_d\": must start with a '/'"),
          ("spec.conversion.webhookClientConfig.service.path",
           'Invalid value: "b//c_d": segment[0] may not be empty'),
          ("spec.conversion.webhookClientConfig.service.path",
           'Invalid value: "b//c_d": segment[1] may not be empty'),
          ("spec.conversion.webhookClientConfig.service.path",
           f'Invalid value: "b//c_d": segment[2]: {SUBDOMAIN}')], "or as a service"),
        (webhook(reviews=["v3", "v3", "V2"]),
         [("spec.conversion.conversionReviewVersions[1]", 'Invalid value: "v3": duplicate version'),
          ("spec.conversion.conversionReviewVersions[2]", f'Invalid value: "V2": {LABEL}'),
          ("spec.conversion.conversionReviewVersions",
           'Invalid value: ["v3","v3","V2"]: must include at least one of v1, v1beta1')], "and speaks our language"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_conversion_is_named(conversion: dict[str, Any], found: Found, reason: str) -> None:
    assert judged(crd(conversion=conversion)) == found, reason


BETA = version("v1beta1")
MISSING = (
    "missing from spec.versions; v1beta1 was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in v1beta1 and removes v1beta1 from status.storedVersions"
)


@pytest.mark.parametrize(
    ("manifest", "old", "found", "reason"),
    [
        (crd(scope="Cluster", names={"kind": "Gadget"}), stored(crd()),
         [("spec.scope", 'Invalid value: "Cluster": field is immutable'),
          ("spec.names.kind", 'Invalid value: "Gadget": field is immutable')], "objects may be stored"),
        (crd(scope="Cluster", names={"kind": "Gadget"}), {**crd(), "status": {"storedVersions": ["v1"]}}, [],
         "before it is served there are none"),
        (crd(group="example.com", names={"plural": "gadgets"}), stored(crd()),
         [("spec.group", 'Invalid value: "example.com": field is immutable'),
          ("spec.names.plural", 'Invalid value: "gadgets": field is immutable')], "the name follows from both"),
        (crd(), stored(crd(version(), BETA), "v1beta1", "v1"),
         [("status.storedVersions[0]", f'Invalid value: "v1beta1": {MISSING}')], "what is stored has to be read"),
        (crd(conversion=webhook(caBundle="Cg==")), stored(crd()),
         [("spec.conversion.webhookClientConfig.caBundle", 'Invalid value: "Cg==": unable to load root certificates: '
           "unable to parse bytes as PEM block")], "what is served needs its webhook now"),
        (crd(version(schema={"openAPIV3Schema": {"type": "string"}})),
         stored(crd(version(schema={"openAPIV3Schema": {"type": "string"}}))), [],
         "a schema that was accepted once is not judged again"),
        (crd(group="policy.k8s.io"), stored(crd(group="policy.k8s.io")), [], "nor is an approval that is missing"),
    ],
)  # fmt: skip
def test_what_an_update_may_not_change_is_named(manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged(manifest, old) == found, reason


def test_names_in_a_written_status_are_judged() -> None:
    causes = checking.check_status({"status": {"acceptedNames": {"plural": "Widgets", "kind": "Widget"}}})
    assert [(c.field, c.message) for c in causes] == [
        ("status.acceptedNames.plural", f'Invalid value: "Widgets": {LABEL}')
    ]


def test_formats_that_nothing_checks_are_remarked_once() -> None:
    properties = {
        "a": {"type": "string", "format": "zip"},
        "b": {"type": "array", "items": {"type": "integer", "format": "int16"}},
        "c": {"type": "string", "format": "date-time"},
    }
    odd = {"type": "object", "properties": properties}
    manifest = crd(version(schema={"openAPIV3Schema": odd}), version("v2", schema={"openAPIV3Schema": odd}))
    assert checking.warnings(manifest, None) == ['unrecognized format "zip"', 'unrecognized format "int16"']
    assert checking.warnings(manifest, manifest) == []

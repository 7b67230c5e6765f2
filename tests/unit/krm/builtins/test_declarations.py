from portway.krm.builtins import catalogue, cells, definitions
from portway.krm.builtins.declarations import Field, Message, parse

EVERY_KIND = catalogue.KINDS


def test_a_declaration_holds_name_number_type_and_flags() -> None:
    text = """
Thing kind atomic: A thing
    of two lines.
  name 1 *string required pattern=^[a-z]+$: Its
    name.
  parts 2 []Part map=name,kind merge=name
  sizes 3 {}quantity: Sizes: by name.
Part: A part.
"""
    things = parse(text, {"here": "io.example.v1"}, "here")
    assert things["io.example.v1.Thing"] == Message(
        "io.example.v1.Thing",
        (
            Field(
                "name",
                1,
                "string",
                pointer=True,
                required=True,
                description="Its name.",
                flags={"required": "", "pattern": "^[a-z]+$"},
            ),
            Field("parts", 2, "io.example.v1.Part", repeated=True, flags={"map": "name,kind", "merge": "name"}),
            Field("sizes", 3, "quantity", mapped=True, description="Sizes: by name."),
        ),
        "A thing of two lines.",
        is_kind=True,
        atomic=True,
    )


def test_every_type_that_a_message_names_is_declared() -> None:
    published = {name for name, _ in definitions.SCALAR_COMPONENTS.values()}
    missing = {r for m in definitions.MESSAGES for r in definitions.references(m)} - definitions.MESSAGES.keys()
    assert missing <= published


def test_no_message_uses_a_number_or_a_name_twice() -> None:
    for message in definitions.MESSAGES.values():
        numbers = [f.number for f in message.fields if f.number]
        names = [f.name for f in message.fields]
        assert (len(set(numbers)), len(set(names))) == (len(numbers), len(names)), message.name


def test_every_field_of_a_message_is_explained() -> None:
    silent = [
        f"{message.name}.{field.name}"
        for message in definitions.MESSAGES.values()
        for field in message.fields
        if not field.description and field.name not in ("metadata", "items") and not field.inline
    ]
    assert silent == []


def test_each_kind_is_declared_as_a_kind_with_metadata() -> None:
    for served in EVERY_KIND:
        properties = served.schema["properties"]
        assert {"apiVersion", "kind", "metadata"} <= properties.keys(), served.gvk


def test_inlined_schemas_say_how_lists_merge_and_who_owns_what() -> None:
    account = definitions.inlined("io.k8s.api.core.v1.ServiceAccount")["properties"]
    secrets = {k: v for k, v in account["secrets"].items() if k.startswith("x-")}
    assert secrets == {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": "name",
    }
    assert account["secrets"]["items"]["x-kubernetes-map-type"] == "atomic"
    finalizers = account["metadata"]["properties"]["finalizers"]
    assert (finalizers["x-kubernetes-list-type"], finalizers["x-kubernetes-patch-strategy"]) == ("set", "merge")


def test_embedded_messages_stand_beside_the_fields_of_their_parent() -> None:
    rule = definitions.component("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations")
    assert set(rule["properties"]) == {
        "resourceNames",
        "operations",
        "apiGroups",
        "apiVersions",
        "resources",
        "scope",
    }


def test_every_computed_column_has_its_function() -> None:
    computed = {c.path for k in EVERY_KIND for c in k.columns if c.path.startswith(cells.PREFIX)}
    assert computed == {cells.PREFIX + name for name in cells.CELLS}


def test_no_two_kinds_share_a_url_or_a_short_name() -> None:
    urls = [(k.gvk.group, k.gvk.version, k.plural) for k in EVERY_KIND]
    shorts = [s for k in EVERY_KIND for s in k.short_names if k.gvk.group != "events.k8s.io"]
    assert (len(set(urls)), len(set(shorts))) == (len(urls), len(shorts))

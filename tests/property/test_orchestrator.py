"""What holds for all placeholders, graphs and matches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portway.apis.platform import Criteria, ResourceDefinitionSpec
from portway.orchestrator import graph, matching, placeholders
from portway.orchestrator.graph import GraphError
from portway.orchestrator.matching import Candidate, Context
from portway.orchestrator.score.models import Resource, Workload


def nothing(reference: placeholders.Reference) -> str:
    raise AssertionError(f"nothing may be looked up: {reference}")


@given(st.text())
def test_escaped_text_resolves_to_itself(text: str) -> None:
    assert placeholders.resolve(placeholders.escape(text), nothing) == text


@given(st.lists(st.one_of(st.text(alphabet=st.characters(exclude_characters="$"), max_size=5), st.none()), max_size=8))
def test_every_placeholder_is_replaced_once_and_all_else_stays(pieces: list[str | None]) -> None:
    text = "".join("${a.b}" if piece is None else piece for piece in pieces)

    resolved = placeholders.resolve(text, lambda _: "${not.again}")

    assert resolved == "".join("${not.again}" if piece is None else piece for piece in pieces)


@given(st.text(alphabet="ab$ {}.", max_size=12), st.text(min_size=1, max_size=8))
def test_a_secret_is_never_part_of_what_is_resolved(text: str, secret: str) -> None:
    value = placeholders.resolve(f"{text}${{x.y}}", lambda _: placeholders.Secret("db.password"))

    if isinstance(value, placeholders.Composite):
        assert all(isinstance(part, str) or part.key == "db.password" for part in value.parts)


fields = st.fixed_dictionaries(
    {},
    optional={
        "class_": st.sampled_from(["default", "large"]),
        "env_type": st.sampled_from(["development", "production"]),
        "workspace": st.just("root:acme:payments"),
        "environment": st.sampled_from(["staging", "prod"]),
        "resource_id": st.sampled_from(["a", "b"]),
    },
)
candidates = st.lists(
    st.tuples(st.lists(fields, max_size=2), st.integers(0, 2)).map(
        lambda pair: Candidate(
            workspace="root:acme:payments".rsplit(":", pair[1])[0],
            name="",
            spec=ResourceDefinitionSpec(type="t", driver="d", criteria=[Criteria.read(f) for f in pair[0]]),
            distance=pair[1],
        )
    ),
    max_size=6,
).map(lambda found: [Candidate(c.workspace, f"d{i}", c.spec, c.distance) for i, c in enumerate(found)])
CONTEXT = Context("t", "root:acme:payments", "staging", "development", "default", "a")


@given(candidates)
def test_the_choice_does_not_depend_on_the_order_of_definitions(found: list[Candidate]) -> None:
    shuffled = list(reversed(found))

    assert matching.match(CONTEXT, found) == matching.match(CONTEXT, shuffled)


@given(candidates)
def test_there_is_one_line_per_definition_and_at_most_one_choice(found: list[Candidate]) -> None:
    match = matching.match(CONTEXT, found)

    assert sorted(line.definition for line in match.lines) == sorted(c.title for c in found)
    assert sum(line.chosen for line in match.lines) == (match.chosen is not None)
    assert all(line.reason for line in match.lines)
    assert bool(match.problem) == (match.chosen is None)


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3), min_size=1))
def test_resources_come_in_order_or_the_circle_is_named(edges: dict[str, set[str]]) -> None:
    resources = tuple(
        Resource(name, "dns", params={n: f"${{resources.{n}.x}}" for n in sorted(needs & edges.keys())})
        for name, needs in edges.items()
    )
    try:
        made = graph.build([Workload("web", {"name": "web"}, (), (), resources)])
    except GraphError as error:
        circle = str(error).rsplit(": ", 1)[1].split(" → ")
        if circle[0] != circle[-1]:
            raise
        return
    position = {node.identity: i for i, node in enumerate(made.nodes)}
    assert len(position) == len(edges)
    assert all(position[need] < position[node.identity] for node in made.nodes for need in node.needs)

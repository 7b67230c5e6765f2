"""Create: cards of templates, then the wizard that a template's parameters become, then the run."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from portway.apis import resources
from portway.apis.wellknown import WORKSPACE
from portway.index.catalogs import Readable
from portway.index.entities import Entity
from portway.index.references import Key, Ref
from portway.krm.errors import StatusError, not_found
from portway.portal import rendering
from portway.portal.forms import building, checking, decoding, schemas
from portway.portal.forms.fields import Data, Field, FieldKind, Option, Path
from portway.portal.forms.pickers import CatalogChoices
from portway.portal.visits import Visit, signed_in

_LARGEST = 512 * 1024
"""Bytes of a submitted form's values; far more than anybody types."""


@dataclass(frozen=True, slots=True)
class CardsContext:
    """Context of create.html."""

    templates: list[Entity]
    text: str
    types: list[tuple[str, int]]
    type: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class WizardContext:
    """Context of wizard.html and of the fragment wizard_body.html."""

    template: Entity
    url: str
    titles: list[str]
    """Of the pages; the review comes after them."""
    page: int
    """Current page from 0; the review is the number of pages."""
    description: str
    fields: tuple[Field, ...]
    dynamic: bool
    """Whether a change may show other fields."""
    error: str
    """What belongs to no single field."""
    carried: str
    """The values of all pages as JSON."""
    run: str
    """Name of the run to be: decided once, so that pressing twice makes one."""
    review: list[ReviewRow]
    workspaces: list[Option]
    """Where the run can be made, the owner's first."""
    steps: list[str]
    """What will happen, by name."""


async def cards(visit: Visit) -> Response:
    readable = await visit.readable(resources.TEMPLATES)
    text, type_ = visit.param("q").strip(), visit.param("type")
    everything = visit.catalog.all(readable, "template")
    counts: dict[str, int] = {}
    for entity in everything:
        counts[entity.type] = counts.get(entity.type, 0) + 1
    words = text.lower().split()
    found = [e for e in everything if all(word in e.text for word in words) and type_ in ("", e.type)]
    found.sort(key=lambda e: ("recommended" not in e.tags, e.label.lower()))
    context = CardsContext(found, text, sorted(counts.items()), type_)
    return visit.page("create.html", context, title="Create", nav="create")


async def start(visit: Visit) -> Response:
    wizard = await _Wizard.open(visit)
    given: Data = {}
    for name, value in visit.request.query_params.items():
        if name == "formData":
            given |= schemas.mapping(_json(value))
    return wizard.show(0, given, {})


async def step(visit: Visit) -> Response:
    wizard = await _Wizard.open(visit)
    form = await visit.request.form()
    carried = str(form.get("_carried") or "{}")
    if len(carried) > _LARGEST:
        raise StatusError(413, "RequestEntityTooLarge", "The values are too large for a form.")
    page = min(max(_int(form.get("_page")), 0), len(wizard.pages))
    data = schemas.mapping(_json(carried))
    if page < len(wizard.pages):
        data = wizard.answered(page, data, form)
    move = str(form.get("_go") or "next")
    run = str(form.get("_run") or "")
    if move == "back":
        return wizard.show(max(page - 1, 0), data, {}, run=run)
    if move.startswith("page:"):
        return wizard.show(min(max(_int(move[5:]), 0), len(wizard.pages)), data, {}, run=run)
    if move == "refresh" or form.get("_add") or form.get("_remove"):
        return wizard.show(page, data, {}, run=run)
    for number in range(page + 1 if page < len(wizard.pages) else page):
        if errors := checking.check(wizard.pages[number], wizard.own(number, data)):
            return wizard.show(number, data, errors, run=run)
    if page < len(wizard.pages):
        return wizard.show(page + 1, data, {}, run=run)
    return await wizard.create(data, str(form.get("_workspace") or ""), run)


@dataclass(frozen=True, slots=True)
class _Wizard:
    visit: Visit
    template: Entity
    pages: list[dict[str, Any]]
    choices: CatalogChoices
    mine: frozenset[Ref]
    may_create: Readable

    @classmethod
    async def open(cls, visit: Visit) -> _Wizard:
        """The template as the user may read it. Raises StatusError 403 or 404."""
        workspace, namespace, name = (visit.part(p) for p in ("workspace", "namespace", "name"))
        live = await visit.client(workspace).get(resources.TEMPLATES, name, namespace)
        readable = await visit.readable()
        entity = visit.catalog.get(Key(workspace, Ref("template", namespace, name)), lambda _: True)
        if entity is None:  # known to the API but not yet to the index
            raise not_found("templates", name, resources.TEMPLATES.group)
        parameters = (live.get("spec") or {}).get("parameters")
        pages = [p for p in (parameters if isinstance(parameters, list) else [parameters]) if isinstance(p, dict)]
        mine = visit.catalog.memberships(visit.user.name, visit.user.groups, readable)
        choices = CatalogChoices(visit.catalog, readable, mine)
        may_create = await visit.may(resources.TEMPLATE_RUNS, "create")
        return cls(visit, entity, pages, choices, mine, may_create)

    def own(self, page: int, data: Data) -> Data:
        """The values that belong to a page, with what was left at its default."""
        return decoding.prune(self.pages[page], schemas.with_defaults(self.pages[page], data))

    def answered(self, page: int, data: Data, form: FormData) -> Data:
        """All values, those of the page as just submitted."""
        schema = self.pages[page]
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        fresh = decoding.decode(pairs)
        if pointer := form.get("_add"):
            decoding.add_item(fresh, str(pointer), schema)
        if pointer := form.get("_remove"):
            decoding.remove_item(fresh, str(pointer))
        asked = set(schemas.resolve(schema, {**data, **fresh})["properties"])
        rest = {name: value for name, value in data.items() if name not in asked}
        return {**rest, **decoding.prune(schema, {**rest, **fresh})}

    def parameters(self, data: Data) -> Data:
        """What the run gets: the answers of all pages, and nothing that was asked no more."""
        values: Data = {}
        for number in range(len(self.pages)):
            values |= self.own(number, data)
        return values

    def show(
        self, page: int, data: Data, errors: dict[Path, str], *, run: str = "", problem: str = "", status: int = 200
    ) -> Response:
        reviewing = page >= len(self.pages)
        schema = {} if reviewing else self.pages[page]
        values = schemas.with_defaults(schema, data)
        fields = () if reviewing else building.build(schema, values, building.Build(self.choices, errors))
        known = {field.path for field in _flat(fields)}
        loose = [text for path, text in errors.items() if path not in known]
        template = self.template
        context = WizardContext(
            template=template,
            url=rendering.path("/create", template.workspace, template.ref.namespace, template.ref.name),
            titles=[str(p.get("title") or f"Step {n + 1}") for n, p in enumerate(self.pages)],
            page=page,
            description=str(schema.get("description") or ""),
            fields=fields,
            dynamic=schemas.is_dynamic(schema),
            error=problem or " ".join(loose),
            carried=json.dumps(data),
            run=run or f"{template.ref.name[:50]}-{secrets.token_hex(3)}",
            review=self._review(data) if reviewing else [],
            workspaces=self._workspaces(data) if reviewing else [],
            steps=[str(s.get("name") or s.get("id") or s.get("action")) for s in self._steps()],
        )
        code = 422 if errors or problem else status
        if self.visit.from_htmx:
            return self.visit.fragment("wizard_body.html", context)
        return self.visit.page("wizard.html", context, status=code, title=template.label, nav="create")

    async def create(self, data: Data, workspace: str, run: str) -> Response:
        offered = [option.value for option in self._workspaces(data)]
        if workspace not in offered:
            return self.show(len(self.pages), data, {}, run=run, problem="Choose the workspace to make it in.")
        key = self.template.key
        reference = {"name": key.ref.name, "namespace": key.ref.namespace, "workspace": key.workspace}
        manifest = {
            "metadata": {"name": run, "namespace": "default"},
            "spec": {"template": reference, "parameters": self.parameters(data)},
        }
        target = rendering.path("/runs/templates", workspace, "default", run)
        try:
            await self.visit.client(workspace).create(resources.TEMPLATE_RUNS, manifest, "default")
        except StatusError as error:
            if error.code == 401:
                raise
            if error.reason != "AlreadyExists":  # the button was pressed twice: the first one counts
                return self.show(len(self.pages), data, {}, run=run, problem=error.message)
        if self.visit.from_htmx:
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    def _steps(self) -> list[dict[str, Any]]:
        found = schemas.listing((self.template.manifest.get("spec") or {}).get("steps"))
        return [s for s in found if isinstance(s, dict)]

    def _review(self, data: Data) -> list[ReviewRow]:
        rows = []
        for number, schema in enumerate(self.pages):
            own = self.own(number, data)
            asked = schemas.resolve(schema, own)["properties"]
            for field in building.build(schema, own, building.Build(self.choices, {})):
                wish = schemas.mapping(schemas.mapping(asked[field.path[0]].get("ui:backstage")).get("review"))
                if wish.get("show") is False:
                    continue
                mask = str(wish.get("mask") or "")
                rows += [ReviewRow(label, mask or value) for label, value in _summary((field,))]
        return rows

    def _workspaces(self, data: Data) -> list[Option]:
        """The owner's workspace first and chosen, then the workspaces of the user's groups, then the others."""
        ranked = [w for ref in self._owners(data) if (w := self._workspace_of(ref)) and self.may_create(w)]
        groups = sorted(ref for ref in self.mine if ref.kind == "group")
        ranked += [w for ref in groups if (w := self._workspace_of(ref)) and self.may_create(w)]
        rest = {e.workspace for e in self.visit.index.catalog.all(self.may_create)} | self._teams()
        ranked += sorted(w for w in rest if self.may_create(w))
        return [Option(w, w, not at) for at, w in enumerate(dict.fromkeys(ranked))]

    def _teams(self) -> set[str]:
        return self.visit.index.environments.workspaces()

    def _owners(self, data: Data) -> list[Ref]:
        """The values of OwnerPicker fields, and of one called owner."""
        values = []
        for number, schema in enumerate(self.pages):
            for name, part in schemas.resolve(schema, data)["properties"].items():
                if name == "owner" or (isinstance(part, dict) and part.get("ui:field") == "OwnerPicker"):
                    values.append(self.own(number, data).get(name))
        return [ref for value in values if isinstance(value, str) and (ref := Ref.parse(value, "group"))]

    def _workspace_of(self, ref: Ref) -> str:
        group = self.visit.catalog.resolve(ref, self.template.workspace, self.choices.readable)
        notes = ((group.manifest if group else {}).get("metadata") or {}).get("annotations") or {}
        return str(notes.get(WORKSPACE) or "")


def _summary(fields: tuple[Field, ...], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for field in fields:
        label = f"{prefix}{field.label}"
        if field.kind in (FieldKind.OBJECT, FieldKind.LIST) or field.kind is FieldKind.REPOSITORY:
            rows += _summary(field.children, f"{label} · ")
        elif field.kind is not FieldKind.NOTE:
            rows.append((label, _said(field)))
    return rows


def _said(field: Field) -> str:
    if field.kind is FieldKind.BOOLEAN:
        return "yes" if field.checked else "no"
    if field.kind is FieldKind.PASSWORD:
        return "••••••••" if field.text else "—"
    if field.options and field.kind is not FieldKind.SUGGESTED:
        return ", ".join(option.label for option in field.options if option.chosen) or "—"
    return field.text or "—"


def _flat(fields: tuple[Field, ...]) -> list[Field]:
    return [f for field in fields for f in (field, *_flat(field.children))]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _int(value: object) -> int:
    text = str(value or "0")
    return int(text) if text.isdigit() and len(text) < 5 else 0


ROUTES = [
    Route("/create", signed_in(cards)),
    Route("/create/{workspace}/{namespace}/{name}", signed_in(start), methods=["GET"]),
    Route("/create/{workspace}/{namespace}/{name}", signed_in(step), methods=["POST"]),
]

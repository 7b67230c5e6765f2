"""A believable organisation in an in-memory API: two teams, their systems, services, runs and resources."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from portway.apis import resources
from portway.client.contract import Client, Resource
from portway.client.memory import MemoryClient
from portway.krm import errors

ORG, PAYMENTS, SHOP = "root:acme", "root:acme:payments", "root:acme:shop"
TOKEN = "pw_ada"
POSTGRES = resources.claim("postgreses", "Postgres")

Manifest = dict[str, Any]


def before(**delta: float) -> str:
    return (datetime.now(UTC) - timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


class AcmeClient(MemoryClient):
    """Answers a dry run of a Postgres claim with a plan, as admission does, and keeps eve out of payments."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        self._check(resource.plural, name)
        return await super().get(resource, name, namespace)

    async def post(self, path: str, body: Manifest) -> Manifest:
        answer = await super().post(path, body)
        if path.endswith("/selfsubjectaccessreviews") and self._is_kept_out:
            answer["status"] = {"allowed": False}
        return answer

    @property
    def _is_kept_out(self) -> bool:
        return self.user == "eve" and self.workspace == PAYMENTS

    def _check(self, plural: str, name: str) -> None:
        secret = self.user == "linus" and plural == "secrets"
        if self._is_kept_out or secret:
            raise errors.forbidden(plural, name, f"{self.user} cannot get it")

    def _view(self, workspace: str, user: str) -> AcmeClient:
        plain = super()._view(workspace, user)
        plain.__class__ = AcmeClient
        return cast("AcmeClient", plain)

    async def create(
        self, resource: Resource, manifest: Manifest, namespace: str | None = None, *, dry_run: bool = False
    ) -> Manifest:
        made = await super().create(resource, manifest, namespace, dry_run=dry_run)
        if dry_run and resource == POSTGRES:
            return {
                **made,
                "status": {"definition": PLAN["definition"], "driver": "postgres", "match": MATCH, "plan": PLAN},
            }
        return made


def new_client() -> MemoryClient:
    return AcmeClient(users={TOKEN: "ada", "pw_eve": "eve", "pw_linus": "linus"})


async def put(client: Client, workspace: str, resource: Resource, manifest: Manifest) -> None:
    place = client.at(workspace)
    status = manifest.pop("status", None)
    namespace = (manifest["metadata"].get("namespace") or "default") if resource.namespaced else None
    made = await place.create(resource, manifest, namespace)
    if status is not None:
        await place.update(resource, {**made, "status": status}, subresource="status")


def entity(name: str, spec: Manifest, about: Manifest | None = None, **rest: Any) -> Manifest:
    metadata = {"name": name, "annotations": rest.pop("annotations", {})}
    return {"metadata": metadata, "spec": spec, "about": {"name": name, **(about or {})}, **rest}


def deployed(environment: str, health: str, url: str, message: str = "") -> Manifest:
    return {
        "environment": environment,
        "workload": "",
        "health": health,
        "message": message,
        "release": "orders-7d9f2c1",
        "revision": "4be2a71c9d0f6e5b8a7c3d2e1f0a9b8c7d6e5f40",
        "endpoints": [{"name": "web", "url": url}] if url else [],
        "resources": ["Postgres/orders-db"],
        "updatedAt": before(minutes=12),
    }


async def seed(client: Client) -> None:
    await _organisation(client)
    await _payments(client)
    await _shop(client)
    await _platform(client)
    await _running(client)
    await _runs(client)


async def _organisation(client: Client) -> None:
    workspace: Manifest = {"spec": {"type": {"name": "organization"}}, "status": {"phase": "Ready"}}
    await put(client, "root", resources.WORKSPACES, {"metadata": {"name": "acme"}, **workspace})
    for team in ("payments", "shop"):
        await put(client, ORG, resources.WORKSPACES, {"metadata": {"name": team}, **workspace})
    for name, title, where in (
        ("engineering", "Engineering", ""),
        ("payments", "Payments", PAYMENTS),
        ("shop", "Shop", SHOP),
        ("platform", "Platform", ORG),
    ):
        spec = {"type": "team", "children": [], "profile": {"displayName": title}}
        if name != "engineering":
            spec["parent"] = "engineering"
        notes = {"portway.dev/workspace": where} if where else {}
        await put(client, ORG, resources.GROUPS, entity(name, spec, annotations=notes))
    for name, title, groups in (
        ("ada", "Ada Byron", ["payments"]),
        ("grace", "Grace Murray", ["payments", "platform"]),
        ("linus", "Linus Berg", ["shop"]),
    ):
        spec = {"memberOf": groups, "profile": {"displayName": title, "email": f"{name}@acme.example"}}
        await put(client, ORG, resources.USERS, entity(name, spec))
    await put(client, ORG, resources.DOMAINS, entity("commerce", {"owner": "engineering"}, {"title": "Commerce"}))


async def _payments(client: Client) -> None:
    systems = {"owner": "group:payments", "domain": "commerce"}
    about = {"title": "Checkout", "description": "Everything between the basket and the confirmation."}
    await put(client, PAYMENTS, resources.SYSTEMS, entity("checkout", systems, about))
    orders = entity(
        "orders",
        {
            "type": "service",
            "lifecycle": "production",
            "owner": "payments",
            "system": "checkout",
            "providesApis": ["orders-api"],
            "consumesApis": ["ledger-api"],
            "dependsOn": ["resource:orders-db"],
        },
        {
            "title": "Orders",
            "description": "Takes orders and keeps them until they are paid, shipped or given up.",
            "tags": ["python", "postgres", "tier-1"],
            "links": [
                {"url": "https://grafana.acme.example/d/orders", "title": "Dashboard", "icon": "dashboard"},
                {"url": "https://chat.acme.example/payments", "title": "Team chat", "icon": "chat"},
            ],
        },
        annotations={"backstage.io/techdocs-ref": "dir:.", "portway.dev/repository": "orders"},
        status={
            "items": [
                {
                    "type": "catalog",
                    "level": "warning",
                    "message": "spec.consumesApis[1]: api:refunds-api is not in the catalog",
                }
            ],
            "health": "healthy",
            "deployments": [
                {**deployed("staging", "healthy", "http://127.0.0.1:18081"), "workload": "orders"},
                {**deployed("production", "progressing", "", "waiting for the readiness probe"), "workload": "orders"},
            ],
        },
    )
    await put(client, PAYMENTS, resources.COMPONENTS, orders)
    ledger = entity(
        "ledger",
        {
            "type": "service",
            "lifecycle": "production",
            "owner": "payments",
            "system": "checkout",
            "providesApis": ["ledger-api"],
        },
        {
            "title": "Ledger",
            "description": "Double-entry bookkeeping; the last word on money.",
            "tags": ["go", "tier-1"],
        },
        status={
            "health": "degraded",
            "deployments": [deployed("staging", "degraded", "", "exit code 1: DATABASE_URL is not set")],
        },
    )
    await put(client, PAYMENTS, resources.COMPONENTS, ledger)
    fraud = {"type": "library", "lifecycle": "experimental", "owner": "payments", "system": "checkout"}
    await put(client, PAYMENTS, resources.COMPONENTS, entity("fraud-rules", fraud, {"tags": ["python"]}))
    api = {"type": "openapi", "lifecycle": "production", "owner": "payments", "system": "checkout"}
    text = "openapi: 3.1.0\ninfo:\n  title: Orders\n  version: 1.0.0\npaths:\n  /orders:\n    get:\n      summary: All orders\n"
    await put(
        client, PAYMENTS, resources.APIS, entity("orders-api", {**api, "definition": text}, {"title": "Orders API"})
    )
    await put(
        client, PAYMENTS, resources.APIS, entity("ledger-api", {**api, "definition": text}, {"title": "Ledger API"})
    )
    database = {"type": "postgres", "owner": "payments", "system": "checkout"}
    await put(
        client,
        PAYMENTS,
        resources.CATALOG_RESOURCES,
        entity("orders-db", database, {"description": "Orders and their lines."}),
    )


async def _shop(client: Client) -> None:
    await put(client, SHOP, resources.SYSTEMS, entity("storefront", {"owner": "shop", "domain": "commerce"}))
    web = {
        "type": "website",
        "lifecycle": "production",
        "owner": "shop",
        "system": "storefront",
        "consumesApis": ["orders-api"],
    }
    about = {"title": "Web shop", "description": "What customers see.", "tags": ["typescript", "tier-1"]}
    status = {"health": "healthy", "deployments": [deployed("staging", "healthy", "http://127.0.0.1:18082")]}
    await put(client, SHOP, resources.COMPONENTS, entity("web-shop", web, about, status=status))
    for name, kind in (
        ("search-indexer", "service"),
        ("recommendations", "service"),
        ("design-tokens", "library"),
        ("newsletter", "service"),
    ):
        spec = {
            "type": kind,
            "lifecycle": "experimental" if name == "newsletter" else "production",
            "owner": "shop",
            "system": "storefront",
        }
        await put(
            client,
            SHOP,
            resources.COMPONENTS,
            entity(name, spec, {"tags": ["typescript" if kind == "library" else "python"]}),
        )


TEMPLATE: Manifest = {
    "metadata": {"name": "python-service"},
    "about": {
        "name": "python-service",
        "title": "Python service",
        "description": "A small HTTP service with tests, a pipeline, docs and, if you like, a PostgreSQL database.",
        "tags": ["python", "recommended"],
    },
    "spec": {
        "type": "service",
        "owner": "platform",
        "parameters": [
            {
                "title": "About the service",
                "required": ["name", "owner"],
                "properties": {
                    "name": {
                        "title": "Name",
                        "type": "string",
                        "pattern": "^[a-z][a-z0-9-]{1,40}$",
                        "description": "Lower-case letters, digits and hyphens; becomes the name of the repository too.",
                        "ui:field": "EntityNamePicker",
                        "ui:autofocus": True,
                    },
                    "description": {"title": "Description", "type": "string", "ui:widget": "textarea", "ui:placeholder": "What is it for?"},
                    "owner": {"title": "Owner", "type": "string", "ui:field": "OwnerPicker", "ui:options": {"catalogFilter": {"kind": "Group"}}},
                },
            },
            {
                "title": "What it needs",
                "properties": {
                    "database": {"title": "Needs a database", "type": "boolean", "default": True},
                    "tags": {"title": "Tags", "type": "array", "items": {"type": "string"}, "ui:field": "EntityTagsPicker"},
                    "environment": {"title": "First environment", "type": "string", "enum": ["staging", "production"], "enumNames": ["Staging", "Production"], "default": "staging", "ui:widget": "radio"},
                },
                "dependencies": {
                    "database": {
                        "oneOf": [
                            {"properties": {"database": {"const": False}}},
                            {
                                "properties": {
                                    "database": {"const": True},
                                    "size": {"title": "Database size", "type": "string", "enum": ["small", "large"], "default": "small"},
                                }
                            },
                        ]
                    }
                },
            },
        ],
        "steps": [
            {"id": "render", "name": "Render the repository", "action": "fetch:template"},
            {"id": "publish", "name": "Publish the repository", "action": "publish:portway"},
            {"id": "deploy", "name": "Run the pipeline", "action": "pipeline:run"},
            {"id": "register", "name": "Register in the catalog", "action": "catalog:register"},
        ],
    },
}  # fmt: skip


async def _platform(client: Client) -> None:
    await put(client, ORG, resources.TEMPLATES, {**TEMPLATE, "metadata": dict(TEMPLATE["metadata"])})
    docs: Manifest = {
        "metadata": {"name": "docs-site"},
        "about": {"name": "docs-site", "title": "Documentation site", "description": "A repository for a team's handbook.", "tags": ["docs"]},
        "spec": {"type": "documentation", "owner": "platform", "parameters": [{"title": "Docs", "properties": {"name": {"type": "string"}}}], "steps": []},
    }  # fmt: skip
    await put(client, ORG, resources.TEMPLATES, docs)
    for name, kind, title, icon, text in (
        ("postgres", "Postgres", "PostgreSQL database", "database", "A database of your own on a shared server, with a role and a password."),
        ("repository", "Repository", "Git repository", "git-branch", "A repository on Portway's git server."),
    ):  # fmt: skip
        schema = {
            "type": "object",
            "required": ["size"] if name == "postgres" else [],
            "properties": {
                "size": {"type": "string", "enum": ["small", "large"], "default": "small", "description": "How much memory and disk it may use."},
                "extensions": {"type": "array", "items": {"type": "string"}, "description": "Extensions to create, such as pg_trgm."},
            },
        }  # fmt: skip
        spec = {
            "kind": kind,
            "plural": "postgreses" if name == "postgres" else "repositories",
            "title": title,
            "description": text,
            "icon": icon,
            "versions": [{"name": "v1", "schema": schema}],
            "bindingType": "postgresql" if name == "postgres" else "",
            "outputs": {"host": {"description": "Server"}, "password": {"description": "Password", "secret": True}},
        }
        await put(client, ORG, resources.RESOURCE_TYPES, {"metadata": {"name": name}, "spec": spec})
    for team in (PAYMENTS, SHOP):
        for name, kind in (("staging", "staging"), ("production", "production")):
            environment = {"metadata": {"name": name}, "spec": {"type": kind}, "status": {"namespace": name}}
            await put(client, team, resources.ENVIRONMENTS, environment)


MATCH = [
    {"definition": "root:acme/postgres-shared", "matched": True, "chosen": True, "reason": "class default and envType staging are what it is for; most specific of 2"},
    {"definition": "root:acme/postgres-any", "matched": True, "chosen": False, "reason": "matches, but a more specific definition does too"},
    {"definition": "root:acme/postgres-production", "matched": False, "chosen": False, "reason": "envType is staging, it is for production"},
]  # fmt: skip
PLAN = {
    "definition": "root:acme/postgres-shared",
    "driver": "postgres",
    "steps": [
        {"verb": "create", "what": "role orders_db_4f1c", "before": {}, "after": {"login": True}},
        {"verb": "create", "what": "database orders_db_4f1c", "before": {}, "after": {"owner": "orders_db_4f1c"}},
    ],
    "cost": {"monthly": 12.5, "currency": "EUR"},
    "plannedAt": "2026-01-01T10:00:00Z",
}


def condition(type_: str, status: str, reason: str, message: str = "") -> Manifest:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": before(minutes=12),
    }


async def _running(client: Client) -> None:
    claim: Manifest = {
        "metadata": {"name": "orders-db", "namespace": "staging", "labels": {"portway.dev/workload": "orders"}},
        "spec": {"class": "default", "size": "small"},
        "status": {
            "definition": "root:acme/postgres-shared",
            "driver": "postgres",
            "match": MATCH,
            "plan": PLAN,
            "health": "healthy",
            "message": "",
            "outputs": {"host": "127.0.0.1", "port": 5432, "database": "orders_db_4f1c", "username": "orders_db_4f1c"},
            "binding": {"name": "orders-db-credentials"},
            "requestedBy": "ada",
            "conditions": [condition("Ready", "True", "Available", "The database answers.")],
        },
    }
    await put(client, PAYMENTS, POSTGRES, claim)
    repository: Manifest = {
        "metadata": {"name": "orders"},
        "spec": {},
        "status": {"health": "healthy", "driver": "git"},
    }
    await put(client, PAYMENTS, resources.claim("repositories", "Repository"), repository)
    secret: Manifest = {
        "metadata": {"name": "orders-db-credentials", "namespace": "staging"},
        "type": "servicebinding.io/postgresql",
        "data": {"host": "MTI3LjAuMC4x", "port": "NTQzMg==", "database": "b3JkZXJz", "username": "b3JkZXJz", "password": "czNjcjN0LXZhbHVl"},
    }  # fmt: skip
    await put(client, PAYMENTS, resources.SECRETS, secret)
    workload: Manifest = {
        "metadata": {"name": "orders", "namespace": "staging", "annotations": {"portway.dev/component": "orders"}},
        "spec": {
            "score": {"apiVersion": "score.dev/v1b1", "metadata": {"name": "orders"}, "containers": {"web": {"image": "."}}},
            "source": {"repository": "orders", "revision": "4be2a71c9d0f6e5b8a7c3d2e1f0a9b8c7d6e5f40"},
        },
        "status": {
            "health": "healthy",
            "definition": "root:acme/local-processes",
            "match": [{"definition": "root:acme/local-processes", "matched": True, "chosen": True, "reason": "the only one of type workload"}],
            "resources": [{"alias": "db", "type": "postgres", "claim": "Postgres/orders-db", "ready": True}],
            "endpoints": [{"name": "web", "url": "http://127.0.0.1:18081"}],
            "containers": [{"name": "web", "state": "running", "restarts": 0}],
            "release": "orders-7d9f2c1",
            "conditions": [condition("Ready", "True", "Running", "All containers run and answer their probes.")],
        },
    }  # fmt: skip
    await put(client, PAYMENTS, resources.WORKLOADS, workload)
    crashed: Manifest = {
        "metadata": {"name": "ledger", "namespace": "staging"},
        "spec": {"score": {"metadata": {"name": "ledger"}}},
        "status": {
            "health": "degraded",
            "message": "container web exits with 1",
            "containers": [
                {"name": "web", "state": "crashed", "restarts": 5, "exitCode": 1, "message": "Traceback (most recent call last):\n  File \"main.py\", line 7, in <module>\nKeyError: 'DATABASE_URL'"}
            ],
            "conditions": [condition("Ready", "False", "Crashed", "Container web exits with 1 again and again.")],
        },
    }  # fmt: skip
    await put(client, PAYMENTS, resources.WORKLOADS, crashed)
    event: Manifest = {
        "metadata": {"name": "orders.1", "namespace": "staging"},
        "involvedObject": {"kind": "Workload", "name": "orders", "namespace": "staging"},
        "type": "Normal",
        "reason": "Started",
        "message": "Release orders-7d9f2c1 runs; its readiness probe answers.",
        "lastTimestamp": before(minutes=12),
        "count": 1,
    }
    await put(client, PAYMENTS, resources.EVENTS, event)


def step(id_: str, name: str, phase: str, log: list[str], start: float = 0, took: float = 1.0) -> Manifest:
    began = datetime.now(UTC) - timedelta(minutes=12) + timedelta(seconds=start)
    manifest: Manifest = {"id": id_, "name": name, "phase": phase, "log": log}
    if phase != "Pending":
        manifest["startedAt"] = began.isoformat()
    if phase in ("Succeeded", "Failed"):
        manifest["finishedAt"] = (began + timedelta(seconds=took)).isoformat()
    return manifest


async def _runs(client: Client) -> None:
    done: Manifest = {
        "metadata": {"name": "python-service-x7k2p", "namespace": "default"},
        "spec": {
            "template": {"name": "python-service", "namespace": "default", "workspace": ORG},
            "parameters": {"name": "orders", "owner": "group:default/payments", "database": True},
        },
        "status": {
            "phase": "Succeeded",
            "startedAt": before(minutes=12),
            "finishedAt": before(minutes=11.9),
            "steps": [
                step("render", "Render the repository", "Succeeded", ["Fetched template at 1f0a9b8", "Rendered 14 files"], 0, 0.4),
                step("publish", "Publish the repository", "Succeeded", ["Repository claim orders is ready", "Pushed 4be2a71 to main"], 0.4, 1.1),
                step("deploy", "Run the pipeline", "Succeeded", ["test: 7 passed in 0.42s", "Workload orders is ready in staging"], 1.5, 4.8),
                step("register", "Register in the catalog", "Succeeded", ["Registered component:default/orders"], 6.3, 0.2),
            ],
            "output": {
                "links": [
                    {"title": "Open in the catalog", "entityRef": "component:default/orders", "icon": "catalog"},
                    {"title": "Open the service", "url": "http://127.0.0.1:18081"},
                ],
                "text": [{"title": "Next", "content": "Clone the repository and push: every push to `main` is **deployed**."}],
            },
        },
    }  # fmt: skip
    await put(client, PAYMENTS, resources.TEMPLATE_RUNS, done)
    running: Manifest = {
        "metadata": {"name": "python-service-live1", "namespace": "default"},
        "spec": {"template": {"name": "python-service", "workspace": ORG}, "parameters": {"name": "refunds", "owner": "payments"}},
        "status": {
            "phase": "Running",
            "startedAt": before(seconds=5),
            "steps": [
                step("render", "Render the repository", "Succeeded", ["Rendered 14 files"], 0, 0.4),
                step("publish", "Publish the repository", "Running", ["Waiting for Repository refunds"], 0.4),
                step("deploy", "Run the pipeline", "Pending", []),
                step("register", "Register in the catalog", "Pending", []),
            ],
        },
    }  # fmt: skip
    await put(client, PAYMENTS, resources.TEMPLATE_RUNS, running)
    pipeline: Manifest = {
        "metadata": {"name": "ledger-9c8b7a6", "namespace": "default"},
        "spec": {"repository": "ledger", "revision": "9c8b7a6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b"},
        "status": {
            "phase": "Failed",
            "message": "step test failed with exit code 1",
            "startedAt": before(hours=2),
            "finishedAt": before(hours=1.99),
            "steps": [
                step("test", "test", "Failed", ["$ pytest -q", "F.....", "E   AssertionError: balance is 3, expected 4", "1 failed, 5 passed"]),
                step("deploy", "deploy", "Pending", []),
            ],
        },
    }  # fmt: skip
    await put(client, PAYMENTS, resources.PIPELINE_RUNS, pipeline)


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Let other tasks run until it holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  the condition belongs to code that signals nothing
            await asyncio.sleep(0.01)

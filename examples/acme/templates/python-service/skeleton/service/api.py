"""The HTTP API, and one page that shows the newest ${{ values.records }}."""

from __future__ import annotations

import contextlib
import html
import json
import os
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from service.storage import Storage

NAME = os.environ.get("SERVICE_NAME", "${{ values.name }}")


def create_app(storage: Storage) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        await storage.open()
        yield
        await storage.close()

    async def healthz(request: Request) -> Response:
        await storage.ping()
        return JSONResponse({"status": "ok"})

    async def index(request: Request) -> Response:
        return HTMLResponse(_page(await storage.newest(100)))

    async def listing(request: Request) -> Response:
        return JSONResponse(await storage.newest(100))

    async def add(request: Request) -> Response:
        try:
            customer, total = _read(await request.body())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        return JSONResponse(await storage.add(customer, total), status_code=201)

    async def one(request: Request) -> Response:
        row = await storage.get(request.path_params["number"])
        if row is None:
            return JSONResponse({"error": "there is no such record"}, status_code=404)
        return JSONResponse(row)

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", index),
            Route("/healthz", healthz),
            Route("/${{ values.records }}", listing),
            Route("/${{ values.records }}", add, methods=["POST"]),
            Route("/${{ values.records }}/{number:int}", one),
        ],
    )


def _read(body: bytes) -> tuple[str, float]:
    try:
        value: Any = json.loads(body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("customer"), str) or not value["customer"]:
        raise ValueError("customer: expected a name")
    total = value.get("total")
    if isinstance(total, bool) or not isinstance(total, int | float) or not 0 <= total < 1e9:
        raise ValueError("total: expected a number from 0 to 1,000,000,000")
    return value["customer"], float(total)


def _page(rows: list[dict]) -> str:
    cells = "".join(
        f"<tr><td>{row['id']}</td><td>{html.escape(row['customer'])}</td><td>{row['total']:.2f}</td></tr>" for row in rows
    )
    body = cells or '<tr><td colspan="3">Nothing yet. POST /${{ values.records }} adds one.</td></tr>'
    return (
        f"<!doctype html><title>{html.escape(NAME)}</title>"
        "<style>body{font:16px system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem;border-bottom:1px solid #ddd}</style>"
        f"<h1>{html.escape(NAME)}</h1><table><tr><th>#</th><th>customer</th><th>total</th></tr>{body}</table>"
    )

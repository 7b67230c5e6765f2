import asyncio

import httpx
import pytest

from service.api import create_app
from service.storage import MemoryStorage


class Client:
    """Calls the app itself: no port, no waiting."""

    def __init__(self) -> None:
        self._transport = httpx.ASGITransport(app=create_app(MemoryStorage()))

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://test") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(call())


@pytest.fixture
def client() -> Client:
    return Client()


def test_what_is_stored_can_be_read_back(client: Client) -> None:
    stored = client.request("POST", "/${{ values.records }}", {"customer": "Ada", "total": 12.5})
    assert stored.status_code == 201
    assert client.request("GET", "/${{ values.records }}/1").json() == {"id": 1, "customer": "Ada", "total": 12.5}
    assert [row["customer"] for row in client.request("GET", "/${{ values.records }}").json()] == ["Ada"]


@pytest.mark.parametrize(
    "body", [{}, {"customer": ""}, {"customer": "Ada", "total": "much"}, {"customer": "Ada", "total": -1}]
)
def test_a_bad_record_is_refused_with_a_reason(client: Client, body: object) -> None:
    answer = client.request("POST", "/${{ values.records }}", body)
    assert answer.status_code == 422
    assert "expected" in answer.json()["error"]


def test_an_unknown_record_is_not_found(client: Client) -> None:
    assert client.request("GET", "/${{ values.records }}/7").status_code == 404


def test_the_page_shows_what_is_stored_and_escapes_it(client: Client) -> None:
    client.request("POST", "/${{ values.records }}", {"customer": "<script>", "total": 1})
    assert "&lt;script&gt;" in client.request("GET", "/").text


def test_it_says_that_it_is_healthy(client: Client) -> None:
    assert client.request("GET", "/healthz").json() == {"status": "ok"}

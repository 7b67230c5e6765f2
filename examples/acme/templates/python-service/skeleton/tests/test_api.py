import pytest
from starlette.testclient import TestClient

from service.api import create_app
from service.storage import MemoryStorage


@pytest.fixture
def client():
    with TestClient(create_app(MemoryStorage())) as client:
        yield client


def test_what_is_stored_can_be_read_back(client):
    stored = client.post("/${{ values.records }}", json={"customer": "Ada", "total": 12.5})
    assert stored.status_code == 201
    assert client.get(f"/${{ values.records }}/{stored.json()['id']}").json() == {"id": 1, "customer": "Ada", "total": 12.5}
    assert [row["customer"] for row in client.get("/${{ values.records }}").json()] == ["Ada"]


@pytest.mark.parametrize("body", [{}, {"customer": ""}, {"customer": "Ada", "total": "much"}, {"customer": "Ada", "total": -1}])
def test_a_bad_record_is_refused_with_a_reason(client, body):
    answer = client.post("/${{ values.records }}", json=body)
    assert answer.status_code == 422
    assert "expected" in answer.json()["error"]


def test_an_unknown_record_is_not_found(client):
    assert client.get("/${{ values.records }}/7").status_code == 404


def test_the_page_shows_what_is_stored_and_escapes_it(client):
    client.post("/${{ values.records }}", json={"customer": "<script>", "total": 1})
    assert "&lt;script&gt;" in client.get("/").text


def test_it_says_that_it_is_healthy(client):
    assert client.get("/healthz").json() == {"status": "ok"}

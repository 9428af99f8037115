import re
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest
import structlog
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from review.api.answers import items as answers
from review.api.app import create_api
from review.queries import items
from review.store import engine
from review.store.engine import Store
from tests.support.serving import Caller, in_process
from tests.support.world import World

ANY_ID = "01a204e9-0000-7000-8000-000000000000"


@pytest.fixture
def api(sqlite_store: Store) -> Caller:
    """Calls in process; none of this depends on the engine."""
    return in_process(World(sqlite_store))


class Links(HTMLParser):
    """What a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_docs_page_loads_nothing_from_elsewhere(api: Caller) -> None:
    page = api.get("/docs", None)
    links = Links()
    links.feed(page.text)
    local = [link for link in links.found if not link.startswith("data:")]
    assert len(local) == 3
    for link in local:
        assert not re.match(r"[a-z]+:|//", link)
        assert api.get(f"/{link}", None).status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert 'url: "openapi.json"' in api.get("/docs/start.js", None).text
    assert api.get("/docs/files/../../pyproject.toml", None).status_code == 404


def test_the_document_says_where_it_is_served_and_who_may_call(api: Caller) -> None:
    document = api.get("/openapi.json", None).json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["security"] == [{"key": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []
    body = document["paths"]["/outputs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Output"}


def test_every_reference_of_the_document_leads_somewhere(api: Caller) -> None:
    text = api.get("/openapi.json", None).text
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named <= set(api.get("/openapi.json", None).json()["components"]["schemas"])
    assert "HTTPValidationError" not in text


def test_every_route_is_in_the_docs(api: Caller) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for path, methods in api.get("/openapi.json", None).json()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in docs


def test_health_and_readiness_need_no_key(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.get("/healthz", None).json() == {"status": "ok"}
    assert api.get("/readyz", None).json() == {"status": "ready"}
    monkeypatch.setattr(Store, "is_ready", lambda _store: False)
    answer = api.get("/readyz", None)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_a_key_tells_whose_it_is(api: Caller) -> None:
    assert api.get("/me", "helper").json() == {
        "kind": "api_key", "name": "helper", "role": None, "system": "helper", "permissions": ["submit"],
    }  # fmt: skip
    ann = api.get("/me").json()
    assert (ann["kind"], ann["name"], ann["role"], ann["system"]) == ("person", "Ann", "reviewer", None)
    assert "decide" in ann["permissions"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "hp_abc", "Bearer ümläut"])
def test_a_header_without_a_key_is_refused(api: Caller, header: str) -> None:
    answer = api.http.get("/api/v1/me", headers={"authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:holdpoint:unauthenticated"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/items/", 404), ("DELETE", "/items", 405), ("GET", "/outputs", 405)],
)
def test_addresses_that_are_none_are_problems_too(api: Caller, method: str, path: str, status: int) -> None:
    answer = api.call(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["instance"] == f"/api/v1{path}"
    if status == 405:
        assert answer.headers["allow"]
    else:
        assert answer.json()["type"] == "urn:holdpoint:not-found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/items?limt=2"),
        ("GET", f"/items/{ANY_ID}?wait=3"),
        ("GET", f"/items/{ANY_ID}/release?wait=0&waits=3"),
        ("POST", "/tasks/claim?queue=default"),
        ("POST", f"/decisions/{ANY_ID}/undo?force=1"),
    ],
)
def test_parameters_that_are_none_are_refused(api: Caller, method: str, path: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 422
    assert answer.json()["field"] == path.partition("?")[2].split("&")[-1].partition("=")[0]
    assert "is not a known parameter" in answer.json()["detail"]


def test_a_busy_database_is_said_to_be_so_and_the_server_stays_up(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.5)
    with ThreadPoolExecutor(60) as pool, api.world.store.write():
        waiting = [pool.submit(api.post, "/tasks/claim", {}) for _ in range(60)]
        began = time.monotonic()
        assert api.get("/healthz", None).status_code == 200
        assert api.get("/readyz", None).status_code == 200
        assert time.monotonic() - began < 0.5
        answers = [one.result(20) for one in waiting]
    assert {one.status_code for one in answers} == {503}
    assert {one.json()["type"] for one in answers} == {"urn:holdpoint:busy"}
    assert {one.headers["retry-after"] for one in answers} == {"2"}


def test_a_failure_is_logged_without_the_values_of_variables(
    api: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        secret_in_a_local = "a customer's text"
        raise RuntimeError(len(secret_in_a_local))

    structlog.reset_defaults()
    create_api(api.world.store)
    monkeypatch.setattr(items, "listing", fail)
    assert api.get("/items").status_code == 500
    told = capsys.readouterr()
    assert "RuntimeError" in told.err
    assert "customer's text" not in told.out + told.err


def test_a_failure_is_logged_under_the_reference_that_is_answered(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(items, "listing", fail)
    with capture_logs() as logged:
        answer = api.get("/items")
    assert answer.status_code == 500
    problem = answer.json()
    assert "secret" not in answer.text
    assert problem["instance"].startswith("urn:uuid:")
    assert [(one["reference"], str(one["exc_info"])) for one in logged] == [(problem["instance"], "secret detail")]


def test_a_database_that_does_not_answer_is_said_to_be_so(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("select 1", None, Exception("gone"))

    monkeypatch.setattr(items, "listing", fail)
    with capture_logs():
        answer = api.get("/items")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


def test_answers_are_kept_by_no_cache(api: Caller) -> None:
    for answer in (api.get("/items"), api.get("/nowhere")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_of_nothing_end(api: Caller) -> None:
    assert api.get("/items").json() == answers.page([], 50)

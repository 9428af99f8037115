"""Requests made from the OpenAPI document alone: nothing fails, and every answer is what the document says."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from review.api.app import create_api
from review.store.engine import Store
from tests.support.databases import Postgresql, opened, sqlite_url
from tests.support.world import World, output

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
N_EXAMPLES = {"sqlite": 20, "postgresql": 6}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One world for all of these, on each engine, with things in it to find."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path_factory.mktemp("schema"))
    else:
        server: Postgresql = request.getfixturevalue("postgresql")
        url = server.emptied()
    with opened(url) as store:
        world = World(store)
        world.submit(*(output(f"x{index}", confidence=index / 40) for index in range(40)))
        task = world.claim("bob")
        assert task is not None
        world.decide(task, "bob")
        yield world


@pytest.fixture(scope="module")
def document(kept: World) -> Any:
    """The document as the interface gives it, read once."""
    return schemathesis.openapi.from_asgi("/openapi.json", create_api(kept.store, clock=lambda: kept.now))


@schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl")
def lines(_context: Any, value: Any) -> bytes:
    """The text of a batch as it is."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


OPERATIONS = [
    (path, method)
    for path, methods in create_api(Store("postgresql://unused/unused")).openapi()["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_what_the_document_says(kept: World, document: Any, path: str, method: str) -> None:
    operation = document[path][method]
    key = kept.tokens["helper" if path.startswith("/outputs") else "lea"]

    @seed(20260302)
    @settings(
        max_examples=N_EXAMPLES[kept.store.engine.dialect.name], deadline=None, database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if path == "/outputs" and isinstance(case.body, dict):
            case.body["system"] = "helper"
        if case.query and "wait" in case.query:
            case.query["wait"] = 0
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {key}"})

    ask()


def test_the_document_is_valid_json_schema(kept: World) -> None:
    from jsonschema import Draft202012Validator

    document = create_api(kept.store).openapi()
    for name, one in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(json.loads(json.dumps(one)))
        assert name.isidentifier()

"""The HTTP interface for tests: called in process, or served by uvicorn over a real socket."""

import re
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx
import uvicorn
from jsonschema import Draft202012Validator
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.routing import Mount

from review.api.app import create_api
from review.store.engine import Store
from review.store.tables import metadata
from tests.support.world import World

with warnings.catch_warnings():  # it warns that it would rather have another HTTP library than ours
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


def program(world: World) -> Starlette:
    """The interface as the one program mounts it."""
    return Starlette(routes=[Mount("/api/v1", create_api(world.store, clock=lambda: world.now))])


@lru_cache
def _document() -> dict[str, Any]:
    return create_api(Store("postgresql://unused/unused")).openapi()


@lru_cache
def _validator(template: str, method: str, status: str) -> tuple[str | None, Any]:
    """The media type and the schema that the OpenAPI document gives for an answer."""
    content = _document()["paths"][template][method]["responses"][status].get("content", {})
    for media_type, told in content.items():
        return media_type, Draft202012Validator({**told["schema"], "components": _document()["components"]})
    return None, None


def check_as_documented(answer: httpx.Response) -> None:
    """Fail unless an answer is one that the OpenAPI document says; addresses that are not in it are let be."""
    path = answer.request.url.path.removeprefix("/api/v1")
    for template, methods in _document()["paths"].items():
        fits = re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
        if fits and answer.request.method.lower() in methods:
            media_type, validator = _validator(template, answer.request.method.lower(), str(answer.status_code))
            assert answer.headers.get("content-type") == media_type
            if validator is not None:
                validator.validate(answer.json())


class Caller:
    """Calls the interface with the keys of a world; every answer must be as documented."""

    def __init__(self, http: httpx.Client, world: World) -> None:
        self.http, self.world = http, world

    def call(self, method: str, path: str, who: str | None = "ann", **request: Any) -> httpx.Response:
        """One request with somebody's key; `who` may also be a key itself."""
        headers = dict(request.pop("headers", {}))
        if who is not None:
            headers["authorization"] = f"Bearer {self.world.tokens.get(who, who)}"
        answer = self.http.request(method, f"/api/v1{path}", headers=headers, **request)
        check_as_documented(answer)
        return answer

    def get(self, path: str, who: str | None = "ann", **request: Any) -> httpx.Response:
        return self.call("GET", path, who, **request)

    def post(self, path: str, json: Any = None, who: str | None = "ann", **request: Any) -> httpx.Response:
        return self.call("POST", path, who, **({"json": json} if json is not None else {}), **request)

    def send(self, output: dict[str, Any], who: str = "helper") -> dict[str, Any]:
        """Submit an output; gives the answer."""
        answer = self.post("/outputs", output, who)
        assert answer.is_success, answer.text
        return answer.json()

    def batch(self, body: bytes, who: str = "helper", query: str = "", **headers: str) -> httpx.Response:
        named = {"content-type": "application/x-ndjson", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.call("POST", f"/outputs/batch{query}", who, content=body, headers=named)

    def claim(self, who: str = "ann", **body: Any) -> dict[str, Any]:
        """Claim a task; there must be one."""
        answer = self.post("/tasks/claim", body, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def decide(self, work: dict[str, Any], who: str = "ann", **answer: Any) -> httpx.Response:
        """Decide a claimed task; approves unless told otherwise."""
        hold = {"lease": work["lease"]["token"], "item_version": work["item"]["version"]}
        return self.post(f"/tasks/{work['task_id']}/decision", {**hold, "verdict": "approve", **answer}, who)


def in_process(world: World) -> Caller:
    """Calls without a socket."""
    return Caller(TestClient(program(world), raise_server_exceptions=False), world)


@contextmanager
def served(world: World) -> Iterator[str]:
    """A real server on a free port; gives its address."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(program(world), log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def n_rows(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.read() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }

"""The HTTP interface as one ASGI application, to be mounted at /api/v1 or served alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from review import logs
from review.api import (
    bulk,
    calibrations,
    gold,
    items,
    outputs,
    policies,
    problems,
    queues,
    reference,
    systems,
    tasks,
    threads,
)
from review.api.answers import common
from review.api.answers.common import reply
from review.api.edge import Edge, edge_of
from review.api.reference import gives
from review.api.waiting import Waiting
from review.errors import ReviewError
from review.store.engine import Store

BATCHES_AT_ONCE = 4
PARTS: tuple[Any, ...] = (outputs, items, tasks, threads, policies, systems, queues, gold, bulk, calibrations)
_DESCRIPTION = "Send the outputs of AI systems, learn what may be used of them, and work the queue of those held."

router = APIRouter(tags=["Server"])


@router.get("/healthz", summary="Is it up?", **gives({200: ("It is up", common.StatusAnswer)}, is_open=True))
async def healthz() -> Response:
    """Whether the process answers."""
    return reply({"status": "ok"})


@router.get("/readyz", summary="Is it ready?", **gives({200: ("It is ready", common.StatusAnswer)}, 503, is_open=True))
async def readyz(request: Request) -> Response:
    """Whether the database answers and is migrated."""
    edge = edge_of(request)
    if not await to_thread.run_sync(edge.store.is_ready, limiter=edge.probes):
        raise problems.Unavailable("The database does not answer, or is not migrated.", retry_after=5)
    return reply({"status": "ready"})


@router.get("/me", summary="Whose key is this?", **gives({200: ("The key's holder", common.MeAnswer)}))
async def me(request: Request) -> Response:
    """Whom the key belongs to, and what they may do."""
    return reply(await edge_of(request).read(request, lambda _session, actor, _now: common.me(actor)))


def create_api(store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FastAPI:
    """The application over a store; `clock` gives the time of every command."""
    if not structlog.is_configured():
        logs.set_up()
    api = FastAPI(
        title="Holdpoint",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[Middleware(problems.Failures)],
        exception_handlers={
            ReviewError: problems.refused,
            RequestValidationError: problems.invalid_parameter,
            HTTPException: problems.http_error,
        },
    )
    api.state.edge = Edge(store, clock, Waiting(store, clock), CapacityLimiter(BATCHES_AT_ONCE), CapacityLimiter(1))
    for part in PARTS:
        api.include_router(part.router, dependencies=[Depends(problems.known_parameters)])
    api.include_router(router)
    reference.add_page(api)
    api.openapi = _openapi(api)  # type: ignore[method-assign]
    return api


def _openapi(api: FastAPI) -> Callable[[], dict[str, Any]]:
    return lambda: reference.document(api)

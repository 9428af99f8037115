"""Refusals and failures as RFC 9457 problem documents."""

import re
from http import HTTPStatus
from typing import NotRequired
from uuid import uuid4

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, with_config
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import TypedDict

from review.errors import Invalid, NotFound, ReviewError

MEDIA_TYPE = "application/problem+json"
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
log = structlog.get_logger(__name__)


@with_config(ConfigDict(extra="forbid"))
class Problem(TypedDict):
    """Why a request was refused: what is wrong, where, and the fix (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    field: NotRequired[str]


class Unsupported(ReviewError):
    """The body has a type or an encoding that is not read here."""

    status = 415
    title = "Unsupported type"


class Unavailable(ReviewError):
    """The database does not answer now."""

    status = 503
    title = "Not available"


def problem_of(error: ReviewError) -> Problem:
    """The document for one of our own errors, as it also stands beside a refused line of a batch."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    problem: Problem = {
        "type": f"urn:holdpoint:{kind}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
    }
    if error.field is not None:
        problem["field"] = error.field
    return problem


async def refused(request: Request, error: ReviewError) -> Response:
    """The answer to a request that was refused with one of our own errors."""
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return _answer({**problem_of(error), "instance": request.url.path}, headers)


async def invalid_parameter(request: Request, error: RequestValidationError) -> Response:
    """The answer where the address or the query of a request holds a value that cannot be used."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return await refused(request, Invalid(f"{field}: {first['msg']}.", field=field))


async def known_parameters(request: Request) -> None:
    """Raise Invalid for a parameter in the query that the route does not have: it would change nothing, silently."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            there_are = f"Here there are: {', '.join(sorted(known))}." if known else "There are none here."
            raise Invalid(f"{name} is not a known parameter. {there_are}", field=name)


async def http_error(request: Request, error: HTTPException) -> Response:
    """The answer where no route fits the address or its method."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return await refused(
            request, NotFound("There is nothing at this address. See the docs page for those there are.")
        )
    is_other_method = error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    problem: Problem = {
        "type": "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": f"This address does not take {request.method}." if is_other_method else str(error.detail),
        "instance": request.url.path,
    }
    return _answer(problem, dict(error.headers or {}))


def _answer(problem: Problem, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(problem), problem["status"], {**_HEADERS, **headers}, MEDIA_TYPE)


class Failures:
    """ASGI middleware: what nobody foresaw is logged under a reference, and answered with that reference alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = _failed(Request(scope), error)
            if started:
                raise
            await answer(scope, receive, send)


def _failed(request: Request, error: Exception) -> Response:
    reference = f"urn:uuid:{uuid4()}"
    log.error("api.failed", reference=reference, method=request.method, path=request.url.path, exc_info=error)
    if isinstance(error, OperationalError | NoConnection):
        unavailable = Unavailable("The database does not answer. Nothing was written; try again.", retry_after=1)
        return _answer({**problem_of(unavailable), "instance": reference}, {"retry-after": "1"})
    problem: Problem = {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": f"Something failed here. It is logged as {reference}: quote it to those who run this server.",
        "instance": reference,
    }
    return _answer(problem, {})

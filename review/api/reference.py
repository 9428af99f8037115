"""The OpenAPI document, true to what the routes do, and the page that shows it without anything from elsewhere."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from review.api import bodies, bulk_bodies, gate_bodies, queue_bodies, work_bodies
from review.api.answers import (
    bulk,
    calibrations,
    common,
    gold,
    items,
    outputs,
    policies,
    queues,
    systems,
    tasks,
    threads,
)
from review.api.problems import MEDIA_TYPE, Problem
from review.domain.bulk import Selection
from review.domain.contingencies import PlanText
from review.domain.outputs import Output
from review.domain.queues import Settings, Skills

_BODIES = (
    Output,
    bodies.ClaimBody,
    bodies.LeaseBody,
    bodies.DecisionBody,
    bodies.EscalationBody,
    bodies.DocumentBody,
    bodies.SeenBody,
    bodies.DraftChangeBody,
    bodies.DryRunBody,
    work_bodies.SnoozeBody,
    work_bodies.AskBody,
    work_bodies.ProducerAnswerBody,
    work_bodies.CommentBody,
    gate_bodies.ConsumeBody,
    gate_bodies.ReopenBody,
    gate_bodies.ModeBody,
    gate_bodies.ReportBody,
    gate_bodies.ExerciseBody,
    PlanText,
    Settings,
    Skills,
    queue_bodies.AssignBody,
    queue_bodies.ReassignBody,
    queue_bodies.AbsenceBody,
    queue_bodies.PauseBody,
    queue_bodies.LiftBody,
    Selection,
    bulk_bodies.BulkBody,
)
_ANSWERS = (
    common.StatusAnswer, common.MeAnswer, outputs.SubmittedAnswer, outputs.BatchAnswer, outputs.ReleaseAnswer,
    items.PageAnswer, items.WholeAnswer, items.HistoryAnswer, tasks.WorkAnswer, tasks.RenewedAnswer,
    tasks.DecidedAnswer, tasks.EscalatedAnswer, policies.PoliciesAnswer, policies.PolicyAnswer, policies.CheckAnswer,
    policies.DraftAnswer, policies.DraftsAnswer, policies.RolledBackAnswer, policies.DryRunAnswer,
    items.ReopenedAnswer, systems.ModeAnswer, systems.ReportedAnswer, systems.PlanAnswer, systems.DrillAnswer,
    systems.ContingenciesAnswer,
    threads.AskedAnswer, threads.QuestionsAnswer, threads.CommentedAnswer, threads.CommentsAnswer,
    queues.QueuesAnswer, queues.QueueAnswer, queues.AssignedAnswer, queues.PreviewAnswer, queues.ReassignedAnswer,
    queues.WorkersAnswer, queues.AbsencesAnswer, queues.AbsentAnswer, queues.PausesAnswer, gold.AddedAnswer,
    gold.GoldAnswer, bulk.BulkPreviewAnswer, bulk.BulkDoneAnswer, calibrations.CalibrationsAnswer, Problem,
)  # fmt: skip
_REFUSALS = {
    401: "No key, or one that does not count",
    403: "The key's holder may not do this",
    404: "No such thing, or none that the key's holder may know of",
    409: "Used before for something else, or moved on: nothing was written",
    413: "Too large",
    415: "A type or encoding that is not read here",
    422: "A value that cannot be used",
    429: "There is no room now: send it again later",
    503: "The database does not answer",
}
_REFS, _DEFINITIONS = TypeAdapter.json_schemas(
    [(model.__name__, "validation", TypeAdapter(model)) for model in _BODIES]
    + [(model.__name__, "serialization", TypeAdapter(model)) for model in _ANSWERS],
    ref_template="#/components/schemas/{model}",
)
_PROBLEM = {"content": {MEDIA_TYPE: {"schema": _REFS[("Problem", "serialization")]}}}


def takes(model: type, *, required: bool = True) -> dict[str, Any]:
    """A JSON body of one of the models, as OpenAPI says it."""
    return _body({"application/json": {"schema": _REFS[(model.__name__, "validation")]}}, required=required)


def takes_lines(media_types: Iterable[str]) -> dict[str, Any]:
    """A body of one output a line, as OpenAPI says it."""
    text = {"schema": {"type": "string", "description": "One Output as JSON a line; Content-Encoding: gzip is read."}}
    return _body(dict.fromkeys(media_types, text), required=True)


def _body(content: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"requestBody": {"content": content, "required": required}}


def gives(
    answers: dict[int, tuple[str, Any]], *refusals: int, body: dict[str, Any] | None = None, is_open: bool = False
) -> dict[str, Any]:
    """What a route says of itself in OpenAPI: its answers by status, and the statuses of its problem documents."""
    given: dict[int | str, Any] = {status: _answer(*told) for status, told in answers.items()}
    known = refusals if is_open else (401, *refusals, 503)
    problems = {status: {"description": _REFUSALS[status], **_PROBLEM} for status in known}
    return {
        "status_code": next(iter(answers)),
        "response_class": Response,
        "responses": {**given, **problems, 500: {"description": "A failure, logged under a reference", **_PROBLEM}},
        "openapi_extra": {**(body or {}), **({"security": []} if is_open else {})},
    }


def _answer(description: str, model: Any) -> dict[str, Any]:
    if model is None:
        return {"description": description}
    schema = _REFS[(model.__name__, "serialization")]
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if api.openapi_schema is None:
        made = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        made["components"] = {
            "schemas": _DEFINITIONS["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key: hp_…"}},
        }
        made["security"] = [{"key": []}]
        api.openapi_schema = made
    return api.openapi_schema


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdpoint: the HTTP interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/files/swagger-ui.css">
<body>
<div id="docs"></div>
<script src="docs/files/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null,
  docExpansion: "list", defaultModelsExpandDepth: 0, displayRequestDuration: true,
});
"""
_PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
}


def add_page(api: FastAPI) -> None:
    """Serve the page at /docs, with the files of Swagger UI that the package fastapi-offline brings."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE, headers=_PAGE_HEADERS)

    async def start(_request: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_PAGE_HEADERS)

    api.add_route("/docs", page, include_in_schema=False)
    api.add_route("/docs/start.js", start, include_in_schema=False)
    api.mount("/docs/files", StaticFiles(packages=[("fastapi_offline", "static")]))

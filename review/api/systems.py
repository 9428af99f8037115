"""Systems over HTTP: the mode they are in, what their producers report, and the plans for it."""

from datetime import datetime

import orjson
from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import systems as answers
from review.api.answers.common import reply
from review.api.edge import edge_of
from review.api.gate_bodies import ExerciseBody, ModeBody, ReportBody
from review.api.reference import gives, takes
from review.commands import contingencies, modes
from review.domain.actors import Actor
from review.domain.content import sha256
from review.domain.contingencies import PlanText, Trigger
from review.domain.outputs import Code
from review.queries import contingencies as contingency_queries
from review.queries import modes as mode_queries

router = APIRouter(tags=["Systems"])
_KEPT = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}  # kept, and asked about each time


@router.get(
    "/systems/{slug}/mode",
    summary="Read a system's mode",
    **gives({200: ("The mode at this moment", answers.ModeAnswer), 304: ("The same as If-None-Match says", None)},
            403, 404, 422),
)  # fmt: skip
async def mode(request: Request, slug: Code) -> Response:
    """How a system runs now: `normal`, `review_all` (everything is held) or `stopped` (nothing is released).

    For people and for the system's own key. Cheap: send the ETag back as If-None-Match to be told only of a change.
    """

    def read(session: Session, actor: Actor, now: datetime) -> answers.ModeAnswer:
        return answers.mode(mode_queries.mode_of(session, actor, slug, now=now))

    packed = orjson.dumps(await edge_of(request).read(request, read), option=orjson.OPT_UTC_Z)
    tag = f'"{sha256(packed)[:32]}"'
    headers = {**_KEPT, "etag": tag}
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(packed, 200, headers, "application/json")


def _is_known(header: str, tag: str) -> bool:
    """Whether an If-None-Match names the tag (RFC 9110: a list, weak or not, or a star)."""
    named = {one.strip().removeprefix("W/") for one in header.split(",")}
    return tag in named or "*" in named


@router.put(
    "/systems/{slug}/mode",
    summary="Set a system's mode",
    **gives({200: ("The mode from now on", answers.ModeAnswer)}, 403, 404, 413, 415, 422, body=takes(ModeBody)),
)
async def set_mode(request: Request, slug: Code) -> Response:
    """Set how a system runs, from its very next output on. For its owner, its deputy, or an admin."""
    body = await bodies.read(request, ModeBody)

    def change(session: Session, actor: Actor, now: datetime) -> answers.ModeAnswer:
        told = modes.set_mode(session, actor, slug, body.mode, reason=body.reason, until=body.until, now=now)
        return answers.mode(told)

    return reply(await edge_of(request).write(request, change))


@router.post(
    "/systems/{slug}/events",
    summary="Report what happened to the model",
    **gives({201: ("On record; what was done about it", answers.ReportedAnswer)}, 403, 404, 413, 415, 422,
            body=takes(ReportBody)),
)  # fmt: skip
async def report(request: Request, slug: Code) -> Response:
    """Report that the model is unavailable, its price changed, or its version deprecated: the plan for it is carried
    out, and announced. With the system's own key."""
    body = await bodies.read(request, ReportBody)

    def carry_out(session: Session, actor: Actor, now: datetime) -> answers.ReportedAnswer:
        return answers.reported(contingencies.report(session, actor, slug, body.event, body.detail, now=now))

    return reply(await edge_of(request).write(request, carry_out), 201)


@router.get(
    "/systems/{slug}/contingencies",
    summary="Read the plans of a system",
    **gives({200: ("The plans, with their drills", answers.ContingenciesAnswer)}, 403, 404, 422),
)
async def plans(request: Request, slug: Code) -> Response:
    """What is done when the model of a system fails it, and each time that this was carried out or exercised."""

    def read(session: Session, actor: Actor, _now: datetime) -> answers.ContingenciesAnswer:
        return answers.contingencies(contingency_queries.plans(session, actor, slug))

    return reply(await edge_of(request).read(request, read))


@router.put(
    "/systems/{slug}/contingencies/{event}",
    summary="Write a plan",
    **gives({200: ("The plan as it is written now", answers.PlanAnswer)}, 403, 404, 413, 415, 422,
            body=takes(PlanText)),
)  # fmt: skip
async def write_plan(request: Request, slug: Code, event: Trigger) -> Response:
    """Write down what is done when this is reported. For the system's owner, its deputy, or an admin."""
    body = await bodies.read(request, PlanText)

    def write(session: Session, actor: Actor, now: datetime) -> answers.PlanAnswer:
        return answers.plan(contingencies.write(session, actor, slug, event, body, now=now))

    return reply(await edge_of(request).write(request, write))


@router.post(
    "/systems/{slug}/contingencies/{event}/exercises",
    summary="Record an exercise",
    **gives({201: ("The exercise is on record", answers.DrillAnswer)}, 403, 404, 413, 415, 422,
            body=takes(ExerciseBody)),
)  # fmt: skip
async def exercise(request: Request, slug: Code, event: Trigger) -> Response:
    """Put on record that a plan was tried out, and how that went. For the system's owner, its deputy, or an admin."""
    body = await bodies.read(request, ExerciseBody)

    def record(session: Session, actor: Actor, now: datetime) -> answers.DrillAnswer:
        drill = contingencies.exercise(session, actor, slug, event, detail=body.detail, result=body.result, now=now)
        return answers.drill(drill)

    return reply(await edge_of(request).write(request, record), 201)

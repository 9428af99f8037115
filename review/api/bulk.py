"""Deciding many items at once over HTTP: a look first, then that very set."""

from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import bulk as answers
from review.api.answers.common import reply
from review.api.bulk_bodies import BulkBody
from review.api.edge import edge_of
from review.api.reference import gives, takes
from review.commands import bulk
from review.domain.actors import Actor
from review.domain.bulk import Selection
from review.domain.decisions import Verdict

router = APIRouter(tags=["Many at once"])


@router.post(
    "/bulk/preview",
    summary="Look at many waiting items",
    **gives(
        {200: ("What would be decided", answers.BulkPreviewAnswer)}, 403, 404, 413, 415, 422, body=takes(Selection)
    ),
)
async def preview_many(request: Request) -> Response:
    """Choose waiting items of a system whose policy allows it, to decide them at once within 10 minutes."""
    chosen = await bodies.read(request, Selection)

    def look(session: Session, actor: Actor, now: datetime) -> answers.BulkPreviewAnswer:
        return answers.preview(bulk.preview(session, actor, chosen, now=now))

    return reply(await edge_of(request).write(request, look))


@router.post(
    "/bulk/decide",
    summary="Decide many items",
    **gives({200: ("Decided", answers.BulkDoneAnswer)}, 403, 404, 409, 413, 415, 422, body=takes(BulkBody)),
)
async def decide_many(request: Request) -> Response:
    """Approve or reject what was looked at; each item gets a decision and an event of its own."""
    body = await bodies.read(request, BulkBody)

    def close(session: Session, actor: Actor, now: datetime) -> answers.BulkDoneAnswer:
        verdict = Verdict(body.verdict)
        return answers.done(bulk.decide(session, actor, body.token, verdict, body.reason, now=now))

    return reply(await edge_of(request).write(request, close))

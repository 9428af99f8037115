"""Gold over HTTP: leads keep items whose answer is known, and see how well reviewers answer them."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api.answers import gold as answers
from review.api.answers.common import reply
from review.api.edge import edge_of
from review.api.reference import gives
from review.commands import gold
from review.domain.actors import Actor
from review.domain.outputs import Code
from review.queries import gold_checks

router = APIRouter(tags=["Gold"])


@router.post(
    "/items/{item_id}/gold",
    summary="Keep an item as gold",
    **gives({201: ("Its answer is known", answers.AddedAnswer)}, 403, 404, 409, 422),
)
async def add_gold(request: Request, item_id: UUID) -> Response:
    """Show a decided item to reviewers again, like a fresh one; the decision on it is the known answer."""

    def add(session: Session, actor: Actor, now: datetime) -> answers.AddedAnswer:
        return answers.added(gold.mark(session, actor, item_id, now=now))

    return reply(await edge_of(request).write(request, add), 201)


@router.delete(
    "/items/{item_id}/gold", summary="Retire a gold item", **gives({204: ("Done", None)}, 403, 404, 422)
)  # fmt: skip
async def retire_gold(request: Request, item_id: UUID) -> Response:
    """Show a gold item to nobody any more; the answers given so far still count."""
    await edge_of(request).write(request, lambda session, actor, now: gold.retire(session, actor, item_id, now=now))
    return Response(status_code=204)


@router.get(
    "/systems/{slug}/gold",
    summary="Read a system's gold items",
    **gives({200: ("They, and how well reviewers answered", answers.GoldAnswer)}, 403, 404, 422),
)
async def read_gold(request: Request, slug: Code) -> Response:
    """The gold items of a system, newest first, and how well each reviewer answered since their last pause ended."""

    def read(session: Session, actor: Actor, _now: datetime) -> answers.GoldAnswer:
        return answers.of_system(gold_checks.listed(session, actor, slug), gold_checks.reviewers(session, actor, slug))

    return reply(await edge_of(request).read(request, read))

"""Items over HTTP: find them, read one with its history, and fetch or wait for its release."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api.answers import items as answers
from review.api.answers import outputs
from review.api.answers.common import reply
from review.api.edge import Edge, edge_of, key_of
from review.api.reference import gives
from review.commands import releases
from review.domain import content
from review.domain.actors import Actor
from review.domain.lifecycle import ReleaseState
from review.errors import NotFound
from review.queries import items
from review.queries import releases as release_queries
from review.queries.items import MAX_PAGE, Filter, Release
from review.store.tables import Item

MAX_WAIT_SECONDS = 60

router = APIRouter(tags=["Items"])
_Rows = list[tuple[Item, str]]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False, description="Seconds to wait.")]


@router.get(
    "/items",
    summary="List items",
    **gives({200: ("Items without their content, newest first", answers.PageAnswer)}, 403, 404, 422),
)
async def listing(
    request: Request,
    system: str | None = None,
    status: str | None = None,
    queue: str | None = None,
    q: Annotated[
        str | None, Query(max_length=200, description="An item's id, the start of an external id, or words.")
    ] = None,
    cursor: Annotated[UUID | None, Query(description="next_cursor of the page before.")] = None,
    limit: Limit = 50,
) -> Response:
    """Items that fit all filters. A system's key lists its own; a person's key lists those of all systems.

    What a producer sees here of a decision counts as its first sight of it, as at the release.
    """
    wanted = Filter(system, status, queue, q)
    for name in Filter.__slots__:
        content.refuse_unkeepable(getattr(wanted, name), name)

    def rows(session: Session, actor: Actor) -> _Rows:
        if wanted.system and actor.system_id is not None and wanted.system != actor.name:
            raise NotFound(f"There is no system “{wanted.system}”.", field="system")
        return items.listing(session, actor, wanted, before=cursor, limit=limit)

    return reply(answers.page(await to_thread.run_sync(_listed, edge_of(request), key_of(request), rows), limit))


def _listed(edge: Edge, key: str, rows: Callable[[Session, Actor], _Rows]) -> _Rows:
    def if_on_record(session: Session, actor: Actor, _now: datetime) -> _Rows | None:
        found = rows(session, actor)
        is_new = actor.system_id is not None and any(release_queries.is_unseen(item) for item, _ in found)
        return None if is_new else found

    def put_on_record(session: Session, actor: Actor, now: datetime) -> _Rows:
        found = rows(session, actor)
        releases.see(session, actor, [item.id for item, _ in found], now=now)
        return found

    found = edge.reading(key, if_on_record)
    return edge.writing(key, put_on_record) if found is None else found


@router.get(
    "/items/{item_id}",
    summary="Read an item",
    **gives({200: ("The item as it is now", answers.WholeAnswer)}, 403, 404, 422),
)
async def one(request: Request, item_id: UUID) -> Response:
    """One item with its content, its release and the decision that stands. The look goes on record."""

    def whole(session: Session, actor: Actor, now: datetime) -> answers.WholeAnswer:
        releases.look(session, actor, item_id, now=now)
        found = items.whole(session, actor, item_id)
        return answers.whole(found, items.release_of(found), told=actor)

    return reply(await edge_of(request).write(request, whole))


@router.get(
    "/items/{item_id}/history",
    summary="Read an item's history",
    **gives({200: ("Everything that happened to the item, oldest first", answers.HistoryAnswer)}, 403, 404, 422),
)
async def history(request: Request, item_id: UUID) -> Response:
    """An item's whole story from the audit trail. The look goes on record."""

    def story(session: Session, actor: Actor, now: datetime) -> answers.HistoryAnswer:
        releases.look(session, actor, item_id, now=now)
        return answers.history(item_id, items.history(session, actor, item_id), told=actor)

    return reply(await edge_of(request).write(request, story))


@router.get(
    "/items/{item_id}/release",
    summary="Fetch a release, or wait for it",
    **gives({200: ("What may be used now", outputs.ReleaseAnswer)}, 403, 404, 422),
)
async def release(request: Request, item_id: UUID, wait: Wait = 0) -> Response:
    """What the producer may use. With `wait`, the answer comes once it is decided, or after so many seconds.

    The producer's first sight of a decision closes the time in which its author can undo it.
    """
    edge, key = edge_of(request), key_of(request)
    if wait > 0:
        now = await edge.read(request, lambda session, actor, _: release_queries.standing(session, actor, item_id))
        if now.state is ReleaseState.PENDING:
            await edge.waiting.until_settled(item_id, wait)
    return reply(outputs.release(await to_thread.run_sync(_release, edge, key, item_id)))


def _release(edge: Edge, key: str, item_id: UUID) -> Release:
    def if_on_record(session: Session, actor: Actor, _now: datetime) -> Release | None:
        standing = release_queries.standing(session, actor, item_id)
        return items.release(session, actor, item_id) if standing.on_record else None

    def put_on_record(session: Session, actor: Actor, now: datetime) -> Release:
        return releases.fetch(session, actor, item_id, now=now)

    return edge.reading(key, if_on_record) or edge.writing(key, put_on_record)

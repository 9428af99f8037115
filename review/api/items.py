"""Items over HTTP: find them, read one with its history, wait for its release and use it, and reopen one."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import items as answers
from review.api.answers import outputs
from review.api.answers.common import reply
from review.api.edge import Edge, edge_of, key_of
from review.api.gate_bodies import ConsumeBody, ReopenBody
from review.api.reference import gives, takes
from review.api.waiting import LOOK_EVERY_SECONDS
from review.commands import releases, reopenings
from review.domain import content
from review.domain.actors import Actor
from review.domain.lifecycle import ReleaseState
from review.errors import NotFound
from review.queries import items
from review.queries import releases as release_queries
from review.queries.items import MAX_PAGE, Filter
from review.queries.releases import Gate, Release, Standing
from review.store.tables import Item

MAX_WAIT_SECONDS = 60

router = APIRouter(tags=["Items"])
_Rows = list[tuple[Item, str]]
_Gated = tuple[_Rows, dict[UUID, Gate]]
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

    found, gates = await to_thread.run_sync(_listed, edge_of(request), key_of(request), rows)
    return reply(answers.page(found, limit, gates))


def _listed(edge: Edge, key: str, rows: Callable[[Session, Actor], _Rows]) -> _Gated:
    """The items, and for their producer what stands before the release of each."""

    def gated(session: Session, actor: Actor, now: datetime) -> _Gated:
        found = rows(session, actor)
        items_found = [item for item, _ in found]
        return found, release_queries.gates(session, items_found, now=now) if actor.system_id is not None else {}

    def if_on_record(session: Session, actor: Actor, now: datetime) -> _Gated | None:
        found, gates = gated(session, actor, now)
        is_new = bool(gates) and any(release_queries.is_unseen(item, gates[item.id]) for item, _ in found)
        return None if is_new else (found, gates)

    def put_on_record(session: Session, actor: Actor, now: datetime) -> _Gated:
        releases.see(session, actor, [item.id for item, _ in rows(session, actor)], now=now)
        return gated(session, actor, now)  # what is listed may be another, where a fail-safe had the word

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
        return answers.whole(found, release_queries.release_of(session, found, now=now), told=actor)

    return reply(await edge_of(request).write(request, whole))


@router.get(
    "/items/{item_id}/history",
    summary="Read an item's history",
    **gives({200: ("Everything that happened to the item, oldest first", answers.HistoryAnswer)}, 403, 404, 422),
)
async def history(request: Request, item_id: UUID) -> Response:
    """An item's whole story from the audit trail. The look goes on record."""

    def story(session: Session, actor: Actor, now: datetime) -> answers.HistoryAnswer:
        gate = releases.look(session, actor, item_id, now=now)
        return answers.history(item_id, items.history(session, actor, item_id), gate, told=actor)

    return reply(await edge_of(request).write(request, story))


@router.get(
    "/items/{item_id}/release",
    summary="Fetch a release, or wait for it",
    **gives({200: ("What may be used now", outputs.ReleaseAnswer)}, 403, 404, 422),
)
async def release(request: Request, item_id: UUID, wait: Wait = 0) -> Response:
    """What the producer may use. With `wait`, the answer comes once there is one, or after so many seconds.

    While the system is stopped, what was not used yet is withheld, with the text that stands in.

    The producer's first sight of a decision closes the time in which its author can undo it.
    """
    edge, key = edge_of(request), key_of(request)
    if wait > 0:
        found = await _standing(request, item_id)
        if found.state is ReleaseState.PENDING and not found.is_apart:
            await edge.waiting.until_settled(item_id, wait)
        elif found.is_apart:
            await _until_told(request, item_id, wait)
    return reply(outputs.release(await to_thread.run_sync(_release, edge, key, item_id)))


async def _standing(request: Request, item_id: UUID) -> Standing:
    return await edge_of(request).read(
        request, lambda session, actor, now: release_queries.standing(session, actor, item_id, now=now)
    )


async def _until_told(request: Request, item_id: UUID, seconds: float) -> None:
    """Wait for the reviewer's own answer on what was settled by others long ago."""
    try:
        async with asyncio.timeout(seconds):
            while (await _standing(request, item_id)).state is ReleaseState.PENDING:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        pass


def _release(edge: Edge, key: str, item_id: UUID) -> Release:
    def if_on_record(session: Session, actor: Actor, now: datetime) -> Release | None:
        standing = release_queries.standing(session, actor, item_id, now=now)
        release = release_queries.release(session, actor, item_id, now=now) if standing.on_record else None
        return release if release and release.state is standing.state else None

    def put_on_record(session: Session, actor: Actor, now: datetime) -> Release:
        return releases.fetch(session, actor, item_id, now=now)

    return edge.reading(key, if_on_record) or edge.writing(key, put_on_record)


@router.post(
    "/items/{item_id}/release/consume",
    summary="Use a release",
    **gives({200: ("The content, for the only time", outputs.ReleaseAnswer)}, 403, 404, 409, 413, 415, 422,
            body=takes(ConsumeBody)),
)  # fmt: skip
async def consume(request: Request, item_id: UUID) -> Response:
    """Give out what was released, once, to the producer that names its SHA-256.

    `409` says which: nothing is released (`not-released`), it was given out before (`consumed`), or the digest is
    another (`conflict`). While the system is stopped, the answer is withheld, with the text that stands in, and
    nothing changes. Not safe to repeat: an answer that was lost is not given again.
    """
    sha256 = (await bodies.read(request, ConsumeBody)).sha256

    def use(session: Session, actor: Actor, now: datetime) -> outputs.ReleaseAnswer:
        return outputs.release(releases.consume(session, actor, item_id, sha256, now=now))

    return reply(await edge_of(request).write(request, use))


@router.post(
    "/items/{item_id}/reopen",
    summary="Reopen an item",
    **gives({201: ("A new task stands in the item's queue", answers.ReopenedAnswer)}, 403, 404, 409, 413, 415, 422,
            body=takes(ReopenBody)),
)  # fmt: skip
async def reopen(request: Request, item_id: UUID) -> Response:
    """Ask again about an item that people or Holdpoint had settled. For leads. What was not used yet is held again."""
    reason = (await bodies.read(request, ReopenBody)).reason

    def ask_again(session: Session, actor: Actor, now: datetime) -> answers.ReopenedAnswer:
        task = reopenings.reopen(session, actor, item_id, reason=reason, now=now)
        return answers.reopened(session.get_one(Item, item_id), task)

    return reply(await edge_of(request).write(request, ask_again), 201)

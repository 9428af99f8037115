"""Intake over HTTP: one output, or many lines of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import outputs as answers
from review.api.answers.common import reply
from review.api.batches import MAX_BYTES, Batch
from review.api.edge import Edge, edge_of, key_of
from review.api.reference import gives, takes, takes_lines
from review.commands import intake, releases
from review.commands.intake import Taken
from review.domain import content
from review.domain.actors import Actor, ActorKind, Permission
from review.domain.lifecycle import ItemStatus, ReleaseState
from review.domain.modes import Mode
from review.domain.outputs import Output, read_output
from review.domain.policies import Route
from review.errors import ReviewError
from review.queries import modes
from review.queries import releases as release_queries
from review.queries.releases import Release

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_FEED_BYTES = 256 * 1024

router = APIRouter(tags=["Outputs"])
Checked = tuple[Output, bytes]


@router.post(
    "/outputs",
    summary="Send one output",
    **gives(
        {
            201: ("Taken in: where it was routed, and what may be used of it", answers.SubmittedAnswer),
            200: ("The same output was sent before; its release as it is now", answers.SubmittedAnswer),
        },
        403, 409, 413, 415, 422, 429, body=takes(Output),
    ),
)  # fmt: skip
async def submit(request: Request) -> Response:
    """Send one output of the key's system. Sending the same again with the same external_id changes nothing."""
    key = key_of(request)
    raw = await bodies.raw_json(request)
    replayed, answer = await to_thread.run_sync(_submit, edge_of(request), key, raw)
    return reply(answer, 200 if replayed else 201)


def _submit(edge: Edge, key: str, raw: bytes) -> tuple[bool, answers.SubmittedAnswer]:
    edge.actor_of(key).require(Permission.SUBMIT)
    checked = read_output(raw, edge.clock())

    def take(session: Session, actor: Actor, now: datetime) -> tuple[Taken, Release]:
        (taken,) = intake.take(session, actor, [checked], now=now)
        if isinstance(taken, ReviewError):
            raise taken
        if taken.replayed or _is_gated(taken, checked[0]):
            return taken, releases.fetch(session, actor, taken.item_id, now=now)
        return taken, _first_release(taken, checked[0])

    taken, release = edge.writing(key, take)
    return taken.replayed, answers.submitted(taken, release)


def _is_gated(taken: Taken, output: Output) -> bool:
    """Whether more than its own routing says what may be used of a new output: Holdpoint answered, or its bundle."""
    return taken.status == ItemStatus.LAPSED or output.bundle is not None


def _first_release(taken: Taken, output: Output) -> Release:
    if taken.release_state == ReleaseState.PENDING:
        return Release(ReleaseState.PENDING)
    digest = content.content_digest(output.output)
    by = ActorKind.SYSTEM.value if taken.route == Route.PASS else None
    return Release(ReleaseState.RELEASED, output.output, digest, decided_by_kind=by)


@router.post(
    "/outputs/batch",
    summary="Send many outputs, one a line",
    **gives(
        {200: ("What became of them; a line that was refused costs that line alone", answers.BatchAnswer)},
        403, 413, 415, 422, body=takes_lines(LINES),
    ),
)  # fmt: skip
async def submit_batch(
    request: Request, *, results: Annotated[bool, Query(description="Add a result a line.")] = False
) -> Response:
    """Send up to 10,000 lines or 64 MiB of outputs of the key's system. Lines are counted from 1, blank ones too.

    What a producer sees in `results` of a decision counts as its first sight of it, as at the release.
    """
    edge, key = edge_of(request), key_of(request)
    bodies.require_type(request, LINES)
    gzipped = bodies.require_encoding(request, ("identity", "gzip")) == "gzip"
    bodies.require_length(request, MAX_BYTES)
    mode = await to_thread.run_sync(edge.reading, key, _mode)

    def take(checked: list[Checked]) -> list[Taken | ReviewError]:
        def work(session: Session, actor: Actor, now: datetime) -> list[Taken | ReviewError]:
            taken = intake.take(session, actor, checked, now=now)
            return _as_told(session, actor, checked, taken, now) if results else taken

        return edge.writing(key, work)

    batch = Batch(take, edge.clock, mode, gzipped=gzipped, with_results=results)
    await _pour(request, batch, edge)
    return reply(await to_thread.run_sync(batch.finish, limiter=edge.batches))


def _mode(session: Session, actor: Actor, now: datetime) -> Mode:
    """The mode of the system that may send outputs here."""
    actor.require(Permission.SUBMIT)
    return modes.mode_of(session, actor, actor.name, now=now).mode


def _as_told(
    session: Session, actor: Actor, checked: list[Checked], taken: list[Taken | ReviewError], now: datetime
) -> list[Taken | ReviewError]:
    """The same, with those that were sent before as they stand now: their producer is about to see it."""
    known = [one.item_id for one in taken if isinstance(one, Taken) and one.replayed]
    seen = {item.id: item for item in releases.see(session, actor, known, now=now)} if known else {}

    def as_told(output: Output, one: Taken) -> Taken:
        item = seen.get(one.item_id)
        if item is not None:
            one = one._replace(status=item.status, release_state=item.release_state)
        if output.bundle is None and (item is None or one.mode != Mode.STOPPED):
            return one
        gated = release_queries.standing(session, actor, one.item_id, now=now)
        return one._replace(release_state=gated.state.value)

    return [
        as_told(output, one) if isinstance(one, Taken) else one for (output, _), one in zip(checked, taken, strict=True)
    ]


async def _pour(request: Request, batch: Batch, edge: Edge) -> None:
    """Feed the body to the batch in a thread, while the next part of it arrives."""
    feeding: asyncio.Future[Any] | None = None
    try:
        async for part in _parts(request):
            if feeding is not None:
                await feeding
            feeding = asyncio.ensure_future(to_thread.run_sync(batch.feed, part, limiter=edge.batches))
    finally:
        if feeding is not None:
            await feeding


async def _parts(request: Request) -> AsyncIterator[bytes]:
    part = bytearray()
    async for chunk in request.stream():
        part += chunk
        if len(part) >= _FEED_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)

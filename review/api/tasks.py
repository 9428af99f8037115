"""Work over HTTP: claim a task, keep it, let it go, decide it, hand it up, undo."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import tasks as answers
from review.api.answers.common import reply
from review.api.bodies import ClaimBody, DecisionBody, EscalationBody, LeaseBody
from review.api.edge import edge_of
from review.api.reference import gives, takes
from review.api.work_bodies import SnoozeBody
from review.commands import decisions, snoozes, tasks
from review.domain.actors import Actor
from review.domain.lifecycle import LeaseToken
from review.queries import tasks as task_queries

router = APIRouter(tags=["Tasks"])
_LET_GO: dict[str, Any] = gives({204: ("Done", None)}, 403, 404, 409, 413, 415, 422, body=takes(LeaseBody))


@router.post(
    "/tasks/claim",
    summary="Claim the next task",
    **gives(
        {200: ("A task that is held now", answers.WorkAnswer), 204: ("Nothing is free", None)},
        403, 404, 413, 415, 422, body=takes(ClaimBody, required=False),
    ),
)  # fmt: skip
async def claim(request: Request) -> Response:
    """Take the next free task, by priority and then due time. Every claim gives another task, held for 5 minutes."""
    body = await bodies.read_if_any(request, ClaimBody)

    def take(session: Session, actor: Actor, now: datetime) -> answers.WorkAnswer | None:
        task = tasks.claim(session, actor, queue=body.queue, now=now)
        return answers.work(task_queries.work(session, actor, task)) if task else None

    found = await edge_of(request).write(request, take)
    return reply(found) if found else Response(status_code=204)


@router.post(
    "/tasks/{task_id}/renew",
    summary="Hold a task for longer",
    **gives({200: ("Held for another 5 minutes", answers.RenewedAnswer)}, 403, 404, 409, 413, 415, 422,
            body=takes(LeaseBody)),
)  # fmt: skip
async def renew(request: Request, task_id: UUID) -> Response:
    """Hold a claimed task for another 5 minutes from now."""
    lease = (await bodies.read(request, LeaseBody)).lease
    until = await edge_of(request).write(
        request, lambda session, actor, now: tasks.renew(session, actor, task_id, lease, now=now)
    )
    return reply(answers.renewed(lease, until))


@router.post("/tasks/{task_id}/give_back", summary="Give a task back", **_LET_GO)
async def give_back(request: Request, task_id: UUID) -> Response:
    """Let a claimed task go, for anyone to take."""
    lease = (await bodies.read(request, LeaseBody)).lease
    await edge_of(request).write(
        request, lambda session, actor, now: tasks.give_back(session, actor, task_id, lease, now=now)
    )
    return Response(status_code=204)


@router.post("/tasks/{task_id}/skip", summary="Skip a task", **_LET_GO)
async def skip(request: Request, task_id: UUID) -> Response:
    """Let a claimed task go to others: it does not come back to this person."""
    lease = (await bodies.read(request, LeaseBody)).lease
    await edge_of(request).write(
        request, lambda session, actor, now: tasks.skip(session, actor, task_id, lease, now=now)
    )
    return Response(status_code=204)


@router.post(
    "/tasks/{task_id}/snooze",
    summary="Put a task off",
    **gives({204: ("Done", None)}, 403, 404, 409, 413, 415, 422, body=takes(SnoozeBody)),
)  # fmt: skip
async def snooze(request: Request, task_id: UUID) -> Response:
    """Let a claimed task go, and have nobody offered it before a time: at most 7 days, and before its fail-safe.

    When it is due stays as it is.
    """
    body = await bodies.read(request, SnoozeBody)
    await edge_of(request).write(
        request,
        lambda session, actor, now: snoozes.snooze(session, actor, task_id, body.lease, body.until, now=now),
    )
    return Response(status_code=204)


@router.post(
    "/tasks/{task_id}/decision",
    summary="Decide a task",
    **gives({201: ("The decision is on record", answers.DecidedAnswer)}, 403, 404, 409, 413, 415, 422,
            body=takes(DecisionBody)),
)  # fmt: skip
async def decide(request: Request, task_id: UUID) -> Response:
    """Close a claimed task with a verdict. The item's release follows from it."""
    body = await bodies.read(request, DecisionBody)
    lease = LeaseToken(body.lease, body.item_version)

    def close(session: Session, actor: Actor, now: datetime) -> answers.DecidedAnswer:
        return answers.decided(decisions.decide(session, actor, task_id, lease, body, now=now))

    return reply(await edge_of(request).write(request, close), 201)


@router.post(
    "/tasks/{task_id}/escalate",
    summary="Hand a task up",
    **gives({201: ("A task for leads stands in its place", answers.EscalatedAnswer)}, 403, 404, 409, 413, 415, 422,
            body=takes(EscalationBody)),
)  # fmt: skip
async def escalate(request: Request, task_id: UUID) -> Response:
    """Close a claimed task with the reason why it is handed up, and open one for leads in its place."""
    body = await bodies.read(request, EscalationBody)

    def hand_up(session: Session, actor: Actor, now: datetime) -> answers.EscalatedAnswer:
        version = body.item_version or task_queries.item_version(session, task_id)
        lease = LeaseToken(body.lease, version)
        above = decisions.escalate(session, actor, task_id, lease, body.reason, body.note, now=now)
        return answers.escalated(task_id, above)

    return reply(await edge_of(request).write(request, hand_up), 201)


@router.post(
    "/decisions/{decision_id}/undo",
    summary="Undo a decision",
    **gives({200: ("The task, held again", answers.WorkAnswer)}, 403, 404, 409, 422),
)
async def undo(request: Request, decision_id: UUID) -> Response:
    """Take back one's own decision within 10 seconds, unless its producer has fetched the release already."""

    def take_back(session: Session, actor: Actor, now: datetime) -> answers.WorkAnswer:
        task = decisions.undo(session, actor, decision_id, now=now)
        return answers.work(task_queries.work(session, actor, task))

    return reply(await edge_of(request).write(request, take_back))

"""Queues over HTTP: how they are run, who gets what, who is away or paused."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import queues as answers
from review.api.answers.common import reply
from review.api.edge import edge_of
from review.api.queue_bodies import AbsenceBody, AssignBody, LiftBody, PauseBody, ReassignBody
from review.api.reference import gives, takes
from review.commands import absences, assignments, pauses, queues, reassignments
from review.domain.actors import Actor, Permission
from review.domain.outputs import Code
from review.domain.queues import Settings, Skills
from review.queries import people
from review.queries import queues as queue_queries

router = APIRouter(tags=["Queues"])
_WRITES = (403, 404, 409, 413, 415, 422)
_REASSIGNED: dict[str, Any] = gives({200: ("Done", answers.ReassignedAnswer)}, 403, 404, 409, 422)


@router.get("/queues", summary="List queues", **gives({200: ("All queues", answers.QueuesAnswer)}, 403))
async def list_queues(request: Request) -> Response:
    """All queues, those for reviewers first: how each is run, and what is in it."""

    def read(session: Session, actor: Actor, now: datetime) -> answers.QueuesAnswer:
        return {"queues": [answers.queue(run) for run in queue_queries.listed(session, actor, now=now)]}

    return reply(await edge_of(request).read(request, read))


@router.get("/queues/{slug}", summary="Read a queue", **gives({200: ("It", answers.QueueAnswer)}, 403, 404, 422))
async def read_queue(request: Request, slug: Code) -> Response:
    """One queue: how it is run, and what is in it."""
    return reply(
        await edge_of(request).read(
            request, lambda session, actor, now: answers.queue(queue_queries.one(session, actor, slug, now=now))
        )
    )


@router.put(
    "/queues/{slug}",
    summary="Settle how a queue is run",
    **gives({200: ("It, as it is run now", answers.QueueAnswer)}, *_WRITES, body=takes(Settings)),
)
async def settle_queue(request: Request, slug: Code) -> Response:
    """Change how a queue is run, all of it at once: what is left out is as a new queue has it."""
    settings = await bodies.read(request, Settings)

    def change(session: Session, actor: Actor, now: datetime) -> answers.QueueAnswer:
        queues.settle(session, actor, slug, settings, now=now)
        return answers.queue(queue_queries.one(session, actor, slug, now=now))

    return reply(await edge_of(request).write(request, change))


@router.post(
    "/queues/{slug}/assign",
    summary="Assign what waits",
    **gives({200: ("Assigned", answers.AssignedAnswer)}, 403, 404, 409, 422),
)
async def assign_queue(request: Request, slug: Code) -> Response:
    """Give waiting tasks to those who have the fewest, up to the queue's load cap, now and not at the next tick."""

    def give(session: Session, actor: Actor, now: datetime) -> answers.AssignedAnswer:
        return {"n_assigned": assignments.assign_queue(session, actor, slug, now=now)}

    return reply(await edge_of(request).write(request, give))


@router.post(
    "/tasks/{task_id}/assign",
    summary="Assign a task",
    **gives({204: ("Done", None)}, *_WRITES, body=takes(AssignBody)),
)
async def assign(request: Request, task_id: UUID) -> Response:
    """Give a task to one person, who alone is offered it then; or to nobody: everyone of its queue is."""
    to = (await bodies.read(request, AssignBody)).to
    await edge_of(request).write(
        request, lambda session, actor, now: assignments.assign(session, actor, task_id, to, now=now)
    )
    return Response(status_code=204)


@router.post(
    "/reassignments",
    summary="Look at what would be reassigned",
    **gives({201: ("What would be", answers.PreviewAnswer)}, *_WRITES, body=takes(ReassignBody)),
)
async def preview_reassignment(request: Request) -> Response:
    """Choose many tasks by a filter, and see how many they are. Nothing is changed until it is carried out."""
    body = await bodies.read(request, ReassignBody)

    def look(session: Session, actor: Actor, now: datetime) -> answers.PreviewAnswer:
        return answers.preview(reassignments.preview(session, actor, body.chosen, body.to, now=now))

    return reply(await edge_of(request).write(request, look), 201)


@router.post("/reassignments/{reassignment_id}/carry_out", summary="Reassign what was looked at", **_REASSIGNED)
async def carry_out_reassignment(request: Request, reassignment_id: UUID) -> Response:
    """Give or free the very tasks that were looked at, within 10 minutes; what has changed since is left as it is."""

    def change(session: Session, actor: Actor, now: datetime) -> answers.ReassignedAnswer:
        return {"n": reassignments.carry_out(session, actor, reassignment_id, now=now)}

    return reply(await edge_of(request).write(request, change))


@router.post("/reassignments/{reassignment_id}/undo", summary="Undo a reassignment", **_REASSIGNED)
async def undo_reassignment(request: Request, reassignment_id: UUID) -> Response:
    """Take it back within 10 minutes, for the tasks that nobody has claimed since."""

    def change(session: Session, actor: Actor, now: datetime) -> answers.ReassignedAnswer:
        return {"n": reassignments.undo(session, actor, reassignment_id, now=now)}

    return reply(await edge_of(request).write(request, change))


@router.get("/workers", summary="List who works", **gives({200: ("Everyone", answers.WorkersAnswer)}, 403))
async def list_workers(request: Request) -> Response:
    """Everyone who can be given tasks: their queues, their skills, and how much they have been given."""
    return reply(
        await edge_of(request).read(
            request, lambda session, actor, now: answers.workers(queue_queries.workers(session, actor, now=now))
        )
    )


@router.put(
    "/workers/{username}/skills",
    summary="Say what a person can judge",
    **gives({204: ("Done", None)}, *_WRITES, body=takes(Skills)),
)
async def set_skills(request: Request, username: Code) -> Response:
    """Change a person's skills, all at once: tasks that ask for one go to those who have it."""
    skills = await bodies.read(request, Skills)
    await edge_of(request).write(
        request, lambda session, actor, now: queues.set_skills(session, actor, username, skills, now=now)
    )
    return Response(status_code=204)


@router.get("/absences", summary="List absences", **gives({200: ("Absences", answers.AbsencesAnswer)}, 403))
async def list_absences(request: Request) -> Response:
    """Absences that are not over: everyone's for those who read queues, else one's own."""
    return reply(
        await edge_of(request).read(
            request, lambda session, actor, now: answers.absences(queue_queries.absences(session, actor, now=now))
        )
    )


@router.post(
    "/absences",
    summary="Say that somebody is away",
    **gives({201: ("On record", answers.AbsentAnswer)}, *_WRITES, body=takes(AbsenceBody)),
)
async def add_absence(request: Request) -> Response:
    """Say that one is away, or as a lead that somebody else is. They are given nothing then."""
    body = await bodies.read(request, AbsenceBody)

    def add(session: Session, actor: Actor, now: datetime) -> answers.AbsentAnswer:
        found = absences.add(
            session, actor, person=body.person, from_at=body.from_at, until_at=body.until_at, now=now
        )  # fmt: skip
        return {"absence_id": found.id}

    return reply(await edge_of(request).write(request, add), 201)


@router.delete(
    "/absences/{absence_id}",
    summary="Take an absence back",
    **gives({204: ("Done", None)}, 403, 404, 409, 422),
)
async def remove_absence(request: Request, absence_id: UUID) -> Response:
    """Take back that one is away, or as a lead that somebody else is."""
    await edge_of(request).write(
        request, lambda session, actor, now: absences.remove(session, actor, absence_id, now=now)
    )
    return Response(status_code=204)


@router.get("/pauses", summary="List pauses", **gives({200: ("Pauses", answers.PausesAnswer)}, 403))
async def list_pauses(request: Request) -> Response:
    """Who takes no tasks of a system for now, and why: everyone for those who read queues, else oneself."""

    def read(session: Session, actor: Actor, now: datetime) -> answers.PausesAnswer:
        reads_all = actor.may(Permission.READ_QUEUES)
        return answers.pauses(people.all_pauses(session) if reads_all else people.pauses(session, actor))

    return reply(await edge_of(request).read(request, read))


@router.post("/pauses", summary="Pause a person", **gives({204: ("Done", None)}, *_WRITES, body=takes(PauseBody)))
async def pause(request: Request) -> Response:
    """Keep a person from the tasks of a system, until a lead lifts it."""
    body = await bodies.read(request, PauseBody)
    await edge_of(request).write(
        request,
        lambda session, actor, now: pauses.pause(
            session, actor, body.person, body.system, reason=body.reason, now=now
        ),
    )  # fmt: skip
    return Response(status_code=204)


@router.post(
    "/pauses/{pause_id}/lift",
    summary="Lift a pause",
    **gives({204: ("Done", None)}, *_WRITES, body=takes(LiftBody)),
)
async def lift_pause(request: Request, pause_id: UUID) -> Response:
    """Let a person take the system's tasks again; the reason goes on record."""
    reason = (await bodies.read(request, LiftBody)).reason
    await edge_of(request).write(
        request, lambda session, actor, now: pauses.lift(session, actor, pause_id, reason=reason, now=now)
    )
    return Response(status_code=204)

"""What the desk says where there is nothing to decide: the task moved on, or the person is paused."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from review.domain.actors import Actor, Role
from review.queries import people, task_ends
from review.queries.task_ends import End
from review.queries.tasks import COUNT_LIMIT, n_others
from review.ui import words

_MOST_NAMES = 3
_WHY = {
    End.OVERDUE: "The time for {} is over: the policy's fail-safe answered. Nothing of yours was written.",
    End.ANSWERED: "Holdpoint answered {} meanwhile. Nothing of yours was written.",
    End.SETTLED: "{} was settled meanwhile. Nothing of yours was written.",
}


@dataclass(frozen=True, slots=True)
class Gone:
    """A task that nobody is asked about any more, and why, in words."""

    item_id: UUID
    why: str


def moved_on(session: Session, task_id: UUID, now: datetime) -> Gone | None:
    """Why a task that was on the desk is nobody's any more; None where somebody is still to do it, or has done it."""
    ended = task_ends.end_of(session, task_id, now=now)
    return Gone(ended.item_id, _WHY[ended.why].format(ended.external_id)) if ended else None


def waiting(n: int) -> dict[str, str]:
    """How much waits for the person."""
    if n == 0:
        return {"kind": "info", "text": "Nothing waits for you. What comes in is here as soon as you look again."}
    return {"kind": "info", "text": f"{_many(n)} {'task waits' if n == 1 else 'tasks wait'} for you."}


def _many(n: int) -> str:
    return f"{n:,} or more" if n >= COUNT_LIMIT else f"{n:,}"


def notes(session: Session, actor: Actor, *, n_mine: int, now: datetime) -> list[str]:
    """What else an empty desk says: why the person is given nothing of a system, and what waits for others."""
    paused = [
        f"You are given nothing of {each.system_name or each.system} for now: {each.reason}"
        for each in people.pauses(session, actor)
    ]
    if paused:
        paused.append(_whom_to_ask(session))
    others = n_others(session, actor, now=now) if n_mine == 0 else 0
    if others:
        paused.append(f"{_many(others)} {'task waits' if others == 1 else 'tasks wait'} for others, or for later.")
    return paused


def _whom_to_ask(session: Session) -> str:
    leads = [one.name for one in people.everyone(session) if one.active and one.role == Role.LEAD.value]
    if not leads:
        return "A lead can lift this; ask your admin for one."
    more = " or another lead" if len(leads) > _MOST_NAMES else ""
    return f"Ask {words.joined(leads[:_MOST_NAMES])}{more} to lift this."

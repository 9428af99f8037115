"""What is done on the desk with a task besides deciding it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from review.commands import questions, snoozes, tasks
from review.domain.actors import Actor
from review.ui import words
from review.ui.workbench import Act

ACTIONS = frozenset({"give_back", "skip", "snooze", "ask"})
_MORNING = 9


def carry_out(
    session: Session, actor: Actor, task_id: UUID, lease: str, act: Act, external_id: str, *, now: datetime
) -> dict[str, str] | None:
    """Do it, and tell what is said of it."""
    if act.action == "give_back":
        tasks.give_back(session, actor, task_id, lease, now=now)
        return {"kind": "info", "text": "Given back: anyone can take it."}
    if act.action == "skip":
        tasks.skip(session, actor, task_id, lease, now=now)
        return None
    if act.action == "ask":
        questions.ask(session, actor, task_id, lease, act.text, now=now)
        return {"kind": "success", "text": f"Asked. {external_id} waits for its producer's answer."}
    until = later(act.until or "", now)
    snoozes.snooze(session, actor, task_id, lease, until, now=now)
    return {"kind": "success", "text": f"Put off {external_id} until {words.exact(until)}."}


def later(choice: str, now: datetime) -> datetime:
    """The time that a choice means, in the reader's time zone."""
    if choice == "tomorrow":
        day = now.astimezone(words.zone()) + timedelta(days=1)
        return day.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    return now + (timedelta(hours=1) if choice == "hour" else timedelta(minutes=15))

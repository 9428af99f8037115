"""Asking the producer about an item: the question goes out, its task waits, and the answer frees it again."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update
from sqlmodel import Session, col

from review.commands import audit, outbox, snoozes
from review.commands.eligibility import NOT_HELD, NOW, TASK
from review.commands.tasks import lease_lost
from review.domain import content
from review.domain.actors import Actor, Permission
from review.domain.calendars import Service
from review.domain.lifecycle import ReleaseState, TaskState
from review.errors import Invalid, NotFound, WrongState
from review.queries import items
from review.store.tables import Item, Question, Queue, Task

MAX_TEXT = 4_000
_NO_SERVICE = Service()
_OF_ITEM = (TASK.c.item_id == bindparam("item"), TASK.c.state == TaskState.OPEN.value, TASK.c.gold_id.is_(None))
# Where several are asked, whoever has begun goes on; the others wait for the answer too.
_PUT_OFF_OTHERS = (
    update(TASK)
    .where(*_OF_ITEM, NOT_HELD, or_(TASK.c.snoozed_until.is_(None), TASK.c.snoozed_until < bindparam("until")))
    .values(snoozed_until=bindparam("until"))
)
_OFFER_AGAIN = update(TASK).where(*_OF_ITEM, TASK.c.snoozed_until > NOW).values(snoozed_until=None)


def ask(session: Session, actor: Actor, task_id: UUID, token: str, text: str, *, now: datetime) -> Question:
    """Ask the item's producer, and let the task go until the answer is here or the task is due soon.

    Raises LeaseLost if the hold had ended, WrongState where it is due too soon to wait for an answer.
    """
    actor.require(Permission.DECIDE)
    _check(text)
    task = session.get(Task, task_id)
    if task is None:
        raise lease_lost(session, task_id)
    question = Question(item_id=task.item_id, task_id=task_id, text=text, asked_by_id=actor.person_id, asked_at=now)
    told, until = {"question_id": question.id}, _until(session, task, now)
    snoozes.put_off(
        session, actor, task_id, token, until, "item.question_asked", now=now,
        text_digest=content.content_digest(text), **told,
    )  # fmt: skip
    session.add(question)
    session.flush()
    if task.gold_id is None:  # the producer of a gold item had its answer long ago
        session.connection().execute(_PUT_OFF_OTHERS, {"item": task.item_id, "now": now, "until": until})
        item = session.get_one(Item, task.item_id)
        outbox.enqueue(session, "item.question", item.id, now=now, external_id=item.external_id, text=text, **told)
    return question


def _check(text: str) -> None:
    if not text.strip() or len(text) > MAX_TEXT:
        raise Invalid(f"Write something, in up to {MAX_TEXT:,} characters.", field="text")
    content.refuse_unkeepable(text, "text")


def _until(session: Session, task: Task, now: datetime) -> datetime:
    """How long an answer is waited for: until the task is due soon, in its queue's working time."""
    service = session.execute(select(col(Queue.service)).where(col(Queue.id) == task.queue_id)).scalar()
    found = Service.model_validate(service) if service else _NO_SERVICE
    until = found.after(task.due_at, -timedelta(minutes=found.due_soon_minutes))
    lapses_at: datetime | None = session.execute(
        select(col(Item.lapses_at)).where(
            col(Item.id) == task.item_id, col(Item.release_state) == ReleaseState.PENDING.value
        )
    ).scalar()
    until = min(until, now + snoozes.LONGEST, *([lapses_at] if lapses_at else []))
    if until <= now:
        raise WrongState("It is due too soon to wait for an answer: decide it, or hand it up.")
    return until


def answer(session: Session, actor: Actor, item_id: UUID, question_id: UUID, text: str, *, now: datetime) -> Question:
    """The producer's answer, once; the task that waits for it is offered again, and the others of its item.

    Raises NotFound for a question that was not asked about this item of this producer, WrongState for a second answer.
    """
    actor.require(Permission.SUBMIT)
    _check(text)
    found = items.whole(session, actor, item_id)
    question = session.get(Question, question_id, with_for_update=True, populate_existing=True)
    if question is None or question.item_id != item_id or _is_gold(session, question):
        raise NotFound("No such question was asked about this item.", field="question_id")
    if question.answer is not None:
        raise WrongState("This question was answered already.")
    question.answer, question.answered_at = text, now
    session.flush()
    session.connection().execute(_OFFER_AGAIN, {"item": item_id, "now": now})
    digest = content.content_digest(text)
    audit.record(
        session, actor, "item.question_answered", ("item", found.item.id), now=now,
        question_id=question_id, text_digest=digest,
    )  # fmt: skip
    return question


def _is_gold(session: Session, question: Question) -> bool:
    return session.execute(select(col(Task.gold_id)).where(col(Task.id) == question.task_id)).scalar() is not None

"""What people say about single items: a question to the producer, remarks to each other, an item looked at again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import assignments, comments, questions, reopenings, tasks
from review.demo.agenda import Agenda, Cast
from review.domain.actors import ActorKind
from review.domain.lifecycle import TaskState
from review.store.tables import Decision, Item, Queue, System, Task

_SYSTEM, _QUEUE = "help-center-answers", "answers"
_QUESTION = "Which version of this article did the assistant read? It is being edited at the moment."
_REPLY = "The one from the last nightly export. The edit since then moves paragraphs and changes no facts."
_WHY_AGAIN = "The customer wrote back that this did not help. Someone else should read it."


def plan(agenda: Agenda, cast: Cast) -> None:
    """Have people talk about items that wait now."""
    threads = _Threads(agenda, cast)
    for minutes, step in (
        (95, threads.looks_again),
        (68, threads.takes_and_asks),
        (40, threads.remarks),
        (15, threads.gives),
    ):
        agenda.plan(agenda.now - timedelta(minutes=minutes), step)


class _Threads:
    def __init__(self, agenda: Agenda, cast: Cast) -> None:
        self.agenda, self.staff, self.producer = agenda, cast.staff, cast.producers[_SYSTEM]
        self._seen: set[UUID] = set()

    def looks_again(self, session: Session, now: datetime) -> None:
        """A lead reopens what was approved yesterday."""
        item_id = session.execute(_APPROVED.where(col(Decision.decided_at) < now - timedelta(hours=18))).scalar()
        if item_id is not None:
            reopenings.reopen(session, self.staff["priya"], item_id, reason=_WHY_AGAIN, now=now)

    def takes_and_asks(self, session: Session, now: datetime) -> None:
        """A reviewer asks the producer, who answers half an hour later."""
        waiting = self._waiting(session, now)
        if waiting is None:
            return
        task = tasks.claim_one(session, self.staff["maya"], waiting.id, now=now)

        def asks(session: Session, now: datetime) -> None:
            question = questions.ask(session, self.staff["maya"], task.id, task.lease_token or "", _QUESTION, now=now)
            self.agenda.plan(now + timedelta(minutes=27), lambda session, now: answers(session, now, question.id))

        def answers(session: Session, now: datetime, question_id: UUID) -> None:
            questions.answer(session, self.producer, task.item_id, question_id, _REPLY, now=now)

        self.agenda.plan(now + timedelta(minutes=2), asks)

    def remarks(self, session: Session, now: datetime) -> None:
        """A reviewer asks a lead, who answers."""
        waiting = self._waiting(session, now)
        if waiting is None:
            return
        remark = "@priya the phone team words this differently. Do we still send it as the article has it?"
        comments.comment(session, self.staff["jonas"], waiting.item_id, remark, now=now)
        reply = "@jonas yes, the article counts. I have told the phone team."
        self.agenda.plan(
            now + timedelta(minutes=18), lambda session, now: self._says(session, waiting.item_id, reply, now)
        )

    def _says(self, session: Session, item_id: UUID, text: str, now: datetime) -> None:
        comments.comment(session, self.staff["priya"], item_id, text, now=now)

    def gives(self, session: Session, now: datetime) -> None:
        """A lead gives a task to one person."""
        waiting = self._waiting(session, now)
        if waiting is not None:
            assignments.assign(session, self.staff["priya"], waiting.id, "maya", now=now)

    def _waiting(self, session: Session, now: datetime) -> Any:
        """A task that anybody may take and that was not talked about; None where there is none."""
        rows = session.execute(_WAITING.where(col(Task.due_at) > now + timedelta(minutes=90))).all()
        found = next((row for row in rows if row.item_id not in self._seen), None)
        if found is not None:
            self._seen.add(found.item_id)
        return found


_APPROVED: Any = (
    select(col(Item.id))
    .join(Decision, col(Decision.id) == col(Item.decision_id))
    .join(System, col(System.id) == col(Item.system_id))
    .where(
        col(System.slug) == _SYSTEM,
        col(Item.rule) == "low confidence",
        col(Decision.verdict) == "approve",
        col(Decision.decided_by_kind) == ActorKind.PERSON,
    )
    .order_by(col(Decision.decided_at).desc())
)
_WAITING: Any = (
    select(col(Task.id), col(Task.item_id))
    .join(Queue, col(Queue.id) == col(Task.queue_id))
    .where(
        col(Queue.slug) == _QUEUE,
        col(Task.state) == TaskState.OPEN,
        col(Task.holder_id).is_(None),
        ~col(Task.is_limited),
        col(Task.snoozed_until).is_(None),
    )
    .order_by(col(Task.id).desc())
)

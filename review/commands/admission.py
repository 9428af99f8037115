"""Whether a queue has room for an output, and until when its task is due."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from review.commands import queues
from review.domain.calendars import Service
from review.domain.policies import Policy
from review.domain.rulings import Ruling
from review.store.engine import advisory_lock
from review.store.tables import Queue, Task

RETRY_SECONDS = 60
_OPEN = text("task.state = 'open'")
_IS_REAL = col(Task.gold_id).is_(None)  # a gold task is in the place of another, which waits all the same


@dataclass(slots=True)
class _Room:
    """One queue as this transaction sees it; what it takes in counts at once."""

    queue_id: UUID
    ceiling: int | None
    service: Service | None
    n_open: int = 0


class Admission:
    """The queues that one intake fills, each read once."""

    def __init__(self, session: Session, policy: Policy, now: datetime) -> None:
        self._session, self._admit_risk, self._now = session, policy.admit_risk, now
        self._slugs = {policy.queue, *(rule.queue for rule in policy.rules if rule.queue)}
        self._is_alone = False
        self._rooms: dict[str, _Room] = {}

    def is_full(self, ruling: Ruling, risk: float) -> bool:
        """Whether there is no room for an output of this risk (0..1): the riskiest are taken in all the same."""
        room = self._room(ruling.queue)
        if room.ceiling is None or risk >= self._admit_risk:
            return False
        return room.n_open + ruling.n_people > room.ceiling

    def take(self, ruling: Ruling) -> tuple[UUID, datetime]:
        """The queue's id and when a task is due there; counts the people asked."""
        room = self._room(ruling.queue)
        room.n_open += ruling.n_people
        if room.service is None:
            return room.queue_id, self._now + ruling.due
        return room.queue_id, room.service.after(self._now, ruling.due)

    def _room(self, slug: str) -> _Room:
        if slug not in self._rooms:
            self._rooms[slug] = self._read(slug)
        return self._rooms[slug]

    def _read(self, slug: str) -> _Room:
        queue_id = queues.ensure(self._session, slug, now=self._now)
        ceiling, service = self._session.execute(
            select(col(Queue.ceiling), col(Queue.service)).where(col(Queue.id) == queue_id)
        ).one()
        n_open = 0
        if ceiling is not None:
            self._be_alone()
            some = select(col(Task.id)).where(col(Task.queue_id) == queue_id, _OPEN, _IS_REAL).limit(ceiling)
            n_open = self._session.execute(select(func.count()).select_from(some.subquery())).scalar_one()
        return _Room(queue_id, ceiling, Service.model_validate(service) if service else None, n_open)

    def _be_alone(self) -> None:
        """Let nobody else fill the queues with a ceiling until this transaction ends: in one order for everyone."""
        if self._is_alone:
            return
        limited = select(col(Queue.id)).where(col(Queue.slug).in_(self._slugs), col(Queue.ceiling).is_not(None))
        for queue_id in self._session.execute(limited.order_by(col(Queue.id))).scalars().all():
            advisory_lock(self._session, queue_id)
        self._is_alone = True

"""What owners look at: how deep and old each queue is, and what people decided over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select, text
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.domain.decisions import Verdict
from review.domain.estimates import Estimate, wilson
from review.errors import NotFound
from review.store.tables import Decision, Item, Policy, Queue, System, Task

SOON = timedelta(hours=1)
# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
_OPEN = text("task.state = 'open'")


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits or is being worked on in one queue."""

    queue: str
    name: str
    level: int
    n_open: int
    n_overdue: int
    n_due_soon: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """How many standing decisions with one verdict one system's items got in one period (its index)."""

    period: int
    system: str
    verdict: Verdict
    n: int


@dataclass(frozen=True, slots=True)
class Happened:
    """A version of a system's policy that came into force: a mark for charts over time."""

    at: datetime
    system: str
    what: str


def depths(session: Session, actor: Actor, *, system: str | None = None, now: datetime) -> list[Depth]:
    """Each queue with its open tasks, of one system or of all; reviewers' queues first."""
    actor.require(Permission.READ_OVERVIEW)
    queues = session.execute(
        select(col(Queue.id), col(Queue.slug), col(Queue.name), col(Queue.level)).order_by(
            col(Queue.level), col(Queue.name)
        )
    ).all()
    of_system = _of_system(session, system)
    return [Depth(slug, name, level, *_depth(session, id_, of_system, now)) for id_, slug, name, level in queues]


def _depth(session: Session, queue_id: Any, of_system: list[Any], now: datetime) -> tuple[int, int, int, Any]:
    is_late = col(Task.due_at) <= now
    is_soon = ~is_late & (col(Task.due_at) <= now + SOON)
    n_open, n_overdue, n_soon = session.execute(
        _open_tasks(queue_id, of_system, func.count(), _n_where(is_late), _n_where(is_soon))
    ).one()
    oldest = _open_tasks(queue_id, of_system, col(Task.created_at)).order_by(col(Task.id)).limit(1)
    return n_open, n_overdue, n_soon, session.execute(oldest).scalar() if n_open else None


def _open_tasks(queue_id: Any, of_system: list[Any], *columns: Any) -> Select[Any]:
    query = select(*columns).select_from(Task).where(_OPEN, col(Task.queue_id) == queue_id, col(Task.gold_id).is_(None))
    return query.join(Item, col(Item.id) == col(Task.item_id)).where(*of_system) if of_system else query


def _n_where(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _of_system(session: Session, slug: str | None) -> list[Any]:
    if slug is None:
        return []
    system_id = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if system_id is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return [col(Item.system_id) == system_id]


def decided(session: Session, actor: Actor, bounds: Sequence[datetime], *, system: str | None = None) -> list[Decided]:
    """Decisions of people that stand for their items, counted by period, system and verdict.

    `bounds` are n + 1 moments, oldest first, that part n periods: the reader's own days, say.
    """
    actor.require(Permission.READ_OVERVIEW)
    at = col(Decision.decided_at)
    period = case(*[(at < end, index) for index, end in enumerate(bounds[1:])]).label("period")
    rows = session.execute(
        select(period, col(System.slug), col(Decision.verdict), func.count())
        .join(Item, col(Item.id) == col(Decision.item_id))
        .join(System, col(System.id) == col(Item.system_id))
        .where(
            at >= bounds[0], at < bounds[-1], col(Decision.superseded_at).is_(None), col(Decision.is_final),
            col(Decision.decided_by_kind) == "person", *_of_system(session, system),
        )
        .group_by("period", col(System.slug), col(Decision.verdict))
        .order_by("period", col(System.slug), col(Decision.verdict))
    )  # fmt: skip
    return [Decided(period, slug, Verdict(verdict), n) for period, slug, verdict, n in rows]


def share_changed(counts: Sequence[Decided]) -> Estimate:
    """The share of what was reviewed that people corrected or rejected."""
    n_changed = sum(each.n for each in counts if each.verdict is not Verdict.APPROVE)
    return wilson(n_changed, sum(each.n for each in counts))


def happened(session: Session, actor: Actor, since: datetime, *, system: str | None = None) -> list[Happened]:
    """Versions of policies that came into force since a moment, oldest first."""
    actor.require(Permission.READ_OVERVIEW)
    query = select(col(Policy.activated_at), col(System.slug), col(Policy.version)).join(
        System, col(System.id) == col(Policy.system_id)
    )
    if system is not None:
        query = query.where(col(System.slug) == system)
    rows = session.execute(query.where(col(Policy.activated_at) >= since).order_by(col(Policy.activated_at)))
    return [Happened(at, slug, f"policy {version}") for at, slug, version in rows]

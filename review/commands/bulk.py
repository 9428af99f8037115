"""Deciding many items at once: looked at first, then that very set, each with a decision and an event of its own."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Text, delete, select, type_coerce
from sqlmodel import Session, col

from review.commands import audit, decisions, tasks
from review.commands.eligibility import ALLOWED, NOT_ANOTHERS, NOT_HELD, NOT_SNOOZED, OPEN, TASK, WORKS_QUEUE
from review.domain.actors import Actor, Permission
from review.domain.bulk import Selection
from review.domain.decisions import Answer, Verdict
from review.domain.lifecycle import LeaseToken, ReleaseState, TaskKind, highest_level
from review.domain.outputs import OutputKind
from review.domain.reasons import check_reason
from review.domain.rulings import compiled, draw
from review.errors import Forbidden, Invalid, LeaseLost, NotFound, ReviewError, WrongState
from review.queries import items
from review.queries.items import Whole
from review.store.tables import BulkChoice, Item, Policy, Queue, System

MOST = 1_000
FOR = timedelta(minutes=10)  # how long a preview can be decided
SAMPLE = 10

Undecided = Literal["claimed", "changed", "refused"]


class Preview(NamedTuple):
    """What would be decided, under the id that decides it, and a sample of it to look at; what is claimed is not."""

    id: UUID
    n: int
    n_claimed: int
    sample: list[Whole]


class Done(NamedTuple):
    """How many were decided; claimed meanwhile, changed, or not to be answered so, they were left as they are."""

    n_decided: int
    n_claimed: int
    n_changed: int
    n_refused: int


def preview(session: Session, actor: Actor, chosen: Selection, *, now: datetime) -> Preview:
    """Choose waiting items of a system to decide at once. Nothing is decided yet.

    Left out are held actions, what was put off or given to somebody else, and whatever asks for several people, for
    skills, or was handed up. Raises Forbidden where the system's policy does not allow it, Invalid where nothing or
    more than 1,000 items match.
    """
    actor.require(Permission.RESOLVE)
    system = _allowing(session, chosen.system)
    rows = _matching(session, actor, system, chosen, now)
    free = [row for row in rows if not row.is_held]
    if not free:
        raise Invalid("No item matches that waits for everybody, in queues that you work.", field="system")
    if len(rows) > MOST:
        raise Invalid(f"More than {MOST:,} items match. Narrow it: by rule, reason, confidence or age.", field="system")
    unused = col(BulkChoice.by_id) == actor.person_id, col(BulkChoice.done_at).is_(None)
    session.execute(delete(BulkChoice).where(*unused))
    kept = BulkChoice(
        system_id=system.id, by_id=actor.person_id, made_at=now, tasks={str(row.id): row.version for row in free}
    )
    session.add(kept)
    session.flush()
    return Preview(kept.id, len(free), len(rows) - len(free), _looked_at(session, actor, kept.id, free, now))


def _allowing(session: Session, slug: str) -> System:
    """The system, if its policy lets leads decide many at once."""
    row = session.execute(
        select(System, col(Policy.document))
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .where(col(System.slug) == slug)
    ).first()
    if row is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    if not compiled(row[1]).policy.bulk:
        raise Forbidden(f"The policy of {slug} does not let many items be decided at once.", field="system")
    system: System = row[0]
    return system


def _matching(session: Session, actor: Actor, system: System, chosen: Selection, now: datetime) -> Sequence[Any]:
    is_held_action = (col(Item.kind) == OutputKind.ACTION.value) & (
        col(Item.release_state) == ReleaseState.PENDING.value
    )
    query = (
        select(TASK.c.id, TASK.c.item_id, col(Item.version), (~NOT_HELD).label("is_held"))
        .join(Item, col(Item.id) == TASK.c.item_id)
        .join(Queue, col(Queue.id) == TASK.c.queue_id)
        .where(
            OPEN, TASK.c.gold_id.is_(None), ~TASK.c.is_limited, TASK.c.kind == TaskKind.REVIEW.value,
            col(Item.system_id) == system.id, ~is_held_action,
            col(Queue.level) <= highest_level(actor.role), WORKS_QUEUE, ALLOWED, NOT_ANOTHERS, NOT_SNOOZED,
            *_conditions(chosen, now),
        )
        .order_by(TASK.c.id)
        .limit(MOST + 1)
    )  # fmt: skip
    return session.execute(query, {"me": actor.person_id, "now": now}).all()


def _conditions(chosen: Selection, now: datetime) -> list[Any]:
    is_wanted: dict[str, Callable[[Any], Any]] = {
        "queue": lambda slug: col(Queue.slug) == slug,
        "q": items.searched,
        "rule": lambda name: col(Item.rule) == name,
        "reason": lambda code: type_coerce(col(Item.reasons), Text).contains(f'"{code}"', autoescape=True),
        "kind": lambda kind: col(Item.kind) == kind,
        "confidence_from": lambda least: col(Item.confidence) >= least,
        "confidence_below": lambda most: col(Item.confidence) < most,
        "older_than_minutes": lambda minutes: TASK.c.created_at <= now - timedelta(minutes=minutes),
    }
    given = chosen.model_dump(exclude_none=True, exclude={"system"})
    return [is_wanted[name](value) for name, value in given.items()]


def _looked_at(session: Session, actor: Actor, choice_id: UUID, rows: Sequence[Any], now: datetime) -> list[Whole]:
    """A sample by chance; that the actor looked at it is on record."""
    drawn = sorted(rows, key=lambda row: draw(choice_id.bytes, str(row.id)))[:SAMPLE]
    for row in drawn:
        audit.record(session, actor, "item.viewed", ("item", row.item_id), now=now)
    return [items.whole(session, actor, row.item_id) for row in drawn]


def decide(session: Session, actor: Actor, choice_id: UUID, verdict: Verdict, reason: str, *, now: datetime) -> Done:
    """Approve or reject what was looked at, within 10 minutes: those items and no others, each as it was then.

    Raises NotFound for what is not one's own, WrongState where it was decided or is too old.
    """
    actor.require(Permission.RESOLVE)
    check_reason(reason)
    if verdict is Verdict.CORRECT:
        raise Invalid("Many items are approved or rejected at once; a correction is for one.", field="verdict")
    kept = session.get(BulkChoice, choice_id, with_for_update=True, populate_existing=True)
    if kept is None or kept.by_id != actor.person_id:
        raise NotFound("There is no such choice of yours.", field="token")
    if kept.done_at is not None:
        raise WrongState("This was decided already.")
    if now - kept.made_at > FOR:
        raise WrongState("This was looked at too long ago. Look again: what waits has changed.")
    system = session.get_one(System, kept.system_id)
    _allowing(session, system.slug)
    kept.done_at = now
    session.flush()
    answer = Answer(verdict=verdict, note=reason)
    seen = {UUID(task_id): version for task_id, version in kept.tasks.items()}
    still = _still_open_to(session, actor, seen, now)
    ended = Counter(
        _decide_one(session, actor, task_id, version, answer, now) if task_id in still else "changed"
        for task_id, version in seen.items()
    )
    done = Done(ended[None], ended["claimed"], ended["changed"], ended["refused"])
    told = {"choice_id": kept.id, "verdict": verdict.value, "reason": reason, **done._asdict()}
    audit.record(session, actor, "items.decided_at_once", ("system", kept.system_id), now=now, **told)
    return done


def _still_open_to(session: Session, actor: Actor, task_ids: Iterable[UUID], now: datetime) -> set[UUID]:
    """Those of the tasks that were not put off, or given to somebody else, since they were looked at."""
    query = select(TASK.c.id).where(TASK.c.id.in_(list(task_ids)), NOT_ANOTHERS, NOT_SNOOZED)
    return set(session.execute(query, {"me": actor.person_id, "now": now}).scalars())


def _decide_one(
    session: Session, actor: Actor, task_id: UUID, seen_version: int, answer: Answer, now: datetime
) -> Undecided | None:
    """Claim one task and decide it, like any other; where that is refused, nothing is written and it is said why."""
    try:
        with session.begin_nested():
            task = tasks.claim_one(session, actor, task_id, now=now)
            lease = LeaseToken(task.lease_token or "", seen_version)
            decisions.decide(session, actor, task_id, lease, answer, now=now)
    except LeaseLost:
        return "claimed"
    except WrongState:
        return "changed"
    except ReviewError:
        return "refused"
    return None

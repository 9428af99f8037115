"""What producers may use of their items now: what is on record, behind the gate of mode, due time and bundle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select
from sqlmodel import Session, col

from review.domain import content
from review.domain.actors import Actor, ActorKind
from review.domain.fail_safes import NOTICES, Cause
from review.domain.lifecycle import ReleaseState
from review.domain.modes import STOPPED, Mode, mode_at
from review.domain.policies import Route
from review.domain.releases import BUNDLE_NOTICE, REASONS, ReleaseReason, is_overdue
from review.domain.rulings import compiled
from review.errors import NotFound
from review.queries import gold, items
from review.queries.items import Whole
from review.store.tables import Decision, Item, Policy, System
from review.store.types import UtcDateTime

_AT_ONCE = 500
_PENDING = ReleaseState.PENDING.value
_GATED: tuple[Any, ...] = (
    Item.id, Item.system_id, Item.release_state, Item.release_consumed_at, Item.lapses_at, Item.bundle,
    Item.decision_id,
)  # fmt: skip
_STANDING: Any = (  # built once: long polls and decisions ask it
    select(
        *_GATED, col(Item.route), col(Item.release_digest), col(Item.release_fetched_at),
        col(System.mode), col(System.mode_until),
    )
    .join(System, col(System.id) == col(Item.system_id))
    .where(col(Item.id) == bindparam("item_id"))
)  # fmt: skip
_BUNDLE: Any = select(
    func.count(), func.max(col(Item.bundle_size)),
    func.count().filter(col(Item.release_state) == _PENDING),
    func.count().filter(
        col(Item.release_state) == _PENDING, col(Item.lapses_at) <= bindparam("now", type_=UtcDateTime())
    ),
).where(col(Item.system_id) == bindparam("system"), col(Item.bundle) == bindparam("bundle"))  # fmt: skip


class Gate(StrEnum):
    """What stands between a release on record and its producer."""

    OPEN = auto()  # it is as it is on record
    STOPPED = auto()  # the system is stopped: the fallback stands in
    BUNDLE = auto()  # others of its bundle are waited for
    OVERDUE = auto()  # the fail-safe has the word and is not on record yet: its, or one of its bundle


@dataclass(frozen=True, slots=True)
class Release:
    """What a producer may use: the exact content with its digest, who let it through, and why by itself.

    `gate` says whether it is as it is on record.
    """

    state: ReleaseState
    content: Any = None
    sha256: str | None = None
    verdict: str | None = None
    decided_by_kind: str | None = None
    decision_id: UUID | None = None
    reason: ReleaseReason | None = None
    notice: str | None = None
    gate: Gate = Gate.OPEN


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item's release stands; `on_record` where a further look at it by the same actor changes nothing."""

    state: ReleaseState
    sha256: str | None
    on_record: bool
    is_apart: bool = False  # of a gold task, as its reviewer is told: the item itself was settled before


def gate_of(session: Session, item: Any, mode: Mode, now: datetime) -> Gate:
    """What stands before an item's release. `item` has the item's fields; what was given out stays as it is."""
    if item.release_consumed_at is not None:
        return Gate.OPEN
    if mode is Mode.STOPPED:
        return Gate.OPEN if _answered_when_stopped(session, item.decision_id) else Gate.STOPPED
    if is_overdue(item.release_state, item.lapses_at, now):
        return Gate.OVERDUE
    return Gate.OPEN if item.bundle is None else _gate_of_bundle(session, item, now)


def gates(session: Session, found: Sequence[Item], *, now: datetime) -> dict[UUID, Gate]:
    """What stands before the release of each of these items."""
    rows = session.execute(
        select(System.id, System.mode, System.mode_until).where(  # type: ignore[call-overload]
            col(System.id).in_({item.system_id for item in found})
        )
    )
    modes = {row.id: mode_at(row.mode, row.mode_until, now) for row in rows}
    return {item.id: gate_of(session, item, modes[item.system_id], now) for item in found}


def told_state(state: str, gate: Gate) -> ReleaseState:
    """Where a release stands for its producer."""
    if gate is Gate.OPEN:
        return ReleaseState(state)
    return ReleaseState.WITHHELD if gate is Gate.STOPPED else ReleaseState.PENDING


def _answered_when_stopped(session: Session, decision_id: UUID | None) -> bool:
    """Whether what stands on an item is the answer of a stopped system already."""
    if decision_id is None:
        return False
    cause = session.execute(select(col(Decision.cause)).where(col(Decision.id) == decision_id)).scalar()
    return cause == Cause.STOPPED.value


def _gate_of_bundle(session: Session, item: Any, now: datetime) -> Gate:
    is_answered, n_overdue = _bundle(session, item, now)
    if not is_answered:
        return Gate.OPEN if item.release_state == _PENDING else Gate.BUNDLE
    return Gate.OVERDUE if n_overdue else Gate.OPEN


def _bundle(session: Session, item: Any, now: datetime) -> tuple[bool, int]:
    """Whether an item's bundle has an answer, and how many of its parts are overdue.

    It has one where every part is here and answered or overdue; but for parts that never came, none waits past the
    time of its own fail-safe.
    """
    bundle = {"system": item.system_id, "bundle": item.bundle, "now": now}
    n, size, n_pending, n_overdue = session.connection().execute(_BUNDLE, bundle).one()
    if n < (size or 0):
        return item.lapses_at is not None and item.lapses_at <= now, n_overdue
    return n_pending == n_overdue, n_overdue


def standing(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Standing:
    """Where a release stands; raises NotFound or Forbidden where the actor may not know of it."""
    row = session.connection().execute(_STANDING, {"item_id": item_id}).first()
    if row is None:
        raise NotFound("There is no such item.")
    items.require_sight(actor, row.system_id)
    mode = mode_at(row.mode, row.mode_until, now)
    if gold.task_of(session, actor, item_id) is not None:
        return _told_standing(session, actor, item_id, mode, now)
    gate = gate_of(session, row, mode, now)
    if gate is not Gate.OPEN:
        return Standing(told_state(row.release_state, gate), None, on_record=gate is not Gate.OVERDUE)
    state = ReleaseState(row.release_state)
    if actor.system_id is None:
        on_record = state is ReleaseState.PENDING
    else:
        on_record = state is ReleaseState.PENDING or row.route == Route.PASS.value or row.release_fetched_at is not None
    return Standing(state, row.release_digest, on_record)


def _told_standing(session: Session, actor: Actor, item_id: UUID, mode: Mode, now: datetime) -> Standing:
    """Where the release of a gold item stands to the reviewer whose task it was."""
    item = items.whole(session, actor, item_id).item
    gate = gate_of(session, item, mode, now)
    digest = item.release_digest if gate is Gate.OPEN else None
    return Standing(told_state(item.release_state, gate), digest, on_record=True, is_apart=True)


def release(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Release:
    """What the producer may do with an item now."""
    return release_of(session, items.whole(session, actor, item_id), now=now)


def release_of(session: Session, found: Whole, *, now: datetime) -> Release:
    """What follows for the producer from an item as it was read."""
    system = found.system
    gate = gate_of(session, found.item, mode_at(system.mode, system.mode_until, now), now)
    if gate is Gate.STOPPED:
        return _stood_in(session, system)
    if gate is Gate.BUNDLE:
        return Release(ReleaseState.PENDING, reason=ReleaseReason.BUNDLE, notice=BUNDLE_NOTICE, gate=gate)
    if gate is Gate.OVERDUE:
        return Release(ReleaseState.PENDING, gate=gate)
    return _recorded(session, found)


def _stood_in(session: Session, system: System) -> Release:
    """What a stopped system's producers are given: the fallback of its policy, or nothing."""
    active = select(col(Policy.document)).where(col(Policy.id) == system.active_policy_id)
    document = session.execute(active).scalar()
    text = compiled(document).policy.fallback if document else None
    return Release(
        ReleaseState.WITHHELD, text, content.content_digest(text) if text else None, None, ActorKind.SYSTEM.value,
        reason=ReleaseReason.SYSTEM_STOPPED, notice=NOTICES[Cause.STOPPED], gate=Gate.STOPPED,
    )  # fmt: skip


def _recorded(session: Session, found: Whole) -> Release:
    item, decision = found.item, found.decision
    state = ReleaseState(item.release_state)
    cause = Cause(decision.cause) if decision and decision.cause else None
    let_through = ActorKind.SYSTEM.value if item.route == Route.PASS.value else None
    return Release(
        state,
        _bound(session, found) if state is ReleaseState.RELEASED else None,
        item.release_digest,
        decision.verdict if decision else None,
        let_through or (decision.decided_by_kind if decision else None),
        decision.id if decision else None,
        REASONS[cause] if cause else None,
        NOTICES[cause] if cause else None,
    )


def _bound(session: Session, found: Whole) -> Any:
    """The content that the release is bound to, whatever was decided of it since."""
    for value in _contents(session, found):
        if content.content_digest(value) == found.item.release_digest:
            return value
    raise RuntimeError(f"item {found.item.id} is released with a digest that nothing on record of it has")


def _contents(session: Session, found: Whole) -> Iterator[Any]:
    yield found.content["output"]
    if found.decision is not None:
        yield found.decision.correction
    corrected = (col(Decision.item_id) == found.item.id, col(Decision.verdict) == "correct")
    yield from session.execute(select(col(Decision.correction)).where(*corrected)).scalars()


def is_unseen(item: Item, gate: Gate) -> bool:
    """Whether the producer has not been told yet what was decided, by people or by the fail-safe that is overdue."""
    if gate is not Gate.OPEN:
        return gate is Gate.OVERDUE
    is_decided = item.route != Route.PASS.value and item.release_state != _PENDING
    return is_decided and item.release_fetched_at is None


def settled(session: Session, item_ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
    """Those of the items whose producers have an answer at this moment."""
    found: set[UUID] = set()
    for start in range(0, len(item_ids), _AT_ONCE):
        found.update(_settled(session, item_ids[start : start + _AT_ONCE], now))
    return found


def _settled(session: Session, item_ids: Sequence[UUID], now: datetime) -> Iterator[UUID]:
    is_stopped = and_(col(System.mode) == STOPPED, or_(col(System.mode_until).is_(None), col(System.mode_until) > now))
    has_answer = or_(is_stopped, col(Item.release_state) != _PENDING, col(Item.lapses_at) <= now)
    rows = session.execute(
        select(Item.id, Item.system_id, Item.bundle, Item.release_state, Item.lapses_at, is_stopped.label("is_stopped"))  # type: ignore[call-overload]
        .join(System, col(System.id) == col(Item.system_id))
        .where(col(Item.id).in_(item_ids), has_answer)
    ).all()
    for row in rows:
        if row.is_stopped or row.bundle is None or _bundle(session, row, now)[0]:
            yield row.id

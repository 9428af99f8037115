"""Where nobody answered in time: the fail-safe that the item's rule names, decided by Holdpoint and on record so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, select, text, update
from sqlmodel import Session, col

from review.commands import freeing, settlements
from review.commands.eligibility import TASK
from review.commands.settlements import Lapse
from review.domain import content, fail_safes
from review.domain.fail_safes import Cause
from review.domain.lifecycle import ItemStatus
from review.domain.releases import is_overdue
from review.domain.rulings import compiled
from review.store.tables import Item, ItemPayload, Policy
from review.store.types import UtcDateTime, new_id

_ITEM: Table = Item.__table__  # type: ignore[attr-defined]
_PENDING: Any = text("item.release_state = 'pending'")  # spelled out, for SQLite to use the partial index
_OVERDUE: tuple[Any, ...] = (
    _PENDING,
    text("item.lapses_at IS NOT NULL"),
    _ITEM.c.lapses_at <= bindparam("now", type_=UtcDateTime()),
)
_KNOWN = ("id", "external_id", "version", "rule", "reasons")
_TO_SETTLE: Any = (
    select(*(_ITEM.c[name] for name in _KNOWN), col(ItemPayload.content), col(Policy.document))
    .join(ItemPayload, col(ItemPayload.item_id) == _ITEM.c.id)
    .join(Policy, (col(Policy.system_id) == _ITEM.c.system_id) & (col(Policy.version) == _ITEM.c.policy_version))
)
_DUE = (
    _TO_SETTLE.where(*_OVERDUE)
    .order_by(_ITEM.c.lapses_at)
    .limit(bindparam("at_most"))
    .with_for_update(of=_ITEM, skip_locked=True)
)
_ONE: Any = _TO_SETTLE.where(_PENDING, _ITEM.c.id == bindparam("item_id")).with_for_update(of=_ITEM)
# In one order for everyone who waits for several. PostgreSQL looks at what it waited for once more.
_OVERDUE_OF_THESE: Any = (
    _TO_SETTLE.where(*_OVERDUE, _ITEM.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_ITEM.c.id)
    .with_for_update(of=_ITEM)
)
_SETTLE = (
    update(_ITEM)
    .where(_ITEM.c.id == bindparam("item"), _ITEM.c.version == bindparam("seen_version"), _PENDING)
    .values(
        status=ItemStatus.LAPSED.value,
        version=_ITEM.c.version + 1,
        decision_id=bindparam("new_decision"),
        release_state=bindparam("new_release"),
        release_digest=bindparam("new_digest"),
    )
    .returning(_ITEM.c.id)
)


def lapse_due(session: Session, *, now: datetime, at_most: int) -> int:
    """Answer for everyone whose time is over, those longest overdue first. Returns how many items were settled.

    Items that someone else has in hand at this moment are left to them, so that two workers share the work.
    """
    return _settle(session, session.connection().execute(_DUE, {"now": now, "at_most": at_most}).all(), now)


def lapse_one(session: Session, item_id: UUID, *, now: datetime) -> bool:
    """Answer for one item by its rule's fail-safe, whether or not its time is over; False where it is not pending."""
    return _settle(session, session.connection().execute(_ONE, {"item_id": item_id}).all(), now) > 0


def settle_overdue(session: Session, item_ids: Sequence[UUID], *, now: datetime) -> int:
    """What the worker would have done by now for these items, and for the bundles that they are of."""
    rows = session.connection().execute(_WHOSE, {"ids": item_ids}).all()
    overdue = {row.id for row in rows if is_overdue(row.release_state, row.lapses_at, now)}
    for system_id, bundle in {(row.system_id, row.bundle) for row in rows if row.bundle is not None}:
        of_bundle = {"of_system": system_id, "of_bundle": bundle, "now": now}
        overdue.update(session.connection().execute(_OVERDUE_IN_BUNDLE, of_bundle).scalars())
    if not overdue:
        return 0
    chosen = {"ids": sorted(overdue), "now": now}
    return _settle(session, session.connection().execute(_OVERDUE_OF_THESE, chosen).all(), now)


_WHOSE: Any = select(_ITEM.c.id, _ITEM.c.system_id, _ITEM.c.bundle, _ITEM.c.release_state, _ITEM.c.lapses_at).where(
    _ITEM.c.id.in_(bindparam("ids", expanding=True))
)
_OVERDUE_IN_BUNDLE = select(_ITEM.c.id).where(
    *_OVERDUE, _ITEM.c.system_id == bindparam("of_system"), _ITEM.c.bundle == bindparam("of_bundle")
)


def _settle(session: Session, rows: Sequence[Any], now: datetime) -> int:
    lapses = [lapse for row in rows if (lapse := _lapsed(session, row)) is not None]
    settlements.record(session, lapses, now=now)
    if lapses:
        freeing.withdraw(session, now, TASK.c.item_id.in_([lapse.item_id for lapse in lapses]))
    return len(lapses)


def _lapsed(session: Session, row: Any) -> Lapse | None:
    """One item settled; None where somebody else was first."""
    output = content.parse(row.content)["output"]
    policy = compiled(row.document)
    settled = fail_safes.of_rule(output, policy.policy, policy.rule(row.rule, row.reasons), Cause.LAPSED)
    lapse = Lapse(row.id, row.external_id, row.version, new_id(), settled)
    changed = {
        "item": row.id,
        "seen_version": row.version,
        "new_decision": lapse.decision_id,
        "new_release": settled.release_state.value,
        "new_digest": settled.digest,
    }
    return lapse if session.connection().execute(_SETTLE, changed).first() else None

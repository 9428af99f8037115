"""Handing a release out: looks at an item, the producer's first sight of an answer, and its use go on record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from review.commands import audit, lapses, modes, outbox
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import ReleaseState
from review.domain.policies import Route
from review.errors import Conflict, Consumed, NotReleased
from review.queries import releases
from review.queries.releases import Gate, Release
from review.store.tables import Item


def fetch(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Release:
    """What may be done with an item now. The producer's first sight of a final state closes the time for undoing it.

    Raises NotFound or Forbidden where the actor may not know of the item.
    """
    _hold_still(session, item_id, now)
    release = releases.release(session, actor, item_id, now=now)
    if release.gate is Gate.OPEN and release.state is not ReleaseState.PENDING:
        if actor.system_id is None:
            audit.record(session, actor, "item.viewed", ("item", item_id), now=now)
        _mark_fetched(session, actor, [item_id], now)
    return release


def consume(session: Session, actor: Actor, item_id: UUID, sha256: str, *, now: datetime) -> Release:
    """Give out what was released, once, to the producer that names its digest.

    Of a stopped system the fallback is given instead, and nothing changes. Raises NotReleased where there is nothing
    to give, Consumed where it was given already, Conflict for another digest.
    """
    actor.require(Permission.SUBMIT)
    modes.keep(session, _system_of(session, item_id))
    _hold_still(session, item_id, now)
    release = releases.release(session, actor, item_id, now=now)
    if release.gate is Gate.STOPPED:
        return release
    _refuse_unusable(release, sha256)
    used = session.execute(
        update(Item)
        .where(
            col(Item.id) == item_id,
            col(Item.release_consumed_at).is_(None),
            col(Item.release_state) == ReleaseState.RELEASED.value,
            col(Item.release_digest) == sha256,
        )
        .values(release_consumed_at=now)
        .returning(col(Item.external_id))
        .execution_options(synchronize_session=False)
    ).scalar()
    if used is None:
        raise Consumed("This release was given out already: what it lets through is used once.")
    _mark_fetched(session, actor, [item_id], now)
    told: dict[str, Any] = {"sha256": sha256, "decision_id": release.decision_id}
    audit.record(session, actor, "release.consumed", ("item", item_id), now=now, **told)
    outbox.enqueue(session, "release.consumed", item_id, now=now, external_id=used, **told)
    return release


def _refuse_unusable(release: Release, sha256: str) -> None:
    if release.state is ReleaseState.PENDING:
        raise NotReleased(f"This release is pending. {release.notice or 'Nobody has answered yet.'}")
    if release.state is ReleaseState.WITHHELD:
        raise NotReleased("This release is withheld: there is nothing to use.")
    if release.sha256 != sha256:
        raise Conflict(
            f"What is released has the digest {release.sha256}, not the one that was sent. Fetch it again.",
            field="sha256",
        )


def look(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Gate:
    """Put a look at a whole item on record, before it is read; for its producer this may be the first sight too.

    Returns what stands between its release and who looks, which is nothing for people. What its producer may not use
    yet, behind the gate, it is not told of: that is no sight of it.
    """
    found = _held(session, [item_id], now)
    audit.record(session, actor, "item.viewed", ("item", item_id), now=now)
    return _mark_seen(session, actor, found, now).get(item_id, Gate.OPEN)


def see(session: Session, actor: Actor, item_ids: Sequence[UUID], *, now: datetime) -> Sequence[Item]:
    """Put on record that a producer is told where its items stand. Returns them as they are then, by id."""
    found = _held(session, item_ids, now)
    _mark_seen(session, actor, found, now)
    return found


def _held(session: Session, item_ids: Sequence[UUID], now: datetime) -> Sequence[Item]:
    """The same as _hold_still for several items, which it returns by id."""
    lapses.settle_overdue(session, item_ids, now=now)
    chosen = select(Item).where(col(Item.id).in_(item_ids)).order_by(col(Item.id)).with_for_update()
    return session.execute(chosen.execution_options(populate_existing=True)).scalars().all()


def _mark_seen(session: Session, actor: Actor, found: Sequence[Item], now: datetime) -> dict[UUID, Gate]:
    """Put on record what a producer sees of these items; returns what stands before the release of each."""
    if actor.system_id is None:
        return {}
    gates = releases.gates(session, found, now=now)
    _mark_fetched(session, actor, [item_id for item_id, gate in gates.items() if gate is Gate.OPEN], now)
    return gates


def _hold_still(session: Session, item_id: UUID, now: datetime) -> None:
    """Keep decisions and undoing out until this transaction ends, so that what is seen is what is on record.

    What is overdue is on record from here on, whether or not a worker runs.
    """
    lapses.settle_overdue(session, [item_id], now=now)
    session.execute(select(col(Item.id)).where(col(Item.id) == item_id).with_for_update())


def _system_of(session: Session, item_id: UUID) -> UUID | None:
    return session.execute(select(col(Item.system_id)).where(col(Item.id) == item_id)).scalar()


def _mark_fetched(session: Session, actor: Actor, item_ids: Sequence[UUID], now: datetime) -> None:
    if actor.system_id is None:
        return
    marked = session.execute(
        update(Item)
        .where(
            col(Item.id).in_(item_ids),
            col(Item.system_id) == actor.system_id,
            col(Item.route) != Route.PASS.value,
            col(Item.release_state) != ReleaseState.PENDING.value,
            col(Item.release_fetched_at).is_(None),
        )
        .values(release_fetched_at=now)
        .returning(col(Item.id), col(Item.release_state), col(Item.release_digest), col(Item.decision_id))
        .execution_options(synchronize_session=False)
    )
    for item_id, state, sha256, decision_id in marked.all():
        told = {"state": state, "sha256": sha256, "decision_id": decision_id}
        audit.record(session, actor, "release.fetched", ("item", item_id), now=now, **told)

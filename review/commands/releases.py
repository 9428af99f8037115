"""Handing a release out: looks at an item, and the producer's first sight of what was decided, go on record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from review.commands import audit
from review.domain.actors import Actor
from review.domain.lifecycle import ReleaseState
from review.domain.policies import Route
from review.queries import items
from review.queries.items import Release
from review.store.tables import Item


def fetch(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Release:
    """What may be done with an item now. The producer's first sight of a final state closes the time for undoing it.

    Raises NotFound or Forbidden where the actor may not know of the item.
    """
    _hold_still(session, item_id)
    release = items.release(session, actor, item_id)
    if release.state is not ReleaseState.PENDING:
        if actor.system_id is None:
            audit.record(session, actor, "item.viewed", ("item", item_id), now=now)
        _mark_fetched(session, actor, [item_id], now)
    return release


def look(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> None:
    """Put a look at a whole item on record, before it is read; for its producer this may be the first sight too."""
    _hold_still(session, item_id)
    audit.record(session, actor, "item.viewed", ("item", item_id), now=now)
    _mark_fetched(session, actor, [item_id], now)


def see(session: Session, actor: Actor, item_ids: Sequence[UUID], *, now: datetime) -> Sequence[Item]:
    """Put on record that a producer is told where its items stand. Returns them as they are then, by id."""
    chosen = select(Item).where(col(Item.id).in_(item_ids)).order_by(col(Item.id)).with_for_update()
    found = session.execute(chosen.execution_options(populate_existing=True)).scalars().all()
    _mark_fetched(session, actor, item_ids, now)
    return found


def _hold_still(session: Session, item_id: UUID) -> None:
    """Keep decisions and undoing out until this transaction ends, so that what is seen is what is on record."""
    session.execute(select(col(Item.id)).where(col(Item.id) == item_id).with_for_update())


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

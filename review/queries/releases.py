"""Where releases stand, without their content."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from review.domain.actors import Actor
from review.domain.lifecycle import ReleaseState
from review.domain.policies import Route
from review.errors import NotFound
from review.queries import items
from review.store.tables import Item

_AT_ONCE = 500
_STANDING = select(  # built once: long polls and decisions ask it
    Item.system_id, Item.route, Item.release_state, Item.release_digest, Item.release_fetched_at
).where(col(Item.id) == bindparam("item_id"))  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item's release stands; `on_record` where a further look at it by the same actor changes nothing."""

    state: ReleaseState
    sha256: str | None
    on_record: bool


def standing(session: Session, actor: Actor, item_id: UUID) -> Standing:
    """Where a release stands; raises NotFound or Forbidden where the actor may not know of it."""
    row = session.connection().execute(_STANDING, {"item_id": item_id}).first()
    if row is None:
        raise NotFound("There is no such item.")
    items.require_sight(actor, row.system_id)
    state = ReleaseState(row.release_state)
    if actor.system_id is None:
        on_record = state is ReleaseState.PENDING
    else:
        on_record = state is ReleaseState.PENDING or row.route == Route.PASS.value or row.release_fetched_at is not None
    return Standing(state, row.release_digest, on_record)


def is_unseen(item: Item) -> bool:
    """Whether the producer has not been told yet what was decided."""
    is_decided = item.route != Route.PASS.value and item.release_state != ReleaseState.PENDING.value
    return is_decided and item.release_fetched_at is None


def settled(session: Session, item_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the items whose release is no longer pending."""
    found: set[UUID] = set()
    for start in range(0, len(item_ids), _AT_ONCE):
        some = item_ids[start : start + _AT_ONCE]
        ready = select(col(Item.id)).where(
            col(Item.id).in_(some), col(Item.release_state) != ReleaseState.PENDING.value
        )
        found.update(session.execute(ready).scalars())
    return found

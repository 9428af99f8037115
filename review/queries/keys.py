"""Who a key belongs to, and which keys there are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, true
from sqlmodel import Session, col

from review.domain.actors import Actor, Role, person_actor, system_actor
from review.domain.content import sha256
from review.errors import Unauthenticated
from review.store.engine import holds_rows
from review.store.tables import ApiKey, Person, System

# Built once: every request asks this, and building it costs as much as running it.
_HOLDER = (
    select(ApiKey.id, System.id, System.slug, Person.id, Person.name, Person.role, Person.active)  # type: ignore[call-overload]
    .outerjoin(System, col(System.id) == col(ApiKey.system_id))
    .outerjoin(Person, col(Person.id) == col(ApiKey.person_id))
    .where(col(ApiKey.hash) == bindparam("hash"), col(ApiKey.revoked_at).is_(None))
)
_HELD = select(Person).where(col(Person.id) == col(ApiKey.person_id)).with_for_update(read=True).lateral()
# The same, where changes to the person wait until this transaction ends: a deactivated one then changes nothing more.
_HOLDER_HELD = (
    select(ApiKey.id, System.id, System.slug, _HELD.c.id, _HELD.c.name, _HELD.c.role, _HELD.c.active)  # type: ignore[call-overload]
    .select_from(ApiKey)
    .outerjoin(System, col(System.id) == col(ApiKey.system_id))
    .outerjoin(_HELD, true())
    .where(col(ApiKey.hash) == bindparam("hash"), col(ApiKey.revoked_at).is_(None))
)


def actor_of(session: Session, token: str) -> Actor:
    """The producing system or person that a key belongs to; raises Unauthenticated for a key that does not count."""
    query = _HOLDER_HELD if holds_rows(session) else _HOLDER
    row = session.connection().execute(query, {"hash": sha256(token.encode())}).first()
    if row is None:
        raise Unauthenticated("This key is not known, or was revoked. Send Authorization: Bearer hp_….")
    key_id, system_id, slug, person_id, name, role, active = row
    if system_id is not None:
        return system_actor(system_id, slug, key_id)
    if not active:
        raise Unauthenticated("The person this key belongs to is not active.")
    return person_actor(person_id, name, Role(role), key_id)


@dataclass(frozen=True, slots=True)
class Listed:
    """One key: its first characters, whose it is, and whether it still counts."""

    id: UUID
    hint: str
    holder: str
    is_person: bool
    created_at: datetime
    revoked_at: datetime | None


def listed(session: Session) -> list[Listed]:
    """All keys, those that count first, newest first."""
    rows = session.execute(
        select(ApiKey, col(System.slug), col(Person.name))
        .outerjoin(System, col(System.id) == col(ApiKey.system_id))
        .outerjoin(Person, col(Person.id) == col(ApiKey.person_id))
        .order_by(col(ApiKey.revoked_at).is_not(None), col(ApiKey.id).desc())
    ).all()
    return [
        Listed(key.id, key.hint, slug or name, key.person_id is not None, key.created_at, key.revoked_at)
        for key, slug, name in rows
    ]

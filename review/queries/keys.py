"""Who a key belongs to."""

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from review.domain.actors import Actor, Role, person_actor, system_actor
from review.domain.content import sha256
from review.errors import Unauthenticated
from review.store.tables import ApiKey, Person, System

# Built once: every request asks this, and building it costs as much as running it.
_HOLDER = (
    select(ApiKey.id, System.id, System.slug, Person.id, Person.name, Person.role, Person.active)  # type: ignore[call-overload]
    .outerjoin(System, col(System.id) == col(ApiKey.system_id))
    .outerjoin(Person, col(Person.id) == col(ApiKey.person_id))
    .where(col(ApiKey.hash) == bindparam("hash"), col(ApiKey.revoked_at).is_(None))
)


def actor_of(session: Session, token: str) -> Actor:
    """The producing system or person that a key belongs to; raises Unauthenticated for a key that does not count."""
    row = session.execute(_HOLDER, {"hash": sha256(token.encode())}).first()
    if row is None:
        raise Unauthenticated("This key is not known, or was revoked. Send Authorization: Bearer hp_….")
    key_id, system_id, slug, person_id, name, role, active = row
    if system_id is not None:
        return system_actor(system_id, slug, key_id)
    if not active:
        raise Unauthenticated("The person this key belongs to is not active.")
    return person_actor(person_id, name, Role(role), key_id)

"""People: who may sign in, as what, and the sign-ins themselves."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select, update
from sqlmodel import Session, col

from review.commands import audit, freeing, tasks
from review.commands.eligibility import TASK
from review.domain.actors import Actor, ActorKind, Permission, Role, person_actor
from review.domain.content import sha256
from review.domain.identities import identity
from review.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated, WrongState
from review.store.engine import advisory_lock
from review.store.tables import Item, Person, SignInAttempt, TaskBar

ATTEMPT_WINDOW = timedelta(minutes=15)
MAX_PER_PERSON, MAX_PER_ADDRESS = 5, 30
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NO_USERNAME = "?"  # what is typed but cannot be a username is counted under this name
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")


def add(
    session: Session, actor: Actor, *, username: str, name: str, email: str, role: Role,
    password_hash: str | None, now: datetime,
) -> Person:  # fmt: skip
    """Add a person; without a password hash they cannot sign in until one is set.

    Raises Invalid for a username or e-mail that cannot be one, Conflict where it is taken.
    """
    actor.require(Permission.ADMINISTER)
    username, email, name = username.strip().lower(), email.strip().lower(), name.strip()
    _check_identity(session, username, email, name)
    person = Person(
        username=username, name=name, email=email, role=role.value, password_hash=password_hash,
        sessions_valid_from=now, created_at=now,
    )  # fmt: skip
    session.add(person)
    session.flush()
    _bar_from_own(session, person)
    audit.record(session, actor, "person.added", ("person", person.id), now=now, username=username, role=role.value)
    return person


def _bar_from_own(session: Session, person: Person) -> None:
    """Keep a new person from deciding on what they asked for before they were here."""
    names = {identity(person.username), identity(person.email)}
    said = session.execute(select(col(Item.requested_by)).where(col(Item.requested_by).is_not(None)).distinct())
    asked = col(Item.requested_by).in_([name for name in said.scalars() if identity(name) in names])
    theirs = select(col(Item.id), literal(person.id), literal("asked for it")).where(asked)
    session.execute(insert(TaskBar).from_select(["item_id", "person_id", "reason"], theirs))


def _check_identity(session: Session, username: str, email: str, name: str) -> None:
    if not _USERNAME.fullmatch(username):
        raise Invalid("A username is lower-case letters, digits, and . _ - in it.", field="username")
    if not _EMAIL.fullmatch(email):
        raise Invalid(f"“{email}” is not an e-mail address.", field="email")
    if not name or len(name) > 200:
        raise Invalid("A person has a name of up to 200 characters.", field="name")
    taken = session.execute(
        select(col(Person.username)).where((col(Person.username) == username) | (col(Person.email) == email))
    ).first()
    if taken:
        field = "username" if taken[0] == username else "email"
        raise Conflict(f"Somebody has this {field} already.", field=field)


def set_password(session: Session, actor: Actor, person_id: UUID, password_hash: str, *, now: datetime) -> None:
    """Give a person a new password, or oneself; every tab of theirs is signed out."""
    if actor.id != person_id:
        actor.require(Permission.ADMINISTER)
    person = _person(session, person_id)
    person.password_hash, person.sessions_valid_from = password_hash, now
    audit.record(session, actor, "person.password_changed", ("person", person_id), now=now)


def set_role(session: Session, actor: Actor, person_id: UUID, role: Role, *, now: datetime) -> None:
    """Change what a person may do, from their next click on. The last admin stays one."""
    actor.require(Permission.ADMINISTER)
    person = _held_still(session, person_id, stays_admin=role is Role.ADMIN)
    before, person.role = person.role, role.value
    tasks.release_all(session, person_id)
    audit.record(session, actor, "person.role_changed", ("person", person_id), now=now, before=before, after=role.value)


def set_active(session: Session, actor: Actor, person_id: UUID, *, active: bool, now: datetime) -> None:
    """Let a person in, or keep them out from their next click on: signed out, and their keys no longer work."""
    actor.require(Permission.ADMINISTER)
    person = _held_still(session, person_id, stays_admin=active)
    if not active:
        tasks.release_all(session, person_id)
        freeing.withdraw_gold(session, now, TASK.c.assigned_to_id == person_id)
    person.active, person.sessions_valid_from = active, now
    action = "person.activated" if active else "person.deactivated"
    audit.record(session, actor, action, ("person", person_id), now=now)


def _person(session: Session, person_id: UUID) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


def _held_still(session: Session, person_id: UUID, *, stays_admin: bool) -> Person:
    """The person, whom nobody else changes, and who does not act, until this transaction ends.

    Two admins who demote each other at once wait here, and the second sees the first gone.
    """
    chosen = col(Person.id) == person_id
    is_admin = (col(Person.role) == Role.ADMIN.value) & col(Person.active)
    if not stays_admin and session.execute(select(col(Person.id)).where(chosen, is_admin)).first():
        chosen |= is_admin
    query = select(Person).where(chosen).order_by(col(Person.id)).with_for_update(key_share=True)
    held = session.execute(query.execution_options(populate_existing=True)).scalars().all()
    person: Person | None = next((one for one in held if one.id == person_id), None)
    if person is None:
        raise NotFound("There is no such person.")
    if not stays_admin and [one.id for one in held if one.role == Role.ADMIN and one.active] == [person_id]:
        raise WrongState("This is the last active admin. Make another person admin first.")
    return person


def attempt_sign_in(session: Session, username: str, address: str, *, now: datetime) -> tuple[UUID, str | None]:
    """Count an attempt before the password is checked. Returns its id and the hash to check against.

    Raises TooMany past 5 failures of a person or 30 of an address in 15 minutes.
    """
    username = username.strip().lower()
    if not _USERNAME.fullmatch(username):
        username = NO_USERNAME
    for lock in sorted(int(sha256(value.encode())[:8], 16) for value in (username, address)):
        advisory_lock(session, lock)
    for column, value, most in _limits(username, address):
        if _n_failed(session, col(column) == value, now) >= most:
            raise TooMany(
                "Too many attempts to sign in. Wait 15 minutes, or ask an admin for a new password.",
                retry_after=int(ATTEMPT_WINDOW.total_seconds()),
            )
    attempt = SignInAttempt(username=username, address=address, at=now, succeeded=False)
    session.add(attempt)
    session.flush()
    row = session.execute(
        select(col(Person.password_hash)).where(col(Person.username) == username, col(Person.active))
    ).first()
    return attempt.id, row[0] if row else None


def _limits(username: str, address: str) -> tuple[tuple[Any, str, int], ...]:
    return (
        (SignInAttempt.username, username, MAX_PER_PERSON),
        (SignInAttempt.address, address, MAX_PER_ADDRESS),
    )


def _n_failed(session: Session, whose: Any, now: datetime) -> int:
    n: int = session.execute(
        select(func.count())
        .select_from(SignInAttempt)
        .where(whose, col(SignInAttempt.at) > now - ATTEMPT_WINDOW, ~col(SignInAttempt.succeeded))
    ).scalar_one()
    return n


def finish_sign_in(session: Session, attempt_id: UUID, *, right: bool, now: datetime) -> Person | None:
    """Record how the attempt went. Returns the person where the password was right, else None."""
    attempt = session.get_one(SignInAttempt, attempt_id)
    person: Person | None = session.execute(
        select(Person).where(col(Person.username) == attempt.username, col(Person.active))
    ).scalar()
    is_current = person is not None and person.sessions_valid_from <= attempt.at
    if not right or person is None or not is_current:  # or the password was changed while the old one was checked
        _record_failure(session, attempt, person, now)
        return None
    attempt.succeeded = True
    actor = person_actor(person.id, person.name, Role(person.role))
    audit.record(session, actor, "sign_in.succeeded", ("person", person.id), now=now, address=attempt.address)
    return person


def _record_failure(session: Session, attempt: SignInAttempt, person: Person | None, now: datetime) -> None:
    """Put a failure on record; and once, where it is the last before a limit, that the next ones will be refused.

    What is refused by then leaves no event of its own: nobody can fill the trail by trying on.
    """
    nobody = Actor(ActorKind.SYSTEM, None, "sign-in")
    subject = ("person", person.id if person else None)
    told: dict[str, Any] = {"username": attempt.username, "address": attempt.address}
    audit.record(session, nobody, "sign_in.failed", subject, now=now, **told)
    for column, value, most in _limits(attempt.username, attempt.address):
        if _n_failed(session, col(column) == value, now) >= most:
            audit.record(session, nobody, "sign_in.limited", subject, now=now, limit=column.key, n=most, **told)


def sign_out(session: Session, actor: Actor, *, now: datetime) -> None:
    """End every tab's sign-in of this person: cookies from before this moment no longer count."""
    if actor.kind is not ActorKind.PERSON:
        raise Unauthenticated("Nobody is signed in.")
    session.execute(update(Person).where(col(Person.id) == actor.id).values(sessions_valid_from=now))
    audit.record(session, actor, "signed_out", ("person", actor.id), now=now)

"""Loading the demo: its people, its systems, and two weeks of work played through the real commands."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import keys, people, policies, systems
from review.demo import arrivals
from review.demo.days import Days
from review.demo.scenario import PEOPLE, SYSTEMS, Played, scenario
from review.domain import passwords
from review.domain.actors import HOLDPOINT, Actor, Role, person_actor
from review.domain.outputs import read_output
from review.domain.rulings import compiled
from review.errors import WrongState
from review.queries import keys as key_queries
from review.store.engine import Store
from review.store.tables import Person, System

_SEED = 7
MakePassword = Callable[[], str]


class SignIn(NamedTuple):
    """How one of the demo's people signs in."""

    username: str
    role: str
    password: str


def load(store: Store, now: datetime, make_password: MakePassword) -> list[SignIn]:
    """Put the demo into an empty database, as if its people had worked for two weeks up to now.

    Passwords are made here and kept nowhere but in the answer. Raises WrongState where there are people already.
    """
    with store.read() as session:
        if has_people(session):
            raise WrongState("There are people in this database already: the demo is for an empty one.")
    sign_ins = _sign_ins(make_password)
    hashes = {one.username: passwords.hashed(one.password) for one in sign_ins}
    start = arrivals.first_midnight(now) - timedelta(days=1)
    with store.write() as session:
        staff = _add_people(session, hashes, start)
        producers = _add_systems(session, start)
        sample_keys = _sample_keys(session)
    _play(store, staff, producers, sample_keys, now)
    return sign_ins


def has_people(session: Session) -> bool:
    """Whether anybody is in this database."""
    return session.execute(select(col(Person.id)).limit(1)).first() is not None


def is_loaded(session: Session) -> bool:
    """Whether the demo's people are in this database, each with their own address."""
    emails = set(session.execute(select(col(Person.email))).scalars())
    return {one.email for one in PEOPLE} <= emails


def reset_passwords(store: Store, now: datetime, make_password: MakePassword) -> list[SignIn]:
    """Give the demo's people fresh passwords; their open tabs are signed out. Raises WrongState without the demo."""
    sign_ins = _sign_ins(make_password)
    hashes = {one.username: passwords.hashed(one.password) for one in sign_ins}
    with store.write() as session:
        if not is_loaded(session):
            raise WrongState("The demo is not in this database: nobody's password was changed.")
        for person_id, username in session.execute(select(col(Person.id), col(Person.username))).all():
            if username in hashes:
                people.set_password(session, HOLDPOINT, person_id, hashes[username], now=now)
    return sign_ins


def _sign_ins(make_password: MakePassword) -> list[SignIn]:
    return [SignIn(one.username, one.role, make_password()) for one in PEOPLE]


def _add_people(session: Session, hashes: Mapping[str, str], now: datetime) -> dict[str, Actor]:
    staff = {}
    for one in PEOPLE:
        role = Role(one.role)
        person = people.add(
            session, HOLDPOINT, username=one.username, name=one.name, email=one.email, role=role,
            password_hash=hashes[one.username], now=now,
        )  # fmt: skip
        staff[one.username] = person_actor(person.id, person.name, role)
    return staff


def _add_systems(session: Session, now: datetime) -> dict[str, Actor]:
    producers = {}
    for one in SYSTEMS:
        systems.add(
            session, HOLDPOINT, slug=one.slug, name=one.name, description=one.description, owner=one.owner,
            deputy=one.deputy, now=now,
        )  # fmt: skip
        policies.activate(session, HOLDPOINT, one.slug, one.policy, now=now)
        producers[one.slug] = key_queries.actor_of(
            session, keys.create_for_system(session, HOLDPOINT, one.slug, now=now)
        )
    return producers


def _sample_keys(session: Session) -> dict[str, bytes]:
    rows = session.execute(select(System)).scalars()
    return {system.slug: system.sample_key for system in rows}


def _play(
    store: Store, staff: Mapping[str, Actor], producers: Mapping[str, Actor], sample_keys: Mapping[str, bytes],
    now: datetime,
) -> None:  # fmt: skip
    rng = Random(_SEED)  # noqa: S311 - a play is to be repeated, not to be secret
    rules = {one.slug: compiled(one.policy) for one in SYSTEMS}

    def is_reviewed(played: Played) -> bool:
        output, _ = read_output(orjson.dumps(played.output), now)
        return rules[output.system].ruling(output, sample_keys[output.system]).reviewed

    played = scenario(_SEED, arrivals.first_midnight(now).weekday())
    days = Days(staff, _with_role("reviewer"), _with_role("lead"), producers, now, rng)
    days.play(store, arrivals.arrivals(played, is_reviewed, now, rng))


def _with_role(role: str) -> tuple[str, ...]:
    return tuple(one.username for one in PEOPLE if one.role == role)

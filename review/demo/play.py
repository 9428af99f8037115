"""Loading the demo: its people, its systems, and two weeks of work played through the real commands."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import people
from review.demo import arrivals, happenings, setting
from review.demo.agenda import Agenda, Cast
from review.demo.days import Days
from review.demo.gold_days import GoldDays
from review.demo.reviewers import Diary
from review.demo.scenario import PEOPLE, SYSTEMS, Played, scenario
from review.domain import passwords
from review.domain.actors import HOLDPOINT
from review.domain.outputs import read_output
from review.domain.rulings import Ruling, compiled
from review.errors import WrongState
from review.store.engine import Store
from review.store.tables import Person

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
    hashes = _hashed(sign_ins)
    start = arrivals.first_midnight(now) - timedelta(days=1)
    with store.write() as session:
        cast = setting.set_up(session, hashes, now=start, holidays_after=now)
    _play(store, cast, now)
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
    hashes = _hashed(sign_ins)
    with store.write() as session:
        if not is_loaded(session):
            raise WrongState("The demo is not in this database: nobody's password was changed.")
        for person_id, username in session.execute(select(col(Person.id), col(Person.username))).all():
            if username in hashes:
                people.set_password(session, HOLDPOINT, person_id, hashes[username], now=now)
    return sign_ins


def _sign_ins(make_password: MakePassword) -> list[SignIn]:
    return [SignIn(one.username, one.role, make_password()) for one in PEOPLE]


def _hashed(sign_ins: Sequence[SignIn]) -> dict[str, str]:
    """The hashes of all passwords, side by side: each is slow on purpose."""
    with ThreadPoolExecutor() as pool:
        hashes = pool.map(passwords.hashed, [one.password for one in sign_ins])
        return dict(zip([one.username for one in sign_ins], hashes, strict=True))


def _play(store: Store, cast: Cast, now: datetime) -> None:
    rng = Random(_SEED)  # noqa: S311 - a play is to be repeated, not to be secret
    rules = {one.slug: compiled(one.policy) for one in SYSTEMS}

    def ruling(played: Played) -> Ruling:
        output, _ = read_output(orjson.dumps(played.output), now)
        key = cast.sample_keys[output.system]
        return rules[output.system].ruling(output, key).covered(key, output.external_id)

    agenda = Agenda(now)
    diary = Diary(rng, now - arrivals.FRESH)
    days = Days(agenda, cast, diary, GoldDays(agenda, cast, diary).notice)
    days.expect(arrivals.arrivals(scenario(_SEED, arrivals.first_midnight(now).weekday()), ruling, now, rng))
    happenings.plan(agenda, cast)
    agenda.play(store)

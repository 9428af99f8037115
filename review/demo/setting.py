"""How the demo's firm is set up before the two weeks: its people, its systems, and how its queues are run."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from review.commands import keys, people, policies, queues, systems
from review.demo.agenda import Cast
from review.demo.scenario import PEOPLE, SKILLS, SYSTEMS
from review.domain.actors import HOLDPOINT, Actor, Role, person_actor
from review.domain.queues import read_settings, read_skills
from review.queries import keys as key_queries
from review.store.tables import System

_WORKDAY = [{"start": "07:00", "end": "20:00"}]


def set_up(session: Session, password_hashes: Mapping[str, str], *, now: datetime, holidays_after: datetime) -> Cast:
    """Add everyone and everything that the play needs; returns who acts in it."""
    staff = _add_people(session, password_hashes, now)
    producers = _add_systems(session, now)
    systems.set_critical(session, staff["sam"], "billing-agent", critical=True, now=now)
    lead = staff["priya"]
    for username, skills in SKILLS.items():
        queues.set_skills(session, lead, username, read_skills(skills), now=now)
    for slug, settings in _queues(holidays_after.date()).items():
        queues.settle(session, lead, slug, read_settings(settings), now=now)
    sample_keys = {system.slug: system.sample_key for system in session.execute(select(System)).scalars()}
    return Cast(staff, producers, sample_keys)


def _add_people(session: Session, password_hashes: Mapping[str, str], now: datetime) -> dict[str, Actor]:
    staff = {}
    for one in PEOPLE:
        role = Role(one.role)
        person = people.add(
            session, HOLDPOINT, username=one.username, name=one.name, email=one.email, role=role,
            password_hash=password_hashes[one.username], now=now,
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
        policies.activate(session, HOLDPOINT, one.slug, one.first_policy, now=now)
        producers[one.slug] = key_queries.actor_of(
            session, keys.create_for_system(session, HOLDPOINT, one.slug, now=now)
        )
    return producers


def _queues(today: date) -> dict[str, dict[str, Any]]:
    return {
        "answers": {"name": "Answers to customers", "ceiling": 200},
        "routing": {"name": "Routing", "members": ["maya", "jonas", "lena", "priya"]},
        "money": {
            "name": "Money",
            "members": ["maya", "jonas"],
            "load_cap": 2,
            "service": {
                "time_zone": "Europe/Dublin",
                "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), _WORKDAY),
                "holidays": [_next(today, 12, 25), _next(today, 1, 1)],
                "steps": [
                    {"name": "hurry", "after_minutes": -30, "action": "raise_priority", "priority": 95},
                    {"name": "tell_a_lead", "after_minutes": 0, "action": "notify", "notify": ["priya"]},
                    {"name": "hand_up", "after_minutes": 240, "action": "hand_up"},
                ],
            },
        },
    }


def _next(today: date, month: int, day: int) -> str:
    """The next time that this day of the year comes."""
    this_year = date(today.year, month, day)
    return (this_year if this_year >= today else date(today.year + 1, month, day)).isoformat()

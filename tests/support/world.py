"""A small world to test in: people of every role, a system with a policy, keys, and outputs to send."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, insert, select, text
from sqlmodel import Session

from review.commands import decisions, intake, keys, people, policies, systems, tasks
from review.domain.actors import HOLDPOINT, Actor, Role
from review.domain.decisions import Answer
from review.domain.lifecycle import LeaseToken
from review.domain.outputs import read_output
from review.queries import keys as key_queries
from review.queries import tasks as task_queries
from review.store.engine import Store
from review.store.tables import Decision, Task, metadata
from tests.support.databases import opened, sqlite_url

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = """\
queue: default
rules:
  - name: action on money
    when: "kind == 'action' && flags.exists(f, f.severity >= 4)"
    route: block
    reasons: [high_risk_action]
    priority: 90
  - {name: low confidence, when: "confidence == null || confidence < 0.35", route: review, reasons: [low_confidence]}
due: PT4H
"""
SAMPLING = f"{POLICY}audit_sample: {{probability: 0.05}}\n"  # drawn by a key that differs from run to run
PEOPLE = {
    "ann": Role.REVIEWER,
    "bob": Role.REVIEWER,
    "lea": Role.LEAD,
    "odo": Role.OWNER,
    "dee": Role.OWNER,
    "aud": Role.AUDITOR,
    "adm": Role.ADMIN,
}


def output(external_id: str = "x1", **changes: Any) -> dict[str, Any]:
    """The body of one output; held by POLICY unless its confidence is changed."""
    return {
        "system": "helper",
        "external_id": external_id,
        "kind": "answer",
        "model": {"name": "m", "version": "1"},
        "input": "What is the capital of France?",
        "context": ["Paris is the capital of France."],
        "output": "The capital of France is Lyon.",
        "confidence": 0.2,
        **changes,
    }


class _Founded(NamedTuple):
    """The rows of a world as they are at first, and who is in it."""

    rows: list[tuple[Table, list[dict[str, Any]]]]
    actors: dict[str, Actor]
    tokens: dict[str, str]


@lru_cache
def _founded(now: datetime) -> _Founded:
    """Found a world by the commands, once: each takes a tenth of a second, and every test begins with the same."""
    with TemporaryDirectory() as folder, opened(sqlite_url(Path(folder))) as store:
        with store.write() as session:
            actors, tokens = _found(session, now)
        with store.read() as session:
            rows = [(table, session.execute(select(table)).mappings().all()) for table in metadata.sorted_tables]
    return _Founded([(table, [dict(row) for row in found]) for table, found in rows if found], actors, tokens)


def _found(session: Session, now: datetime) -> tuple[dict[str, Actor], dict[str, str]]:
    for username, role in PEOPLE.items():
        people.add(
            session, HOLDPOINT, username=username, name=username.title(), email=f"{username}@example.com",
            role=role, password_hash=None, now=now,
        )  # fmt: skip
    systems.add(session, HOLDPOINT, slug="helper", owner="odo", deputy="dee", now=now)
    policies.activate(session, HOLDPOINT, "helper", POLICY, now=now)
    tokens = {username: keys.create_for_person(session, HOLDPOINT, username, now=now) for username in PEOPLE}
    tokens["helper"] = keys.create_for_system(session, HOLDPOINT, "helper", now=now)
    return {name: key_queries.actor_of(session, token) for name, token in tokens.items()}, tokens


@dataclass
class World:
    """A store with people, one system named helper, and a clock that tests move."""

    store: Store
    now: datetime = START
    actors: dict[str, Actor] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        founded = _founded(self.now)
        with self.store.write() as session:
            if session.get_bind().dialect.name == "sqlite":
                session.execute(text("PRAGMA defer_foreign_keys = ON"))
            for table, rows in founded.rows:
                session.execute(insert(table), rows)
        self.actors, self.tokens = dict(founded.actors), dict(founded.tokens)

    def later(self, **delta: float) -> datetime:
        """Move the clock."""
        self.now += timedelta(**delta)
        return self.now

    def submit(self, *outputs: dict[str, Any]) -> list[Any]:
        """Send outputs as the system helper does."""
        checked = [read_output(json.dumps(one).encode(), self.now) for one in outputs]
        with self.store.write() as session:
            return intake.take(session, self.actors["helper"], checked, now=self.now)

    def claim(self, who: str = "ann", queue: str | None = None) -> Task | None:
        """Claim as a person."""
        with self.store.write() as session:
            return tasks.claim(session, self.actors[who], queue=queue, now=self.now)

    def lease(self, task: Task) -> LeaseToken:
        """The hold on a claimed task, with the item's version as its holder sees it now."""
        with self.store.read() as session:
            version = task_queries.work(session, self.actors["adm"], task).whole.item.version
        assert task.lease_token is not None
        return LeaseToken(task.lease_token, version)

    def decide(self, task: Task, who: str = "ann", lease: LeaseToken | None = None, **answer: Any) -> Decision:
        """Decide as a person; approves unless told otherwise."""
        with self.store.write() as session:
            decided = decisions.decide(
                session, self.actors[who], task.id, lease or self.lease(task),
                Answer(**{"verdict": "approve", **answer}), now=self.now,
            )  # fmt: skip
            return session.get_one(Decision, decided.id)

    def item_id(self, external_id: str = "x1") -> UUID:
        """Submit an output of this external id and give its item's id."""
        return self.submit(output(external_id))[0].item_id

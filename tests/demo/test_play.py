from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from review.commands import systems
from review.delivery import worker
from review.demo import play
from review.demo.arrivals import N_HANDED_UP, N_WAITING
from review.demo.play import SignIn
from review.demo.scenario import PEOPLE, SYSTEMS
from review.domain import passwords
from review.errors import WrongState
from review.queries import audit, corrections
from review.queries.corrections import Wanted
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.store.tables import AuditEvent, Decision, Escalation, Item, Person, Queue, Task
from tests.support.databases import opened, sqlite_url
from tests.support.world import World

NOON = datetime(2026, 5, 13, 12, 20, tzinfo=UTC)  # a Wednesday
NIGHT = datetime(2026, 5, 17, 1, 5, tzinfo=UTC)  # a Sunday


def loaded(store: Store, now: datetime) -> list[SignIn]:
    """Load the demo with known passwords, and with samples that are the same in every run."""
    numbers = count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systems, "secrets", SimpleNamespace(token_bytes=bytes))
        return play.load(store, now, lambda: f"made password {next(numbers)}")


def open_tasks(store: Store) -> list[tuple[Task, int]]:
    with store.read() as session:
        query = select(Task, col(Queue.level)).join(Queue, col(Queue.id) == col(Task.queue_id))
        return [(task, level) for task, level in session.execute(query.where(col(Task.state) == "open"))]


def test_it_loads_and_everything_verifies(store: Store, tmp_path: Path) -> None:
    sign_ins = loaded(store, NOON)
    key = AuditKey(tmp_path)
    worker.tick(store, key, NOON)
    assert [(one.username, one.role) for one in sign_ins] == [(one.username, one.role) for one in PEOPLE]
    verification = audit.verify(store, key)
    assert verification.ok, verification.problem
    assert verification.n_items >= 300
    assert verification.n_decisions >= 100
    with store.read() as session:
        for one in sign_ins:
            found = session.execute(select(col(Person.password_hash)).where(col(Person.username) == one.username))
            assert passwords.matches(one.password, found.scalar_one())


@pytest.fixture(scope="module", params=[NOON, NIGHT], ids=["noon", "night"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, datetime]]:
    with opened(sqlite_url(tmp_path_factory.mktemp("demo"))) as store:
        loaded(store, request.param)
        yield store, request.param


def test_work_waits_on_the_desk_most_of_it_in_time(demo: tuple[Store, datetime]) -> None:
    store, now = demo
    waiting = [task for task, level in open_tasks(store) if level == 0]
    assert N_WAITING <= len(waiting) <= N_WAITING + 8
    overdue = [task for task in waiting if task.due_at <= now]
    soon = [task for task in waiting if now < task.due_at <= now + timedelta(minutes=45)]
    assert 1 <= len(overdue) <= 14
    assert soon
    assert not any(task.holder_id for task in waiting)


def test_leads_have_work_too(demo: tuple[Store, datetime]) -> None:
    store, _ = demo
    waiting = [task for task, level in open_tasks(store) if level == 1]
    assert 4 <= len(waiting) <= 6 == N_HANDED_UP + 1
    with store.read() as session:
        assert session.execute(select(func.count()).select_from(Escalation)).scalar_one() > len(waiting)
        resolved = select(func.count()).select_from(Task).where(col(Task.kind) == "escalation")
        assert session.execute(resolved.where(col(Task.state) == "decided")).scalar_one() >= 4


def test_two_weeks_have_no_hole_and_nothing_is_in_the_future(demo: tuple[Store, datetime]) -> None:
    store, now = demo
    with store.read() as session:
        received = list(session.execute(select(col(Item.received_at))).scalars())
        decided = list(session.execute(select(col(Decision.decided_at))).scalars())
        assert session.execute(select(func.max(AuditEvent.at))).scalar_one() < now
    assert {moment.date() for moment in received} >= {(now - timedelta(days=day)).date() for day in range(13)}
    assert max(*received, *decided) < now
    assert len({moment.date() for moment in decided}) >= 13


def test_time_never_runs_backwards_in_the_trail(demo: tuple[Store, datetime]) -> None:
    store, _ = demo
    with store.read() as session:
        at = list(session.execute(select(col(AuditEvent.at)).order_by(col(AuditEvent.id))).scalars())
    assert at == sorted(at)


def test_reviewers_are_mostly_right_but_not_always_of_one_mind(demo: tuple[Store, datetime]) -> None:
    store, _ = demo
    with store.read() as session:
        decisions = list(session.execute(select(Decision)).scalars())
        verdicts = Counter(decision.verdict for decision in decisions)
        people = {decision.decided_by_id for decision in decisions}
        handled = [decision.decided_at - decision.claimed_at for decision in decisions if decision.claimed_at]
    assert min(verdicts.values()) >= 5
    assert verdicts["approve"] > verdicts["correct"]
    assert len(people) == 3
    assert timedelta(seconds=5) < min(handled) < max(handled) < timedelta(minutes=5)
    assert any(decision.spans for decision in decisions)


def test_its_corrections_can_be_exported(demo: tuple[Store, datetime]) -> None:
    store, _ = demo
    with store.read() as session:
        for system in SYSTEMS:
            rows = corrections.rows_as_dicts(session, play.HOLDPOINT, Wanted(system=system.slug), limit=1_000)
            assert {row["verdict"] for row in rows} >= {"approve", "correct"}


def test_a_database_with_people_is_left_alone(world: World) -> None:
    with pytest.raises(WrongState, match="empty"):
        loaded(world.store, NOON)
    with pytest.raises(WrongState, match="not in this database"):
        play.reset_passwords(world.store, NOON, lambda: "made password")
    assert not open_tasks(world.store)


def test_fresh_passwords_replace_the_old(sqlite_store: Store) -> None:
    loaded(sqlite_store, NOON)
    fresh = play.reset_passwords(sqlite_store, NOON, lambda: "another password")
    assert len(fresh) == len(PEOPLE)
    with sqlite_store.read() as session:
        assert play.is_loaded(session)
        for password_hash in session.execute(select(col(Person.password_hash))).scalars():
            assert passwords.matches("another password", password_hash)

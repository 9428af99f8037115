"""Transactions: durable, all or nothing, and history that nobody edits."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from review.errors import Busy
from review.store import engine
from review.store.engine import Store
from review.store.tables import Decision, Person
from review.store.types import new_id
from tests.support.databases import opened
from tests.support.world import World, output


def test_sqlite_commits_are_durable(sqlite_store: Store) -> None:
    with sqlite_store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_postgresql_commits_are_durable(store: Store) -> None:
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_failing_write_leaves_nothing(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.store.write() as session:
        session.add(_person("eve", world.now))
        session.flush()
        raise ZeroDivisionError
    with world.store.read() as session:
        assert session.execute(text("SELECT count(*) FROM person WHERE username = 'eve'")).scalar() == 0


def test_commit_runs_again_where_another_was_first(world: World) -> None:
    tries = []

    def work(session: object) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("insert", {}, Exception("taken"))
        return "done"

    assert world.store.commit(work) == "done"
    assert len(tries) == 2


def test_a_writer_that_holds_on_makes_others_busy_and_not_wait_for_ever(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.3)
    began = time.monotonic()
    with sqlite_store.write(), ThreadPoolExecutor(1) as pool, pytest.raises(Busy, match="Nothing was written"):
        pool.submit(_write_nothing, sqlite_store).result()
    with opened(str(sqlite_store.engine.url)) as other, sqlite_store.write(), pytest.raises(Busy):
        _write_nothing(other)
    assert time.monotonic() - began < 5
    _write_nothing(sqlite_store)


def _write_nothing(store: Store) -> None:
    with store.write():
        pass


def test_times_are_aware_and_come_back_as_utc(world: World) -> None:
    with world.store.read() as session:
        person = session.get(Person, world.actors["ann"].id)
        assert person is not None
        assert person.created_at == world.now
        assert person.created_at.tzinfo is UTC or person.created_at.utcoffset() == UTC.utcoffset(None)
    with pytest.raises(StatementError, match="naive"), world.store.write() as session:
        session.add(_person("eve", datetime(2026, 1, 1)))  # noqa: DTZ001 - what is refused
        session.flush()


def _person(username: str, at: datetime) -> Person:
    return Person(
        username=username,
        name=username,
        email=f"{username}@x.io",
        role="reviewer",
        sessions_valid_from=at,
        created_at=at,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_event",
        "UPDATE audit_event SET body = '{}'",
        "UPDATE audit_event SET actor_name = 'somebody else'",
        "DELETE FROM decision",
        "UPDATE decision SET verdict = 'reject'",
        "UPDATE policy SET document = 'queue: other'",
        "DELETE FROM policy",
    ],
)
def test_history_is_append_only_in_the_database_itself(world: World, statement: str) -> None:
    world.submit(output())
    task = world.claim()
    assert task is not None
    world.decide(task)
    with pytest.raises(DBAPIError, match="append-only"), world.store.write() as session:
        session.execute(text(statement))


def test_two_standing_decisions_on_a_task_are_impossible(world: World) -> None:
    world.submit(output())
    task = world.claim()
    assert task is not None
    decision = world.decide(task)
    copied = {**decision.model_dump(), "id": new_id()}
    with pytest.raises(IntegrityError), world.store.write() as session:
        session.execute(insert(Decision), copied)


def test_connections_that_died_while_idle_are_replaced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.engine.dialect.name == "postgresql":
        monkeypatch.setattr(engine, "_IDLE_SECONDS", 0.0)
        held = [store.engine.connect() for _ in range(4)]
        numbers = [connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for connection in held]
        for connection in held:
            connection.close()
        with opened(store.engine.url.render_as_string(hide_password=False)) as other, other.read() as session:
            for number in numbers:
                session.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        time.sleep(0.2)
    with store.read() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1

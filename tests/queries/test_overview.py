"""What the overview counts, on both databases."""

import re
from datetime import UTC, timedelta

import pytest
from sqlalchemy import func
from sqlmodel import col

from review.commands import decisions
from review.domain.decisions import EscalationReason, Verdict
from review.errors import Forbidden, NotFound
from review.queries import overview, systems
from review.queries.overview import Decided, Depth
from review.store.engine import Store
from review.store.tables import Task
from review.store.types import new_id
from tests.support.discipline import activate, say
from tests.support.world import START, World, output


def depths(world: World, system: str | None = None) -> dict[str, Depth]:
    with world.store.read() as session:
        found = overview.depths(session, world.actors["odo"], system=system, now=world.now)
    return {depth.queue: depth for depth in found}


def decided(world: World, days: int = 3, system: str | None = None) -> list[Decided]:
    midnight = START.replace(hour=0)
    bounds = [midnight + timedelta(days=day) for day in range(days + 1)]
    with world.store.read() as session:
        return overview.decided(session, world.actors["odo"], bounds, system=system)


def test_depths_count_what_is_open_overdue_and_nearly_due(world: World) -> None:
    world.submit(output("a"))
    arrived = world.now
    world.later(hours=3, minutes=30)
    world.submit(output("b"), output("c", confidence=0.9))
    assert depths(world)["default"] == Depth("default", "Default", 0, 2, 0, 1, arrived)
    world.later(hours=1)
    assert depths(world)["default"] == Depth("default", "Default", 0, 2, 1, 0, arrived)


def test_a_held_task_is_still_open_and_a_decided_one_is_not(world: World) -> None:
    world.submit(output("a"), output("b"))
    task = world.claim()
    assert task is not None
    assert depths(world)["default"].n_open == 2
    world.decide(task)
    assert depths(world)["default"].n_open == 1


def test_what_was_handed_up_is_in_the_queue_above(world: World) -> None:
    world.submit(output("a"))
    task = world.claim()
    assert task is not None
    with world.store.write() as session:
        decisions.escalate(
            session, world.actors["ann"], task.id, world.lease(task), EscalationReason.OTHER, "", now=world.now
        )
    found = depths(world)
    assert (found["default"].n_open, found["escalations"].n_open, found["escalations"].level) == (0, 1, 1)


def test_depths_of_one_system(world: World) -> None:
    world.submit(output("a"))
    assert depths(world, "helper")["default"].n_open == 1
    with pytest.raises(NotFound, match="no system"):
        depths(world, "nobody")


def test_nothing_open_has_no_age(world: World) -> None:
    assert depths(world)["default"] == Depth("default", "Default", 0, 0, 0, 0, None)


def test_decisions_are_counted_by_the_readers_own_days(world: World) -> None:
    world.submit(*(output(name) for name in "abcd"))
    for verdict, later in (("approve", 0), ("reject", 15), ("approve", 10)):
        world.later(hours=later)
        task = world.claim()
        assert task is not None
        world.decide(task, verdict=verdict)
    task = world.claim()
    assert task is not None
    world.decide(task, verdict="correct", correction="Paris.")
    assert decided(world) == [
        Decided(0, "helper", Verdict.APPROVE, 1),
        Decided(1, "helper", Verdict.APPROVE, 1),
        Decided(1, "helper", Verdict.CORRECT, 1),
        Decided(1, "helper", Verdict.REJECT, 1),
    ]
    assert decided(world, days=1) == [Decided(0, "helper", Verdict.APPROVE, 1)]
    assert decided(world, system="helper") == decided(world)


def test_an_undone_decision_does_not_count(world: World) -> None:
    world.submit(output("a"))
    task = world.claim()
    assert task is not None
    decision = world.decide(task, verdict="reject")
    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], decision.id, now=world.later(seconds=3))
    assert decided(world) == []


def test_the_share_changed_has_an_interval_and_its_n() -> None:
    counts = [
        Decided(0, "a", Verdict.APPROVE, 15),
        Decided(0, "a", Verdict.CORRECT, 4),
        Decided(1, "b", Verdict.REJECT, 1),
    ]
    share = overview.share_changed(counts)
    assert (share.value, share.n) == (0.25, 20)
    assert 0.1 < share.low < 0.25 < share.high < 0.48
    assert overview.share_changed([]).value is None


def test_policies_that_came_into_force_are_marks(world: World) -> None:
    with world.store.read() as session:
        marks = overview.happened(session, world.actors["odo"], START - timedelta(days=1))
        none = overview.happened(session, world.actors["odo"], START + timedelta(days=1), system="helper")
    assert [(mark.system, mark.what, mark.at.tzinfo) for mark in marks] == [
        ("helper", "policy 1", UTC), ("helper", "policy 2", UTC),
    ]  # fmt: skip
    assert none == []


def test_a_producers_key_reads_no_overview(world: World) -> None:
    with world.store.read() as session, pytest.raises(Forbidden):
        overview.depths(session, world.actors["helper"], now=world.now)


def test_systems_are_listed_with_their_people_and_policy(world: World) -> None:
    with world.store.read() as session:
        [system] = systems.listed(session)
        assert (systems.slugs(session), systems.queue_slugs(session)) == (["helper"], ["default", "escalations"])
    assert (system.owner_name, system.deputy_name, system.policy_version) == ("Odo", "Dee", 2)


def test_depths_read_open_tasks_alone(sqlite_store: Store) -> None:
    """SQLite reads the open tasks alone, by a partial index: decided ones cost nothing."""
    query = overview._open_tasks(new_id(), [], func.count(), col(Task.due_at))
    with sqlite_store.read() as session:
        statement = str(query.compile(session.get_bind()))
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("",)).all()
    assert re.search(r"INDEX ix_task_(claim|steps) \(queue_id=\?\)", plan[0][3])


def test_a_blind_review_is_no_figure_before_it_is_final_and_gold_never_is(world: World) -> None:
    activate(world, "reviewers: 2", "gold: {rate: 0.5}\n")
    world.submit(output("x1"))
    first = say(world, "ann", verdict="reject")
    assert not first.is_final
    assert decided(world, days=1) == []
    say(world, "bob", verdict="reject")
    assert decided(world, days=1) == [Decided(0, "helper", Verdict.REJECT, 1)]

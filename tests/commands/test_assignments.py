"""Who gets what: by a lead, by itself, and back again."""

import threading
from collections import Counter
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from sqlmodel import col

from review.commands import assignments, pauses, policies, tasks
from review.domain.actors import HOLDPOINT
from review.errors import Forbidden, Invalid, NotFound, WrongState
from review.store.tables import Task
from tests.support.queues import assign, assign_waiting, assigned, away, events, messages, settle, skilled, tasks_of
from tests.support.world import World, output

SEVERAL = """\
queue: default
rules:
  - {name: german, when: "metadata.lang == 'de'", route: review, skills: ["language:de"]}
  - {name: two, when: "true", route: review, reviewers: 2}
"""


def outputs(*ids: str, **fields: Any) -> list[dict[str, Any]]:
    return [output(id_, **fields) for id_ in ids]


def ids(n: int) -> list[str]:
    return [f"x{index:02}" for index in range(n)]


def pause(world: World, username: str) -> Any:
    with world.store.write() as session:
        return pauses.pause(session, world.actors["lea"], username, "helper", reason="too fast", now=world.now)


def test_an_assigned_task_is_offered_to_that_person_alone(world: World) -> None:
    world.submit(output())
    [task] = tasks_of(world)
    assign(world, task, "bob")
    assert world.claim("ann") is None
    assert world.claim("bob") is not None
    told = orjson.loads(events(world, "task.assigned")[0].body)
    assert (told["task_id"], told["to"], told["before"]) == (str(task.id), "bob", None)
    assert messages(world, "task.assigned")[0]["to"] == "bob"


def test_a_lead_gives_it_to_another_and_frees_it(world: World) -> None:
    world.submit(output())
    [task] = tasks_of(world)
    assign(world, task, "bob")
    assign(world, task, "ann")
    assign(world, task, "ann")
    assert assigned(world) == {"x1": "ann"}
    assert len(events(world, "task.assigned")) == 2
    assign(world, task, None)
    assign(world, task, None)
    assert assigned(world) == {"x1": None}
    assert len(events(world, "task.freed")) == 1


def test_what_was_skipped_comes_back_by_a_leads_word(world: World) -> None:
    world.submit(output())
    task = world.claim("ann")
    assert task is not None
    with world.store.write() as session:
        tasks.skip(session, world.actors["ann"], task.id, str(task.lease_token), now=world.now)
    assign(world, task, "ann")
    assert world.claim("ann") is not None


def test_whom_a_task_cannot_be_given_to(world: World) -> None:
    world.submit(output())
    [task] = tasks_of(world)
    for to, told in (("odo", "does not work the queue"), ("nobody", "not an active person")):
        with pytest.raises(Invalid, match=told):
            assign(world, task, to)
    pause(world, "ann")
    with pytest.raises(Invalid, match="paused"):
        assign(world, task, "ann")
    away(world, "bob")
    with pytest.raises(Invalid, match="away until 03 March 2026"):
        assign(world, task, "bob")
    with pytest.raises(Forbidden):
        assign(world, task, "bob", who="ann")


def test_what_somebody_works_on_stays_theirs(world: World) -> None:
    world.submit(output())
    task = world.claim("ann")
    assert task is not None
    for to in ("bob", None):
        if to is None:
            with world.store.write() as session:
                session.execute(update(Task).where(col(Task.id) == task.id).values(assigned_to_id=task.holder_id))
        with pytest.raises(WrongState, match="working on this task"):
            assign(world, task, to)
    away(world, "ann")
    assert assigned(world) == {"x1": "ann"}
    world.decide(task, "ann")
    with pytest.raises(WrongState, match="done"):
        assign(world, task, "bob")
    with world.store.write() as session, pytest.raises(NotFound):
        assignments.assign(session, world.actors["lea"], task.item_id, "bob", now=world.now)


def test_each_gets_as_many_up_to_the_cap(world: World) -> None:
    world.submit(*outputs(*ids(12)))
    settle(world, load_cap=3)
    assert assign_waiting(world) == 9
    assert Counter(assigned(world).values()) == {"ann": 3, "bob": 3, "lea": 3, None: 3}
    assert assign_waiting(world) == 0
    task = world.claim("ann")
    assert task is not None
    world.decide(task, "ann")
    assert assign_waiting(world) == 1
    assert Counter(assigned(world).values()) == {"ann": 3, "bob": 3, "lea": 3, None: 2}
    assert {event.actor_name for event in events(world, "task.assigned")} == {HOLDPOINT.name}


def test_the_most_urgent_goes_first_to_who_has_the_fewest(world: World) -> None:
    world.submit(*outputs("x1", "x2"))
    settle(world, members=["ann", "bob"], load_cap=9)
    [first, second] = tasks_of(world)
    assign(world, first, "ann")
    world.submit(output("urgent", kind="action", output={"tool": "pay"}, flags=[{"code": "money", "severity": 5}]))
    assert assign_waiting(world, at_most=1) == 1
    assert assigned(world) == {"x1": "ann", "x2": None, "urgent": "bob"}
    assert second.assigned_to_id is None


def test_a_queue_without_a_cap_assigns_nothing(world: World) -> None:
    world.submit(output())
    assert assign_waiting(world) == 0
    with world.store.write() as session, pytest.raises(Invalid, match="no load cap") as refused:
        assignments.assign_queue(session, world.actors["lea"], "default", now=world.now)
    assert refused.value.field == "load_cap"


def test_on_demand_by_a_lead(world: World) -> None:
    world.submit(*outputs(*ids(4)))
    settle(world, members=["ann"], load_cap=3)
    with world.store.write() as session:
        assert assignments.assign_queue(session, world.actors["lea"], "default", now=world.now) == 3
        with pytest.raises(NotFound):
            assignments.assign_queue(session, world.actors["lea"], "nowhere", now=world.now)
        with pytest.raises(Forbidden):
            assignments.assign_queue(session, world.actors["ann"], "default", now=world.now)
    assert {event.actor_name for event in events(world, "task.assigned")} == {"Lea"}


def test_the_absent_the_paused_and_the_unskilled_are_passed_over(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", SEVERAL, now=world.now)
    world.submit(*outputs("x1", "x2", "x3", metadata={"lang": "de"}))
    settle(world, load_cap=10)
    assert assign_waiting(world) == 0
    for username in ("ann", "bob", "lea"):
        skilled(world, username, "language:de")
    away(world, "ann")
    pause(world, "bob")
    assert assign_waiting(world) == 3
    assert set(assigned(world).values()) == {"lea"}


def test_what_was_given_is_freed_when_an_absence_begins_or_a_pause_or_a_skill_goes(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", SEVERAL, now=world.now)
    world.submit(*outputs("x1", "x2", "x3", metadata={"lang": "de"}))
    for username in ("ann", "bob", "lea"):
        skilled(world, username, "language:de")
    for task, to in zip(tasks_of(world), ("ann", "bob", "lea"), strict=True):
        assign(world, task, to)
    skilled(world, "lea", "domain:law", "language:de")
    away(world, "ann", starts=1)
    assert set(assigned(world).values()) == {"ann", "bob", "lea"}
    world.later(hours=2)
    pause(world, "bob")
    skilled(world, "lea", "domain:law")
    assert assigned(world) == {"x1": None, "x2": None, "x3": None}
    assert {orjson.loads(event.body)["why"] for event in events(world, "task.freed")} == {"away", "paused", "unskilled"}


def test_two_seats_at_one_item_go_to_two_people(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", SEVERAL, now=world.now)
    world.submit(*outputs("x1", "x2", metadata={"lang": "en"}))
    settle(world, members=["ann"], load_cap=9)
    assert assign_waiting(world) == 2  # one of each item
    settle(world, members=["ann", "bob"], load_cap=9)
    assert assign_waiting(world) == 2
    with world.store.read():
        held = Counter((task.item_id, task.assigned_to_id) for task in tasks_of(world))
    assert set(held.values()) == {1}
    other = next(task for task in tasks_of(world, "x1") if task.assigned_to_id == world.actors["bob"].id)
    with pytest.raises(Invalid, match="another part"):
        assign(world, other, "ann")


def test_a_seat_whose_person_answered_at_another_is_freed(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", SEVERAL, now=world.now)
    world.submit(*outputs("x1", metadata={"lang": "en"}))
    first, second = tasks_of(world, "x1")
    assign(world, first, "ann")
    with world.store.write() as session:
        held = tasks.claim_one(session, world.actors["ann"], second.id, now=world.now)
    world.decide(held, "ann")
    assert assign_waiting(world) == 0
    assert orjson.loads(events(world, "task.freed")[0].body)["why"] == "barred"


def test_two_workers_at_once_keep_to_the_cap(world: World) -> None:
    world.submit(*outputs(*ids(40)))
    settle(world, load_cap=4)
    counts: list[int] = []
    workers = [threading.Thread(target=lambda: counts.append(assign_waiting(world))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sum(counts) == 12
    assert Counter(assigned(world).values()) == {"ann": 4, "bob": 4, "lea": 4, None: 28}
    assert len(events(world, "task.assigned")) == 12

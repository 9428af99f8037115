"""What happens to tasks by themselves on the way to a breach and after it: each thing once."""

import threading
from typing import Any

import orjson
import pytest

from review.commands import policies
from review.domain.actors import HOLDPOINT
from review.errors import LeaseLost
from review.queries import items as item_queries
from review.queries import tasks as task_queries
from review.store.tables import Item
from tests.support.queues import events, messages, serve, settle, tasks_of
from tests.support.world import World, output

FALLBACK = """\
queue: default
rules:
  - {name: all, when: "true", route: review, reviewers: 2, on_lapse: fallback, fallback: "We will write to you."}
due: PT4H
"""


def step(name: str, after_minutes: int, action: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "after_minutes": after_minutes, "action": action, **fields}


def stepped(world: World, *steps: dict[str, Any], **service: Any) -> None:
    settle(world, service={"steps": list(steps), **service})


def n_told(world: World) -> tuple[int, int]:
    """How often producers and tools were told of due soon and of overdue."""
    return len(messages(world, "task.due_soon")), len(messages(world, "task.overdue"))


def test_due_soon_and_overdue_are_said_once(world: World) -> None:
    world.submit(output("x1"), output("x2"))
    for minutes, told in ((209, (0, 0)), (1, (2, 0)), (10, (2, 0)), (20, (2, 2)), (600, (2, 2))):
        world.later(minutes=minutes)
        serve(world)
        assert n_told(world) == told
    assert len(events(world, "task.due_soon")) == len(events(world, "task.overdue")) == 2
    body = messages(world, "task.overdue")[0]
    assert (body["queue"], body["due_at"]) == ("default", "2026-03-02T13:00:00+00:00")
    assert events(world, "task.overdue")[0].actor_kind == "system"


def test_after_a_stop_what_is_overdue_is_not_said_to_be_due_soon(world: World) -> None:
    world.submit(output("x1"))
    world.later(hours=9)
    assert serve(world) == 2
    assert n_told(world) == (0, 1)
    assert serve(world) == 0


def test_what_was_decided_in_time_is_not_spoken_of(world: World) -> None:
    world.submit(output("x1"))
    task = world.claim()
    assert task is not None
    world.decide(task)
    world.later(hours=9)
    assert serve(world) == 0


def test_the_night_is_no_time(world: World) -> None:
    world.submit(output())
    every_day = {day: [{"start": "09:00", "end": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
    stepped(world, step("raise", 60, "raise_priority", priority=90), hours=every_day, due_soon_minutes=60)
    world.later(hours=7)  # Monday 16:00; due at 17:30 would be Tuesday 9:30
    world.submit(output("x2"))
    assert [str(task.due_at.time()) for task in tasks_of(world)] == ["13:00:00", "12:00:00"]
    serve(world)
    assert n_told(world) == (0, 1)
    world.later(hours=12)  # 4:00 in the morning: x1 has been overdue for 4 working hours since yesterday
    serve(world)
    assert [task.priority for task in tasks_of(world)] == [90, 50]
    world.later(hours=6)  # Tuesday 10:00
    serve(world)
    assert n_told(world) == (0, 1)
    world.later(hours=1)
    serve(world)
    assert n_told(world) == (1, 1)


def test_steps_raise_the_priority_and_notify(world: World) -> None:
    world.submit(output())
    stepped(
        world, step("early", -60, "raise_priority", priority=80), step("tell", 15, "notify", notify=["lea", "ann"])
    )  # fmt: skip
    world.later(hours=3)
    serve(world)
    assert [task.priority for task in tasks_of(world)] == [80]
    world.later(hours=1, minutes=14)
    serve(world)
    assert messages(world, "task.notify") == []
    world.later(minutes=1)
    serve(world)
    serve(world)
    [told] = messages(world, "task.notify")
    assert (told["notify"], told["step"]) == (["lea", "ann"], "tell")
    assert [orjson.loads(event.body)["step"] for event in events(world, "task.step_taken")] == ["early", "tell"]


def test_a_step_hands_up_also_what_somebody_holds(world: World) -> None:
    world.submit(output())
    stepped(world, step("up", 0, "hand_up"))
    world.later(hours=3, minutes=58)
    task = world.claim("ann")
    assert task is not None
    lease = world.lease(task)
    world.later(minutes=2)
    serve(world)
    with pytest.raises(LeaseLost, match="done already"):
        world.decide(task, "ann", lease=lease)
    with world.store.read() as session:
        [waiting] = task_queries.escalated(session, world.actors["lea"], now=world.now)
        [(_, by)] = item_queries.handed_up(session, task.item_id)
    assert (waiting.reason, waiting.by, by, waiting.external_id) == ("overdue", "Holdpoint", "Holdpoint", "x1")
    taken = world.claim("lea", "escalations")
    assert taken is not None
    world.decide(taken, "lea")
    assert events(world, "task.escalated")[0].actor_name == "Holdpoint"


def test_an_item_is_handed_up_once_however_many_look_at_it(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", FALLBACK, now=world.now)
    world.submit(output())
    stepped(world, step("up", -60, "hand_up"))
    world.later(hours=3)
    serve(world)
    assert sorted((task.kind, task.state) for task in tasks_of(world)) == [
        ("escalation", "open"), ("review", "escalated"), ("second_review", "open"),
    ]  # fmt: skip


def test_a_step_answers_by_the_rules_fail_safe_and_asks_nobody_any_more(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", FALLBACK, now=world.now)
    item_id = world.item_id()
    stepped(world, step("safe", -60, "fail_safe"))
    world.later(hours=3)
    serve(world)
    with world.store.read() as session:
        item = session.get_one(Item, item_id)
    assert (item.status, item.release_state) == ("lapsed", "released")
    assert {task.state for task in tasks_of(world)} == {"withdrawn"}
    assert len(events(world, "item.lapsed")) == 1
    world.later(hours=3)
    assert serve(world) == 0


def test_steps_settled_anew_are_taken_once_all_the_same(world: World) -> None:
    world.submit(output())
    stepped(world, step("tell", 0, "notify", notify=["lea"]))
    world.later(hours=5)
    serve(world)
    stepped(world, step("first", -10, "raise_priority", priority=99), step("tell", 0, "notify", notify=["lea"]))
    serve(world)
    assert n_told(world) == (0, 1)
    assert len(messages(world, "task.notify")) == 1
    assert [task.priority for task in tasks_of(world)] == [99]


def test_two_workers_at_once_say_everything_once(world: World) -> None:
    world.submit(*(output(f"x{n}") for n in range(60)))
    stepped(world, step("tell", 0, "notify", notify=["lea"]), step("raise", 1, "raise_priority"))
    world.later(minutes=215)
    _at_once(world)
    world.later(hours=1)
    _at_once(world)
    assert n_told(world) == (60, 60)
    assert len(messages(world, "task.notify")) == 60
    assert {task.priority for task in tasks_of(world)} == {100}


def _at_once(world: World) -> None:
    workers = [threading.Thread(target=_until_done, args=(world,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    _until_done(world)


def _until_done(world: World) -> None:
    while serve(world, at_most=7):
        pass

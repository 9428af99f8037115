"""What the desk says where a task moved on, and where there is nothing for a person."""

from datetime import timedelta

from review.commands import lapses, pauses
from review.commands.eligibility import OFFERED, WORKS_QUEUE
from review.queries import tasks as task_queries
from review.ui import desk_states
from tests.support.discipline import activate, say
from tests.support.world import World


def n_mine(world: World, who: str) -> int:
    with world.store.read() as session:
        return task_queries.n_waiting(session, world.actors[who], OFFERED, queues=WORKS_QUEUE, now=world.now)


def notes(world: World, who: str) -> list[str]:
    with world.store.read() as session:
        return desk_states.notes(session, world.actors[who], n_mine=n_mine(world, who), now=world.now)


def moved_on(world: World, task_id: object) -> str | None:
    with world.store.read() as session:
        gone = desk_states.moved_on(session, task_id, world.now)  # type: ignore[arg-type]
        return gone.why if gone else None


def test_a_task_whose_time_is_over_moved_on_also_where_no_worker_runs(world: World) -> None:
    activate(world, "due: PT1H, on_lapse: withhold")
    item_id = world.item_id()
    task = world.claim("ann")
    assert task is not None
    assert moved_on(world, task.id) is None
    world.now += timedelta(hours=1)
    over = "The time for x1 is over: the policy's fail-safe answered. Nothing of yours was written."
    assert moved_on(world, task.id) == over
    with world.store.write() as session:
        lapses.settle_overdue(session, [item_id], now=world.now)
    assert moved_on(world, task.id) == over


def test_a_task_that_others_settled_moved_on(world: World) -> None:
    activate(world, "reviewers: 3")
    world.item_id()
    task = world.claim("ann")
    assert task is not None
    say(world, "bob")
    with world.store.write() as session:
        lapses.lapse_one(session, task.item_id, now=world.now)
    assert moved_on(world, task.id) == "Holdpoint answered x1 meanwhile. Nothing of yours was written."


def test_one_who_is_paused_is_told_why_and_whom_to_ask(world: World) -> None:
    world.item_id()
    with world.store.write() as session:
        pauses.pause(session, world.actors["lea"], "ann", "helper", reason="5 of 20 were right.", now=world.now)
    assert (n_mine(world, "ann"), n_mine(world, "bob")) == (0, 1)
    assert notes(world, "ann") == [
        "You are given nothing of helper for now: 5 of 20 were right.",
        "Ask Lea to lift this.",
        "1 task waits for others, or for later.",
    ]
    assert notes(world, "bob") == []


def test_what_one_may_not_answer_again_is_for_others(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    assert n_mine(world, "ann") == 2
    say(world, "ann")
    assert (n_mine(world, "ann"), n_mine(world, "bob")) == (0, 1)
    assert notes(world, "ann") == ["1 task waits for others, or for later."]

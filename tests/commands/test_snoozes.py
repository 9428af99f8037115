"""Putting a task off: nobody is offered it until then, and its due time stays."""

from datetime import timedelta

import pytest

from review.commands import snoozes
from review.domain.decisions import Answer
from review.errors import Forbidden, Invalid, LeaseLost
from review.store.tables import Task
from tests.support.discipline import activate, tasks_of
from tests.support.world import World


def put_off(world: World, task: Task, who: str = "ann", **later: float) -> None:
    assert task.lease_token is not None
    until = world.now + timedelta(**later)
    with world.store.write() as session:
        snoozes.snooze(session, world.actors[who], task.id, task.lease_token, until, now=world.now)


def held(world: World) -> Task:
    task = world.claim("ann")
    assert task is not None
    return task


def test_nobody_is_offered_it_until_the_time_and_when_it_is_due_stays(world: World) -> None:
    item_id = world.item_id()
    task = held(world)
    put_off(world, task, minutes=15)
    assert world.claim("ann") is None
    assert world.claim("bob") is None
    assert tasks_of(world, item_id)[0].due_at == task.due_at
    world.later(minutes=15)
    again = world.claim("bob")
    assert again is not None
    assert again.id == task.id
    world.decide(again, "bob")


@pytest.mark.parametrize("later", [{"minutes": 0}, {"minutes": -1}, {"days": 7, "minutes": 1}])
def test_it_is_put_off_to_a_time_to_come_and_seven_days_at_most(world: World, later: dict[str, float]) -> None:
    world.item_id()
    task = held(world)
    with pytest.raises(Invalid) as refused:
        put_off(world, task, **later)
    assert refused.value.field == "until"
    put_off(world, task, days=7)


def test_it_is_not_put_off_beyond_the_fail_safe(world: World) -> None:
    activate(world, "due: PT1H, on_lapse: withhold")
    world.item_id()
    task = held(world)
    with pytest.raises(Invalid, match="fail-safe"):
        put_off(world, task, minutes=61)
    put_off(world, task, minutes=59)


def test_only_who_holds_a_task_puts_it_off(world: World) -> None:
    world.item_id()
    task = held(world)
    with pytest.raises(LeaseLost):
        put_off(world, task, "bob", minutes=15)
    with pytest.raises(Forbidden):
        put_off(world, task, "aud", minutes=15)
    world.later(minutes=6)
    with pytest.raises(LeaseLost):
        put_off(world, task, minutes=15)


def test_what_was_put_off_is_not_decided_under_the_hold_of_before(world: World) -> None:
    world.item_id()
    task = held(world)
    lease = world.lease(task)
    put_off(world, task, minutes=15)
    with pytest.raises(LeaseLost):
        world.decide(task, lease=lease, **Answer(verdict="approve").model_dump(include={"verdict"}))


def test_who_puts_one_of_several_off_is_not_given_the_item_at_once_again(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    put_off(world, held(world), minutes=15)
    assert world.claim("ann") is None
    assert world.claim("bob") is not None

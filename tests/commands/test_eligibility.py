"""Who is given which task: the barred, the unskilled, the assigned, the snoozed, the paused."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from review.commands import people, reopenings, tasks
from review.domain.actors import HOLDPOINT, Role, person_actor
from review.errors import Forbidden, LeaseLost
from review.store.tables import Pause, Queue, QueueMember, System, Task
from tests.support.discipline import activate, person, tasks_of
from tests.support.world import World, output


def change(world: World, **values: object) -> None:
    """Change every task."""
    with world.store.write() as session:
        session.execute(update(Task).values(**values))


@pytest.mark.parametrize(
    "requested_by", ["ann", "ANN", " ann", "ann@example.com", "Ann@Example.com ", "Ann <ann@example.com>", "ＡＮＮ"]
)
def test_who_asked_for_it_is_not_given_it(world: World, requested_by: str) -> None:
    item_id = world.submit(output(requested_by=requested_by))[0].item_id
    assert world.claim("ann") is None
    with world.store.write() as session, pytest.raises(LeaseLost):
        tasks.claim_one(session, world.actors["ann"], tasks_of(world, item_id)[0].id, now=world.now)
    assert world.claim("bob") is not None


@pytest.mark.parametrize("requested_by", ["New", "new@Example.com"])
def test_who_asked_for_it_and_is_added_later_is_not_given_it(world: World, requested_by: str) -> None:
    world.submit(output(requested_by=requested_by))
    person(world, "new", Role.REVIEWER)
    assert world.claim("new") is None
    assert world.claim("bob") is not None


@pytest.mark.parametrize(
    ("email", "name"),
    [("straße@example.com", "STRASSE@Example.com"), ("jürgen@example.com", "JU\u0308RGEN@example.com")],
)
@pytest.mark.parametrize("is_added_first", [True, False])
def test_a_requester_is_known_however_their_name_is_spelled(
    world: World, email: str, name: str, is_added_first: bool
) -> None:
    def add() -> None:
        with world.store.write() as session:
            uli = people.add(
                session,
                HOLDPOINT,
                username="uli",
                name="Uli",
                email=email,
                role=Role.REVIEWER,
                password_hash=None,
                now=world.now,
            )
            world.actors["uli"] = person_actor(uli.id, "Uli", Role.REVIEWER)

    if is_added_first:
        add()
    world.submit(output(requested_by=f"Uli <{name}>"))
    if not is_added_first:
        add()
    assert world.claim("uli") is None
    assert world.claim("bob") is not None


def test_a_request_by_a_stranger_bars_nobody(world: World) -> None:
    world.submit(output(requested_by="somebody elsewhere"))
    assert world.claim("ann") is not None


def test_a_task_is_for_those_with_all_its_skills(world: World) -> None:
    activate(world, "skills: ['language:de', 'domain:law']")
    world.item_id()
    person(world, "cem", Role.REVIEWER, "language:de")
    person(world, "dil", Role.REVIEWER, "language:de", "domain:law", "language:tr")
    assert [world.claim(who) for who in ("ann", "lea", "cem")] == [None, None, None]
    assert world.claim("dil") is not None


def test_a_queue_with_members_is_for_them(world: World) -> None:
    item_id = world.item_id()
    with world.store.write() as session:
        queue_id = session.execute(select(col(Queue.id)).where(col(Queue.slug) == "default")).scalar_one()
        session.add(QueueMember(queue_id=queue_id, person_id=world.actors["bob"].person_id))
    assert world.claim("ann") is None
    with world.store.write() as session, pytest.raises(Forbidden, match="members"):
        tasks.claim_one(session, world.actors["ann"], tasks_of(world, item_id)[0].id, now=world.now)
    with world.store.write() as session, pytest.raises(Forbidden, match="members"):
        tasks.claim(session, world.actors["ann"], queue="default", now=world.now)
    assert world.claim("bob") is not None


def test_a_task_that_is_assigned_is_offered_to_nobody_else(world: World) -> None:
    world.item_id()
    change(world, assigned_to_id=world.actors["bob"].person_id)
    assert world.claim("ann") is None
    assert world.claim("bob") is not None


def test_a_snoozed_task_comes_back_when_its_time_is_over(world: World) -> None:
    world.item_id()
    change(world, snoozed_until=world.now + timedelta(minutes=15))
    assert world.claim("ann") is None
    world.later(minutes=15)
    assert world.claim("ann") is not None


def test_a_pause_is_for_one_person_and_one_system_until_it_is_lifted(world: World) -> None:
    item_id = world.item_id()
    with world.store.write() as session:
        system_id = session.execute(select(col(System.id))).scalar_one()
        session.add(Pause(person_id=world.actors["ann"].person_id, system_id=system_id, reason="rest", since=world.now))
    assert world.claim("ann") is None
    with world.store.write() as session, pytest.raises(LeaseLost):
        tasks.claim_one(session, world.actors["ann"], tasks_of(world, item_id)[0].id, now=world.now)
    task = world.claim("bob")
    assert task is not None
    with world.store.write() as session:
        tasks.give_back(session, world.actors["bob"], task.id, world.lease(task).token, now=world.now)
        session.execute(update(Pause).values(lifted_at=world.now))
    assert world.claim("ann") is not None


def test_who_asked_for_what_was_answered_at_once_is_not_given_it_when_it_is_reopened(world: World) -> None:
    with world.store.write() as session:
        session.execute(update(System).values(mode="stopped"))
    item_id = world.submit(output(requested_by="ann"))[0].item_id
    with world.store.write() as session:
        session.execute(update(System).values(mode="normal"))
        reopenings.reopen(session, world.actors["lea"], item_id, reason="look again", now=world.now)
    assert world.claim("ann") is None
    assert world.claim("bob") is not None

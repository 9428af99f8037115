"""Many hands on one queue: no task is decided twice, none is lost; and one external id makes one item."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import decisions, intake, people, tasks
from review.domain.actors import HOLDPOINT, Actor, Role, person_actor
from review.domain.decisions import Answer
from review.domain.lifecycle import LeaseToken
from review.domain.outputs import read_output
from review.errors import Unauthenticated
from review.queries import keys
from review.queries import people as people_queries
from review.store.tables import Decision, Item, Task
from tests.support.world import World, output

N_TASKS, N_HANDS = 2_000, 16


def reviewers(world: World) -> list[Actor]:
    with world.store.write() as session:
        added = [
            people.add(
                session, HOLDPOINT, username=f"r{n}", name=f"R{n}", email=f"r{n}@example.com", role=Role.REVIEWER,
                password_hash=None, now=world.now,
            )
            for n in range(N_HANDS)
        ]  # fmt: skip
    return [person_actor(person.id, person.name, Role.REVIEWER) for person in added]


def work_until_empty(world: World, actor: Actor) -> list[str]:
    done = []
    while True:
        with world.store.write() as session:
            task = tasks.claim(session, actor, now=datetime.now(UTC))
        if task is None:
            return done
        lease = LeaseToken(str(task.lease_token), 1)
        with world.store.write() as session:
            decisions.decide(session, actor, task.id, lease, Answer(verdict="approve"), now=datetime.now(UTC))
        done.append(str(task.id))


def test_sixteen_hands_on_one_queue_decide_every_task_once(world: World) -> None:
    world.now = datetime.now(UTC)
    world.submit(*(output(f"x{n}") for n in range(N_TASKS)))
    hands = reviewers(world)
    with ThreadPoolExecutor(N_HANDS) as pool:
        done = Counter(task for part in pool.map(lambda actor: work_until_empty(world, actor), hands) for task in part)
    assert len(done) == N_TASKS
    assert set(done.values()) == {1}
    with world.store.read() as session:
        assert session.execute(select(func.count()).select_from(Decision)).scalar_one() == N_TASKS
        open_tasks = select(func.count()).select_from(Task).where(col(Task.state) == "open")
        assert session.execute(open_tasks).scalar_one() == 0


def test_who_is_deactivated_in_the_same_instant_decides_nothing(world: World) -> None:
    """Whichever is first: a decision that committed did so before its author was out."""
    world.submit(output("a"))
    ann, token = world.actors["ann"].person_id, world.tokens["ann"]
    task = world.claim()
    assert task is not None
    lease = world.lease(task)
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            people.set_active(session, HOLDPOINT, ann, active=False, now=world.now)
            deciding = pool.submit(decide_by_key, world, token, task, lease)
            time.sleep(0.5)
            assert not deciding.done()
        with pytest.raises(Unauthenticated):
            deciding.result(20)
    with world.store.read() as session:
        assert session.execute(select(func.count()).select_from(Decision)).scalar_one() == 0


def test_deactivating_waits_for_what_the_person_does_now(world: World) -> None:
    ann, token = world.actors["ann"].person_id, world.tokens["ann"]
    for known in (
        lambda session: keys.actor_of(session, token),
        lambda session: people_queries.signed_in(session, "ann", world.now),
    ):
        with ThreadPoolExecutor(1) as pool:
            with world.store.write() as session:
                assert known(session) is not None
                out = pool.submit(set_active, world, ann, active=False)
                time.sleep(0.5)
                assert not out.done()
            out.result(20)
        set_active(world, ann, active=True)


def set_active(world: World, person_id: UUID, *, active: bool) -> None:
    with world.store.write() as session:
        people.set_active(session, HOLDPOINT, person_id, active=active, now=world.now)


def decide_by_key(world: World, token: str, task: Task, lease: LeaseToken) -> None:
    def work(session: Session) -> None:
        actor = keys.actor_of(session, token)
        decisions.decide(session, actor, task.id, lease, Answer(verdict="approve"), now=world.now)

    world.store.commit(work)


def test_one_external_id_sent_at_once_by_many_makes_one_item(world: World) -> None:
    checked = [read_output(json.dumps(output(f"same{n}")).encode(), world.now) for n in range(20)]

    def send(_hand: int) -> list[object]:
        return world.store.commit(lambda session: intake.take(session, world.actors["helper"], checked, now=world.now))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert len({tuple(taken.item_id for taken in answer) for answer in answers}) == 1
    with world.store.read() as session:
        assert session.execute(select(func.count()).select_from(Item)).scalar_one() == 20
        assert session.execute(select(func.count()).select_from(Task)).scalar_one() == 20

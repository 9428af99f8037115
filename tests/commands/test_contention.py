"""Many hands on one queue: no task is decided twice, none is lost; and one external id makes one item."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlmodel import col

from review.commands import decisions, intake, people, tasks
from review.domain.actors import HOLDPOINT, Actor, Role, person_actor
from review.domain.decisions import Answer
from review.domain.lifecycle import LeaseToken
from review.domain.outputs import read_output
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

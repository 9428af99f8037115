"""Back-pressure: what a full queue takes in, what it answers, and what is counted."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from review.commands import intake, releases
from review.domain.content import content_digest
from review.domain.outputs import read_output
from review.errors import TooMany
from review.store.tables import Decision, Queue, Task
from tests.support.discipline import activate, item
from tests.support.gate import gated
from tests.support.world import World, output


def fill(world: World, ceiling: int) -> None:
    """Give the queue a ceiling, and as many tasks."""
    with world.store.write() as session:
        session.execute(update(Queue).where(col(Queue.slug) == "default").values(ceiling=ceiling))
    world.submit(*(output(f"filler {n}") for n in range(ceiling)))


def n_open(world: World) -> int:
    with world.store.read() as session:
        n: int = session.execute(select(func.count()).select_from(Task).where(col(Task.state) == "open")).scalar_one()
        return n


def test_a_batch_fills_a_queue_to_its_ceiling_and_no_further(world: World) -> None:
    fill(world, 2)
    taken = world.submit(*(output(f"x{n}") for n in range(3)))
    assert n_open(world) == 2
    assert [one.status for one in taken] == ["lapsed"] * 3
    assert all("queue_full" in one.reasons for one in taken)


def test_what_waits_for_several_counts_as_several(world: World) -> None:
    activate(world, "reviewers: 2")
    with world.store.write() as session:
        session.execute(update(Queue).where(col(Queue.slug) == "default").values(ceiling=5))
    taken = world.submit(*(output(f"x{n}") for n in range(3)))
    assert [one.status for one in taken] == ["waiting", "waiting", "lapsed"]
    assert n_open(world) == 4


def test_the_riskiest_are_taken_in_all_the_same(world: World) -> None:
    activate(world, rest="admit_risk: 0.9\n")
    fill(world, 1)
    grave = [{"code": "harm", "severity": 5}]
    taken = world.submit(
        output("grave", confidence=0.05, flags=grave), output("grave but sure", confidence=0.5, flags=grave)
    )
    assert [one.status for one in taken] == ["waiting", "lapsed"]


def test_a_full_queue_withholds_where_the_rule_says_nothing(world: World) -> None:
    fill(world, 1)
    taken = world.submit(output())[0]
    found = item(world, taken.item_id)
    assert (found.status, found.release_state, found.release_digest) == ("lapsed", "withheld", None)
    with world.store.read() as session:
        decision = session.get_one(Decision, found.decision_id)
    assert (decision.decided_by_kind, decision.cause, decision.verdict) == ("system", "queue_full", "reject")


def test_a_full_queue_gives_the_fail_safe_that_the_rule_names(world: World) -> None:
    activate(world, "on_lapse: fallback, fallback: Please call us.")
    fill(world, 1)
    taken = world.submit(output())[0]
    with world.store.write() as session:
        release = releases.fetch(session, world.actors["helper"], taken.item_id, now=world.now)
    assert (release.state, release.content, release.sha256) == (
        "released", "Please call us.", content_digest("Please call us."),
    )  # fmt: skip
    assert release.decided_by_kind == "system"


def test_a_full_queue_may_refuse_each_line_for_itself(world: World) -> None:
    activate(world, "when_full: refuse")
    with world.store.write() as session:
        session.execute(update(Queue).where(col(Queue.slug) == "default").values(ceiling=1))
    first, second = world.submit(output("x1"), output("x2"))
    assert first.status == "waiting"
    assert isinstance(second, TooMany)
    assert second.retry_after
    assert world.submit(output("x1"))[0].replayed  # what is on record is answered, full or not


def test_a_sample_that_found_no_room_passes_and_is_counted(world: World) -> None:
    activate(world, "hold: false")
    fill(world, 1)
    taken = world.submit(output())[0]
    assert (taken.status, taken.release_state, taken.inclusion_probability) == ("lapsed", "released", 1.0)
    with world.store.read() as session:
        assert session.execute(select(func.count()).select_from(Decision)).scalar_one() == 0


def test_room_is_made_by_deciding(world: World) -> None:
    fill(world, 1)
    task = world.claim()
    assert task is not None
    world.decide(task)
    assert world.submit(output())[0].status == "waiting"


def take(world: World, session: Session, one: dict[str, Any]) -> Any:
    """Take one output in, in a transaction that goes on."""
    sent = read_output(json.dumps(one).encode(), world.now)
    return intake.take(session, world.actors["helper"], [sent], now=world.now)[0]


def test_two_intakes_at_once_keep_to_the_ceiling(world: World) -> None:
    with world.store.write() as session:
        session.execute(update(Queue).values(ceiling=1))
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            first = take(world, session, output("first"))
            other = pool.submit(world.submit, output("second"))
            time.sleep(0.3)
        [second] = other.result(20)
    assert (first.status, second.status) == ("waiting", "lapsed")
    assert n_open(world) == 1


def test_two_intakes_that_fill_two_queues_wait_for_them_in_one_order(world: World) -> None:
    rules = [f"{{name: {slug}, when: input == '{slug}', route: review, queue: {slug}}}" for slug in ("de", "fr")]
    gated(world, f"queue: default\nrules: [{', '.join(rules)}]\n")
    world.submit(output("one", input="de"), output("two", input="fr"))
    with world.store.write() as session:
        session.execute(update(Queue).values(ceiling=2))
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            mine = [take(world, session, output("x1", input="de"))]
            other = pool.submit(world.submit, output("y1", input="fr"), output("y2", input="de"))
            time.sleep(0.3)
            mine.append(take(world, session, output("x2", input="fr")))
        theirs = other.result(20)
    assert [one.status for one in (*mine, *theirs)] == ["waiting", "waiting", "lapsed", "lapsed"]

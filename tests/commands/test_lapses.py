import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from review.commands import lapses, releases
from review.delivery import worker
from review.domain.content import content_digest
from review.errors import LeaseLost, NotReleased
from review.queries import audit
from review.queries import releases as release_queries
from review.store.secrets import AuditKey
from review.store.tables import AuditEvent, Decision, OutboxMessage, Task
from tests.support import gate
from tests.support.gate import FALLBACK, gated, sent
from tests.support.world import World, output

OUTPUT = output()["output"]


def lapse(world: World, at_most: int = 100) -> int:
    with world.store.write() as session:
        return lapses.lapse_due(session, now=world.now, at_most=at_most)


def n_of(world: World, table: Any, *conditions: Any) -> int:
    with world.store.read() as session:
        return session.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def settled(world: World, item_id: UUID) -> tuple[str, str, str | None]:
    found = gate.item(world, item_id)
    return found.status, found.release_state, found.release_digest


@pytest.mark.parametrize(
    ("rule", "verdict", "state", "content"),
    [
        ("withhold", "reject", "withheld", None),
        ("release", "approve", "released", OUTPUT),
        ("fallback", "correct", "released", "Please wait."),
    ],
)
def test_each_rule_has_its_fail_safe(
    world: World, tmp_path: Path, rule: str, verdict: str, state: str, content: str | None
) -> None:
    item_id = sent(gated(world), rule)
    world.later(minutes=59)
    assert lapse(world) == 0
    world.later(minutes=1)
    assert lapse(world) == 1
    assert settled(world, item_id) == ("lapsed", state, content_digest(content) if content else None)
    release = gate.fetch(world, item_id)
    assert (release.state, release.content, release.verdict) == (state, content, verdict)
    assert (release.decided_by_kind, release.reason, release.notice) == ("system", "lapsed", "Nobody answered in time.")
    with world.store.read() as session:
        decision = session.execute(select(Decision)).scalar_one()
        assert (decision.decided_by_kind, decision.decided_by_id, decision.cause) == ("system", None, "lapsed")
        assert session.execute(select(col(Task.state))).scalars().all() == ["withdrawn"]
        assert (
            session.execute(
                select(func.count()).select_from(OutboxMessage).where(col(OutboxMessage.topic) == "item.lapsed")
            ).scalar_one()
            == 1
        )
    assert world.claim() is None
    key = AuditKey(tmp_path)
    worker.seal_all(world.store, key, world.now)
    assert audit.verify(world.store, key).problem is None


def test_what_has_no_fail_safe_waits_for_ever(world: World) -> None:
    patient, at_once = sent(gated(world), "wait"), sent(world, "at once")
    world.later(days=400)
    assert lapse(world) == 0
    assert settled(world, patient)[:2] == ("waiting", "pending")
    assert settled(world, at_once)[:2] == ("waiting", "released")


def test_run_twice_or_in_pieces_it_settles_each_once(world: World) -> None:
    gated(world)
    for n in range(7):
        sent(world, "withhold", f"x{n}")
    world.later(hours=1)
    assert [lapse(world, at_most=3) for _ in range(4)] == [3, 3, 1, 0]
    assert n_of(world, Decision) == 7
    assert n_of(world, AuditEvent, col(AuditEvent.action) == "item.lapsed") == 7


def test_two_workers_at_once_settle_each_once(world: World) -> None:
    gated(world)
    world.submit(*(output(f"x{n}", input="release") for n in range(300)))
    world.later(hours=1)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: worker.lapse_all(world.store, world.now), range(4)))
    assert sum(done) == 300
    assert n_of(world, Decision) == 300
    assert n_of(world, Task, col(Task.state) == "open") == 0


def test_without_a_worker_whoever_reads_is_told_the_same(world: World) -> None:
    fetched, consumed = sent(gated(world), "fallback"), sent(world, "release")
    world.later(hours=1)
    with world.store.read() as session:
        standing = release_queries.standing(session, world.actors["helper"], fetched, now=world.now)
        assert not standing.on_record
        assert release_queries.settled(session, [fetched, consumed], now=world.now) == {fetched, consumed}
    assert gate.fetch(world, fetched).content == "Please wait."
    assert gate.consume(world, consumed, content_digest(OUTPUT)).content == OUTPUT
    assert n_of(world, Decision) == 2
    assert lapse(world) == 0


WAYS_TO_READ: dict[str, Callable[[Any, World, UUID], Any]] = {
    "a look": lambda session, world, item_id: releases.look(session, world.actors["aud"], item_id, now=world.now),
    "a list": lambda session, world, item_id: releases.see(session, world.actors["helper"], [item_id], now=world.now),
}


@pytest.mark.parametrize("way", WAYS_TO_READ)
def test_a_look_puts_what_is_overdue_on_record(world: World, way: str) -> None:
    item_id = sent(gated(world), "withhold")
    world.later(hours=2)
    with world.store.write() as session:
        WAYS_TO_READ[way](session, world, item_id)
    assert settled(world, item_id)[:2] == ("lapsed", "withheld")


def test_after_an_hour_without_a_worker_it_catches_up_and_doubles_nothing(world: World, tmp_path: Path) -> None:
    """Shown 3: the clock moves an hour with no worker; some are read meanwhile, the worker does the rest, once."""
    gated(world)
    found = [sent(world, ("withhold", "release", "fallback")[n % 3], f"x{n}") for n in range(60)]
    world.later(hours=1)
    answers = {item_id: gate.fetch(world, item_id).state for item_id in found[::4]}
    key = AuditKey(tmp_path)
    assert worker.tick(world.store, key, world.now).n_lapsed == 60 - len(answers)
    assert worker.tick(world.store, key, world.now).n_lapsed == 0
    assert n_of(world, Decision) == 60
    for item_id, state in answers.items():
        assert gate.fetch(world, item_id).state == state
    assert audit.verify(world.store, key).problem is None


def test_who_is_at_it_when_the_time_is_over_is_told(world: World) -> None:
    sent(gated(world), "withhold")
    world.later(minutes=58)
    task = world.claim()
    assert task is not None
    lease = world.lease(task)
    world.later(minutes=2)
    lapse(world)
    with pytest.raises(LeaseLost):
        world.decide(task, lease=lease)
    assert n_of(world, Decision) == 1


def test_a_decision_in_the_last_instant_and_the_worker_do_not_both_answer(world: World) -> None:
    item_id = sent(gated(world), "withhold")
    world.later(minutes=59)
    task = world.claim()
    assert task is not None
    lease = world.lease(task)
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            assert lapses.lapse_one(session, item_id, now=world.now)
            deciding = pool.submit(world.decide, task, "ann", lease)
            time.sleep(0.3)
            assert not deciding.done()
        with pytest.raises(LeaseLost):
            deciding.result(20)
    assert settled(world, item_id)[:2] == ("lapsed", "withheld")


def test_one_item_is_settled_before_its_time_where_a_queue_says_so(world: World) -> None:
    item_id = sent(gated(world), "wait")
    with world.store.write() as session:
        assert lapses.lapse_one(session, item_id, now=world.now)
        assert not lapses.lapse_one(session, item_id, now=world.now)
    with pytest.raises(NotReleased, match="withheld"):
        gate.consume(world, item_id, "0" * 64)


def test_a_fail_safe_is_not_counted_as_a_persons_rejection(world: World) -> None:
    item_id = sent(gated(world), "withhold")
    world.later(hours=1)
    lapse(world)
    assert n_of(world, Decision, col(Decision.decided_by_kind) == "person") == 0
    assert gate.peek(world, item_id).decided_by_kind == "system"
    assert FALLBACK not in str(gate.peek(world, item_id))

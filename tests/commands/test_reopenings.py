from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import lapses, reopenings
from review.delivery import worker
from review.domain.content import content_digest
from review.domain.modes import Mode
from review.errors import Conflict, Consumed, Forbidden, Invalid, NotFound, WrongState
from review.queries import audit, items
from review.store.secrets import AuditKey
from review.store.tables import Decision, Task, TaskSkill
from tests.support import gate
from tests.support.gate import GATE, consume, fetch, gated, sent, set_mode
from tests.support.world import World, output

OUTPUT = output()["output"]
DIGEST = content_digest(OUTPUT)
BETTER = "It is Paris."


def reopen(world: World, item_id: UUID, who: str = "lea", reason: str = "The source is newer.") -> Task:
    with world.store.write() as session:
        return reopenings.reopen(session, world.actors[who], item_id, reason=reason, now=world.now)


def decided(world: World, rule: str = "wait", **answer: str) -> UUID:
    item_id = sent(gated(world), rule)
    gate.answer(world, **answer)
    return item_id


def decisions(world: World, item_id: UUID) -> list[Decision]:
    with world.store.read() as session:
        return [decision for decision, _ in items.decisions_of(session, item_id)]


def verified(world: World, folder: Path) -> bool:
    key = AuditKey(folder)
    worker.seal_all(world.store, key, world.now)
    found = audit.verify(world.store, key)
    assert found.problem is None, found.problem
    return found.ok


def test_what_was_not_used_yet_is_held_again(world: World, tmp_path: Path) -> None:
    item_id = decided(world)
    assert fetch(world, item_id).state == "released"
    world.later(hours=3)
    task = reopen(world, item_id)
    item = gate.item(world, item_id)
    assert (item.status, item.release_state, item.release_digest, item.version) == ("waiting", "pending", None, 3)
    assert (item.release_fetched_at, item.decision_id, item.due_at) == (None, None, task.due_at)
    assert fetch(world, item_id).state == "pending"
    assert verified(world, tmp_path)
    gate.answer(world, "bob", verdict="correct", correction=BETTER)
    assert consume(world, item_id, content_digest(BETTER)).content == BETTER
    first, second = decisions(world, item_id)
    assert first.superseded_at is not None
    assert second.superseded_at is None
    assert verified(world, tmp_path)


def test_what_was_used_stays_used(world: World, tmp_path: Path) -> None:
    item_id = decided(world)
    consume(world, item_id, DIGEST)
    reopen(world, item_id)
    assert verified(world, tmp_path)
    gate.answer(world, "bob", verdict="correct", correction=BETTER)
    given = fetch(world, item_id)
    assert (given.state, given.content, given.sha256, given.verdict) == ("released", OUTPUT, DIGEST, "correct")
    with pytest.raises(Consumed):
        consume(world, item_id, DIGEST)
    with pytest.raises(Conflict):
        consume(world, item_id, content_digest(BETTER))
    assert verified(world, tmp_path)


def test_a_used_correction_is_what_it_was_when_it_was_used(world: World, tmp_path: Path) -> None:
    item_id = decided(world, verdict="correct", correction=BETTER)
    consume(world, item_id, content_digest(BETTER))
    reopen(world, item_id)
    assert fetch(world, item_id).content == BETTER
    gate.answer(world, "bob")
    assert fetch(world, item_id).content == BETTER
    assert verified(world, tmp_path)


def test_what_was_never_held_is_not_held_now(world: World, tmp_path: Path) -> None:
    item_id = decided(world, "at once", verdict="reject")
    reopen(world, item_id)
    assert gate.item(world, item_id).release_state == "released"
    assert verified(world, tmp_path)


def test_who_decided_is_not_asked_again(world: World) -> None:
    item_id = decided(world)
    reopen(world, item_id)
    assert world.claim("ann") is None
    gate.answer(world, "bob", verdict="reject")
    assert fetch(world, item_id).state == "withheld"


def test_the_reason_is_in_the_items_history(world: World) -> None:
    item_id = decided(world)
    task = reopen(world, item_id)
    with world.store.read() as session:
        [event] = [e for e in items.history(session, world.actors["lea"], item_id) if e.action == "item.reopened"]
    assert (event.actor_name, event.body["reason"], event.body["task_id"]) == (
        "Lea", "The source is newer.", str(task.id),
    )  # fmt: skip


def test_what_holdpoint_answered_is_looked_at_by_a_person_now(world: World, tmp_path: Path) -> None:
    item_id = sent(gated(world), "withhold")
    world.later(hours=1)
    task = reopen(world, item_id)  # also where no worker ran since
    item = gate.item(world, item_id)
    assert (item.status, item.release_state, item.lapses_at) == ("waiting", "pending", task.due_at)
    assert verified(world, tmp_path)
    world.later(hours=1)
    with world.store.write() as session:
        assert lapses.lapse_due(session, now=world.now, at_most=10) == 1
    assert [one.cause for one in decisions(world, item_id)] == ["lapsed", "lapsed"]
    assert verified(world, tmp_path)


def test_what_a_stopped_system_was_answered_gets_a_task(world: World, tmp_path: Path) -> None:
    gated(world)
    set_mode(world, Mode.STOPPED)
    item_id = sent(world, "whatever")
    set_mode(world, Mode.NORMAL)
    assert fetch(world, item_id).content == gate.FALLBACK
    reopen(world, item_id)
    assert fetch(world, item_id).state == "pending"
    assert verified(world, tmp_path)
    gate.answer(world)
    assert fetch(world, item_id).content == OUTPUT
    assert verified(world, tmp_path)


def test_the_limits_of_the_rule_hold_for_the_new_task(world: World) -> None:
    skilled = GATE.replace("{name: wait,", "{name: wait, skills: ['language:de'], four_eyes: true,")
    item_id = sent(gated(world, skilled), "wait")
    with world.store.write() as session:
        lapses.lapse_one(session, item_id, now=world.now)
    task = reopen(world, item_id)
    with world.store.read() as session:
        needed = select(col(TaskSkill.skill)).where(col(TaskSkill.task_id) == task.id)
        assert session.execute(needed).scalars().all() == ["language:de"]
    assert task.is_limited
    assert world.claim("ann") is None


def test_only_leads_reopen_and_only_what_is_settled(world: World) -> None:
    item_id, waiting = decided(world), sent(world, "withhold")
    for who in ("ann", "odo", "aud", "helper"):
        with pytest.raises(Forbidden):
            reopen(world, item_id, who)
    with pytest.raises(Invalid) as invalid:
        reopen(world, item_id, reason="")
    assert invalid.value.field == "reason"
    with pytest.raises(WrongState):
        reopen(world, waiting)
    with pytest.raises(WrongState):
        reopen(world, sent(world, "whatever"))
    with pytest.raises(NotFound):
        reopen(world, UUID(int=1))
    reopen(world, item_id)
    with pytest.raises(WrongState):
        reopen(world, item_id)

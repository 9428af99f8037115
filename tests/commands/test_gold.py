"""Gold tasks: not to be told from others, kept apart from decisions, and what follows from the answers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from review.api.answers import tasks as answers
from review.commands import decisions, gold, pauses, people, queues, reopenings, tasks
from review.domain.actors import HOLDPOINT, Role
from review.domain.content import content_digest
from review.domain.decisions import EscalationReason
from review.domain.lifecycle import LeaseToken
from review.domain.queues import Settings
from review.errors import Conflict, Forbidden, Invalid, LeaseLost, WrongState
from review.queries import gold as told
from review.queries import gold_checks, items, releases
from review.queries import people as people_queries
from review.queries import tasks as task_queries
from review.store.tables import (
    AuditEvent,
    Decision,
    Escalation,
    Gold,
    GoldAnswer,
    Item,
    OutboxMessage,
    Pause,
    Task,
)
from tests.support.discipline import activate, item, person, say
from tests.support.queues import assign_waiting, settle
from tests.support.world import World, output

ALWAYS = "gold: {rate: 0.5, bar: 0.8, min_n: 5"
PARIS = "The capital of France is Paris."


def golden(world: World, n: int = 1, **answer: Any) -> list[UUID]:
    """Items that lea decided, kept as gold."""
    taken = world.submit(*(output(f"gold {world.now} {k}") for k in range(n)))
    for _ in range(n):
        say(world, "lea", **answer)
    with world.store.write() as session:
        for one in taken:
            gold.mark(session, world.actors["lea"], one.item_id, now=world.now)
    return [one.item_id for one in taken]


def check(world: World, rest: str = "") -> None:
    """Put a policy in force by which half of the tasks are gold."""
    activate(world, rest=f"{ALWAYS}{rest}}}\n")


def claim_gold(world: World, who: str = "ann") -> Task:
    """Claim and give back until a gold task comes; there is plenty of others."""
    for n in range(200):
        task = world.claim(who)
        assert task is not None
        if task.gold_id is not None:
            return task
        world.decide(task, who)
        world.submit(output(f"more {world.now} {n}"))
    raise AssertionError("no gold task came")


def count(world: World, table: Any) -> int:
    with world.store.read() as session:
        n: int = session.execute(select(func.count()).select_from(table)).scalar_one()
        return n


def lease_of(task: Task) -> LeaseToken:
    assert task.lease_token
    return LeaseToken(task.lease_token, 1)


def answer(world: World, task: Task, who: str = "ann", **given: Any) -> Any:
    return world.decide(task, who, lease_of(task), **given) if task.gold_id is None else _gold(world, task, who, given)


def _gold(world: World, task: Task, who: str, given: dict[str, Any]) -> Any:
    from review.domain.decisions import Answer

    with world.store.write() as session:
        return decisions.decide(
            session, world.actors[who], task.id, lease_of(task), Answer(**{"verdict": "approve", **given}),
            now=world.now,
        )  # fmt: skip


def test_only_what_a_person_decided_is_gold_and_once(world: World) -> None:
    waiting = world.item_id("waiting")
    [known] = [world.submit(output("known"))[0].item_id]
    say(world, "lea")
    with world.store.write() as session:
        with pytest.raises(WrongState):
            gold.mark(session, world.actors["lea"], known, now=world.now)
        gold.mark(session, world.actors["lea"], waiting, now=world.now)
        with pytest.raises(Conflict):
            gold.mark(session, world.actors["lea"], waiting, now=world.now)
        with pytest.raises(Forbidden):
            gold.mark(session, world.actors["ann"], waiting, now=world.now)


def test_an_item_of_a_bundle_is_not(world: World) -> None:
    taken = world.submit(output(bundle="turn", bundle_position=0))[0]
    say(world, "lea")
    with world.store.write() as session, pytest.raises(Invalid):
        gold.mark(session, world.actors["lea"], taken.item_id, now=world.now)


def facts(value: Any) -> Any:
    """The shape of an answer: which fields there are, and of what type."""
    if isinstance(value, dict):
        return {name: facts(one) for name, one in value.items()}
    return [facts(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_a_gold_task_looks_like_any_other(world: World) -> None:
    check(world)
    golden(world, verdict="correct", correction=PARIS)
    world.later(days=90)
    activate(world, "reasons: [new_reason]", f"{ALWAYS}}}\n")
    world.submit(*(output(f"x{n}") for n in range(20)))
    world.later(minutes=3)
    given = claim_gold(world)
    fresh = world.claim("bob")
    assert fresh is not None
    if fresh.gold_id is not None:
        fresh = world.claim("lea")
        assert fresh is not None
    with world.store.read() as session:
        one = answers.work(task_queries.work(session, world.actors["ann"], given))
        other = answers.work(task_queries.work(session, world.actors["ann"], fresh))
    assert facts(one["item"]) == facts(other["item"])
    assert facts({**one, "item": None}) == facts({**other, "item": None})
    same = ("status", "version", "rule", "route", "reasons", "policy_version", "inclusion_probability",
            "release_state", "model", "system")  # fmt: skip
    assert [one["item"][name] for name in same] == [other["item"][name] for name in same]  # type: ignore[literal-required]
    assert 0 <= (other["item"]["received_at"] - one["item"]["received_at"]).total_seconds() <= 1
    for work in (one, other):
        assert work["item"]["produced_at"] == work["item"]["received_at"]
        assert work["due_at"] == work["item"]["due_at"]
    lasts = [work["due_at"] - work["item"]["received_at"] for work in (one, other)]
    assert lasts[0] == lasts[1]
    assert "gold" not in str(one["kind"]) + str(one["item"]["reasons"])


def test_the_whole_story_is_told_as_of_a_fresh_item_to_its_reviewer_alone(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    world.later(days=90)
    world.submit(*(output(f"x{n}") for n in range(20)))
    task = claim_gold(world)
    with world.store.read() as session:
        ann, lea = world.actors["ann"], world.actors["lea"]
        assert items.whole(session, ann, item_id).decision is None
        assert items.whole(session, lea, item_id).decision is not None
        listed = {row.id: row.status for row, _ in items.listing(session, ann, items.Filter())}
        assert listed[item_id] == "waiting"
        told_events = items.history(session, ann, item_id)
        assert [event.action for event in told_events] == ["outputs.received", "task.claimed"]
        assert told_events[0].at == task.created_at
        assert told.told_decisions(session, ann, item_id, items.decisions_of(session, item_id)) == []
        others = [event.action for event in items.history(session, world.actors["bob"], item_id)]
        assert others == ["outputs.received", "task.claimed", "item.decided"]
    decided = answer(world, task, verdict="reject")
    with world.store.read() as session:
        whole = items.whole(session, ann, item_id)
        assert (whole.item.status, whole.item.release_state) == ("decided", "withheld")
        assert whole.decision is not None
        assert (whole.decision.id, whole.decision.verdict, whole.decided_by) == (decided.id, "reject", "Ann")
        assert items.history(session, ann, item_id)[-1].action == "item.decided"


def test_an_answer_is_no_decision_and_the_item_does_not_change(world: World) -> None:
    check(world)
    [item_id] = golden(world, verdict="correct", correction=PARIS)
    world.submit(*(output(f"x{n}") for n in range(20)))
    before = item(world, item_id).model_dump()
    task = claim_gold(world)
    n_decisions, n_told = count(world, Decision), count(world, OutboxMessage)
    decided = answer(world, task, verdict="correct", correction=f" {PARIS}")
    assert (decided.release_state, decided.release_digest) == ("released", content_digest(f" {PARIS}"))
    assert item(world, item_id).model_dump() == before
    assert (count(world, Decision), count(world, OutboxMessage)) == (n_decisions, n_told)
    with world.store.read() as session:
        kept = session.execute(select(GoldAnswer)).scalar_one()
        actions = select(col(AuditEvent.action)).where(col(AuditEvent.action) == "gold.answered")
        assert session.execute(actions).scalars().all() == ["gold.answered"]
        assert task_queries.n_decided_since(session, world.actors["ann"], world.now) >= 1
    assert (kept.id, kept.is_right, kept.verdict) == (decided.id, True, "correct")


def test_what_a_decision_refuses_a_gold_answer_refuses(world: World) -> None:
    check(world)
    golden(world)
    world.submit(*(output(f"x{n}") for n in range(20)))
    task = claim_gold(world)
    with pytest.raises(Invalid):
        answer(world, task, verdict="correct")
    with pytest.raises(Invalid):
        answer(world, task, labels=["no_such_label"])
    assert count(world, GoldAnswer) == 0


def test_an_answer_is_undone_like_a_decision_and_stays_superseded(world: World) -> None:
    check(world)
    golden(world)
    world.submit(*(output(f"x{n}") for n in range(20)))
    task = claim_gold(world)
    decided = answer(world, task, verdict="reject")
    with world.store.write() as session:
        again = decisions.undo(session, world.actors["ann"], decided.id, now=world.later(seconds=9))
    assert (again.id, again.state) == (task.id, "open")
    assert answer(world, again).verdict == "approve"
    with world.store.read() as session:
        kept = session.execute(select(GoldAnswer).order_by(col(GoldAnswer.id))).scalars().all()
    assert [(one.is_right, one.superseded_at is None) for one in kept] == [(False, False), (True, True)]
    with world.store.write() as session, pytest.raises(WrongState, match="10 seconds"):
        decisions.undo(session, world.actors["ann"], kept[1].id, now=world.later(seconds=11))
    with world.store.write() as session, pytest.raises(WrongState):
        decisions.undo(session, world.actors["bob"], kept[1].id, now=world.now)


def test_a_gold_task_that_is_handed_up_goes_to_nobody(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    world.submit(*(output(f"x{n}") for n in range(20)))
    task = claim_gold(world)
    with world.store.write() as session:
        above = decisions.escalate(
            session, world.actors["ann"], task.id, lease_of(task), EscalationReason.HIGH_RISK, "", now=world.now
        )
    assert above.state == "withdrawn"
    assert (count(world, Escalation), count(world, GoldAnswer)) == (0, 0)
    with world.store.read() as session:
        assert items.whole(session, world.actors["ann"], item_id).item.status == "waiting"
        assert "task.escalated" in [event.action for event in items.history(session, world.actors["ann"], item_id)]
    assert item(world, item_id).status == "decided"


def test_nobody_else_is_given_it_and_nobody_twice(world: World) -> None:
    check(world)
    golden(world)
    world.submit(*(output(f"x{n}") for n in range(60)))
    task = claim_gold(world)
    with world.store.write() as session:
        tasks.give_back(session, world.actors["ann"], task.id, lease_of(task).token, now=world.now)
    others = [world.claim("lea") for _ in range(5)]
    assert task.id not in [one.id for one in others if one]
    answer(world, claim_gold(world))
    assert all(_next_is_real(world) for _ in range(10))


def _next_is_real(world: World) -> bool:
    task = world.claim("ann")
    assert task is not None
    world.decide(task, "ann")
    return task.gold_id is None


def test_who_decided_it_leads_and_others_systems_are_not_checked_with_it(world: World) -> None:
    check(world)
    taken = world.submit(output("gold"))[0]
    say(world, "ann")
    with world.store.write() as session:
        gold.mark(session, world.actors["lea"], taken.item_id, now=world.now)
    world.submit(*(output(f"x{n}") for n in range(40)))
    assert all(_next_is_real(world) for _ in range(15))
    for _ in range(10):
        task = world.claim("lea")
        assert task is not None
        assert task.gold_id is None


def test_about_the_set_share_is_gold(world: World) -> None:
    golden(world, 30)
    activate(world, rest="gold: {rate: 0.3, bar: 0.1, min_n: 1000}\n")
    world.submit(*(output(f"x{n}") for n in range(80)))
    n_gold = 0
    for _ in range(60):
        task = world.claim("ann")
        assert task is not None
        n_gold += task.gold_id is not None
        answer(world, task) if task.gold_id else world.decide(task, "ann")
    assert 8 <= n_gold <= 30


def test_who_falls_below_the_bar_is_paused_and_told_why(world: World) -> None:
    golden(world, 6)
    check(world)
    world.submit(*(output(f"x{n}") for n in range(80)))
    held = world.claim("bob")
    assert held is not None
    for n in range(5):
        assert count(world, Pause) == 0, n
        answer(world, claim_gold(world), verdict="reject")
    assert world.claim("ann") is None
    with world.store.read() as session:
        [paused] = people_queries.pauses(session, world.actors["ann"])
        assert "0.0%" in paused.reason
        topics = session.execute(select(col(OutboxMessage.topic))).scalars().all()
    assert "person.paused" in topics
    with world.store.write() as session:
        pauses.lift(session, world.actors["lea"], paused.id, reason="we talked", now=world.later(minutes=1))
    answer(world, claim_gold(world))  # what was before the talk no longer counts
    assert world.claim("ann") is not None


def test_who_is_new_gets_gold_only_until_enough_was_right(world: World) -> None:
    golden(world, 8)
    check(world, ", onboarding: 5")
    taken = world.submit(*(output(f"x{n}") for n in range(40)))
    with world.store.read() as session:
        real = session.execute(select(col(Task.id)).where(col(Task.item_id) == taken[0].item_id)).scalar_one()
    with world.store.write() as session, pytest.raises(Forbidden, match="new"):
        tasks.claim_one(session, world.actors["ann"], real, now=world.now)
    for n in range(5):
        task = world.claim("ann")
        assert task is not None
        assert task.gold_id is not None, n
        answer(world, task)
    kinds = set()
    for _ in range(12):
        task = world.claim("ann")
        assert task is not None
        kinds.add(task.gold_id is None)
        answer(world, task) if task.gold_id else world.decide(task, "ann")
    assert True in kinds


def test_where_gold_runs_out_a_learner_is_kept_away_until_a_lead_vouches(world: World) -> None:
    golden(world, 2)
    check(world, ", onboarding: 5")
    world.submit(*(output(f"x{n}") for n in range(10)))
    for _ in range(2):
        answer(world, claim_gold(world))
    assert world.claim("ann") is None
    with world.store.read() as session:
        [paused] = people_queries.pauses(session, world.actors["ann"])
    assert "none left" in paused.reason
    with world.store.write() as session:
        pauses.lift(session, world.actors["lea"], paused.id, reason="I watched her", now=world.later(minutes=1))
    assert world.claim("ann") is not None


def test_retired_gold_is_shown_to_nobody(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    with world.store.write() as session:
        gold.retire(session, world.actors["lea"], item_id, now=world.now)
    world.submit(*(output(f"x{n}") for n in range(30)))
    assert all(_next_is_real(world) for _ in range(10))


def test_leads_see_who_answered_how_well(world: World) -> None:
    golden(world, 2)
    check(world)
    world.submit(*(output(f"x{n}") for n in range(40)))
    answer(world, claim_gold(world))
    answer(world, claim_gold(world), verdict="reject")
    with world.store.read() as session:
        [checked] = gold_checks.reviewers(session, world.actors["odo"], "helper")
        assert (checked.person, checked.accuracy.value, checked.accuracy.n) == ("ann", 0.5, 2)
        assert checked.paused is None
        assert len(gold_checks.listed(session, world.actors["lea"], "helper")) == 2
        rules = gold_checks.rules(session, world.actors["lea"], "helper")
        assert rules is not None
        assert rules.bar == 0.8
        for asked in (gold_checks.reviewers, gold_checks.listed, gold_checks.rules):
            with pytest.raises(Forbidden):
                asked(session, world.actors["ann"], "helper")


def test_what_counts_begins_anew_where_a_lead_lifted_a_pause(world: World) -> None:
    golden(world, 2)
    check(world)
    world.submit(*(output(f"x{n}") for n in range(40)))
    answer(world, claim_gold(world), verdict="reject")
    with world.store.write() as session:
        pauses.pause(session, world.actors["lea"], "ann", "helper", reason="We talk first.", now=world.now)
    with world.store.read() as session:
        [checked] = gold_checks.reviewers(session, world.actors["lea"], "helper")
        assert checked.paused is not None
        assert (checked.accuracy.n, checked.paused.reason) == (1, "We talk first.")
    world.later(minutes=1)
    with world.store.write() as session:
        pauses.lift(session, world.actors["lea"], checked.paused.id, reason="We talked.", now=world.now)
    with world.store.read() as session:
        [checked] = gold_checks.reviewers(session, world.actors["lea"], "helper")
        assert (checked.accuracy.n, checked.paused) == (0, None)


def test_a_learner_gets_other_systems_tasks_unskilled_gold_is_not_given(world: World) -> None:
    activate(world, "skills: ['language:de']", f"{ALWAYS}}}\n")
    person(world, "dil", Role.REVIEWER, "language:de")
    person(world, "leo", Role.LEAD, "language:de")
    taken = world.submit(output("gold"))[0]
    say(world, "leo")
    with world.store.write() as session:
        gold.mark(session, world.actors["lea"], taken.item_id, now=world.now)
    world.submit(*(output(f"x{n}") for n in range(30)))
    assert claim_gold(world, "dil").gold_id is not None


def test_gold_is_not_made_of_what_was_reopened(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    with world.store.write() as session:
        session.execute(update(Item).where(col(Item.id) == item_id).values(status="waiting"))
        assert session.execute(select(col(Gold.retired_at))).scalar() is None
    world.submit(*(output(f"x{n}") for n in range(30)))
    assert all(_next_is_real(world) for _ in range(10))


def test_an_item_that_is_reopened_or_undone_is_gold_no_more(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    world.submit(*(output(f"x{n}") for n in range(30)))
    held = claim_gold(world)
    person(world, "lou", Role.LEAD)
    with world.store.write() as session:
        task = reopenings.reopen(session, world.actors["lou"], item_id, reason="It was wrong.", now=world.now)
    with pytest.raises(LeaseLost):
        answer(world, held)
    with world.store.write() as session:
        again = tasks.claim_one(session, world.actors["bob"], task.id, now=world.now)
    assert world.decide(again, "bob", verdict="reject").is_final
    assert item(world, item_id).status == "decided"
    [fresh] = world.submit(output("fresh"))
    with world.store.write() as session:
        first = tasks.claim_one(session, world.actors["lea"], _task_of(world, fresh.item_id).id, now=world.now)
    given = world.decide(first, "lea")
    with world.store.write() as session:
        gold.mark(session, world.actors["lou"], fresh.item_id, now=world.now)
        decisions.undo(session, world.actors["lea"], given.id, now=world.now)
    with world.store.read() as session:
        assert all(session.execute(select(col(Gold.retired_at))).scalars())


def _task_of(world: World, item_id: UUID) -> Task:
    with world.store.read() as session:
        return session.execute(select(Task).where(col(Task.item_id) == item_id)).scalar_one()


def test_a_reviewer_finds_gold_as_they_find_others_and_waits_for_it_alike(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    world.submit(*(output(f"x{n}") for n in range(30)))
    held = claim_gold(world)
    ann = world.actors["ann"]
    made_at = datetime.fromtimestamp((held.id.int >> 80) / 1000, UTC)
    assert timedelta(0) <= made_at - held.created_at < timedelta(milliseconds=20)

    def found(status: str) -> bool:
        with world.store.read() as session:
            rows = items.listing(session, ann, items.Filter(status=status, q=str(item_id)))
        return [one.status for one, _ in rows] == [status]

    def state() -> str:
        with world.store.read() as session:
            return releases.standing(session, ann, item_id, now=world.now).state.value

    assert (found("waiting"), found("decided"), state()) == (True, False, "pending")
    answer(world, held)
    assert (found("waiting"), found("decided"), state()) == (False, True, "released")


def test_a_gold_task_that_is_left_lying_takes_nobodys_place(world: World) -> None:
    check(world)
    golden(world)
    world.submit(*(output(f"x{n}") for n in range(30)))
    held = claim_gold(world)
    while (task := world.claim("lea")) is not None:
        world.decide(task, "lea")
    with world.store.write() as session:
        queues.settle(session, world.actors["lea"], "default", Settings(name="Default", ceiling=1), now=world.now)
    assert world.submit(output("fresh"))[0].status == "waiting"
    with world.store.write() as session:
        people.set_active(session, HOLDPOINT, world.actors["ann"].id, active=False, now=world.now)
    with world.store.read() as session:
        assert session.get_one(Task, held.id).state == "withdrawn"


def test_a_gold_task_counts_for_no_load_and_shows_in_no_queue_but_to_its_reviewer(world: World) -> None:
    check(world)
    [item_id] = golden(world)
    world.submit(*(output(f"x{n}") for n in range(30)))
    claim_gold(world)
    for who, is_shown in (("ann", True), ("bob", False)):
        with world.store.read() as session:
            rows = items.listing(session, world.actors[who], items.Filter(queue="default", q=str(item_id)))
        assert [one.id for one, _ in rows] == [item_id] * is_shown
    settle(world, members=["ann"], load_cap=1)
    assert assign_waiting(world) == 1


def test_a_gold_task_of_one_who_is_paused_or_that_is_retired_is_asked_no_more(world: World) -> None:
    def state(task: Task) -> str:
        with world.store.read() as session:
            return session.get_one(Task, task.id).state

    check(world)
    golden(world)
    world.submit(*(output(f"x{n}") for n in range(30)))
    of_ann, of_bob = claim_gold(world), claim_gold(world, "bob")
    with world.store.write() as session:
        tasks.give_back(session, world.actors["ann"], of_ann.id, lease_of(of_ann).token, now=world.now)
        for who in ("ann", "bob"):
            pauses.pause(session, world.actors["lea"], who, "helper", reason="We talk first.", now=world.now)
    assert (state(of_ann), state(of_bob)) == ("withdrawn", "open")  # what Bob is working on stays his
    with world.store.write() as session:
        gold.retire(session, world.actors["lea"], of_bob.item_id, now=world.now)
    assert state(of_bob) == "withdrawn"

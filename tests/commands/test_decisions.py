"""Claiming, deciding, undoing and handing up: what is written, and what is refused and writes nothing."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import decisions, policies, releases, tasks
from review.domain.actors import HOLDPOINT
from review.domain.content import content_digest
from review.domain.decisions import EscalationReason
from review.domain.lifecycle import LEASE, LeaseToken
from review.errors import Forbidden, Invalid, LeaseLost, NotFound, WrongState
from review.queries import items
from review.queries import releases as release_queries
from review.queries import tasks as task_queries
from review.store.tables import AuditEvent, Decision, Item, OutboxMessage, Task
from tests.support.world import SAMPLING, World, output


def claimed(world: World, who: str = "ann") -> Task:
    task = world.claim(who)
    assert task is not None
    return task


def item_of(world: World, task: Task) -> Item:
    with world.store.read() as session:
        return session.get_one(Item, task.item_id)


def counts(session: Session) -> tuple[int, ...]:
    tables = (Decision, AuditEvent, OutboxMessage, Task)
    return tuple(session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def written(world: World) -> tuple[int, ...]:
    with world.store.read() as session:
        return counts(session)


def test_approval_releases_the_exact_output(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    decision = world.decide(task, note="fine")
    item = item_of(world, task)
    assert (item.status, item.release_state, item.decision_id) == ("decided", "released", decision.id)
    assert item.release_digest == content_digest(output()["output"])


def test_a_correction_keeps_original_replacement_and_difference_and_releases_the_replacement(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    decision = world.decide(
        task, verdict="correct", correction="The capital of France is Paris.", labels=["unsupported"]
    )
    assert [run["op"] for run in decision.difference or []] == ["equal", "replace", "equal"]
    with world.store.read() as session:
        release = release_queries.release(session, world.actors["helper"], task.item_id, now=world.now)
        whole = items.whole(session, world.actors["ann"], task.item_id)
    assert release.content == "The capital of France is Paris."
    assert release.sha256 == content_digest(release.content)
    assert whole.content["output"] == output()["output"]


def test_a_rejection_withholds(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    world.decide(task, verdict="reject")
    with world.store.read() as session:
        release = release_queries.release(session, world.actors["helper"], task.item_id, now=world.now)
    assert (release.state, release.content, release.sha256) == ("withheld", None, None)


def test_a_sample_was_released_at_intake_and_stays_so(world: World) -> None:
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", SAMPLING.replace("0.05", "1"), now=world.now)
    [drawn] = world.submit(output(confidence=0.9))
    assert "audit_sample" in drawn.reasons
    assert (drawn.route, drawn.status, drawn.release_state) == ("pass", "waiting", "released")
    task = claimed(world)
    world.decide(task, verdict="reject", labels=["unsupported"])
    assert item_of(world, task).release_state == "released"


def test_the_state_the_decision_its_event_and_its_message_are_written_together(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    before = written(world)
    world.decide(task)
    assert [after - was for after, was in zip(written(world), before, strict=True)] == [1, 1, 1, 0]


def test_order_is_priority_then_due_time(world: World) -> None:
    world.submit(output("late"))
    world.now -= world.now - world.now.replace(hour=1)
    world.submit(output("early"))
    world.submit(output("money", kind="action", flags=[{"code": "amount", "severity": 5}]))
    world.later(hours=9)
    order = [item_of(world, claimed(world)).external_id for _ in range(3)]
    assert order == ["money", "early", "late"]


def test_two_people_never_get_the_same_task(world: World) -> None:
    world.submit(output("a"), output("b"))
    assert claimed(world, "ann").id != claimed(world, "bob").id
    assert world.claim("lea") is None


def test_an_expired_lease_is_claimable_without_any_sweeper_and_its_holder_has_lost_it(world: World) -> None:
    world.submit(output())
    first = claimed(world)
    lease = world.lease(first)
    world.later(seconds=LEASE.total_seconds())
    second = claimed(world, "bob")
    assert second.id == first.id
    for attempt in (
        lambda: world.decide(first, lease=lease),
        lambda: world.decide(first, "bob", lease=lease),
    ):
        with pytest.raises(LeaseLost):
            attempt()
    world.decide(second, "bob")


def test_renewal_keeps_the_task(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    world.later(minutes=4)
    with world.store.write() as session:
        until = tasks.renew(session, world.actors["ann"], task.id, str(task.lease_token), now=world.now)
    assert until == world.now + LEASE
    world.later(minutes=4)
    assert world.claim("bob") is None
    world.decide(task)


def test_given_back_goes_to_anyone_and_skipped_to_others(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    with world.store.write() as session:
        tasks.give_back(session, world.actors["ann"], task.id, str(task.lease_token), now=world.now)
    task = claimed(world)
    with world.store.write() as session:
        tasks.skip(session, world.actors["ann"], task.id, str(task.lease_token), now=world.now)
    assert world.claim("ann") is None
    lent = claimed(world, "bob")
    assert lent.id == task.id
    with world.store.write() as session:
        tasks.give_back(session, world.actors["bob"], task.id, str(lent.lease_token), now=world.now)
    world.later(minutes=61)
    assert claimed(world, "ann").id == task.id


def test_skipping_twice_is_no_error(world: World) -> None:
    world.submit(output())
    for _ in range(2):
        with world.store.write() as session:
            task_id = session.execute(select(col(Task.id))).scalar_one()
            task = tasks.claim_one(session, world.actors["ann"], task_id, now=world.now)
            tasks.skip(session, world.actors["ann"], task.id, str(task.lease_token), now=world.now)


def test_what_is_refused_writes_nothing(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    lease = world.lease(task)
    before = written(world)
    for error, attempt in (
        (LeaseLost, lambda: world.decide(task, lease=replace(lease, token="other"))),
        (LeaseLost, lambda: world.decide(task, "bob", lease=lease)),
        (WrongState, lambda: world.decide(task, lease=replace(lease, item_version=7))),
        (Invalid, lambda: world.decide(task, verdict="correct")),
        (Invalid, lambda: world.decide(task, labels=["no_such_code"])),
        (Forbidden, lambda: world.decide(task, "aud", lease=lease)),
        (Forbidden, lambda: world.decide(task, "helper", lease=lease)),
        (NotFound, lambda: world.decide(Task(**{**task.model_dump(), "id": uuid4()}), lease=lease)),
    ):
        with pytest.raises(error):
            attempt()
    assert written(world) == before
    assert item_of(world, task).status == "waiting"
    world.decide(task, lease=lease)
    with pytest.raises(LeaseLost, match="done already"):
        world.decide(task, lease=lease)


def undo(world: World, decision: Decision, who: str = "ann") -> Task:
    with world.store.write() as session:
        return decisions.undo(session, world.actors[who], decision.id, now=world.now)


def test_a_fresh_decision_can_be_undone_by_its_author_and_stays_on_record(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    decision = world.decide(task, verdict="reject")
    world.later(seconds=9)
    again = undo(world, decision)
    item = item_of(world, task)
    assert (item.status, item.release_state, item.decision_id) == ("waiting", "pending", None)
    world.decide(again, verdict="approve")
    with world.store.read() as session:
        history = items.decisions_of(session, task.item_id)
    assert [(d.verdict, d.superseded_at is None) for d, _ in history] == [("reject", False), ("approve", True)]


def test_undo_is_refused_too_late_or_to_others_or_twice_or_after_the_producer_fetched(world: World) -> None:
    world.submit(output("a"), output("b"))
    task = claimed(world)
    decision = world.decide(task)
    with pytest.raises(WrongState):
        undo(world, decision, "bob")
    undo(world, decision)
    with pytest.raises(WrongState):
        undo(world, decision)
    late = world.decide(claimed(world, "bob"), "bob")
    world.later(seconds=11)
    with pytest.raises(WrongState):
        undo(world, late, "bob")
    world.submit(output("c"))
    fetched = world.decide(claimed(world, "bob"), "bob")
    with world.store.write() as session:
        releases.fetch(session, world.actors["helper"], fetched.item_id, now=world.now)
    with pytest.raises(WrongState, match="fetched"):
        undo(world, fetched, "bob")


def escalate(world: World, task: Task, who: str = "ann", lease: LeaseToken | None = None) -> Task:
    with world.store.write() as session:
        return decisions.escalate(
            session, world.actors[who], task.id, lease or world.lease(task), EscalationReason.HIGH_RISK, "look",
            now=world.now,
        )  # fmt: skip


def test_handing_up_closes_the_task_and_opens_one_for_leads(world: World) -> None:
    world.submit(output())
    task = claimed(world)
    up = escalate(world, task)
    assert (up.kind, up.escalated_from_id) == ("escalation", task.id)
    assert world.claim("bob") is None
    with pytest.raises(Forbidden), world.store.write() as session:
        tasks.claim_one(session, world.actors["bob"], up.id, now=world.now)
    with world.store.read() as session:
        waiting = task_queries.escalated(session, world.actors["lea"], now=world.now)
    assert [(w.by, w.reason, w.note, w.holder) for w in waiting] == [("Ann", "high_risk", "look", None)]
    taken = claimed(world, "lea")
    assert taken.id == up.id
    with pytest.raises(WrongState, match="Nobody is above"):
        escalate(world, taken, "lea")
    world.decide(taken, "lea")
    assert item_of(world, task).status == "decided"


def test_a_queue_can_be_named_where_it_is_the_actors_to_work(world: World) -> None:
    world.submit(output())
    with pytest.raises(NotFound):
        world.claim("ann", queue="nope")
    with pytest.raises(Forbidden):
        world.claim("ann", queue="escalations")
    assert world.claim("lea", queue="escalations") is None
    assert world.claim("lea", queue="default") is not None


@pytest.mark.parametrize("who", ["odo", "aud", "adm", "helper"])
def test_only_reviewers_and_leads_claim(world: World, who: str) -> None:
    world.submit(output())
    with pytest.raises(Forbidden):
        world.claim(who)

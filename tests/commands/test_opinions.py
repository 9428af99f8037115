"""Several people on one item: who is asked, whose answer stands, and what is taken back."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import decisions, pauses, tasks
from review.domain.actors import Role
from review.domain.content import content_digest
from review.domain.decisions import EscalationReason
from review.errors import Forbidden, LeaseLost, WrongState
from review.store.tables import Decision, OutboxMessage, TaskBar
from tests.support.discipline import activate, item, person, say, tasks_of
from tests.support.world import World, output

PARIS = "The capital of France is Paris."


def n_final(session: Session) -> int:
    query = select(func.count()).select_from(Decision)
    n: int = session.execute(query.where(col(Decision.is_final), col(Decision.superseded_at).is_(None))).scalar_one()
    return n


def topics(world: World) -> list[str]:
    with world.store.read() as session:
        return list(session.execute(select(col(OutboxMessage.topic)).order_by(col(OutboxMessage.id))).scalars())


def test_an_item_waits_until_all_who_were_asked_have_answered(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    assert [task.kind for task in tasks_of(world, item_id)] == ["review", "second_review"]
    first = say(world, "ann")
    assert not first.is_final
    assert (item(world, item_id).status, item(world, item_id).release_state) == ("waiting", "pending")
    assert "item.decided" not in topics(world)
    second = say(world, "bob")
    assert second.is_final
    assert (item(world, item_id).status, item(world, item_id).decision_id) == ("decided", second.id)
    assert topics(world).count("item.decided") == 1


def test_one_person_does_not_answer_twice_on_an_item(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    say(world, "ann")
    assert world.claim("ann") is None


def test_one_person_does_not_hold_two_tasks_of_an_item(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    held = world.claim("ann")
    assert held is not None
    assert world.claim("ann") is None
    other = next(task for task in tasks_of(world, item_id) if task.id != held.id)
    with world.store.write() as session, pytest.raises(LeaseLost):
        tasks.claim_one(session, world.actors["ann"], other.id, now=world.now)


def test_what_is_left_of_a_disagreement_is_settled_by_a_lead(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    say(world, "bob", verdict="correct", correction=PARIS)
    task = tasks_of(world, item_id)[-1]
    assert (task.kind, task.state) == ("adjudication", "open")
    assert world.claim("ann") is None
    settled = say(world, "lea", verdict="correct", correction=PARIS)
    assert settled.is_final
    assert item(world, item_id).release_digest == content_digest(PARIS)


def test_one_more_is_asked_where_people_disagree_and_most_of_them_are_believed(world: World) -> None:
    activate(world, "reviewers: 2, extra_on_disagreement: 1")
    person(world, "cem")
    item_id = world.item_id()
    say(world, "ann")
    say(world, "bob", verdict="reject")
    assert [task.kind for task in tasks_of(world, item_id)] == ["review", "second_review", "second_review"]
    assert [world.claim(who) for who in ("ann", "bob")] == [None, None]
    assert say(world, "cem", verdict="reject").is_final
    assert item(world, item_id).release_state == "withheld"


def test_with_four_eyes_a_lead_who_is_alone_with_an_answer_needs_another(world: World) -> None:
    activate(world, "four_eyes: true")
    person(world, "leo", Role.LEAD)
    item_id = world.item_id()
    say(world, "ann")
    say(world, "bob", verdict="reject")
    assert not say(world, "lea", verdict="correct", correction=PARIS).is_final
    assert item(world, item_id).release_state == "pending"
    assert say(world, "leo", verdict="correct", correction=PARIS).is_final
    assert item(world, item_id).release_state == "released"


def test_four_eyes_hold_for_what_is_handed_up_too(world: World) -> None:
    activate(world, "four_eyes: true")
    item_id = world.item_id()
    task = world.claim("ann")
    assert task is not None
    with world.store.write() as session:
        lease, reason = world.lease(task), EscalationReason.HIGH_RISK
        decisions.escalate(session, world.actors["ann"], task.id, lease, reason, "", now=world.now)
    above = next(task for task in tasks_of(world, item_id) if task.kind == "escalation")
    with world.store.write() as session:
        held = tasks.claim_one(session, world.actors["lea"], above.id, now=world.now)
    assert not world.decide(held, "lea").is_final
    assert item(world, item_id).release_state == "pending"
    assert say(world, "bob").is_final


def test_a_leads_word_leaves_nobody_asked(world: World) -> None:
    activate(world, "reviewers: 3")
    item_id = world.item_id()
    task = world.claim("ann")
    assert task is not None
    with world.store.write() as session:
        lease, reason = world.lease(task), EscalationReason.HIGH_RISK
        above = decisions.escalate(session, world.actors["ann"], task.id, lease, reason, "", now=world.now)
        tasks.claim_one(session, world.actors["lea"], above.id, now=world.now)
    world.decide(tasks_of(world, item_id)[-1], "lea", verdict="reject")
    assert [task.state for task in tasks_of(world, item_id)] == ["escalated", "withdrawn", "withdrawn", "decided"]
    assert world.claim("bob") is None


def test_one_review_of_several_is_taken_back_and_given_again(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    first = say(world, "ann")
    with world.store.write() as session:
        task = decisions.undo(session, world.actors["ann"], first.id, now=world.later(seconds=2))
        assert session.execute(select(TaskBar)).first() is None
    assert "item.reopened" not in topics(world)
    again = world.decide(task, "ann", verdict="reject")
    assert not again.is_final
    assert say(world, "bob", verdict="reject").is_final
    assert item(world, item_id).release_state == "withheld"


def test_undoing_asks_nobody_because_of_that_answer(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    second = say(world, "bob", verdict="reject")
    with world.store.write() as session:
        decisions.undo(session, world.actors["bob"], second.id, now=world.later(seconds=2))
    assert [task.state for task in tasks_of(world, item_id)] == ["decided", "open", "withdrawn"]
    assert world.claim("lea") is None


def test_an_answer_that_someone_works_on_already_is_not_taken_back(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    say(world, "ann")
    second = say(world, "bob", verdict="reject")
    assert world.claim("lea") is not None
    with world.store.write() as session, pytest.raises(WrongState, match="on it already"):
        decisions.undo(session, world.actors["bob"], second.id, now=world.later(seconds=2))


def test_the_last_of_several_is_taken_back_with_the_release(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    last = say(world, "bob")
    with world.store.write() as session:
        decisions.undo(session, world.actors["bob"], last.id, now=world.later(seconds=2))
        assert n_final(session) == 0
    assert (item(world, item_id).status, item(world, item_id).release_state) == ("waiting", "pending")


def test_a_share_of_the_outputs_is_asked_of_several(world: World) -> None:
    activate(world, "reviewers: 2, coverage: 0.5")
    taken = world.submit(*(output(f"x{n}") for n in range(200)))
    n_several = sum(len(tasks_of(world, one.item_id)) == 2 for one in taken)
    assert 60 < n_several < 140


def test_an_answer_is_not_undone_while_somebody_is_given_what_it_asked_for(world: World) -> None:
    activate(world, "reviewers: 2, extra_on_disagreement: 1")
    item_id = world.item_id()
    say(world, "ann")
    last = say(world, "bob", verdict="reject")

    def undo() -> object:
        with world.store.write() as session:
            return decisions.undo(session, world.actors["bob"], last.id, now=world.now)

    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            given = tasks.claim(session, world.actors["lea"], now=world.now)
            undoing = pool.submit(undo)
            time.sleep(0.3)
        with pytest.raises(WrongState, match="Someone is on it"):
            undoing.result(20)
    assert given is not None
    assert [task.state for task in tasks_of(world, item_id) if task.id == given.id] == ["open"]


def test_nobody_else_undoes_a_review(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    first = say(world, "ann")
    with world.store.write() as session, pytest.raises((WrongState, Forbidden)):
        decisions.undo(session, world.actors["bob"], first.id, now=world.now)


def test_who_is_asked_beside_others_has_the_skills_of_the_rule(world: World) -> None:
    activate(world, "reviewers: 2, extra_on_disagreement: 1, skills: ['domain:cardiology']")
    for who in ("cem", "eva", "flo"):
        person(world, who, Role.REVIEWER, "domain:cardiology")
    world.item_id()
    say(world, "cem")
    say(world, "eva", verdict="reject")
    assert world.claim("bob") is None
    assert say(world, "flo").is_final


def test_two_of_three_who_were_asked_at_first_settle_nothing(world: World) -> None:
    activate(world, "reviewers: 3")
    person(world, "cem")
    item_id = world.item_id()
    for who, verdict in (("ann", "approve"), ("bob", "reject"), ("cem", "approve")):
        say(world, who, verdict=verdict)
    assert (item(world, item_id).status, tasks_of(world, item_id)[-1].kind) == ("waiting", "adjudication")


def test_one_who_hands_up_takes_nothing_from_the_others(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    of_ann, of_bob = world.claim("ann"), world.claim("bob")
    assert of_ann is not None
    assert of_bob is not None
    lease = world.lease(of_ann)
    with world.store.write() as session:
        seen, reason = world.lease(of_bob), EscalationReason.OTHER
        decisions.escalate(session, world.actors["bob"], of_bob.id, seen, reason, "", now=world.now)
    assert not world.decide(of_ann, "ann", lease=lease).is_final
    assert say(world, "lea").is_final
    assert item(world, item_id).status == "decided"


def test_who_was_paused_takes_an_answer_back_and_is_not_given_the_task(world: World) -> None:
    activate(world)
    item_id = world.item_id()
    given = say(world, "ann")
    with world.store.write() as session:
        pauses.pause(session, world.actors["lea"], "ann", "helper", reason="Talk first.", now=world.now)
    with world.store.write() as session:
        task = decisions.undo(session, world.actors["ann"], given.id, now=world.now)
        assert (task.state, task.holder_id, task.lease_token) == ("open", None, None)
    assert say(world, "bob").item_id == item_id

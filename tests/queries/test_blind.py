"""Blind answers: who learns what while several people are asked about one item."""

from uuid import UUID

import pytest

from review.commands import comments, decisions, releases, reopenings
from review.queries import blind, items
from review.queries import tasks as task_queries
from tests.support.discipline import activate, say
from tests.support.queues import assign_waiting, settle
from tests.support.world import World

PARIS = "The capital of France is Paris."
EVERYONE = ("ann", "bob", "lea", "odo", "aud", "adm", "helper")


def verdicts(world: World, who: str, item_id: UUID) -> tuple[list[str], list[str]]:
    """The verdicts that somebody reads of an item: in its history, and among its decisions."""
    actor = world.actors[who]
    with world.store.read() as session:
        events = items.history(session, actor, item_id)
        told = items.told_decisions(session, actor, items.whole(session, actor, item_id).item)
        in_history = [str(event.body["verdict"]) for event in events if "verdict" in event.body]
        return in_history, [decision.verdict for decision, _ in told]


@pytest.mark.parametrize("who", EVERYONE)
def test_nobody_but_its_author_reads_an_answer_until_all_are_in(world: World, who: str) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann", verdict="reject")
    mine = ["reject"] if who == "ann" else []
    assert verdicts(world, who, item_id) == (mine, mine)
    say(world, "bob", verdict="reject")
    assert verdicts(world, who, item_id) == (["reject", "reject"], ["reject", "reject"])


@pytest.mark.parametrize("who", EVERYONE)
def test_a_disagreement_stays_blind_until_it_is_settled(world: World, who: str) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    say(world, "bob", verdict="reject")
    mine = {"ann": ["approve"], "bob": ["reject"]}.get(who, [])
    assert verdicts(world, who, item_id) == (mine, mine)
    say(world, "lea")
    assert verdicts(world, who, item_id)[1] == ["approve", "reject", "approve"]


def test_an_answer_taken_back_is_as_blind(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    said = say(world, "ann", verdict="reject")
    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], said.id, now=world.later(seconds=2))
    assert verdicts(world, "bob", item_id) == ([], [])
    assert verdicts(world, "ann", item_id) == (["reject"], ["reject"])


def test_only_leads_are_told_who_has_a_task_and_how_many_answered(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    with world.store.read() as session:
        for who, n in (("bob", 0), ("aud", 0), ("lea", 1)):
            actor = world.actors[who]
            whole = items.whole(session, actor, item_id)
            claims = [e for e in items.history(session, actor, item_id) if e.action == "task.claimed"]
            assert len(claims) == n
            told = blind.progress(session, actor, whole.item)
            assert told == (blind.Progress(2, 1) if who == "lea" else None)


def test_who_settles_a_disagreement_sees_all_answers_and_no_name(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    for who, answer in (("ann", {}), ("bob", {"verdict": "correct", "correction": PARIS, "labels": ["unsupported"]})):
        task = world.claim(who)
        assert task is not None
        with world.store.read() as session:
            assert task_queries.work(session, world.actors[who], task).answers == []
        world.decide(task, who, **answer)
    task = world.claim("lea")
    assert task is not None
    with world.store.read() as session:
        answers = task_queries.work(session, world.actors["lea"], task).answers
    assert sorted((one.verdict, one.correction) for one in answers) == [("approve", None), ("correct", PARIS)]


def test_what_was_decided_before_an_item_was_reopened_is_no_secret(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    say(world, "ann")
    say(world, "bob")
    world.later(minutes=1)
    with world.store.write() as session:
        reopenings.reopen(session, world.actors["lea"], item_id, reason="A customer wrote.", now=world.now)
    assert verdicts(world, "aud", item_id)[1] == ["approve", "approve"]


def test_one_person_asked_hides_nothing(world: World) -> None:
    activate(world)
    item_id = world.item_id()
    said = say(world, "ann", verdict="reject")
    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], said.id, now=world.later(seconds=2))
    assert verdicts(world, "aud", item_id) == (["reject"], ["reject"])


def test_who_is_asked_does_not_read_in_the_history_who_else_is(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    settle(world, members=["ann", "bob"], load_cap=1)
    assert assign_waiting(world) == 2
    with world.store.write() as session:
        releases.look(session, world.actors["bob"], item_id, now=world.now)
        comments.comment(session, world.actors["lea"], item_id, "Look, @bob.", now=world.now)
    with world.store.read() as session:
        told = {
            who: [event.action for event in items.history(session, world.actors[who], item_id)]
            for who in ("ann", "bob", "lea")
        }
    assert told == {
        "ann": ["outputs.received"],
        "bob": ["outputs.received", "item.viewed"],
        "lea": ["outputs.received", "task.assigned", "task.assigned", "item.viewed", "item.commented"],
    }

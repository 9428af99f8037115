"""Asking the producer: the question goes out, the item waits, and the answer comes once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import questions
from review.errors import Forbidden, Invalid, LeaseLost, NotFound, WrongState
from review.queries import items
from review.queries import questions as question_queries
from review.store.tables import OutboxMessage, Question, Task
from tests.support.discipline import activate, say
from tests.support.world import World


def ask(world: World, who: str = "ann", text: str = "Which invoice is it?") -> tuple[Task, Question]:
    """Claim the next task as somebody, and ask the producer about it."""
    task = world.claim(who)
    assert task is not None
    assert task.lease_token is not None
    with world.store.write() as session:
        asked = questions.ask(session, world.actors[who], task.id, task.lease_token, text, now=world.now)
        return task, Question(**asked.model_dump())


def answer(world: World, asked: Question, text: str = "The one of May.", item_id: UUID | None = None) -> None:
    with world.store.write() as session:
        questions.answer(
            session, world.actors["helper"], item_id or asked.item_id, asked.id, text, now=world.now
        )  # fmt: skip


def test_the_item_waits_until_the_answer_is_here(world: World) -> None:
    world.item_id()
    task, asked = ask(world)
    with world.store.read() as session:
        [message] = session.execute(select(OutboxMessage).where(col(OutboxMessage.topic) == "item.question")).scalars()
    assert (message.body["question_id"], message.body["text"]) == (str(asked.id), "Which invoice is it?")
    assert world.claim("ann") is None
    assert world.claim("bob") is None
    answer(world, asked)
    again = world.claim("bob")
    assert again is not None
    assert (again.id, again.due_at) == (task.id, task.due_at)
    with world.store.read() as session:
        told = question_queries.asked(session, world.actors["bob"], task.item_id)
        actions = [event.action for event in items.history(session, world.actors["bob"], task.item_id)]
    assert [(one.text, one.by, one.answer) for one in told] == [("Which invoice is it?", "Ann", "The one of May.")]
    assert "item.question_asked" in actions
    assert "item.question_answered" in actions


def test_without_an_answer_it_comes_back_before_it_is_due(world: World) -> None:
    world.item_id()
    task, _ = ask(world)
    world.now = task.due_at - timedelta(minutes=31)
    assert world.claim("bob") is None
    world.later(minutes=1)
    assert world.claim("bob") is not None


def test_what_is_due_soon_is_not_asked_about(world: World) -> None:
    activate(world, "due: PT20M")
    world.item_id()
    with pytest.raises(WrongState, match="too soon"):
        ask(world)


def test_a_question_is_answered_once_and_about_its_item(world: World) -> None:
    world.item_id()
    _, asked = ask(world)
    elsewhere = world.item_id("x2")
    with pytest.raises(NotFound):
        answer(world, asked, item_id=elsewhere)
    answer(world, asked)
    with pytest.raises(WrongState, match="already"):
        answer(world, asked)


def test_the_others_who_are_asked_wait_for_the_answer_too(world: World) -> None:
    activate(world, "reviewers: 2")
    world.item_id()
    _, asked = ask(world)
    assert world.claim("ann") is None
    assert world.claim("bob") is None
    answer(world, asked)
    say(world, "ann")
    say(world, "bob")


def test_only_who_holds_the_task_asks_and_only_the_producer_answers(world: World) -> None:
    world.item_id()
    task = world.claim("ann")
    assert task is not None
    with world.store.write() as session, pytest.raises(LeaseLost):
        questions.ask(session, world.actors["bob"], task.id, task.lease_token or "", "Why?", now=world.now)
    with world.store.write() as session, pytest.raises(Invalid):
        questions.ask(session, world.actors["ann"], task.id, task.lease_token or "", "  ", now=world.now)
    with world.store.write() as session:
        asked = questions.ask(session, world.actors["ann"], task.id, task.lease_token or "", "Why?", now=world.now)
        with pytest.raises(Forbidden):
            questions.answer(session, world.actors["bob"], task.item_id, asked.id, "So.", now=world.now)


def test_who_asked_is_told_neither_the_producer_nor_others_while_it_is_blind(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    _, asked = ask(world)
    answer(world, asked)
    with world.store.read() as session:
        for who, name in (("ann", "Ann"), ("bob", "A reviewer"), ("helper", "A reviewer"), ("aud", "A reviewer")):
            assert [one.by for one in question_queries.asked(session, world.actors[who], item_id)] == [name]
    say(world, "ann")
    say(world, "bob")
    with world.store.read() as session:
        assert [one.by for one in question_queries.asked(session, world.actors["aud"], item_id)] == ["Ann"]

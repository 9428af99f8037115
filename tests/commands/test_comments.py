"""An item's thread: who is mentioned is told, and while answers are blind nobody reads what could tell one."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import comments
from review.errors import Forbidden, Invalid, NotFound
from review.queries import comments as comment_queries
from review.store.tables import OutboxMessage
from review.store.types import new_id
from tests.support.discipline import activate, say
from tests.support.world import World


def write(world: World, item_id: object, text: str, who: str = "ann") -> None:
    with world.store.write() as session:
        comments.comment(session, world.actors[who], item_id, text, now=world.now)  # type: ignore[arg-type]


def read(world: World, item_id: object, who: str) -> tuple[list[str], bool]:
    with world.store.read() as session:
        thread = comment_queries.thread(session, world.actors[who], item_id)  # type: ignore[arg-type]
        return [one.text for one in thread.remarks], thread.is_blind


def test_a_thread_is_read_in_order_and_who_is_mentioned_is_told(world: World) -> None:
    item_id = world.item_id()
    write(world, item_id, "Is this ours? Mail a@b.de, ask @bob, @lea or @bob.")
    write(world, item_id, "It is.", "bob")
    assert read(world, item_id, "aud") == (["Is this ours? Mail a@b.de, ask @bob, @lea or @bob.", "It is."], False)
    with world.store.read() as session:
        [told] = session.execute(select(OutboxMessage).where(col(OutboxMessage.topic) == "person.mentioned")).scalars()
    assert told.body["mentions"] == ["bob", "lea"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "ask @nobody", "a\x00b"])
def test_a_comment_that_tells_nothing_or_mentions_nobody_is_refused(world: World, text: str) -> None:
    item_id = world.item_id()
    with pytest.raises(Invalid) as refused:
        write(world, item_id, text)
    assert refused.value.field == "text"
    assert read(world, item_id, "ann") == ([], False)


def test_while_answers_are_blind_those_who_may_be_asked_read_their_own_alone(world: World) -> None:
    activate(world, "reviewers: 2")
    item_id = world.item_id()
    write(world, item_id, "I would reject this.")
    assert read(world, item_id, "ann") == (["I would reject this."], True)
    assert read(world, item_id, "bob") == ([], True)
    assert read(world, item_id, "lea") == ([], True)
    assert read(world, item_id, "aud") == (["I would reject this."], False)
    say(world, "ann")
    say(world, "bob")
    assert read(world, item_id, "bob") == (["I would reject this."], False)


def test_producers_neither_write_nor_read_comments(world: World) -> None:
    item_id = world.item_id()
    with pytest.raises(Forbidden):
        write(world, item_id, "Please approve.", "helper")
    with pytest.raises(Forbidden):
        read(world, item_id, "helper")
    with pytest.raises(NotFound):
        write(world, new_id(), "Hello.")

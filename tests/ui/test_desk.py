"""What the desk says of a hold that has ended while its task was open."""

import pytest

from review.commands import pauses
from review.ui import desk, words
from review.ui.desk import Desk
from review.ui.workbench import Act
from tests.support.discipline import say
from tests.support.world import World, output


def test_a_hold_that_has_ended_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "zone", lambda: None)
    world.submit(output())
    task = world.claim("ann")
    assert task is not None
    kept = Desk(task_id=task.id)
    with world.store.read() as session:
        shown = desk._shown(session, world.actors["ann"], kept, world.now)
        assert (shown["mode"], kept.lease, kept.message) == ("work", task.lease_token, None)
        shown = desk._shown(session, world.actors["ann"], kept, world.later(minutes=6))
    assert (shown["mode"], kept.task_id, kept.turn) == ("empty", None, 1)
    assert kept.message == {"kind": "error", "text": "Your hold on the task has ended. Nothing was written."}


def test_who_is_paused_does_not_get_back_the_task_whose_answer_they_undo(world: World) -> None:
    world.submit(output())
    given = say(world, "ann")
    undo, ann = {"decision_id": str(given.id)}, world.actors["ann"]
    with world.store.write() as session:
        pauses.pause(session, world.actors["lea"], "ann", "helper", reason="Talk first.", now=world.now)
        outcome = desk._undone(session, ann, Desk(undo=undo), Act(action="undo", **undo), world.now)
    assert outcome.task_id is None

"""What the desk says of a hold that has ended while its task was open."""

import pytest

from review.ui import desk, words
from review.ui.desk import Desk
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

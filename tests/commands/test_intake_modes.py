"""What becomes of an output in each mode of its system."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from review.commands import releases
from review.store.tables import Decision, System
from tests.support.discipline import activate, item, tasks_of
from tests.support.gate import gated
from tests.support.world import World, output


def set_mode(world: World, mode: str, minutes: float | None = None) -> None:
    until = None if minutes is None else world.now + timedelta(minutes=minutes)
    with world.store.write() as session:
        session.execute(update(System).values(mode=mode, mode_until=until))


def test_in_review_all_what_would_pass_is_held(world: World) -> None:
    set_mode(world, "review_all")
    taken = world.submit(output(confidence=0.9))[0]
    assert (taken.route, taken.release_state, taken.status) == ("review", "pending", "waiting")
    assert (taken.mode, list(taken.reasons), taken.inclusion_probability) == ("review_all", ["review_all"], 1.0)
    assert len(tasks_of(world, taken.item_id)) == 1


def test_in_review_all_what_would_pass_is_held_by_the_terms_of_its_rule(world: World) -> None:
    rule = "{name: all, when: 'true', route: pass, four_eyes: true, due: PT1H, priority: 90, on_lapse: release}"
    gated(world, f"queue: default\nrules:\n  - {rule}\n")
    set_mode(world, "review_all")
    item_id, due_at = world.item_id(), world.now + timedelta(hours=1)
    found = item(world, item_id)
    assert (found.route, found.due_at, found.lapses_at) == ("review", due_at, due_at)
    assert [task.priority for task in tasks_of(world, item_id)] == [90, 90]


@pytest.mark.parametrize("confidence", [0.1, 0.9])
def test_a_stopped_system_answers_everything_at_once_with_its_fallback(world: World, confidence: float) -> None:
    activate(world, rest="fallback: We will come back to you.\n")
    set_mode(world, "stopped")
    taken = world.submit(output(confidence=confidence))[0]
    assert (taken.mode, taken.status, taken.release_state) == ("stopped", "lapsed", "released")
    assert tasks_of(world, taken.item_id) == []
    with world.store.write() as session:
        release = releases.fetch(session, world.actors["helper"], taken.item_id, now=world.now)
        decision = session.get_one(Decision, item(world, taken.item_id).decision_id)
    assert (release.content, release.decided_by_kind) == ("We will come back to you.", "system")
    assert (decision.cause, decision.decided_by_id) == ("stopped", None)


def test_a_stopped_system_without_a_fallback_withholds(world: World) -> None:
    set_mode(world, "stopped")
    passing = world.submit(output(confidence=0.9))[0]
    assert (passing.route, passing.release_state) == ("pass", "withheld")
    with world.store.write() as session:
        release = releases.fetch(session, world.actors["helper"], passing.item_id, now=world.now)
    assert (release.state, release.content, release.decided_by_kind) == ("withheld", None, "system")


def test_a_mode_is_over_when_its_time_is(world: World) -> None:
    set_mode(world, "stopped", minutes=5)
    assert world.submit(output("x1", confidence=0.9))[0].mode == "stopped"
    world.later(minutes=5)
    taken = world.submit(output("x2", confidence=0.9))[0]
    assert (taken.mode, taken.status) == ("normal", "passed")

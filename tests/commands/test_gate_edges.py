"""Where the gate, its times and its modes meet: what a producer is told, and what two do at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import update

from review.commands import bulk, contingencies, lapses, policies, reopenings
from review.domain.actors import HOLDPOINT
from review.domain.bulk import Selection
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode
from review.errors import Invalid
from review.queries import releases
from review.store.tables import Queue
from tests.support import gate, queues
from tests.support.discipline import activate, item
from tests.support.serving import in_process
from tests.support.world import World, output


def test_a_reader_who_saw_it_overdue_does_not_lapse_what_is_reopened(world: World) -> None:
    item_id = gate.sent(gate.gated(world), "withhold")
    world.later(hours=2)
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            reopenings.reopen(session, world.actors["lea"], item_id, reason="look again", now=world.now)
            reading = pool.submit(gate.fetch, world, item_id)
            time.sleep(0.3)
        assert reading.result(20).state == "pending"
    assert gate.item(world, item_id).status == "waiting"


def test_a_producer_is_told_of_no_decision_behind_the_gate(world: World) -> None:
    api = in_process(world)
    item_id = str(gate.sent(gate.gated(world), "wait", bundle="turn", bundle_size=2))
    gate.answer(world, verdict="correct", correction="It is Paris.")
    told = api.get(f"/items/{item_id}", "helper").json()
    assert (told["release_state"], told["decision"]) == ("pending", None)
    events = api.get(f"/items/{item_id}/history", "helper").json()["events"]
    assert "item.decided" not in [event["action"] for event in events]
    assert api.get("/items", "helper").json()["items"][0]["release_state"] == "pending"
    assert gate.item(world, UUID(told["item_id"])).release_fetched_at is None


def test_a_producer_is_told_of_no_decision_while_its_system_is_stopped(world: World) -> None:
    api = in_process(world)
    item_id = gate.sent(gate.gated(world), "wait")
    gate.answer(world, verdict="correct", correction="It is Paris.")
    gate.set_mode(world, Mode.STOPPED)
    told = api.get(f"/items/{item_id}", "helper").json()
    assert (told["release_state"], told["decision"]) == ("withheld", None)
    assert "item.decided" not in api.get(f"/items/{item_id}/history", "helper").text
    assert api.get("/items", "helper").json()["items"][0]["release_state"] == "withheld"
    assert gate.item(world, item_id).release_fetched_at is None


@pytest.mark.parametrize("mode", [Mode.REVIEW_ALL, Mode.STOPPED])
def test_a_plan_outlasts_a_mode_with_an_end(world: World, mode: Mode) -> None:
    plan, trigger = PlanText(mode=Mode.REVIEW_ALL, fallback="", instructions="x"), Trigger.MODEL_UNAVAILABLE
    gate.set_mode(world, mode, until=world.now + timedelta(minutes=5))
    with world.store.write() as session:
        contingencies.write(session, world.actors["odo"], "helper", trigger, plan, now=world.now)
        assert contingencies.report(
            session, world.actors["helper"], "helper", trigger, "down", now=world.now
        ).is_changed
    world.later(minutes=6)
    assert world.submit(output(confidence=0.9))[0].mode == mode


def test_a_bundle_takes_no_other_size_and_no_more_parts(world: World) -> None:
    gate.gated(world)
    one, other, two, three = world.submit(*(output(n, bundle="b", bundle_size=3 if n == "x" else 2) for n in "axbc"))
    assert isinstance(other, Invalid)
    assert isinstance(three, Invalid)
    assert (one.replayed, two.replayed, other.field, three.field) == (False, False, "bundle_size", "bundle")


def test_alone_in_its_bundle_it_has_its_fail_safe_all_the_same(world: World) -> None:
    item_id = gate.sent(gate.gated(world), "release", bundle="b", bundle_size=2)
    world.later(hours=2)
    with world.store.read() as session:
        assert releases.settled(session, [item_id], now=world.now) == {item_id}
    assert gate.fetch(world, item_id).state == "released"


def test_many_at_once_leaves_out_what_is_given_to_another(world: World) -> None:
    activate(world, rest="bulk: true\n")
    world.item_id()
    queues.assign(world, queues.tasks_of(world, "x1")[0], "ann")
    with world.store.write() as session, pytest.raises(Invalid, match="matches"):
        bulk.preview(session, world.actors["lea"], Selection(system="helper"), now=world.now)


def test_a_stopped_system_fills_no_queue(world: World) -> None:
    activate(world, "when_full: refuse")
    with world.store.write() as session:
        session.execute(update(Queue).values(ceiling=1))
    world.item_id("a")
    gate.set_mode(world, Mode.STOPPED)
    (taken,) = world.submit(output("b"))
    assert (taken.status, "queue_full" in taken.reasons) == ("lapsed", False)


def test_a_place_past_the_bundles_size_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="bundle_position 3 is past bundle_size 2"):
        world.submit(output(bundle="turn", bundle_size=2, bundle_position=3))


def test_two_intakes_at_once_do_not_both_bring_the_last_part(world: World) -> None:
    if world.store.engine.dialect.name == "sqlite":
        return  # its one writer takes them one after the other
    begun = Barrier(2)

    def send(name: str) -> object:
        begun.wait()
        return world.submit(output(name, bundle="turn", bundle_size=2))[0]

    world.submit(output("first", bundle="turn", bundle_size=2))
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(send, ("second", "third")))
    assert [isinstance(one, Invalid) for one in told].count(True) == 1


def test_where_a_condition_failed_the_rules_fail_safe_does_not_answer(world: World) -> None:
    rule = "{name: old, when: 'metadata.age > 1', route: review, due: PT1H, on_lapse: release}"
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", f"queue: default\nrules:\n  - {rule}\n", now=world.now)
    sure, unclear = world.submit(output("sure", metadata={"age": 2}), output("unclear"))
    world.later(hours=2)
    with world.store.write() as session:
        assert lapses.lapse_due(session, now=world.now, at_most=10) == 1
        assert lapses.lapse_one(session, unclear.item_id, now=world.now)
    states = [item(world, one.item_id).release_state for one in (sure, unclear)]
    assert states == ["released", "withheld"]


def test_two_outputs_at_one_place_of_a_bundle_are_not_its_parts(world: World) -> None:
    first = output("first", bundle="turn", bundle_size=2, bundle_position=1)
    world.submit(first)
    again, other, last = world.submit(
        first,
        output("other", bundle="turn", bundle_position=1),
        output("last", bundle="turn", bundle_position=2),
    )
    assert (again.replayed, other.field, last.replayed) == (True, "bundle_position", False)

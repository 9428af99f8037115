from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from review.commands import contingencies
from review.commands.contingencies import Done
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode
from review.errors import Forbidden, Invalid, NotFound
from review.queries import contingencies as contingency_queries
from review.queries.contingencies import Plan
from review.store.tables import AuditEvent, Contingency, OutboxMessage
from tests.support.gate import set_mode
from tests.support.world import World, output

AWAY = Trigger.MODEL_UNAVAILABLE
PLAN = PlanText(mode=Mode.STOPPED, fallback="answerer-small", instructions="Call the vendor.")


def write(world: World, plan: PlanText = PLAN, who: str = "odo", trigger: Trigger = AWAY) -> Contingency:
    with world.store.write() as session:
        return contingencies.write(session, world.actors[who], "helper", trigger, plan, now=world.now)


def report(world: World, trigger: Trigger = AWAY, who: str = "helper", detail: str = "503 for 5 minutes") -> Done:
    with world.store.write() as session:
        return contingencies.report(session, world.actors[who], "helper", trigger, detail, now=world.now)


def plans(world: World, who: str = "aud") -> list[Plan]:
    with world.store.read() as session:
        return contingency_queries.plans(session, world.actors[who], "helper")


def outbox(world: World) -> list[tuple[str, dict[str, Any]]]:
    with world.store.read() as session:
        rows = session.execute(select(OutboxMessage).order_by(col(OutboxMessage.id))).scalars()
        return [(one.topic, one.body) for one in rows if one.topic.startswith("system.")]


def test_a_reported_event_carries_out_its_plan(world: World) -> None:
    write(world)
    done = report(world)
    assert (done.mode, done.is_changed) == (Mode.STOPPED, True)
    assert done.contingency is not None
    assert done.contingency.fallback == "answerer-small"
    assert world.submit(output())[0].mode == "stopped"
    (changed, changed_body), (reported, body) = outbox(world)
    assert (changed, reported) == ("system.mode_changed", "system.event_reported")
    assert "model_unavailable" in changed_body["reason"]
    assert (body["fallback"], body["instructions"], body["mode"]) == ("answerer-small", "Call the vendor.", "stopped")
    [plan] = plans(world)
    [drill] = plan.drills
    assert (drill.is_exercise, drill.detail, drill.by_name) == (False, "503 for 5 minutes", "helper")
    assert "set to stopped" in drill.result


def test_without_a_plan_it_is_on_record_and_announced_all_the_same(world: World) -> None:
    done = report(world, Trigger.PRICE_CHANGED)
    assert (done.contingency, done.mode, done.is_changed) == (None, Mode.NORMAL, False)
    [(topic, body)] = outbox(world)
    assert (topic, body["event"], body["contingency_id"]) == ("system.event_reported", "price_changed", None)
    with world.store.read() as session:
        assert session.execute(select(AuditEvent).where(col(AuditEvent.action) == "system.event_reported")).scalar_one()


def test_a_report_never_makes_a_system_laxer(world: World) -> None:
    write(world, PlanText(mode=Mode.REVIEW_ALL))
    set_mode(world, Mode.STOPPED)
    done = report(world)
    assert (done.mode, done.is_changed) == (Mode.STOPPED, False)
    assert "stayed in stopped" in plans(world)[0].drills[0].result


def test_a_plan_may_be_instructions_alone(world: World) -> None:
    write(world, PlanText(instructions="Read the vendor's page."))
    assert (report(world).mode, report(world).is_changed) == (Mode.NORMAL, False)
    assert len(plans(world)[0].drills) == 2


def test_a_plan_is_replaced_and_keeps_its_drills(world: World) -> None:
    first = write(world)
    report(world)
    second = write(world, PlanText(fallback="another"), "dee")
    assert first.id == second.id
    [plan] = plans(world)
    assert (plan.contingency.fallback, plan.contingency.mode, plan.written_by) == ("another", None, "Dee")
    assert len(plan.drills) == 1


def test_an_exercise_is_on_record_with_its_result(world: World) -> None:
    write(world)
    with world.store.write() as session:
        contingencies.exercise(
            session, world.actors["odo"], "helper", AWAY, detail="In staging", result="Took 4 minutes.", now=world.now
        )
    [drill] = plans(world)[0].drills
    assert (drill.is_exercise, drill.result, drill.by_name) == (True, "Took 4 minutes.", "Odo")
    assert outbox(world) == []


def test_what_makes_no_sense_is_refused(world: World) -> None:
    with pytest.raises(ValidationError, match="stricter"):
        PlanText(mode=Mode.NORMAL)
    with pytest.raises(Invalid, match="at least one thing"):
        write(world, PlanText())
    with world.store.write() as session, pytest.raises(NotFound, match="Write one first"):
        contingencies.exercise(session, world.actors["odo"], "helper", AWAY, detail="", result="x", now=world.now)
    with pytest.raises(Invalid, match="at most"):
        report(world, detail="x" * 20_001)


def test_who_may_do_what(world: World) -> None:
    for who in ("ann", "lea", "aud", "helper"):
        with pytest.raises(Forbidden):
            write(world, who=who)
    with pytest.raises(Forbidden):
        report(world, who="odo")
    with pytest.raises(Forbidden):
        plans(world, "helper")

"""Plans for the case that a system's model fails it: written beforehand, exercised, and carried out when reported."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, modes, outbox
from review.domain import content
from review.domain.actors import Actor, Permission
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode, mode_at
from review.domain.reasons import MAX_REASON
from review.errors import Invalid, NotFound
from review.store.tables import Contingency, Drill, System
from review.store.types import new_id

MAX_DETAIL = 20_000


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about a report: the plan that was carried out, if there is one, and the mode since then."""

    trigger: Trigger
    contingency: Contingency | None
    mode: Mode
    is_changed: bool


def write(session: Session, actor: Actor, slug: str, trigger: Trigger, plan: PlanText, *, now: datetime) -> Contingency:
    """Write down what is done when this is reported; what was written before is replaced, and stays in the audit
    trail. For those who answer for the system."""
    system = modes.answered_for(session, actor, slug)
    for name in ("fallback", "instructions"):
        content.refuse_unkeepable(getattr(plan, name), name)
    if not (plan.mode or plan.fallback.strip() or plan.instructions.strip()):
        raise Invalid("A plan says at least one thing: a mode, a fallback, or instructions.", field="instructions")
    before = _plan_of(session, system, trigger)
    found = Contingency(
        id=before.id if before else new_id(), system_id=system.id, trigger=trigger.value,
        mode=plan.mode.value if plan.mode else None, fallback=plan.fallback, instructions=plan.instructions,
        written_by_id=actor.person_id, written_at=now,
    )  # fmt: skip
    found = session.merge(found)
    session.flush()
    told: dict[str, Any] = {"contingency_id": found.id, "trigger": trigger.value, **plan.model_dump(mode="json")}
    audit.record(session, actor, "contingency.written", ("system", system.id), now=now, **told)
    return found


def report(session: Session, actor: Actor, slug: str, trigger: Trigger, detail: str, *, now: datetime) -> Done:
    """Carry out what is written for this event; without a plan it is put on record and announced all the same.

    For the system's own key. A plan makes the system stricter, never laxer: a mode that is as strict stays.
    """
    actor.require(Permission.SUBMIT)
    system = modes.held(session, slug)
    if not actor.may_see_system(system.id):
        raise NotFound(f"There is no system “{slug}”.", field="system")
    _check(detail, "detail")
    plan = _plan_of(session, system, trigger)
    reason = f"{trigger.value} was reported. {detail}".strip()
    wanted = Mode(plan.mode) if plan and plan.mode else Mode.NORMAL
    is_changed = modes.tighten(session, system, wanted, reason=reason[:MAX_REASON], now=now)
    done = Done(trigger, plan, mode_at(system.mode, system.mode_until, now), is_changed)
    if plan is not None:
        session.add(_drill(plan, actor, now, detail, _result(done), is_exercise=False))
        session.flush()
    _announce(session, actor, system, done, detail, now)
    return done


def exercise(
    session: Session, actor: Actor, slug: str, trigger: Trigger, *, detail: str, result: str, now: datetime
) -> Drill:
    """Put on record that a plan was tried out, and how that went. For those who answer for the system."""
    system = modes.answered_for(session, actor, slug)
    plan = _plan_of(session, system, trigger)
    if plan is None:
        raise NotFound(f"{slug} has no plan for {trigger.value}. Write one first.", field="trigger")
    _check(detail, "detail")
    _check(result, "result")
    if not result.strip():
        raise Invalid("Say how the exercise went.", field="result")
    drill = _drill(plan, actor, now, detail, result, is_exercise=True)
    session.add(drill)
    session.flush()
    told: dict[str, Any] = {"contingency_id": plan.id, "drill_id": drill.id, "trigger": trigger.value}
    audit.record(
        session, actor, "contingency.exercised", ("system", system.id), now=now, detail=detail, result=result, **told
    )
    return drill


def _plan_of(session: Session, system: System, trigger: Trigger) -> Contingency | None:
    chosen = (col(Contingency.system_id) == system.id, col(Contingency.trigger) == trigger.value)
    return session.execute(select(Contingency).where(*chosen)).scalar()


def _drill(plan: Contingency, actor: Actor, now: datetime, detail: str, result: str, *, is_exercise: bool) -> Drill:
    return Drill(
        contingency_id=plan.id, at=now, is_exercise=is_exercise, detail=detail, result=result, by_name=actor.name
    )


def _result(done: Done) -> str:
    if done.is_changed:
        return f"The system was set to {done.mode.value}, and this was announced."
    return f"The system stayed in {done.mode.value}, and this was announced."


def _announce(session: Session, actor: Actor, system: System, done: Done, detail: str, now: datetime) -> None:
    plan = done.contingency
    told: dict[str, Any] = {
        "event": done.trigger.value, "detail": detail, "contingency_id": plan.id if plan else None,
        "mode": done.mode.value, "is_mode_changed": done.is_changed,
    }  # fmt: skip
    audit.record(session, actor, "system.event_reported", ("system", system.id), now=now, **told)
    written = {"fallback": plan.fallback, "instructions": plan.instructions} if plan else {}
    outbox.enqueue(session, "system.event_reported", None, now=now, system=system.slug, **told, **written)


def _check(text: str, field: str) -> None:
    if len(text) > MAX_DETAIL:
        raise Invalid(f"{field} is at most {MAX_DETAIL:,} characters.", field=field)
    content.refuse_unkeepable(text, field)

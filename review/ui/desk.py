"""The desk: one task at a time. An act is carried out, and the next task taken, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import streamlit as st
from pydantic import ValidationError
from sqlmodel import Session

from review.commands import comments, decisions, lapses, tasks
from review.commands.decisions import Decided
from review.commands.eligibility import OFFERED, WORKS_QUEUE
from review.domain.actors import Actor
from review.domain.decisions import UNDO_SECONDS, Answer, EscalationReason
from review.domain.lifecycle import LEASE, LeaseToken
from review.domain.outputs import invalid
from review.errors import Invalid, LeaseLost, ReviewError
from review.queries import tasks as task_queries
from review.store.tables import Task
from review.ui import desk_asides, desk_states, evidence, failures, words
from review.ui.desk_states import Gone
from review.ui.page import Page
from review.ui.workbench import Act, last_act, workbench

KEY = "desk"
_RENEW_EVERY = LEASE / 5


@dataclass
class Desk:
    """What this tab keeps from run to run; all else is read anew."""

    turn: int = 0
    task_id: UUID | None = None
    lease: str | None = None
    held_until: datetime | None = None
    external_id: str = ""
    undo: dict[str, Any] | None = None
    message: dict[str, str] | None = None


def draw(page: Page, wanted: str | None = None) -> None:
    """The desk, first with the task `wanted` (an id from the address) where the person may take it."""
    desk: Desk = st.session_state.setdefault(f"desk_of_{page.actor.id}", Desk())
    if wanted is not None:
        desk.turn += 1
        _do(page, desk, _take, wanted)
        del st.query_params["task"]
    _work(page, desk)


@st.fragment(run_every=_RENEW_EVERY)
def _work(page: Page, desk: Desk) -> None:
    page = page.again()
    now = page.now
    data = _held(page, desk, now)
    data |= {"turn": desk.turn, "now": now.isoformat(), "undo": _undo(desk, now)}
    data["message"] = desk.message or (None if data["item"] else desk_states.waiting(data["waiting"]))
    workbench(data, key=KEY, on_act=lambda: _carry_out(page, desk))


def _held(page: Page, desk: Desk, now: datetime) -> dict[str, Any]:
    """What is on the desk, held for another full lease where a part of it has run down."""
    with page.read() as session:
        gone = desk_states.moved_on(session, desk.task_id, now) if desk.task_id else None
    if gone is not None:
        _go_on(page, desk, gone)
    with page.read() as session:
        data = _shown(session, page.actor, desk, now)
    if not (desk.task_id and desk.lease and desk.held_until):
        return data
    if desk.held_until - now > LEASE - _RENEW_EVERY / 2:
        return data
    try:
        page.attempt(tasks.renew, desk.task_id, desk.lease)
    except ReviewError as error:
        desk.message = {"kind": "error", "text": error.message}
    with page.read() as session:
        return _shown(session, page.actor, desk, now)


def _go_on(page: Page, desk: Desk, gone: Gone) -> None:
    """Say why a task is nobody's any more, and take the next one."""
    undo = desk.undo
    _do(page, desk, _after, gone)
    desk.turn += 1
    desk.undo = undo


def _lose(desk: Desk) -> None:
    desk.turn += 1
    if desk.message is None or desk.message["kind"] != "error":
        desk.message = {"kind": "error", "text": "Your hold on the task has ended. Nothing was written."}


def _shown(session: Session, actor: Actor, desk: Desk, now: datetime) -> dict[str, Any]:
    task = task_queries.on_desk(session, actor, first=desk.task_id, now=now)
    if desk.task_id is not None and (task is None or task.id != desk.task_id):
        _lose(desk)
    if task is None:
        desk.task_id = desk.lease = None
        data = {**evidence.EMPTY}
    else:
        work = task_queries.work(session, actor, task)
        desk.task_id, desk.lease, desk.external_id = task.id, task.lease_token, work.whole.item.external_id
        desk.held_until = task.lease_expires_at
        data = evidence.to_decide(work) | evidence.written(session, actor, task.item_id)
    midnight = now.astimezone(words.zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    data["done_today"] = task_queries.n_decided_since(session, actor, midnight)
    data["waiting"] = task_queries.n_waiting(session, actor, OFFERED, queues=WORKS_QUEUE, now=now)
    data["notes"] = [] if task else desk_states.notes(session, actor, n_mine=data["waiting"], now=now)
    return data


def _undo(desk: Desk, now: datetime) -> dict[str, Any] | None:
    if desk.undo and datetime.fromisoformat(desk.undo["until"]) <= now:
        desk.undo = None
    return desk.undo


def _carry_out(page: Page, desk: Desk) -> None:
    act = last_act(KEY)
    desk.turn += 1
    if act is not None:
        _do(page, desk, _done, desk, act)
    if act is not None and act.action == "undo":
        desk.undo = None


@dataclass(frozen=True)
class Outcome:
    """What an act came to: the task that is next on the desk, what may be undone, what is said."""

    task_id: UUID | None
    undo: dict[str, Any] | None = None
    message: dict[str, str] | None = None


def _do(page: Page, desk: Desk, command: Callable[..., Outcome], *args: Any) -> None:
    """Carry out an act in one transaction; what it comes to, or why it was refused, is shown on the desk."""
    try:
        outcome = page.attempt(command, *args)
    except ReviewError as error:
        desk.message = {"kind": "error", "text": error.message, "field": error.field or ""}
    except Exception as error:
        desk.message = {"kind": "error", "text": failures.reported(error)}
    else:
        desk.task_id, desk.message = outcome.task_id, outcome.message
        desk.undo = outcome.undo or (None if outcome.message else desk.undo)


def _after(session: Session, actor: Actor, gone: Gone, *, now: datetime) -> Outcome:
    lapses.settle_overdue(session, [gone.item_id], now=now)
    return replace(_next(session, actor, now), message={"kind": "error", "text": gone.why})


def _take(session: Session, actor: Actor, task_id: str, *, now: datetime) -> Outcome:
    try:
        wanted = UUID(task_id)
    except ValueError as error:
        raise Invalid("The address names no task.") from error
    return Outcome(tasks.claim_one(session, actor, wanted, now=now).id)


def _done(session: Session, actor: Actor, desk: Desk, act: Act, *, now: datetime) -> Outcome:
    if act.action == "undo":
        return _undone(session, actor, desk, act, now)
    if act.action == "claim":
        return _next(session, actor, now)
    if desk.task_id is None or act.lease is None or act.lease != desk.lease:
        raise LeaseLost("Another task is on your desk now. Nothing was written.")
    if act.action == "comment":
        return _commented(session, actor, desk, desk.task_id, act, now)
    if act.action in desk_asides.ACTIONS:
        said = desk_asides.carry_out(session, actor, desk.task_id, act.lease, act, desk.external_id, now=now)
        after = Outcome(None) if act.action == "give_back" else _next(session, actor, now)
        return replace(after, message=said)
    lease = LeaseToken(act.lease, act.item_version or 0)
    if act.action == "escalate":
        decisions.escalate(session, actor, desk.task_id, lease, _reason(act), act.note, now=now)
        said = {"kind": "success", "text": f"Handed up {desk.external_id}: a lead decides it."}
        return replace(_next(session, actor, now), message=said)
    decided = decisions.decide(session, actor, desk.task_id, lease, _answer(act), now=now)
    return _next(session, actor, now, undo=_offer(decided, desk))


def _commented(session: Session, actor: Actor, desk: Desk, task_id: UUID, act: Act, now: datetime) -> Outcome:
    held = task_queries.on_desk(session, actor, first=task_id, now=now)
    if held is None or held.id != task_id:
        raise LeaseLost("Your hold on the task has ended. Nothing was written.")
    comments.comment(session, actor, held.item_id, act.text, now=now)
    return Outcome(task_id, desk.undo)


def _next(session: Session, actor: Actor, now: datetime, undo: dict[str, Any] | None = None) -> Outcome:
    task: Task | None = task_queries.on_desk(session, actor, now=now) or tasks.claim(session, actor, now=now)
    return Outcome(task.id if task else None, undo)


def _undone(session: Session, actor: Actor, desk: Desk, act: Act, now: datetime) -> Outcome:
    if desk.undo is None or act.decision_id != desk.undo["decision_id"]:
        raise Invalid("There is nothing to undo any more.")
    held = task_queries.on_desk(session, actor, first=desk.task_id, now=now)
    if held is not None and held.id == desk.task_id and held.lease_token is not None:
        tasks.give_back(session, actor, held.id, held.lease_token, now=now)
    task = decisions.undo(session, actor, UUID(act.decision_id), now=now)
    return Outcome(task.id) if task.lease_token is not None else _next(session, actor, now)


def _offer(decided: Decided, desk: Desk) -> dict[str, Any]:
    until = decided.at + timedelta(seconds=UNDO_SECONDS)
    return {
        "decision_id": str(decided.id),
        "verdict": decided.verdict.value,
        "until": until.isoformat(),
        "external_id": desk.external_id,
    }


def _reason(act: Act) -> EscalationReason:
    try:
        return EscalationReason(act.reason or "")
    except ValueError as error:
        raise Invalid("Choose why you hand it up.", field="reason") from error


def _answer(act: Act) -> Answer:
    try:
        said = act.model_dump(include={"correction", "labels", "spans", "note"})
        return Answer.model_validate({"verdict": act.action, **said})
    except ValidationError as error:
        raise invalid(error) from error

"""Several people on one item: what they said so far, who is asked next, and who no longer is."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session, col

from review.commands import freeing
from review.commands.eligibility import OPEN, TASK
from review.domain.actors import Actor
from review.domain.decisions import Answer, Verdict
from review.domain.lifecycle import TaskKind, TaskState
from review.domain.panels import Panel, Said, Step
from review.domain.panels import next_step as panel_step
from review.domain.policies import Rule
from review.errors import WrongState
from review.store.tables import Decision, Queue, Task, TaskBar, TaskSkill

_IS_ASKED = OPEN & TASK.c.gold_id.is_(None)  # a gold task asks nobody about where the item stands


def next_step(session: Session, actor: Actor, task: Any, rule: Rule | None, answer: Answer) -> Step:
    """What follows from the actor's answer on a task that they just closed; raises WrongState for a second answer."""
    if not task.is_limited:
        return Step.FINAL
    said = _said(session, task)
    if any(one.person_id == actor.id for one in said):
        raise WrongState("You have answered on this item already: someone else must look at it.")
    mine = Said(actor.person_id, TaskKind(task.kind), answer.verdict, answer.correction)
    return panel_step(_panel(rule), [*said, mine], _n_open(session, task))


def _panel(rule: Rule | None) -> Panel:
    if rule is None:
        return Panel()
    return Panel(rule.n_people + rule.extra_on_disagreement, four_eyes=rule.four_eyes, n_first=rule.n_people)


def _said(session: Session, task: Any) -> list[Said]:
    """What people answered on the item and still stand by, in order of time."""
    rows = session.execute(
        select(col(Decision.decided_by_id), TASK.c.kind, col(Decision.verdict), col(Decision.correction))
        .join(TASK, TASK.c.id == col(Decision.task_id))
        .where(
            col(Decision.item_id) == task.item_id,
            col(Decision.superseded_at).is_(None),
            col(Decision.decided_by_id).is_not(None),
        )
        .order_by(col(Decision.decided_at), col(Decision.id))
    ).all()
    return [Said(person, TaskKind(kind), Verdict(verdict), correction) for person, kind, verdict, correction in rows]


def _n_open(session: Session, task: Any) -> int:
    wanted = select(func.count()).select_from(TASK).where(TASK.c.item_id == task.item_id, _IS_ASKED)
    return int(session.execute(wanted).scalar_one())


def has_peers(session: Session, task: Any) -> bool:
    """Whether others are asked about the item beside a task that was just closed."""
    return bool(task.is_limited) and _n_open(session, task) > 0


def ask_on(session: Session, task: Any, step: Step, now: datetime) -> None:
    """Keep who answered from answering again, and ask another person or a lead where the step says so."""
    session.connection().execute(_BAR, {"item_id": task.item_id, "person_id": task.holder_id, "reason": "answered"})
    if step is Step.WAIT:
        return
    is_adjudication = step is Step.ADJUDICATE
    asked = Task(
        item_id=task.item_id,
        queue_id=_above(session, task) if is_adjudication else task.queue_id,
        kind=(TaskKind.ADJUDICATION if is_adjudication else TaskKind.SECOND_REVIEW).value,
        priority=task.priority,
        due_at=task.due_at,
        created_at=now,
        is_limited=True,
    )
    session.add(asked)
    session.flush()
    if not is_adjudication:
        skills = session.execute(select(col(TaskSkill.skill)).where(col(TaskSkill.task_id) == task.id)).scalars()
        session.add_all(TaskSkill(task_id=asked.id, skill=skill) for skill in skills.all())
        session.flush()


_BAR = insert(TaskBar)


def _above(session: Session, task: Any) -> Any:
    """The queue of those who settle what others disagree about: the one above, or this one where none is."""
    above = session.execute(select(col(Queue.escalates_to_id)).where(col(Queue.id) == task.queue_id)).scalar()
    return above or task.queue_id


def withdraw_others(session: Session, task: Any, now: datetime) -> None:
    """Ask nobody else about the item of a task: it is settled."""
    freeing.withdraw(session, now, TASK.c.item_id == task.item_id)


def take_back(session: Session, decision: Decision) -> None:
    """Let who answered answer again, and ask nobody because of that answer.

    Raises WrongState where someone who was asked because of it holds the task, or has answered.
    """
    # Made with the decision and after it: ids made later sort later.
    asked = (
        TASK.c.item_id == decision.item_id,
        TASK.c.created_at == decision.decided_at,
        TASK.c.id > decision.id,
    )
    # All of them are locked, also those that nobody has yet: nobody takes one before they are withdrawn.
    rows = session.execute(select(TASK.c.state, TASK.c.holder_id).where(*asked).with_for_update()).all()
    if any(row.state != TaskState.OPEN.value or row.holder_id is not None for row in rows):
        raise WrongState("Someone is on it already because of your answer: it cannot be undone. Tell a lead.")
    session.connection().execute(update(TASK).where(*asked).values(state=TaskState.WITHDRAWN.value))
    session.execute(
        delete(TaskBar).where(
            col(TaskBar.item_id) == decision.item_id, col(TaskBar.person_id) == decision.decided_by_id
        )
    )

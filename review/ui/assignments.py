"""One task of an item given to one person, or offered to everyone of its queue again."""

from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlmodel import Session

from review.commands import assignments
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import ItemStatus
from review.queries import queues, tasks
from review.queries.tasks import Offered
from review.store.tables import Item
from review.ui import words
from review.ui.page import Page

_EVERYONE = "Everyone of its queue"


def offer(page: Page, item: Item) -> None:
    """The way to say who is asked about an item that waits, for those who run queues."""
    if item.status != ItemStatus.WAITING or not page.actor.may(Permission.MANAGE_QUEUES):
        return
    with page.read() as session:
        waiting = tasks.open_of(session, page.actor, item.id, now=page.now)
        workers = {one.username: one.name for one in queues.workers(session, page.actor, now=page.now)}
    if not waiting:
        return
    with st.popover("Assign", icon=":material/assignment_ind:"):
        for task in waiting:
            _one(page, task, workers)


def _one(page: Page, task: Offered, workers: dict[str, str]) -> None:
    st.text(said(task))
    if task.holder:
        return
    to = st.selectbox(
        "Give it to", [_EVERYONE, *workers], index=None, key=f"to_{task.id}",
        format_func=lambda each: workers.get(each, each),
    )  # fmt: skip
    if st.button("Give it", type="primary", disabled=to is None, key=f"give_{task.id}"):
        who = workers.get(to or "")
        if page.run(_give, task.id, to if who else None, done=f"{who or _EVERYONE} can take it now"):
            st.rerun()


def _give(session: Session, actor: Actor, task_id: UUID, to: str | None, *, now: datetime) -> bool:
    assignments.assign(session, actor, task_id, to, now=now)
    return True


def said(task: Offered) -> str:
    """A task in a sentence: what it is, where it waits, and for whom."""
    what = f"{words.name(task.kind.value)} in {task.queue}"
    if task.holder:
        return f"{what}: {task.holder} is working on it now, so it is given to nobody else."
    return f"{what}: {f'given to {task.assigned_to}' if task.assigned_to else 'offered to everyone'}."

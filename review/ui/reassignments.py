"""Many tasks given to one person at once, or freed: which, how many that would be, the deed, its undoing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from review.commands import reassignments
from review.commands.reassignments import FOR, Preview
from review.domain.lifecycle import TaskKind
from review.domain.queues import Chosen
from review.queries import queues
from review.ui import words
from review.ui.page import Page

AGES = {"15 minutes": 15, "1 hour": 60, "4 hours": 240, "1 day": 1_440, "1 week": 10_080}
_EVERYONE = "Everyone: free them"
_NOBODY = "Nobody"
MOVED_ON = "You looked more than 10 minutes ago: what waits has changed. Look again."


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was looked at: out of which tasks, to be given to whom, and when."""

    within: Chosen
    found: Preview
    to: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done, which can be undone for a while."""

    looked: _Looked
    n: int
    at: datetime


def draw(page: Page, within: Chosen, *, slugs: list[str] | None = None, queue_slugs: list[str] | None = None) -> None:
    """Choose among the open tasks `within`, look, do, undo; with slugs, system and queue are chosen here too."""
    with page.read() as session:
        workers = {one.username: one.name for one in queues.workers(session, page.actor, now=page.now)}
    st.text("Open tasks that nobody is working on. Nothing changes until you have seen how many they are.")
    with st.form("reassign", border=False):
        narrowed = {**_where(slugs, queue_slugs), **_narrowed(workers)}
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        to = left.selectbox(
            "Give them to", [*workers, _EVERYONE], index=None, format_func=lambda each: workers.get(each, each)
        )  # fmt: skip
        asked = right.form_submit_button("See how many", icon=":material/search:")
    if asked:
        _look(page, within, narrowed, to)
    said = _state()
    if isinstance(said, _Looked) and said.within == within:
        _offer(page, said, workers)
    elif isinstance(said, _Done) and page.now <= said.at + FOR:
        _told(page, said, workers)


def _state() -> _Looked | _Done | None:
    found: _Looked | _Done | None = st.session_state.get("reassigned")
    return found


def _where(slugs: list[str] | None, queue_slugs: list[str] | None) -> dict[str, Any]:
    if slugs is None or queue_slugs is None:
        return {}
    left, right = st.columns(2)
    system = left.selectbox("System", slugs, index=None, placeholder="Any")
    return {"system": system, "queue": right.selectbox("Queue", queue_slugs, index=None, placeholder="Any")}


def _narrowed(workers: dict[str, str]) -> dict[str, Any]:
    columns = st.columns(4)
    kinds = [kind.value for kind in TaskKind]
    kind = columns[0].selectbox("Kind", kinds, index=None, placeholder="Any", format_func=words.name)
    age = columns[1].selectbox("Older than", list(AGES), index=None, placeholder="Any")
    priority = columns[2].number_input("Priority from", 0, 100, None, placeholder="Any")
    holder = columns[3].selectbox(
        "Assigned to", [_NOBODY, *workers], index=None, placeholder="Any",
        format_func=lambda each: workers.get(each, each),
    )  # fmt: skip
    return {
        "kind": kind, "older_than_minutes": AGES[age] if age else None, "priority_from": priority,
        "assigned_to": None if holder == _NOBODY else holder, "is_assigned": False if holder == _NOBODY else None,
    }  # fmt: skip


def _look(page: Page, within: Chosen, narrowed: dict[str, Any], to: str | None) -> None:
    st.session_state.pop("reassigned", None)
    if to is None:
        st.info("Say first to whom they are given.", icon=":material/person_search:")
        return
    person = None if to == _EVERYONE else to
    found = page.run(reassignments.preview, Chosen.model_validate({**within.model_dump(), **narrowed}), person)
    if found is not None:
        st.session_state["reassigned"] = _Looked(within, found, person, page.now)


def _offer(page: Page, looked: _Looked, workers: dict[str, str]) -> None:
    found = looked.found
    st.markdown(f"**{words.plural(found.n, 'task')}** would change.{_left_out(found)}")
    if not found.n:
        return
    st.text(f"The most urgent: {', '.join(external_id for _, external_id in found.sample)}")
    if page.now - looked.at > FOR:
        st.warning(MOVED_ON, icon=":material/history:")
    elif st.button(_deed(looked, workers), type="primary", key=f"do_{found.id}"):
        n = page.run(reassignments.carry_out, found.id)
        st.session_state.pop("reassigned")
        if n is not None:
            st.session_state["reassigned"] = _Done(looked, n, page.now)
            st.rerun()


def _left_out(found: Preview) -> str:
    parts = [
        f"{found.n_held:,} being worked on" if found.n_held else "",
        f"{found.n_not_allowed:,} that they may not take: they are paused, lack a skill, or may not work the queue"
        if found.n_not_allowed
        else "",
    ]
    said = words.joined([part for part in parts if part])
    return f" Left out: {said}." if said else ""


def _deed(looked: _Looked, workers: dict[str, str]) -> str:
    n = words.plural(looked.found.n, "task")
    return f"Give {n} to {words.escaped(_name(looked, workers))}" if looked.to else f"Free {n}"


def _name(looked: _Looked, workers: dict[str, str]) -> str:
    return workers.get(looked.to or "", looked.to or "")


def _told(page: Page, done: _Done, workers: dict[str, str]) -> None:
    given = f"given to {words.escaped(_name(done.looked, workers))}" if done.looked.to else "freed"
    moved_on = done.looked.found.n - done.n
    stayed = f" Left as they are, changed since you looked: {moved_on:,}." if moved_on else ""
    st.success(
        f"{words.plural(done.n, 'task was', 'tasks were')} {given}, each on record.{stayed}", icon=":material/check:"
    )
    until = (done.at + FOR).astimezone(words.zone())
    if done.n and st.button(
        f"Undo, until {until:%H:%M}", icon=":material/undo:", help="For those that nobody has taken since"
    ):
        back = page.run(reassignments.undo, done.looked.found.id)
        st.session_state.pop("reassigned")
        if back is not None:
            st.toast(f"{words.plural(back, 'task is', 'tasks are')} as before", icon=":material/undo:")
            st.rerun()

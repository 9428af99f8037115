"""Many tasks at once: which, to whom, how many that would be, and then the deed and its undoing."""

from typing import Any

import streamlit as st

from review.commands import reassignments
from review.commands.reassignments import Preview
from review.domain.lifecycle import TaskKind
from review.domain.queues import Chosen
from review.queries import queues, systems
from review.ui import words
from review.ui.page import Page

_AGES = {"15 minutes": 15, "1 hour": 60, "4 hours": 240, "1 day": 1_440, "1 week": 10_080}
_EVERYONE = "Everyone: free them"
_NOBODY = "Nobody"
_LOOKED, _DONE = "reassignment_looked_at", "reassignment_done"


def draw(page: Page) -> None:
    """Choose, look, do, undo."""
    with page.read() as session:
        workers = {one.username: one.name for one in queues.workers(session, page.actor, now=page.now)}
        slugs, queue_slugs = systems.slugs(session), systems.queue_slugs(session)
    st.text("Choose open tasks that nobody is working on. Nothing changes until you have seen how many they are.")
    with st.form("reassign", border=False):
        chosen = _chosen(slugs, queue_slugs, workers)
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        to = left.selectbox(
            "Give them to", [*workers, _EVERYONE], index=None, format_func=lambda each: workers.get(each, each)
        )  # fmt: skip
        asked = right.form_submit_button("See how many", icon=":material/search:")
    if asked:
        _look(page, chosen, to)
    if (looked := st.session_state.get(_LOOKED)) is not None:
        _offer(page, *looked)
    elif (done := st.session_state.get(_DONE)) is not None:
        _offer_undo(page, *done)


def _chosen(slugs: list[str], queue_slugs: list[str], workers: dict[str, str]) -> dict[str, Any]:
    columns = st.columns(6)
    kinds = [kind.value for kind in TaskKind]
    system = columns[0].selectbox("System", slugs, index=None, placeholder="Any")
    queue = columns[1].selectbox("Queue", queue_slugs, index=None, placeholder="Any")
    kind = columns[2].selectbox("Kind", kinds, index=None, placeholder="Any", format_func=words.name)
    age = columns[3].selectbox("Older than", list(_AGES), index=None, placeholder="Any")
    priority = columns[4].number_input("Priority from", 0, 100, None, placeholder="Any")
    holder = columns[5].selectbox(
        "Assigned to", [_NOBODY, *workers], index=None, placeholder="Any",
        format_func=lambda each: workers.get(each, each),
    )  # fmt: skip
    return {
        "system": system, "queue": queue, "kind": kind, "older_than_minutes": _AGES[age] if age else None,
        "priority_from": priority, "assigned_to": None if holder == _NOBODY else holder,
        "is_assigned": False if holder == _NOBODY else None,
    }  # fmt: skip


def _look(page: Page, chosen: dict[str, Any], to: str | None) -> None:
    st.session_state.pop(_LOOKED, None)
    if to is None:
        st.info("Say first to whom they are given.", icon=":material/person_search:")
        return
    person = None if to == _EVERYONE else to
    found = page.run(reassignments.preview, Chosen.model_validate(chosen), person)
    if found is not None:
        st.session_state[_LOOKED] = (found, to)


def _offer(page: Page, found: Preview, to: str) -> None:
    left_out = [
        f"{found.n_held:,} being worked on" if found.n_held else "",
        f"{found.n_not_allowed:,} that they may not take" if found.n_not_allowed else "",
    ]
    said = words.joined([part for part in left_out if part])
    st.markdown(f"**{words.plural(found.n, 'task')}** would change." + (f" Left out: {said}." if said else ""))
    if not found.n:
        return
    st.text(f"The most urgent: {', '.join(external_id for _, external_id in found.sample)}")
    verb = "Free" if to == _EVERYONE else "Reassign"
    if st.button(f"{verb} {words.plural(found.n, 'task')}", type="primary", key=f"do_{found.id}"):
        n = page.run(reassignments.carry_out, found.id)
        st.session_state.pop(_LOOKED)
        if n is not None:
            st.session_state[_DONE] = (found, n)
            st.rerun()


def _offer_undo(page: Page, found: Preview, n: int) -> None:
    st.success(f"{words.plural(n, 'task was', 'tasks were')} changed, each on record.", icon=":material/check:")
    if st.button("Undo", icon=":material/undo:", help="For 10 minutes, for those that nobody has taken since"):
        back = page.run(reassignments.undo, found.id)
        st.session_state.pop(_DONE)
        if back is not None:
            st.toast(f"{words.plural(back, 'task is', 'tasks are')} as before", icon=":material/undo:")

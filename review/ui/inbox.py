"""The inbox: items by filter, and one of them with its whole history."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import streamlit as st
from sqlmodel import Session
from streamlit.delta_generator import DeltaGenerator

from review.commands import audit, reopenings
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import ItemStatus
from review.domain.reasons import MAX_REASON
from review.errors import NotFound
from review.queries import blind, comments, items, questions
from review.queries.blind import Progress
from review.queries.items import Event, Filter
from review.store.tables import Item
from review.ui import assignments, evidence, gold, history, item_thread, words
from review.ui.listing import Cell, Column, Row, Tone, listing
from review.ui.page import Page, nothing
from review.ui.workbench import workbench

PAGE_SIZE = 25
STATUSES = ("waiting", "decided", "lapsed", "passed")
_COLUMNS = [
    Column("Item", "19%"), Column("System", "17%"), Column("Status", "15%"), Column("Why"),
    Column("Confidence", "95px"), Column("Due", "130px"), Column("Received", "120px"),
]  # fmt: skip
_RELEASE = {"pending": "not released yet", "released": "released", "withheld": "withheld from its producer"}
_STATUS: dict[str, tuple[str, Tone]] = {
    "waiting": ("◷ Waiting", "warn"), "decided": ("✓ Decided", "good"), "passed": ("→ Passed", "muted"),
    "lapsed": ("⏱ Lapsed", "warn"),
}  # fmt: skip


def look(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> None:
    """Put on record that this person looks at an item. Raises NotFound where they may not know of it."""
    items.whole(session, actor, item_id)
    audit.record(session, actor, "item.viewed", ("item", item_id), now=now)


def table(page: Page, wanted: Filter, before: str | None) -> str | None:
    """One page of the items that match, newest first. Returns the id of the one opened in this run."""
    st.session_state.pop(_looked_at(page), None)
    with page.read() as session:
        found = items.listing(
            session, page.actor, wanted, before=_uuid(before) if before else None, limit=PAGE_SIZE + 1
        )
    if not found:
        _none(wanted, before)
        return None
    rows = [_row(item, slug, page.now) for item, slug in found[:PAGE_SIZE]]
    opened = listing("Items", _COLUMNS, rows, key="items")
    _turn(before, str(found[PAGE_SIZE - 1][0].id) if len(found) > PAGE_SIZE else None)
    return opened


def _none(wanted: Filter, before: str | None) -> None:
    if wanted == Filter() and before is None:
        nothing(
            "Nothing has arrived yet",
            "An admin gives a system a key; the system sends its outputs to /api/v1/outputs.",
        )
    else:
        nothing("Nothing matches", "Take a filter away, or search for the beginning of an id.")


def _turn(before: str | None, older: str | None) -> None:
    with st.container(horizontal=True):
        st.button("Newest", icon=":material/first_page:", disabled=before is None, on_click=_go_to, args=(None,))
        st.button("Older", icon=":material/navigate_next:", disabled=older is None, on_click=_go_to, args=(older,))


def _go_to(before: str | None) -> None:
    if before is None:
        st.query_params.pop("before", None)
    else:
        st.query_params["before"] = before


def _row(item: Item, slug: str, now: datetime) -> Row:
    why = ", ".join(words.name(reason) for reason in item.reasons)
    confidence = "" if item.confidence is None else f"{item.confidence:.2f}"
    cells: list[Cell | str] = [
        item.external_id,
        slug,
        _status(item),
        why,
        confidence,
        due(item, now),
        history.when(item.received_at, now),
    ]
    return Row(str(item.id), cells, opens=True)


def _status(item: Item) -> Cell:
    text, tone = _STATUS[item.status]
    if item.status == "waiting" and item.route == "pass":
        return Cell("◷ Sampled, waiting", tone="muted")
    return (
        Cell("⛔ Blocked, waiting", tone="bad")
        if item.status == "waiting" and item.route == "block"
        else Cell(text, tone=tone)
    )


def due(item: Item, now: datetime) -> Cell:
    """When an item that waits is due."""
    return due_cell(item.due_at, now) if item.due_at and item.status == "waiting" else Cell("")


def due_cell(at: datetime, now: datetime) -> Cell:
    """When something is due, in words, with a sign where it is late or nearly."""
    left = (at - now).total_seconds()
    tone: Tone = "bad" if left <= 0 else "warn" if left < 3600 else ""
    sign = "⚠ " if left <= 0 else "◷ " if left < 3600 else ""
    return Cell(sign + words.due(at, now), title=words.exact(at), tone=tone)


def one(page: Page, item_id: str, heading: DeltaGenerator) -> None:
    """One item, read only, with the decision that stands and everything that happened to it."""
    wanted = _uuid(item_id)
    if st.session_state.get(_looked_at(page)) != item_id:
        page.attempt(look, wanted)
        st.session_state[_looked_at(page)] = item_id
    now = page.now
    with page.read() as session:
        whole = items.whole(session, page.actor, wanted)
        taxonomy = items.taxonomy(session, whole.item)
        events = items.history(session, page.actor, wanted)
        decisions = items.told_decisions(session, page.actor, whole.item)
        asked = questions.asked(session, page.actor, wanted)
        thread = comments.thread(session, page.actor, wanted)
        progress = blind.progress(session, page.actor, whole.item)
    with heading:
        st.text(f"{whole.item.external_id}, {_RELEASE[whole.item.release_state]}. Item {whole.item.id}.")
        st.space("stretch")
        st.markdown(f"[{_last(events, now)}](#history)")
        gold.offer(page, whole)
        assignments.offer(page, whole.item)
        _reopen(page, whole.item)
    if progress:
        st.text(_blind(progress))
    workbench(evidence.to_read(whole, taxonomy, now), key=f"read_{item_id}")
    if decisions:
        st.markdown("##### Decisions")
        history.verdicts(decisions, now)
    if asked:
        st.markdown("##### Asked of the producer")
        history.questions(asked, now)
    item_thread.draw(page, wanted, thread)
    st.markdown("##### History")
    history.timeline(events, now)


def _reopen(page: Page, item: Item) -> None:
    """The way to have a settled item looked at again, for leads."""
    if item.status not in (ItemStatus.DECIDED, ItemStatus.LAPSED) or not page.actor.may(Permission.RESOLVE):
        return
    with st.popover("Reopen", icon=":material/undo:"):
        used = " What was used stays used." if item.release_consumed_at else ""
        st.text(f"Someone else is asked anew. What was decided stays on record, superseded.{used}")
        reason = st.text_area("Why it is looked at again", key=f"reopen_{item.id}", max_chars=MAX_REASON)
        if st.button("Reopen it", type="primary", disabled=not reason.strip()):
            task = page.run(reopenings.reopen, item.id, reason=reason, done=f"Reopened {item.external_id}")
            if task is not None:
                st.rerun()


def _blind(progress: Progress) -> str:
    asked = words.plural(progress.n_asked, "person is", "people are")
    answered = words.plural(progress.n_answered, "has", "have")
    return f"👁 {asked} asked, {answered} answered. What they said is shown when it is settled."


def _last(events: Sequence[Event], now: datetime) -> str:
    """What was last done with it, as the way to all that was."""
    event = next((each for each in reversed(events) if each.action != "item.viewed"), events[-1])
    return f"History: {words.escaped(event.actor_name)} {history.did(event)} {words.ago(event.at, now)}"


def _looked_at(page: Page) -> str:
    """Where this tab keeps the item that the person looks at, so that a look is on record once."""
    return f"looked_at_by_{page.actor.id}"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("The address names no item. It may have been cut off when it was copied.") from error


def open_item(item_id: str) -> None:
    """Show an item instead of the list; the filters stay in the address."""
    st.query_params["item"] = item_id
    st.rerun()


def close() -> None:
    """Go back from an item to the list."""
    del st.query_params["item"]
    st.rerun()

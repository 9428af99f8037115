"""Who is away, by days in the reader's time zone."""

from datetime import date, datetime, time, timedelta

import streamlit as st

from review.commands import absences
from review.domain.actors import Permission
from review.queries import queues
from review.queries.queues import Away
from review.ui import words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [Column("Who", "24%"), Column("First day", "24%"), Column("Last day", "24%"), Column("")]


def table(page: Page) -> None:
    """Everyone's absences that are not over, with a way to add and to take back."""
    may = page.actor.may(Permission.MANAGE_QUEUES)
    if may and st.button("Say who is away", icon=":material/event_busy:"):
        _add(page)
    with page.read() as session:
        found = queues.absences(session, page.actor, now=page.now)
    if not found:
        nothing(
            "Nobody is away", "People say it on their account page, or a lead says it here: they are given nothing."
        )
        return
    opened = listing("Absences", _COLUMNS, [_row(away, page.now, opens=may) for away in found], key="absences")
    if opened:
        _remove(page, next(away for away in found if str(away.id) == opened))


def _row(away: Away, now: datetime, *, opens: bool) -> Row:
    state = Cell("◷ Away now", tone="warn") if away.from_at <= now else Cell("to come", tone="muted")
    return Row(str(away.id), [away.name, *_days(away), state], opens=opens)


def _days(away: Away) -> tuple[Cell, Cell]:
    return _day(away.from_at, away.from_at), _day(away.until_at - timedelta(seconds=1), away.until_at)


def _day(shown: datetime, at: datetime) -> Cell:
    return Cell(shown.astimezone(words.zone()).strftime("%a %d %b %Y"), title=words.exact(at))


def mine(page: Page) -> None:
    """One's own absences, on one's own page."""
    with page.read() as session:
        found = [each for each in queues.absences(session, page.actor, now=page.now) if each.person_id == page.actor.id]
    st.markdown("**Absences**")
    for away in found:
        first, last = _days(away)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{first.text} to {last.text}")
            if st.button("Take it back", key=f"back_{away.id}"):
                page.run(absences.remove, away.id, done="Taken back")
                st.rerun()
    if st.button("I will be away", icon=":material/event_busy:", help="You are given no tasks then."):
        _add_mine(page)


@st.dialog("When will you be away?")
def _add_mine(page: Page) -> None:
    page = page.again()
    with st.form("away", border=False):
        days = _chosen_days(page)
        asked = st.form_submit_button("Save", type="primary")
    if asked:
        _save(page, None, days)


@st.dialog("Who is away?")
def _add(page: Page) -> None:
    page = page.again()
    with page.read() as session:
        names = {one.username: one.name for one in queues.workers(session, page.actor, now=page.now)}
    with st.form("who_is_away", border=False):
        person = st.selectbox("Person", list(names), index=None, format_func=lambda each: names[each])
        days = _chosen_days(page)
        asked = st.form_submit_button("Save", type="primary")
    st.text("They are given no tasks then; what they were given and have not begun is offered to others.")
    if asked:
        _save(page, person or "", days)


def _chosen_days(page: Page) -> tuple[date, date]:
    today = page.now.astimezone(words.zone()).date()
    left, right = st.columns(2)
    return left.date_input("First day", today), right.date_input("Last day", today)


def _save(page: Page, person: str | None, days: tuple[date, date]) -> None:
    from_at, until_at = (datetime.combine(day, time(), words.zone()) for day in (days[0], days[1] + timedelta(days=1)))
    added = page.run(absences.add, person=person, from_at=from_at, until_at=until_at, done="Saved")
    if added is not None:
        st.rerun()


@st.dialog("Are they there after all?")
def _remove(page: Page, away: Away) -> None:
    page = page.again()
    first, last = _days(away)
    st.text(f"{away.name}: {first.text} to {last.text}")
    if st.button("Take the absence back", type="primary"):
        page.run(absences.remove, away.id, done="Taken back")
        st.rerun()

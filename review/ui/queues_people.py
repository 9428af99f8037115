"""The people who work queues: what they can judge, how much they have, and whether they are away or paused."""

from datetime import datetime

import streamlit as st
from sqlmodel import Session

from review.commands import pauses, queues
from review.domain.actors import Actor, Permission
from review.domain.queues import read_skills
from review.queries import queues as queue_queries
from review.queries import systems
from review.queries.people import Paused
from review.queries.queues import Worker
from review.ui import words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [
    Column("Name", "18%"), Column("Role", "100px"), Column("Works", "22%"), Column("Skills"),
    Column("Assigned", "100px"), Column("State", "24%"),
]  # fmt: skip


def table(page: Page) -> None:
    """Everyone who can be given tasks."""
    with page.read() as session:
        found = queue_queries.workers(session, page.actor, now=page.now)
    if not found:
        nothing("Nobody works yet", "An admin adds reviewers and leads.")
        return
    may = page.actor.may(Permission.MANAGE_QUEUES)
    opened = listing("Workers", _COLUMNS, [_row(one, page, opens=may) for one in found], key="workers")
    if opened:
        _change(page, opened)


def _row(one: Worker, page: Page, *, opens: bool) -> Row:
    cells: list[Cell | str] = [
        one.name, one.role.value, ", ".join(one.queues) or Cell("none", tone="warn"), ", ".join(one.skills),
        f"{one.n_assigned:,}", _state(one, page),
    ]  # fmt: skip
    return Row(one.username, cells, opens=opens)


def _state(one: Worker, page: Page) -> Cell:
    away = next((each for each in one.absences if each.from_at <= page.now), None)
    told = [f"◷ Away until {words.exact(away.until_at)}"] if away else []
    told += [f"⏸ Paused for {pause.system}" for pause in one.pauses]
    why = "\n".join(f"{pause.system}: {pause.reason}" for pause in one.pauses)
    return Cell("\n".join(told), title=why, tone="warn") if told else Cell("✓ There", tone="good")


@st.dialog("A person's work")
def _change(page: Page, username: str) -> None:
    page = page.again()
    with page.read() as session:
        found = queue_queries.workers(session, page.actor, now=page.now)
        slugs = systems.slugs(session)
    one = next(each for each in found if each.username == username)
    st.markdown(f"**{words.escaped(one.name)}**")
    _skills(page, one, sorted({skill for each in found for skill in each.skills}))
    for pause in one.pauses:
        _lift(page, pause)
    _pause(page, one, slugs)


def _skills(page: Page, one: Worker, known: list[str]) -> None:
    skills = st.multiselect(
        "Skills", known, one.skills, accept_new_options=True, placeholder="language:de",
        help="name:value. Tasks whose rule asks for a skill go to those who have it.",
    )  # fmt: skip
    if st.button("Save the skills", disabled=skills == one.skills):
        page.run(_set_skills, one.username, skills, done=f"The skills of {one.name} are saved")


def _set_skills(session: Session, actor: Actor, username: str, skills: list[str], *, now: datetime) -> None:
    queues.set_skills(session, actor, username, read_skills(skills), now=now)


def _lift(page: Page, pause: Paused) -> None:
    st.text(f"Takes no tasks of {pause.system} since {words.exact(pause.since)}: {pause.reason}")
    with st.form(f"lift_{pause.id}", border=False):
        reason = st.text_input("Why they take them again", key=f"why_{pause.id}")
        asked = st.form_submit_button(f"Lift the pause for {words.escaped(pause.system)}")
    if asked:
        page.run(pauses.lift, pause.id, reason=reason, done="Lifted")


def _pause(page: Page, one: Worker, slugs: list[str]) -> None:
    free = [slug for slug in slugs if slug not in {pause.system for pause in one.pauses}]
    with st.popover("Pause…", icon=":material/pause_circle:", disabled=not free):
        system = st.selectbox("System whose tasks they take no more", free, index=None)
        reason = st.text_input("Why", key="why_paused")
        asked = st.button("Pause them", type="primary", disabled=system is None)
    if asked:
        page.run(pauses.pause, one.username, system, reason=reason, done=f"{one.name} is paused for {system}")

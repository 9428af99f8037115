"""The systems and their modes; of one, the switch and its contingencies."""

from datetime import datetime, timedelta

import streamlit as st

from review.commands import modes
from review.domain.actors import Permission
from review.domain.modes import Mode, mode_at
from review.queries import modes as mode_queries
from review.queries import systems
from review.queries.modes import ModeNow
from review.queries.systems import Listed
from review.ui import contingencies, gold, words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

NAMES = {Mode.NORMAL: "Normal", Mode.REVIEW_ALL: "Review all", Mode.STOPPED: "Stopped"}
_CELLS = {
    Mode.NORMAL: Cell("✓ Normal", tone="good"),
    Mode.REVIEW_ALL: Cell("◷ Everything is held", tone="warn"),
    Mode.STOPPED: Cell("⛔ Stopped", tone="bad"),
}
_MEANS = {
    Mode.NORMAL: "Its policy decides what passes and what is held.",
    Mode.REVIEW_ALL: "Every output is held until a person decides, whatever the policy says.",
    Mode.STOPPED: "Nothing that its model makes is released. Every call is answered at once.",
}
_ENDS = {"No end: until someone changes it": None, "1 hour": 1, "4 hours": 4, "24 hours": 24, "7 days": 168}
_COLUMNS = [Column("System"), Column("Mode", "200px"), Column("Owner"), Column("Deputy"), Column("What it does")]


def table(page: Page) -> None:
    """All systems with the mode that each is in."""
    with page.read() as session:
        found = systems.listed(session)
    if not found:
        nothing("No system yet", "An admin adds the first one: it needs an owner and a deputy.")
        return
    n_not = sum(mode_at(each.mode, each.mode_until, page.now) is not Mode.NORMAL for each in found)
    told = f"{words.plural(n_not, 'system does', 'systems do')} not run normally."
    st.text(told if n_not else "All systems run normally.")
    if opened := listing("Systems", _COLUMNS, [_row(each, page.now) for each in found], key="systems_modes"):
        page.go("systems", system=opened)


def _row(system: Listed, now: datetime) -> Row:
    mode = _CELLS[mode_at(system.mode, system.mode_until, now)]
    return Row(system.slug, [system.name, mode, system.owner_name, system.deputy_name, system.description], opens=True)


def one(page: Page, slug: str) -> None:
    """One system: how it runs and why, the switch for those who answer for it, and how its reviewers answer gold."""
    if st.button("All systems", icon=":material/arrow_back:"):
        page.go("systems")
    with page.read() as session:
        now = mode_queries.mode_of(session, page.actor, slug, now=page.now)
        system = next(each for each in systems.listed(session) if each.slug == slug)
        may = page.actor.answers_for(system.owner_id, system.deputy_id)
    st.subheader(words.escaped(system.name), anchor=False)
    if not page.actor.may(Permission.READ_QUEUES):
        _running(page, system, now, may=may)
        return
    running, checked = st.tabs(["How it runs", "Gold"], key="system")
    with running:
        _running(page, system, now, may=may)
    with checked:
        gold.draw(page, slug, system.name)


def _running(page: Page, system: Listed, now: ModeNow, *, may: bool) -> None:
    slug = system.slug
    left, right = st.columns(2, gap="large")
    with left:
        _standing(page, system, now)
        if may:
            _switch(page, slug, now)
        else:
            st.text(f"{system.owner_name}, {system.deputy_name} and admins may change this.")
    with right:
        contingencies.draw(page, slug, may=may)


def _standing(page: Page, system: Listed, now: ModeNow) -> None:
    st.markdown(f"**{NAMES[now.mode]}**: {_MEANS[now.mode]}")
    if now.since is not None:
        st.text(f"Since {words.exact(now.since)} ({words.ago(now.since, page.now)}): {now.reason}")
    if now.until is not None:
        st.text(f"Until {words.exact(now.until)}; normal from then on.")
    st.text(f"{system.owner_name} answers for it; {system.deputy_name} is the deputy.")


def _switch(page: Page, slug: str, now: ModeNow) -> None:
    st.markdown("**Change the mode**")
    for mode in Mode:
        if mode is now.mode:
            continue
        icon = {Mode.STOPPED: ":material/stop_circle:", Mode.REVIEW_ALL: ":material/front_hand:"}.get(mode)
        if st.button(_label(mode), icon=icon or ":material/play_arrow:", help=_MEANS[mode], key=f"mode_{mode.value}"):
            _confirm(page, slug, mode)


def _label(mode: Mode) -> str:
    return {
        Mode.NORMAL: "Run normally again", Mode.REVIEW_ALL: "Hold everything", Mode.STOPPED: "Stop the system"
    }[mode]  # fmt: skip


@st.dialog("Change the mode")
def _confirm(page: Page, slug: str, mode: Mode) -> None:
    page = page.again()
    st.markdown(f"**{_label(mode)}: {words.escaped(slug)}**")
    st.text(_MEANS[mode])
    st.text(_what_happens(page, slug, mode))
    with st.form("mode", border=False):
        reason = st.text_area("Why", placeholder="Everyone who is told of it reads this.", max_chars=2_000)
        ends = None
        if mode is not Mode.NORMAL:
            ends = _ENDS[st.selectbox("Until", list(_ENDS))]
        asked = st.form_submit_button(_label(mode), type="primary")
    if not asked:
        return
    until = page.now + timedelta(hours=ends) if ends else None
    if page.run(modes.set_mode, slug, mode, reason=reason, until=until, done=f"{NAMES[mode]} from now on"):
        st.rerun()


def _what_happens(page: Page, slug: str, mode: Mode) -> str:
    """What its producers notice, from the very next call on."""
    if mode is Mode.NORMAL:
        return "From the very next output on its policy routes again. What was held meanwhile still waits for people."
    if mode is Mode.REVIEW_ALL:
        return "From the very next output on, each one makes a task: see that the queues have the people for it."
    with page.read() as session:
        fallback = mode_queries.fallback_of(session, page.actor, slug)
    told = f"the fallback of its policy: “{fallback}”" if fallback else "nothing: its policy has no fallback."
    return f"What was released and not used yet is held back. From the very next call on, its producer is given {told}"

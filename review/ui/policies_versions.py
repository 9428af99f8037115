"""The versions of a policy: since when, by whom, and the way back to one."""

import streamlit as st

from review.commands import drafts
from review.queries import policies
from review.queries.policies import Standing
from review.store.tables import Policy, PolicyDraft
from review.ui import history, policies_difference, words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page

_COLUMNS = [Column("Version", "22%"), Column("Since"), Column("Put in force by"), Column("Written by"),
            Column("Approved by")]  # fmt: skip


def draw(page: Page, slug: str) -> None:
    """All versions, newest first; each can be opened."""
    with page.read() as session:
        standing = policies.standing(session, page.actor, slug)
        found = policies.versions(session, page.actor, slug)
    rows = [_row(policy, standing, page) for policy in found]
    opened = listing("Versions", _COLUMNS, rows, key=f"versions_{slug}")
    if opened:
        _open(page, slug, int(opened))


def _row(policy: Policy, standing: Standing, page: Page) -> Row:
    number = str(policy.version)
    if policy.version == standing.active_version:
        name = Cell(f"{number}, in force", tone="good")
    else:
        name = Cell(f"{number}, as {policy.restores}" if policy.restores else number)
    approved = Cell(policy.approved_by) if policy.approved_by else Cell("nobody", tone="muted")
    since = history.when(policy.activated_at, page.now)
    return Row(number, [name, since, Cell(policy.activated_by), Cell(policy.written_by), approved], opens=True)


@st.dialog("A version of the policy", width="large")
def _open(page: Page, slug: str, number: int) -> None:
    page = page.again()
    with page.read() as session:
        standing = policies.standing(session, page.actor, slug)
        _, active = policies.in_force(session, page.actor, slug)
        found = policies.version(session, page.actor, slug, number)
    st.text(f"Version {number}, put in force {words.exact(found.activated_at)} by {found.activated_by}.")
    differs = policies.difference(active.document, found.document, names=("in force", f"version {number}"))
    text, difference = st.tabs(["Text", "Difference from the version in force"])
    with text:
        st.code(found.document, language=None, wrap_lines=True)
    with difference:
        if differs:
            policies_difference.draw(differs, key="version")
        else:
            st.text("It says the same.")
    if standing.may_change and number != standing.active_version:
        _way_back(page, standing, number)


def _way_back(page: Page, standing: Standing, number: int) -> None:
    waits = " It waits for a second person's approval first." if standing.is_critical else ""
    st.text(f"Rolling back makes this text version {standing.active_version + 1}, from the next output on.{waits}")
    if not st.button(f"Roll back to version {number}", icon=":material/undo:", type="primary"):
        return
    back = page.run(drafts.roll_back, standing.slug, number, done="Rolled back" if not waits else "Kept as a draft")
    if back is None:
        return
    if isinstance(back, PolicyDraft):
        st.query_params["draft"] = str(back.id)
    else:
        st.query_params.pop("draft", None)
    st.rerun()

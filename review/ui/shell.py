"""The frame around every page: who is signed in, where they may go, and nothing at all for anyone else."""

from pathlib import Path

import streamlit as st

from review.domain.actors import Actor, Permission, Role
from review.ui import account, program, sign_in, words
from review.ui.frame import PAGES

_ICON = Path(__file__).with_name("icon.svg")
_SHOWN = (
    ("desk", "Desk", ":material/edit_note:", Permission.DECIDE),
    ("inbox", "Inbox", ":material/inbox:", Permission.READ_ITEMS),
    ("escalations", "Escalations", ":material/upgrade:", Permission.READ_ESCALATIONS),
    ("queues", "Queues", ":material/low_priority:", Permission.READ_QUEUES),
    ("overview", "Overview", ":material/monitoring:", Permission.READ_OVERVIEW),
    ("corrections", "Corrections", ":material/download:", Permission.EXPORT),
    ("systems", "Systems", ":material/toggle_on:", Permission.READ_OVERVIEW),
    ("policies", "Policies", ":material/rule:", Permission.READ_POLICIES),
    ("admin", "Admin", ":material/manage_accounts:", Permission.ADMINISTER),
)
# What no theme option says: the page begins right below the menu, and the watch takes no room.
_STYLE = """<style>
.stMainBlockContainer { padding: 4.5rem 2.5rem 1rem; }
.stLayoutWrapper:has(> .st-key-watch) { display: none; }
</style>"""
# Streamlit writes white on a primary button in both themes; on the dark theme's bright blue that is hard to read.
_DARK_STYLE = "<style>body [data-testid^='stBaseButton-primary'] { color: #14171b; }</style>"
_FIRST = {Role.REVIEWER: "desk", Role.LEAD: "desk"}


def main() -> None:
    """One run: the page for the person signed in, or the sign-in in its place."""
    st.set_page_config(
        page_title="Holdpoint",
        page_icon=str(_ICON),
        layout="wide",
        initial_sidebar_state="collapsed",
        menu_items={"About": "Holdpoint: human review and escalation for production AI."},
    )
    st.html(_STYLE + _DARK_STYLE if st.context.theme.type == "dark" else _STYLE)
    with program.store().read() as session:
        actor = sign_in.person(session, program.now())
    if actor is None or not sign_in.is_settled():
        # Every page is known, so that an address and its parameters are still there after signing in.
        st.navigation(_menu(None), position="hidden")
        sign_in.draw()
        return
    page = st.navigation(_menu(actor), position="top")
    with st.container(key="watch"):
        _watch(actor)
    page.run()
    program.settle()


def _menu(actor: Actor | None) -> dict[str, list[st.Page]]:
    """All pages; those that the person may not open are known but not shown."""
    pages = {
        name: st.Page(
            PAGES / f"{name}.py",
            title=title,
            icon=icon,
            url_path=name,
            visibility="visible" if actor and actor.may(permission) else "hidden",
        )
        for name, title, icon, permission in _SHOWN
    }
    first = pages[_FIRST.get(actor.role, "overview")] if actor and actor.role else pages["overview"]
    home = st.Page(lambda: st.switch_page(first), title="Holdpoint", url_path="home", default=True, visibility="hidden")
    mine = st.Page(account.draw, title="Account and sign-out", icon=":material/logout:", url_path="account")
    return {"": [home, *pages.values()], words.escaped(actor.name) if actor else "Account": [mine]}


@st.fragment(run_every=5)
def _watch(shown_to: Actor) -> None:
    """Empty an open tab, or change what it offers, soon after the person's standing has changed."""
    with program.store().read() as session:
        actor = sign_in.person(session, program.now())
    if actor != shown_to:
        st.rerun()


main()

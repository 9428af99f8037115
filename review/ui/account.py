"""A person's own page: who they are here, and the way out."""

import streamlit as st

from review.domain.actors import GRANTS, Permission
from review.ui import queues_absences, sign_in, words
from review.ui.page import open_page

_MAY = {
    Permission.DECIDE: "decide tasks",
    Permission.RESOLVE: "resolve what was handed up",
    Permission.READ_ITEMS: "read items",
    Permission.READ_ESCALATIONS: "read escalations",
    Permission.READ_OVERVIEW: "read the overview",
    Permission.READ_QUEUES: "read how queues are run",
    Permission.MANAGE_QUEUES: "run queues and say who gets what",
    Permission.READ_AUDIT: "read the audit trail",
    Permission.EXPORT: "download corrections",
    Permission.READ_POLICIES: "read policies and dry-run them",
    Permission.ADMINISTER: "manage people, systems and keys",
}


def draw() -> None:
    """The page."""
    page = open_page("Account", requires=Permission.READ_OVERVIEW)
    role = page.actor.role
    st.subheader(words.escaped(page.actor.name), anchor=False)
    if role:
        st.text(f"Your role is {role.value}. You may {words.joined([_MAY[p] for p in _MAY if p in GRANTS[role]])}.")
    if page.actor.may(Permission.DECIDE):
        queues_absences.mine(page)
    st.button("Sign out", icon=":material/logout:", type="primary", on_click=page.run, args=(sign_in.sign_out,))
    st.text("Signing out ends your sign-in in every tab and on every device.")

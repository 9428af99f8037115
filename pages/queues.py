"""Queues: how each is run, who works it, who is away, and who gets what."""

import streamlit as st

from review.domain.actors import Permission
from review.ui import queues, queues_absences, queues_people, queues_reassign
from review.ui.page import open_page

page = open_page("Queues", requires=Permission.READ_QUEUES)
if opened := st.query_params.get("queue"):
    page.show(queues.one, opened)
    st.stop()
names = ["Queues", "People", "Absences", *(["Reassign"] if page.actor.may(Permission.MANAGE_QUEUES) else [])]
tabs = dict(zip(names, st.tabs(names, key="queues"), strict=True))
with tabs["Queues"]:
    queues.table(page)
with tabs["People"]:
    queues_people.table(page)
with tabs["Absences"]:
    queues_absences.table(page)
if "Reassign" in tabs:
    with tabs["Reassign"]:
        queues_reassign.draw(page)

"""Admin: people, systems and keys."""

import streamlit as st

from review.domain.actors import Permission
from review.ui import admin_keys, admin_people, admin_systems
from review.ui.page import open_page

page = open_page("Admin", requires=Permission.ADMINISTER)
people, systems, keys = st.tabs(["People", "Systems", "Keys"], key="admin")
with people:
    admin_people.draw(page)
with systems:
    admin_systems.draw(page)
with keys:
    admin_keys.draw(page)

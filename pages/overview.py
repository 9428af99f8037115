"""The overview: what needs someone now, then how it is going."""

import streamlit as st

from review.domain.actors import Permission
from review.queries import systems
from review.ui import filters, overview
from review.ui.page import open_page

page = open_page("Overview", requires=Permission.READ_OVERVIEW)
with page.read() as session:
    slugs = systems.slugs(session)
now_needed, chooser = st.columns([3, 1])
with chooser:
    system = filters.choice("System", "system", slugs, any_label="All systems")
with now_needed:
    page.show(overview.needs, system)
page.show(overview.trends, system)

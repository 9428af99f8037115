"""Systems: how each runs now, the switch that stops it, and what is done when its model fails it."""

import streamlit as st

from review.domain.actors import Permission
from review.ui import systems
from review.ui.page import open_page

page = open_page("Systems", requires=Permission.READ_OVERVIEW)
if opened := st.query_params.get("system"):
    page.show(systems.one, opened)
else:
    systems.table(page)

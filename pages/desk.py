"""The desk: decide one task after another."""

import streamlit as st

from review.domain.actors import Permission
from review.ui import desk
from review.ui.page import open_page

page = open_page("Desk", requires=Permission.DECIDE)
desk.draw(page, st.query_params.get("task"))

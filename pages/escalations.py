"""Escalations: what was handed up and waits for a lead."""

from review.domain.actors import Permission
from review.ui import escalations
from review.ui.page import open_page

page = open_page("Escalations", requires=Permission.READ_ESCALATIONS)
if opened := escalations.table(page):
    escalations.follow(page, opened)

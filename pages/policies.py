"""Policies: what is done with each output of a system, and what a draft would do."""

from review.domain.actors import Permission
from review.ui import policies
from review.ui.page import open_page

page = open_page("Policies", requires=Permission.READ_POLICIES)
if slug := policies.chosen(page):
    page.show(policies.draw, slug)

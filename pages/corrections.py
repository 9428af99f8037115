"""Corrections: what reviewers said, as data to learn from."""

from review.domain.actors import Permission
from review.ui import corrections
from review.ui.page import open_page

page = open_page("Corrections", requires=Permission.EXPORT)
wanted = corrections.chosen(page)
page.show(corrections.preview, wanted)

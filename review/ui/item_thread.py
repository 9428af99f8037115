"""The comments on an item, on its page: to read, and a field to write one."""

from uuid import UUID

import streamlit as st

from review.commands import comments
from review.commands.comments import MAX_COMMENT
from review.queries.comments import Thread
from review.ui import history
from review.ui.listing import Column, Row, listing
from review.ui.page import Page

_COLUMNS = [Column("When", "150px"), Column("Who", "200px"), Column("Comment")]
_BLIND = "Until it is settled you see only your own comments: what others write could tell what they answered."


def draw(page: Page, item_id: UUID, thread: Thread) -> None:
    """The thread as far as the person may read it; what they write is added at its end."""
    st.markdown("##### Comments")
    if thread.is_blind:
        st.caption(_BLIND)
    if thread.remarks:
        rows = [Row("", [history.when(one.at, page.now), one.by, one.text]) for one in thread.remarks]
        listing("Comments", _COLUMNS, rows, key="comments")
    with st.form(f"comment_{item_id}", clear_on_submit=True, border=False):
        text = st.text_area("Comment", max_chars=MAX_COMMENT, height=68, help="@username tells somebody")
        is_sent = st.form_submit_button("Send comment")
    if is_sent:
        sent = page.run(comments.comment, item_id, text, done="Sent")
        if sent is not None:
            st.rerun()

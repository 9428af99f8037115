"""The inbox: find items, read one with its whole history, and decide or assign many at once."""

import streamlit as st

from review.domain.actors import Permission
from review.queries import systems
from review.queries.items import Filter
from review.ui import filters, inbox, inbox_many
from review.ui.page import open_page

page = open_page("Inbox", requires=Permission.READ_ITEMS)

if opened := st.query_params.get("item"):
    heading = st.container(horizontal=True, vertical_alignment="center")
    if heading.button("Back to the list", icon=":material/arrow_back:"):
        inbox.close()
    page.show(inbox.one, opened, heading)
    st.stop()
with page.read() as session:
    slugs, queues = systems.slugs(session), systems.queue_slugs(session)
search, system, status, queue, *many = st.columns(inbox_many.widths(page), vertical_alignment="bottom")
with search:
    q = filters.text("Search", "q", "An id, the beginning of an external id, or words of the content")
with system:
    wanted_system = filters.choice("System", "system", slugs)
with status:
    wanted_status = filters.choice("Status", "status", inbox.STATUSES)
with queue:
    wanted_queue = filters.choice("Queue", "queue", queues)
is_many = any(inbox_many.switch(column) for column in many)
wanted = Filter(wanted_system, wanted_status, wanted_queue, q or None)
if is_many:
    inbox_many.draw(page, wanted)
elif found := page.show(inbox.table, wanted, st.query_params.get("before")):
    inbox.open_item(found)

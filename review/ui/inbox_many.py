"""What leads do with all that the inbox's filter holds: decide it, or give it to one person."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from review.domain.actors import Permission
from review.domain.queues import Chosen
from review.queries.items import Filter
from review.ui import bulk, reassignments
from review.ui.page import Page, nothing


def widths(page: Page) -> list[float]:
    """The widths of the four filters, and for those who may, of the button beside them."""
    return [2.1, 1.3, 1, 1.1, 1] if page.actor.may(Permission.MANAGE_QUEUES) else [2.2, 1.4, 1, 1.2]


def switch(place: DeltaGenerator) -> bool:
    """The button that turns from the list to many at once and back. Returns whether it is turned."""
    is_on = "many" in st.query_params
    label, icon = ("Back to the list", ":material/arrow_back:") if is_on else ("Many at once", ":material/checklist:")
    place.button(label, icon=icon, on_click=_turn, width="stretch")
    return is_on


def _turn() -> None:
    st.session_state.pop("bulk_told", None)
    if "many" in st.query_params:
        del st.query_params["many"]
    else:
        st.query_params["many"] = "yes"


def draw(page: Page, wanted: Filter) -> None:
    """Both, for what waits of what is filtered."""
    if wanted.status not in (None, "waiting"):
        nothing("This is for what waits", "Set Status to waiting, or to any.")
        return
    names = [*(["Decide"] if page.actor.may(Permission.RESOLVE) else []), "Assign"]
    for name, tab in zip(names, st.tabs(names, key="many"), strict=True):
        with tab:
            if name == "Decide":
                page.show(bulk.draw, wanted)
            else:
                reassignments.draw(page, Chosen(system=wanted.system, queue=wanted.queue, q=wanted.q))

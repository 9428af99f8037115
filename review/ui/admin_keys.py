"""Keys for the HTTP interface: shown once when made, and revoked for good."""

from uuid import UUID

import streamlit as st

from review.commands import keys
from review.queries import keys as key_queries
from review.queries import people, systems
from review.queries.keys import Listed
from review.ui import history, words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [Column("Key", "16%"), Column("Of"), Column("Acts as"), Column("Made", "160px"), Column("State", "160px")]


def draw(page: Page) -> None:
    """All keys, with a way to make one and to revoke one."""
    if st.button("Make a key", icon=":material/key:"):
        _make(page)
    with page.read() as session:
        found = key_queries.listed(session)
    if not found:
        nothing("No key yet", "A system needs a key to send its outputs; a person needs one to work by a program.")
        return
    opened = listing("Keys", _COLUMNS, [_row(key, page) for key in found], key="keys")
    if opened:
        _revoke(page, UUID(opened))


def _row(key: Listed, page: Page) -> Row:
    state = Cell("✓ Active", tone="good")
    if key.revoked_at:
        state = Cell("✕ Revoked", title=words.exact(key.revoked_at), tone="muted")
    acts_as = "this person, with their rights" if key.is_person else "this system: sends and reads its own outputs"
    cells: list[Cell | str] = [key.hint, key.holder, acts_as, history.when(key.created_at, page.now), state]
    return Row(str(key.id), cells, opens=key.revoked_at is None)


@st.dialog("Make a key")
def _make(page: Page) -> None:
    page = page.again()
    with page.read() as session:
        slugs = systems.slugs(session)
        usernames = [person.username for person in people.everyone(session) if person.active]
    kind = st.segmented_control("For", ["A system", "A person"], default="A system", required=True)
    is_system = kind == "A system"
    with st.form("make_key", border=False):
        holder = st.selectbox(
            "System" if is_system else "Person", slugs if is_system else usernames, index=None, key=f"holder_{kind}"
        )
        asked = st.form_submit_button("Make it", type="primary", disabled=not (slugs if is_system else usernames))
    if not asked:
        return
    token = page.run(keys.create_for_system if is_system else keys.create_for_person, holder or "")
    if token:
        st.success("This is the key. It is shown now and never again.")
        st.code(token, language=None)


@st.dialog("Revoke a key")
def _revoke(page: Page, key_id: UUID) -> None:
    page = page.again()
    with page.read() as session:
        key = next(each for each in key_queries.listed(session) if each.id == key_id)
    st.text(f"{key.hint} of {key.holder}")
    st.text("Whatever uses this key is refused from now on. This cannot be undone; a new key can be made.")
    if st.button("Revoke it", type="primary"):
        page.run(keys.revoke, key_id, done="Revoked")
        st.rerun()

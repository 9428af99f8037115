"""People: who may sign in, and as what."""

import secrets
from uuid import UUID

import streamlit as st

from review.commands import people
from review.domain import passwords
from review.domain.actors import Role
from review.queries import people as people_queries
from review.store.tables import Person
from review.ui import words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page

_COLUMNS = [Column("Name"), Column("Username"), Column("E-mail"), Column("Role", "120px"), Column("State", "140px")]
_ROLES = [role.value for role in Role]


def draw(page: Page) -> None:
    """Everyone, with a way to add and to change them."""
    if st.button("Add a person", icon=":material/person_add:"):
        _add(page)
    with page.read() as session:
        everyone = people_queries.everyone(session)
    opened = listing("People", _COLUMNS, [_row(person) for person in everyone], key="people")
    if opened:
        _change(page, UUID(opened))


def _row(person: Person) -> Row:
    state = Cell("✓ Active", tone="good") if person.active else Cell("✕ Deactivated", tone="muted")
    if person.active and person.password_hash is None:
        state = Cell("No password", title="They cannot sign in until one is set.", tone="warn")
    return Row(str(person.id), [person.name, person.username, person.email, person.role, state], opens=True)


@st.dialog("Add a person")
def _add(page: Page) -> None:
    page = page.again()
    with st.form("add_person", border=False):
        name = st.text_input("Name", max_chars=200)
        username = st.text_input("Username", help="Lower-case letters, digits, and . _ - in it.")
        email = st.text_input("E-mail")
        role = st.selectbox("Role", _ROLES)
        asked = st.form_submit_button("Add", type="primary")
    if not asked:
        return
    password = _fresh()
    added = page.run(
        people.add, username=username, name=name, email=email, role=Role(role), password_hash=passwords.hashed(password)
    )
    if added is not None:
        _tell(added.name, password)


def _fresh() -> str:
    return secrets.token_urlsafe(12)


def _tell(name: str, password: str) -> None:
    """Show a password for the only time."""
    st.success(f"{words.escaped(name)} signs in with this password. It is shown now and never again.")
    st.code(password, language=None)
    st.button("Done", on_click=lambda: None, key="told")


@st.dialog("Change a person")
def _change(page: Page, person_id: UUID) -> None:
    page = page.again()
    with page.read() as session:
        person = session.get_one(Person, person_id)
    st.markdown(f"**{words.escaped(person.name)}**")
    _role(page, person)
    _password(page, person)
    _activity(page, person)


def _role(page: Page, person: Person) -> None:
    role = st.selectbox("Role", _ROLES, index=_ROLES.index(person.role))
    if st.button("Change the role", disabled=role == person.role, help="It counts from their next click on."):
        done = f"{person.name} is {role} now"
        page.run(people.set_role, person.id, Role(role), done=done)
        st.rerun()


def _password(page: Page, person: Person) -> None:
    with st.popover("New password…", icon=":material/key:"):
        st.text("They are signed out everywhere, and get in with the new password alone.")
        asked = st.button("Make a new password", type="primary")
    if asked:
        password = _fresh()
        page.run(people.set_password, person.id, passwords.hashed(password))
        _tell(person.name, password)


def _activity(page: Page, person: Person) -> None:
    if not person.active:
        if st.button("Let them in again", icon=":material/person_check:"):
            page.run(people.set_active, person.id, active=True, done=f"{person.name} can sign in again")
            st.rerun()
        return
    with st.popover("Deactivate…", icon=":material/person_off:"):
        st.text(
            "They are signed out at once and cannot sign in; their keys stop working. "
            "A task on their desk is free for others within 5 minutes. What they decided stays as it is."
        )
        asked = st.button("Deactivate them", type="primary")
    if asked:
        page.run(people.set_active, person.id, active=False, done=f"{person.name} is deactivated")
        st.rerun()

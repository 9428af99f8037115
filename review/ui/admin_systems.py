"""Systems: each with a named owner and a deputy."""

import streamlit as st

from review.commands import systems
from review.queries import people
from review.queries import systems as system_queries
from review.queries.systems import Listed
from review.ui import words
from review.ui.listing import Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [Column("System"), Column("Slug"), Column("Owner"), Column("Deputy"), Column("Policy", "220px")]


def draw(page: Page) -> None:
    """All systems, with a way to add one and to name other people for it."""
    if st.button("Add a system", icon=":material/add:"):
        _add(page)
    with page.read() as session:
        found = system_queries.listed(session)
    if not found:
        nothing("No system yet", "Add the first one: it needs an owner and a deputy, and starts by holding everything.")
        return
    opened = listing("Systems", _COLUMNS, [_row(system, page) for system in found], key="systems")
    if opened:
        _change(page, opened)


def _row(system: Listed, page: Page) -> Row:
    policy = "none"
    if system.policy_version and system.policy_since:
        policy = f"version {system.policy_version}, {words.ago(system.policy_since, page.now)}"
    return Row(system.slug, [system.name, system.slug, system.owner_name, system.deputy_name, policy], opens=True)


def _named(page: Page) -> dict[str, str]:
    """The names of those who can own a system, by username."""
    with page.read() as session:
        return {person.username: person.name for person in people.everyone(session) if person.active}


@st.dialog("Add a system")
def _add(page: Page) -> None:
    page = page.again()
    names = _named(page)
    with st.form("add_system", border=False):
        slug = st.text_input("Slug", help="What producers send as “system”: lower-case letters, digits, . _ : - in it.")
        name = st.text_input("Name")
        description = st.text_input("What it does")
        owner = st.selectbox("Owner", list(names), index=None, format_func=lambda each: names[each])
        deputy = st.selectbox("Deputy", list(names), index=None, format_func=lambda each: names[each])
        asked = st.form_submit_button("Add", type="primary")
    st.text("It starts with a policy that holds everything until you activate another.")
    if not asked:
        return
    added = page.run(
        systems.add, slug=slug.strip(), name=name.strip(), description=description.strip(), owner=owner or "",
        deputy=deputy or "", done=f"{name or slug} is on record",
    )  # fmt: skip
    if added is not None:
        st.rerun()


@st.dialog("Change a system")
def _change(page: Page, slug: str) -> None:
    page = page.again()
    names = _named(page)
    with page.read() as session:
        system = next(each for each in system_queries.listed(session) if each.slug == slug)
    st.markdown(f"**{words.escaped(system.name)}**")
    _critical(page, system)
    with st.form("change_system", border=False):
        owner = _choose("Owner", names, system.owner)
        deputy = _choose("Deputy", names, system.deputy)
        asked = st.form_submit_button("Change", type="primary")
    st.text("They answer for this system from now on. The change is put on record.")
    if asked:
        before = (system.owner, system.deputy)
        page.run(systems.set_people, slug, owner=owner or "", deputy=deputy or "", done="Changed")
        with page.read() as session:
            after = next((each.owner, each.deputy) for each in system_queries.listed(session) if each.slug == slug)
        if after != before:
            st.rerun()


def _critical(page: Page, system: Listed) -> None:
    """Whether a second person approves each version of the system's policy; changed at once."""
    wanted = st.toggle("A second person approves each version of its policy", value=system.is_critical)
    if wanted != system.is_critical:
        done = "It is critical now" if wanted else "It is not critical any more"
        page.run(systems.set_critical, system.slug, critical=wanted, done=done)


def _choose(label: str, names: dict[str, str], now: str) -> str | None:
    options = list(names)
    index = options.index(now) if now in names else None
    return st.selectbox(label, options, index=index, format_func=lambda each: names[each])

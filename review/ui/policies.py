"""The policy of one system: its text and drafts, a dry run of it, what it differs in, and its versions."""

from dataclasses import dataclass

import streamlit as st

from review.queries import policies, systems
from review.queries.policies import Draft, Standing
from review.store.tables import Policy
from review.ui import filters, policies_difference, policies_dry_run, policies_editor, policies_versions, words
from review.ui.page import Page, nothing


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the system, its version in force, the draft that is open, and others that wait."""

    standing: Standing
    active: Policy
    draft: Draft | None
    waiting: list[Draft]


def chosen(page: Page) -> str | None:
    """The system in the address, or a hint to choose one."""
    with page.read() as session:
        names = {system.slug: system.name for system in systems.listed(session)}
    if not names:
        nothing("No system yet", "An admin adds the first one; it starts with a policy that holds everything.")
        return None
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        slug = filters.choice("System", "system", list(names), any_label="Choose a system", names=names)
    if slug is None:
        nothing("No system is chosen", "Choose one above: its policy, its drafts and its versions show up here.")
        return None
    with right:
        page.show(_choose_draft, slug)
    return slug


def _choose_draft(page: Page, slug: str) -> None:
    with page.read() as session:
        standing = policies.standing(session, page.actor, slug)
        names = {str(draft.id): _name(draft, page) for draft in policies.drafts(session, page.actor, slug)}
    if st.query_params.get("draft") not in names:
        st.query_params.pop("draft", None)
    in_force = f"Version {standing.active_version}, in force"
    filters.choice("Text", "draft", list(names), any_label=in_force, names=names)


def _name(draft: Draft, page: Page) -> str:
    state = "approved" if draft.is_approved else "waits for approval" if draft.needs_approval else "draft"
    return f"Draft by {draft.written_by}, {words.ago(draft.written_at, page.now)}" + (
        f" ({state})" if state != "draft" else ""
    )


def draw(page: Page, slug: str) -> None:
    """The text on the left; what it would do, what it differs in, and earlier versions on the right."""
    shown = _shown(page, slug)
    st.markdown(words.escaped(_sentence(shown, page)))
    for draft in shown.waiting:
        _waiting(page, draft)
    left, right = st.columns(2, gap="large")
    with left:
        text = policies_editor.draw(page, shown.standing, shown.active, shown.draft)
    with right:
        trial, difference, versions = st.tabs(["Dry run", "Difference", "Versions"], key=f"policy_{slug}")
        with trial:
            policies_dry_run.draw(page, slug, text, shown.active.version)
        with difference:
            _difference(shown, text)
        with versions:
            page.show(policies_versions.draw, slug)


def _shown(page: Page, slug: str) -> Shown:
    draft_id = st.query_params.get("draft")
    with page.read() as session:
        standing = policies.standing(session, page.actor, slug)
        _, active = policies.in_force(session, page.actor, slug)
        drafts = policies.drafts(session, page.actor, slug)
    opened = next((draft for draft in drafts if str(draft.id) == draft_id), None)
    waiting = [draft for draft in drafts if draft.needs_approval and not draft.is_approved and draft is not opened]
    return Shown(standing, active, opened, waiting)


def _waiting(page: Page, draft: Draft) -> None:
    """Say that a draft waits for a second person, and open it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        said = f"A draft that {draft.written_by} wrote {words.ago(draft.written_at, page.now)} waits for approval."
        st.markdown(f":material/how_to_reg: {words.escaped(said)}", width="content")
        st.button("Read it", key=f"read_{draft.id}", type="tertiary", on_click=_open, args=(str(draft.id),))


def _open(draft_id: str) -> None:
    st.query_params["draft"] = draft_id


def _sentence(shown: Shown, page: Page) -> str:
    active, standing = shown.active, shown.standing
    since = f"put in force {words.ago(active.activated_at, page.now)} by {active.activated_by}"
    written = f", written by {active.written_by}" if active.written_by != active.activated_by else ""
    approved = f" and approved by {active.approved_by}" if active.approved_by else ""
    critical = " It is critical: a second person approves each version." if standing.is_critical else ""
    return f"{standing.name} follows version {active.version}, {since}{written}{approved}.{critical}"


def _difference(shown: Shown, text: str) -> None:
    differs = policies.difference(shown.active.document, text)
    if differs:
        policies_difference.draw(differs, key="text")
    else:
        nothing("No difference", f"The text is that of version {shown.active.version}, which is in force.")

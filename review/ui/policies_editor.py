"""The text of a policy: written, checked as it is left, kept as a draft, approved, and put in force."""

import streamlit as st

from review.commands import drafts
from review.domain.policies import Fault, check
from review.domain.policies import Policy as Document
from review.queries.policies import Draft, Standing
from review.store.tables import Policy
from review.ui import words
from review.ui.page import Page

_HEIGHT = 400
_MOST_FAULTS = 8
_STYLE = """<style>.st-key-policy_text textarea {
  font: 0.8rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; overflow-x: auto;
}</style>"""


def draw(page: Page, standing: Standing, active: Policy, draft: Draft | None) -> str:
    """The editor with what may be done to its text; returns the text."""
    st.html(_STYLE)
    kept = draft.document if draft else active.document
    key = f"policy_text_{draft.id if draft else f'{standing.slug}_{active.version}'}"
    base = st.session_state.setdefault(f"{key}_seen", drafts.digest_of(kept))
    with st.container(key="policy_text"):
        st.session_state.setdefault(key, kept)
        text = st.text_area(
            "Policy, in YAML", key=key, height=_HEIGHT, disabled=not standing.may_change,
            help="Checked when you leave the field, or press Ctrl+Enter.",
        )  # fmt: skip
    policy, faults = check(text)
    _validity(policy, faults)
    if not standing.may_change:
        st.info(_read_only(standing), icon=":material/lock:")
    elif draft is None:
        _unsaved(page, standing, active, text, key)
    else:
        _saved(page, standing, draft, text, key, base, is_valid=policy is not None)
    return text


def _validity(policy: Document | None, faults: list[Fault]) -> None:
    if policy is not None:
        st.success(f"It can be put in force: {words.plural(len(policy.rules), 'rule')}.", icon=":material/check:")
        return
    told = [f"- {_place(fault)}{words.escaped(fault.error.message)}" for fault in faults[:_MOST_FAULTS]]
    more = [f"- and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
    heading = f"{words.plural(len(faults), 'thing is', 'things are')} wrong:"
    st.error("\n".join([heading, "", *told, *more]), icon=":material/error:")


def _place(fault: Fault) -> str:
    return f"**line {fault.line}**: " if fault.line else ""


def _read_only(standing: Standing) -> str:
    return words.escaped(f"You may read and dry-run it. {words.joined([*standing.people, 'admins'])} change it.")


def _unsaved(page: Page, standing: Standing, active: Policy, text: str, key: str) -> None:
    if not st.button(
        "Keep as a draft", icon=":material/save:", type="primary", help="Nothing changes for outputs yet."
    ):
        return
    if text == active.document:
        st.info(f"This is version {active.version} as it is. Change the text first.", icon=":material/info:")
        return
    made = page.run(drafts.write, standing.slug, text, done="Kept as a draft")
    if made is not None:
        _forget(key)
        st.query_params["draft"] = str(made.id)
        st.rerun()


def _saved(page: Page, standing: Standing, draft: Draft, text: str, key: str, base: str, *, is_valid: bool) -> None:
    _changed_elsewhere(draft, key, base, page)
    _approval(page, standing, draft)
    is_kept = text == draft.document
    unkept = None if is_kept else "Keep your changes first."
    with st.container(horizontal=True):
        if st.button("Keep changes", icon=":material/save:", disabled=is_kept):
            _keep(page, draft, text, key, base)
        if _may_approve(page, draft) and st.button(
            "Approve", icon=":material/how_to_reg:", disabled=not (is_kept and is_valid), help=unkept
        ):
            _approve(page, draft)
        if st.button(
            "Put in force", icon=":material/bolt:", type="primary", help=unkept,
            disabled=not (is_kept and is_valid and (draft.is_approved or not draft.needs_approval)),
        ):  # fmt: skip
            _put_in_force(page, draft, standing.active_version + 1)
        if st.button("Discard", icon=":material/delete:"):
            _discard(page, draft)


def _changed_elsewhere(draft: Draft, key: str, base: str, page: Page) -> None:
    if base == draft.digest:
        return
    said = (
        f"{draft.written_by} changed this draft {words.ago(draft.written_at, page.now)}: yours cannot be kept over it."
    )
    st.warning(words.escaped(said), icon=":material/sync_problem:")
    if st.button("Show that text instead of mine"):
        _forget(key)
        st.rerun()


def _approval(page: Page, standing: Standing, draft: Draft) -> None:
    restores = f"It is version {draft.restores} again. " if draft.restores else ""
    if draft.is_approved and draft.approved_by and draft.approved_at:
        said = f"{restores}Approved by {draft.approved_by} {words.ago(draft.approved_at, page.now)}."
        st.success(words.escaped(said), icon=":material/how_to_reg:")
    elif draft.needs_approval:
        stale = "Another version came into force after it was approved. " if draft.approved_at else ""
        others = words.joined([*(name for name in standing.people if name != draft.written_by), "an admin"])
        said = f"{restores}{stale}It waits for approval by someone other than {draft.written_by}: {others} may."
        st.info(words.escaped(said.replace(" and an admin may", " or an admin may")), icon=":material/hourglass:")


def _may_approve(page: Page, draft: Draft) -> bool:
    return draft.needs_approval and not draft.is_approved and page.actor.id != draft.written_by_id


def _keep(page: Page, draft: Draft, text: str, key: str, base: str) -> None:
    if page.run(drafts.change, draft.id, text, seen=base, done="Kept") is not None:
        st.session_state[f"{key}_seen"] = drafts.digest_of(text)
        st.rerun()


def _approve(page: Page, draft: Draft) -> None:
    if page.run(drafts.approve, draft.id, seen=draft.digest, done="Approved") is not None:
        st.rerun()


@st.dialog("Put it in force?")
def _put_in_force(page: Page, draft: Draft, version: int) -> None:
    page = page.again()
    st.text(f"From the next output on, {draft.system} follows this text as version {version}.")
    approved = f", approved by {draft.approved_by}" if draft.is_approved else ""
    st.text(f"Written by {draft.written_by}{approved}. What waits already stays as it is.")
    if st.button(f"Put version {version} in force", type="primary"):
        made = page.run(drafts.activate, draft.id, seen=draft.digest, done=f"Version {version} is in force")
        if made is not None:
            st.query_params.pop("draft", None)
            st.rerun()


@st.dialog("Discard this draft?")
def _discard(page: Page, draft: Draft) -> None:
    page = page.again()
    st.text(f"The draft by {draft.written_by} goes from the list. It stays on record.")
    if st.button("Discard it", type="primary"):
        page.run(drafts.discard, draft.id, done="Discarded")
        st.query_params.pop("draft", None)
        st.rerun()


def _forget(key: str) -> None:
    """Let the editor begin anew with what is kept."""
    for name in (key, f"{key}_seen"):
        st.session_state.pop(name, None)

"""The text of a policy: written, checked as it is left, kept as a draft, approved, and put in force."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from review.commands import drafts
from review.domain.policies import Fault, check
from review.domain.policies import Policy as Document
from review.queries import policies as queries
from review.queries.policies import Draft, Standing
from review.store.tables import Policy
from review.ui import words
from review.ui.page import Page

_HEIGHT = 330
_MOST_FAULTS = 8
_STYLE = """<style>.st-key-policy_text textarea {
  font: 0.8rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; overflow-x: auto;
}</style>"""


def draw(page: Page, standing: Standing, active: Policy, draft: Draft | None) -> str:
    """The text and what may be done with it; returns the text."""
    kept = draft.document if draft else active.document
    if not standing.may_change:
        _read_only(standing, kept)
        return kept
    st.html(_STYLE)
    editor = _Editor(str(draft.id) if draft else f"{standing.slug}_{active.version}")
    editor.begin(kept)
    # Above the text: what stands below it moves with every fault, and a click would miss.
    actions, told = st.container(), st.container()
    with st.container(key="policy_text"):
        text = st.text_area(
            "Policy, in YAML", key=editor.key, height=_HEIGHT,
            help="Checked when you leave the field, or press Ctrl+Enter.",
        )  # fmt: skip
    policy, faults = check(text)
    with told:
        _validity(policy, faults)
        if policy is not None:
            _remarks(page, policy)
    with actions:
        if draft is None:
            _unkept(page, standing, active, text, editor)
        else:
            _kept(page, standing, draft, text, editor, is_valid=policy is not None)
    return text


@dataclass(frozen=True, slots=True)
class _Editor:
    """The text area of one draft or version, which knows the text that it began with."""

    name: str

    @property
    def key(self) -> str:
        """The text area's key."""
        return f"policy_text_{self.name}"

    @property
    def seen(self) -> str:
        """The digest of the kept text that the person has before them, or changes."""
        return str(st.session_state[f"policy_seen_{self.name}"])

    def begin(self, kept: str) -> None:
        """Show the text that is kept, unless another is being written."""
        if self.key not in st.session_state:
            st.session_state[self.key] = kept
            self.note(kept)

    def note(self, kept: str) -> None:
        """Remember that this text is what is kept now."""
        st.session_state[f"policy_seen_{self.name}"] = drafts.digest_of(kept)

    def drop(self) -> None:
        """Begin anew at the next run, with what is kept then."""
        del st.session_state[self.key]


def _validity(policy: Document | None, faults: list[Fault]) -> None:
    if policy is not None:
        rules = words.plural(len(policy.rules), "rule")
        st.markdown(f":material/check: It can be put in force: {rules}.")
        return
    told = [f"- {_place(fault)}{words.escaped(fault.error.message)}" for fault in faults[:_MOST_FAULTS]]
    more = [f"- and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
    heading = f"{words.plural(len(faults), 'thing is', 'things are')} wrong:"
    st.error("\n".join([heading, "", *told, *more]), icon=":material/error:")


def _remarks(page: Page, policy: Document) -> None:
    with page.read() as session:
        found = queries.remarked(session, policy)
    if found:
        st.warning("\n".join(f"- {words.escaped(one.told)}" for one in found), icon=":material/visibility:")


def _place(fault: Fault) -> str:
    return f"**line {fault.line}**: " if fault.line else ""


def _read_only(standing: Standing, text: str) -> None:
    people = words.joined([*standing.people, "admins"])
    said = f"You may read and dry-run this policy. {people} change it."
    st.info(words.escaped(said), icon=":material/lock:")
    st.code(text, language=None, wrap_lines=True)


def _unkept(page: Page, standing: Standing, active: Policy, text: str, editor: _Editor) -> None:
    if not st.button(
        "Keep as a draft", icon=":material/save:", type="primary", help="Nothing changes for outputs yet."
    ):
        return
    if text == active.document:
        st.info(f"This is version {active.version} as it is. Change the text first.", icon=":material/info:")
        return
    made = page.run(drafts.write, standing.slug, text, done="Kept as a draft")
    if made is not None:
        editor.drop()
        st.query_params["draft"] = str(made.id)
        st.rerun()


def _kept(page: Page, standing: Standing, draft: Draft, text: str, editor: _Editor, *, is_valid: bool) -> None:
    st.markdown(_standing(page, standing, draft))
    _changed_elsewhere(page, draft, editor)
    is_kept = text == draft.document
    may_go = is_kept and is_valid
    hint = None if may_go else "Keep your changes first." if is_valid else "Mend what is wrong first."
    may_activate = may_go and (draft.is_approved or not draft.needs_approval)
    with st.container(horizontal=True):
        if st.button("Keep changes", icon=":material/save:"):
            _keep(page, draft, text, editor)
        if _may_approve(page, draft) and _button("Approve", "how_to_reg", may_go, hint):
            _approve(page, draft)
        if _button("Put in force", "bolt", may_activate, hint):
            _put_in_force(page, draft, standing.active_version + 1)
        if st.button("Discard", icon=":material/delete:"):
            _discard(page, draft)


def _button(label: str, icon: str, is_open: bool, hint: str | None) -> bool:  # noqa: FBT001 - read at its few calls
    kind: Literal["primary", "secondary"] = "primary" if is_open else "secondary"
    return st.button(label, icon=f":material/{icon}:", type=kind, disabled=not is_open, help=hint)


def _changed_elsewhere(page: Page, draft: Draft, editor: _Editor) -> None:
    if editor.seen == draft.digest:
        return
    when = words.ago(draft.written_at, page.now)
    said = f"{draft.written_by} changed this draft {when}: yours cannot be kept over it."
    st.warning(words.escaped(said), icon=":material/sync_problem:")
    if st.button("Show that text instead of mine"):
        editor.drop()
        st.rerun()


def _standing(page: Page, standing: Standing, draft: Draft) -> str:
    """How far a draft is: approved, waiting for that, or free to be put in force."""
    restores = f"Version {draft.restores} again. " if draft.restores else ""
    if draft.is_approved and draft.approved_at:
        when = words.ago(draft.approved_at, page.now)
        return f":material/how_to_reg: {words.escaped(f'{restores}Approved by {draft.approved_by} {when}.')}"
    if not draft.needs_approval:
        return f":material/edit: {words.escaped(f'{restores}Outputs do not follow this draft yet.')}"
    stale = "Another version came into force after it was approved. " if draft.approved_at else ""
    others = [name for name in standing.people if name != draft.written_by]
    said = f"{restores}{stale}Waits for approval by {', '.join(others)} or an admin, not by {draft.written_by}."
    return f":material/hourglass_empty: {words.escaped(said)}"


def _may_approve(page: Page, draft: Draft) -> bool:
    return draft.needs_approval and not draft.is_approved and page.actor.id != draft.written_by_id


def _keep(page: Page, draft: Draft, text: str, editor: _Editor) -> None:
    if page.run(drafts.change, draft.id, text, seen=editor.seen, done="Kept") is not None:
        editor.note(text)
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

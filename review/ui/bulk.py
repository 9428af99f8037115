"""Many waiting items decided at once: which, a sample of them to look at, and then the verdict with its reason."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import streamlit as st

from review.commands import bulk
from review.commands.bulk import FOR, MOST, Done, Preview
from review.domain.bulk import Selection
from review.domain.decisions import Verdict
from review.domain.policies import Policy
from review.domain.rulings import compiled
from review.queries import policies
from review.queries.items import Filter, Whole
from review.store.tables import System
from review.ui import words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing
from review.ui.reassignments import AGES, MOVED_ON

_COLUMNS = [Column("Item", "20%"), Column("Input", "28%"), Column("Output"), Column("Confidence", "92px")]
_VERBS = {Verdict.APPROVE: "Approve", Verdict.REJECT: "Reject"}
_FOLLOWS = {
    Verdict.APPROVE: "What is held is released as it is.",
    Verdict.REJECT: "What is held stays withheld from its producer.",
}
_CUT = 400  # characters of a text in the sample; the item itself shows all


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was looked at: by which filter, how many, a sample, and when."""

    by: Filter
    id: UUID
    n: int
    n_claimed: int
    said: str
    sample: list[Row]
    at: datetime


def draw(page: Page, wanted: Filter) -> None:
    """Look at what a filter holds, then decide that very set."""
    if wanted.system is None:
        nothing("Choose a system first", "Its policy says whether many of its items may be decided at once.")
        return
    with page.read() as session:
        system, active = policies.in_force(session, page.actor, wanted.system)
    policy = compiled(active.document).policy
    if not policy.bulk:
        _not_allowed(page, system)
        return
    _choose(page, wanted, policy)
    said = st.session_state.get("bulk_told")
    if isinstance(said, _Looked) and said.by == wanted:
        _offer(page, said, system)
    elif isinstance(said, str):
        st.success(said, icon=":material/check:")
    else:
        st.text(
            f"First looks that wait and nobody is working on, up to {MOST:,}. Never among them: held actions, and what "
            "asks for several people or for skills. Nothing is decided before you have looked at a sample."
        )


def _not_allowed(page: Page, system: System) -> None:
    with st.container(border=True):
        name = words.escaped(system.name)
        st.markdown(f"**The policy of {name} does not let many items be decided at once**")
        st.text("It does once whoever answers for the system adds this line to it and puts it in force:")
        st.code("bulk: true", language="yaml")
        if st.button("Open its policy", icon=":material/policy:"):
            page.go("policies", system=system.slug)


def _choose(page: Page, wanted: Filter, policy: Policy) -> None:
    with st.form("bulk", border=False):
        columns = st.columns([1.4, 1.4, 1, 1, 1, 1.2], vertical_alignment="bottom")
        rules, reasons = (
            [rule.name for rule in policy.rules],
            sorted({code for rule in policy.rules for code in rule.reasons}),
        )
        rule = columns[0].selectbox("Rule", rules, index=None, placeholder="Any")
        reason = columns[1].selectbox("Reason", reasons, index=None, placeholder="Any", format_func=words.name)
        least = columns[2].number_input("Confidence from", 0.0, 1.0, None, 0.05, placeholder="Any")
        most = columns[3].number_input("Below", 0.0, 1.0, None, 0.05, placeholder="Any")
        age = columns[4].selectbox("Older than", list(AGES), index=None, placeholder="Any")
        asked = columns[5].form_submit_button("Look at them", icon=":material/search:", width="stretch")
    if asked:
        narrowed = {
            "system": wanted.system, "queue": wanted.queue, "q": wanted.q, "rule": rule, "reason": reason,
            "confidence_from": least, "confidence_below": most, "older_than_minutes": AGES[age] if age else None,
        }  # fmt: skip
        _look(page, wanted, Selection.model_validate(narrowed))


def _look(page: Page, wanted: Filter, chosen: Selection) -> None:
    st.session_state.pop("bulk_told", None)
    found = page.run(bulk.preview, chosen)
    if found is not None:
        st.session_state["bulk_told"] = _looked(found, wanted, chosen, page.now)


def _looked(found: Preview, wanted: Filter, chosen: Selection, now: datetime) -> _Looked:
    sample = [row(whole) for whole in found.sample]
    return _Looked(wanted, found.id, found.n, found.n_claimed, narrowed_by(chosen), sample, now)


def narrowed_by(chosen: Selection) -> str:
    """What a choice was narrowed by beside the filter, as a sentence goes on: “, by the rule “all””."""
    age = next((name for name, minutes in AGES.items() if minutes == chosen.older_than_minutes), None)
    parts = [
        f"by the rule “{chosen.rule}”" if chosen.rule else "",
        f"for “{words.name(chosen.reason).lower()}”" if chosen.reason else "",
        f"with a confidence from {chosen.confidence_from:g}" if chosen.confidence_from is not None else "",
        f"with a confidence below {chosen.confidence_below:g}" if chosen.confidence_below is not None else "",
        f"older than {age}" if age else "",
    ]
    return "".join(f", {part}" for part in parts if part)


def row(whole: Whole) -> Row:
    """One item of the sample, its texts cut short."""
    item = whole.item
    confidence = "" if item.confidence is None else f"{item.confidence:.2f}"
    asked, answered = _text(whole.content["input"]), _text(whole.content["output"])
    return Row(str(item.id), [item.external_id, asked, answered, confidence], opens=True)


def _text(value: Any) -> Cell:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Cell(text if len(text) <= _CUT else f"{text[:_CUT]}…", title=text[:2_000])


def _offer(page: Page, looked: _Looked, system: System) -> None:
    left, right = st.columns([2, 1], gap="large")
    with left:
        st.markdown(f"**{words.escaped(_count(looked, system.name))}**")
        with st.container(height=330, border=False):
            opened = listing("A sample", _COLUMNS, looked.sample, key="bulk_sample")
        if opened:
            page.go("inbox", item=opened)
    with right:
        if page.now - looked.at > FOR:
            st.warning(MOVED_ON, icon=":material/history:")
        else:
            _decide(page, looked, system)


def _count(looked: _Looked, name: str) -> str:
    wait = words.plural(looked.n, "item waits", "items wait")
    left_out = f" {words.plural(looked.n_claimed, 'more is', 'more are')} being worked on and left out."
    sample = f" {len(looked.sample)} of them, drawn at random:" if looked.n > len(looked.sample) else " All of them:"
    return f"{name}{looked.said}: {wait}.{left_out if looked.n_claimed else ''}{sample}"


def _decide(page: Page, looked: _Looked, system: System) -> None:
    verdict = st.segmented_control(
        "Verdict for all", list(_VERBS), format_func=lambda each: _VERBS[each], key=f"bulk_verdict_{looked.id}"
    )
    reason = st.text_area("Why, for the record of each", height=90, key=f"bulk_why_{looked.id}")
    follows = f"{_FOLLOWS[verdict]} " if verdict else ""
    st.text(f"{follows}Each item gets a decision in your name. Many have no undo; each can be reopened by itself.")
    items = f"{words.plural(looked.n, 'item')} of {words.escaped(system.name)}"
    label = f"{_VERBS[verdict]} {items}" if verdict else f"Decide {items}"
    is_asked = st.button(label, type="primary", disabled=verdict is None, key=f"bulk_do_{looked.id}", width="stretch")
    if is_asked and verdict is not None:
        with st.spinner("Deciding…"):
            done = page.run(bulk.decide, looked.id, verdict, reason)
        if done is not None:
            st.session_state["bulk_told"] = told(done, verdict, system.name)
            st.rerun()


def told(done: Done, verdict: Verdict, name: str) -> str:
    """What became of them, as Markdown."""
    decided = words.plural(done.n_decided, "item was", "items were")
    left = [
        f"{done.n_claimed:,} that somebody took or decided meanwhile" if done.n_claimed else "",
        f"{done.n_changed:,} that changed since you looked" if done.n_changed else "",
        f"{done.n_refused:,} that may not be answered so" if done.n_refused else "",
    ]
    stayed = words.joined([part for part in left if part])
    said = f"{decided} {words.VERDICTS[verdict].lower()}, each with a decision of its own."
    return f"{words.escaped(name)}: {said}" + (f" Left as they are: {stayed}." if stayed else "")

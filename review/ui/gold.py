"""Gold on the pages of those who run queues: how reviewers answer it, its items, and keeping one more."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import streamlit as st

from review.commands import gold
from review.domain.actors import ActorKind, Permission
from review.domain.decisions import Verdict
from review.domain.gold import Against, against
from review.domain.policies import GoldTasks
from review.queries import gold_checks
from review.queries.gold_checks import Checked, Marked
from review.queries.items import Whole
from review.ui import gold_chart, history, words
from review.ui.listing import Cell, Column, Row, Tone, listing
from review.ui.page import Page, nothing

_ITEMS = [
    Column("Item", "20%"), Column("Known answer"), Column("Answered right", "24%"), Column("Kept by", "15%"),
    Column("When", "110px"),
]  # fmt: skip
_REVIEWERS = [Column("Reviewer", "30%"), Column("Right", "34%"), Column("Beside the bar")]
_STANDS: dict[Against, tuple[str, Tone]] = {
    Against.ABOVE: ("✓ Above", "good"), Against.AROUND: ("≈ Not told apart from it", ""),
    Against.BELOW: ("⚠ Below", "bad"), Against.TOO_FEW: ("◷ Too few to tell", "muted"),
}  # fmt: skip


def draw(page: Page, slug: str, name: str) -> None:
    """How well each reviewer answers a system's gold, and the gold items."""
    with page.read() as session:
        rules = gold_checks.rules(session, page.actor, slug)
        kept = gold_checks.listed(session, page.actor, slug)
        checked = gold_checks.reviewers(session, page.actor, slug)
    if rules is None:
        _not_mixed_in(page, slug, name)
    if checked:
        _reviewers(page, checked, rules)
    elif kept and rules:
        nothing(
            "Nobody has answered one yet",
            f"About {rules.rate:.0%} of what reviewers are given of {name} is gold, mixed in unseen.",
        )
    _items(page, kept)


def _not_mixed_in(page: Page, slug: str, name: str) -> None:
    with st.container(border=True):
        st.markdown(f"**The policy of {words.escaped(name)} mixes no gold in**")
        st.text("It does once whoever answers for the system adds this to it: the share of tasks, and the bar.")
        st.code("gold: {rate: 0.05, bar: 0.8, min_n: 20}", language="yaml")
        if st.button("Open its policy", icon=":material/policy:"):
            page.go("policies", system=slug)


def _reviewers(page: Page, checked: list[Checked], rules: GoldTasks | None) -> None:
    st.markdown(f"**{sentence(checked, rules)}**")
    left, right = st.columns([1, 1], gap="large")
    with left:
        chart = gold_chart.accuracy(checked, rules)
        st.altair_chart(chart, alt="Accuracy on gold by reviewer; the figures are in the table beside it.")
    with right:
        listing("Reviewers", _REVIEWERS, [_reviewer(one, rules, page.now) for one in checked], key="gold_reviewers")
        st.text("Counted since a pause of theirs was lifted last. Leads lift pauses on the page Queues.")


def sentence(checked: list[Checked], rules: GoldTasks | None) -> str:
    """What the chart shows, in one sentence."""
    who = f"{words.plural(len(checked), 'reviewer')} answered gold"
    if rules is None:
        return f"{who}; there is no bar."
    n = Counter(against(one.accuracy, rules) for one in checked)
    parts = [
        f"{n[Against.ABOVE]} above" if n[Against.ABOVE] else "",
        f"{n[Against.AROUND]} not told apart from it" if n[Against.AROUND] else "",
        f"{n[Against.BELOW]} below" if n[Against.BELOW] else "",
        f"{n[Against.TOO_FEW]} with fewer than the {rules.min_n} answers that it takes to tell"
        if n[Against.TOO_FEW] else "",
    ]  # fmt: skip
    said = words.joined([part for part in parts if part])
    return f"{who}. Beside the bar of {rules.bar:.0%}: {said}."


def _reviewer(one: Checked, rules: GoldTasks | None, now: datetime) -> Row:
    text, tone = _STANDS[against(one.accuracy, rules)] if rules else ("There is no bar", "muted")
    stands = Cell(text, tone=tone)
    if one.paused:
        since = words.ago(one.paused.since, now)
        stands = Cell(f"{text}\n⏸ Paused {since}", title=one.paused.reason, tone="warn" if tone != "bad" else tone)
    return Row(one.person, [Cell(one.name, title=one.person), one.accuracy.sentence(), stands])


def _items(page: Page, kept: list[Marked]) -> None:
    if not kept:
        nothing(
            "No gold item yet",
            "A lead opens a decided item in the inbox and keeps it as gold: the decision on it is the known answer.",
        )
        return
    st.markdown(f"**{words.plural(len(kept), 'gold item')}**")
    opened = listing("Gold items", _ITEMS, [_item(one, page.now) for one in kept], key="gold_items")
    if opened is None:
        return
    if page.actor.may(Permission.RESOLVE):
        _one(page, next(one for one in kept if str(one.item_id) == opened))
    else:
        page.go("inbox", item=opened)


def _item(one: Marked, now: datetime) -> Row:
    right = one.accuracy.sentence() if one.accuracy.n else Cell("not asked yet", tone="muted")
    return Row(
        str(one.item_id), [one.external_id, known(one.verdict, one.correction), right, one.added_by,
                           history.when(one.added_at, now)], opens=True,
    )  # fmt: skip


def known(verdict: Verdict, correction: Any) -> Cell:
    """A known answer: the verdict, and to what it was corrected."""
    icon, tone = history.VERDICTS[verdict]
    if verdict is not Verdict.CORRECT:
        return Cell(f"{icon} {words.VERDICTS[verdict]}", tone=tone)
    text = correction if isinstance(correction, str) else json.dumps(correction, ensure_ascii=False)
    return Cell(f"{icon} {words.VERDICTS[verdict]}: {text[:300]}", title=text[:2_000], tone=tone)


@st.dialog("A gold item")
def _one(page: Page, one: Marked) -> None:
    page = page.again()
    listing("Known answer", _ITEMS[:2], [Row("", [one.external_id, known(one.verdict, one.correction)])], key="known")
    n = f"{one.accuracy.n:,}"
    st.text(f"Retired, it is shown to nobody any more and cannot be gold again. Answers so far still count: {n}.")
    with st.container(horizontal=True):
        if st.button("Retire it", type="primary", icon=":material/archive:"):
            page.run(gold.retire, one.item_id, done=f"{one.external_id} is retired")
            st.rerun()
        if st.button("Open the item", icon=":material/open_in_new:"):
            page.go("inbox", item=str(one.item_id))


def offer(page: Page, whole: Whole) -> None:
    """The way to keep a decided item as gold, for leads; that it is, or was."""
    decision = whole.decision
    is_known = decision is not None and decision.decided_by_kind == ActorKind.PERSON.value
    if not page.actor.may(Permission.RESOLVE) or not is_known or whole.item.bundle is not None:
        return
    with page.read() as session:
        kept = gold_checks.of_item(session, page.actor, whole.item.id)
    if kept is not None:
        st.markdown("★ Retired gold" if kept.retired_at else "★ Gold", width="content")
        return
    with st.popover("Keep as gold", icon=":material/star:"):
        _keep(page, whole)


def _keep(page: Page, whole: Whole) -> None:
    verdict = words.VERDICTS[Verdict(whole.decision.verdict)].lower() if whole.decision else ""
    st.text(
        f"Its answer is known then: {verdict}, as it was decided. Reviewers are shown the item as if it were fresh, "
        "and whether they answer the same is counted. They are not told."
    )
    if st.button("Keep it as gold", type="primary"):
        added = page.run(gold.mark, whole.item.id, done=f"{whole.item.external_id} is gold")
        if added is not None:
            st.rerun()

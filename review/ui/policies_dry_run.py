"""A dry run on the page: its progress, what would have become of outputs, and which ones would go another way."""

from typing import NamedTuple

import streamlit as st

from review.commands import drafts, policies
from review.domain.dry_runs import DryRun, Outcome, Told
from review.ui import charts, history, policies_charts, program, words
from review.ui.listing import Cell, Column, Row, Tone, listing
from review.ui.page import Page, nothing

_SIZES = {"1,000": 1_000, "10,000": 10_000, "100,000": 100_000}
_RESULT = "dry_run"
_TONES: dict[Outcome, Tone] = {Outcome.HELD: "warn", Outcome.BLOCKED: "bad"}
_COLUMNS = [Column("Output", "26%"), Column("Now"), Column("Draft"), Column("By the rule"), Column("Person said")]


class _Kept(NamedTuple):
    """The last dry run of this session, and what it was of."""

    slug: str
    found: DryRun


def draw(page: Page, slug: str, text: str, version: int) -> None:
    """The button, and the last result; `version` is the one in force."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.segmented_control("Over the last", list(_SIZES), default="10,000", key="dry_run_size")
        asked = st.button("Dry run", icon=":material/science:", type="secondary")
    if asked:
        page.show(_run, slug, text, _SIZES[size or "10,000"])
    kept = st.session_state.get(_RESULT)
    if not isinstance(kept, _Kept) or kept.slug != slug:
        nothing("No dry run yet", "It says what this text would have made of outputs on record. Nothing changes by it.")
    elif not kept.found.n:
        nothing("No output on record", "Send some outputs first: a dry run looks back at what came in.")
    else:
        _result(page, kept.found, is_now=(kept.found.digest, kept.found.version) == (drafts.digest_of(text), version))


def _run(page: Page, slug: str, text: str, last: int) -> None:
    bar = st.progress(0.0, "Reading …")

    def show(done: int, total: int) -> None:
        bar.progress(done / total if total else 1.0, f"{done:,} of {total:,} outputs")

    found = policies.dry_run(program.store(), page.actor, slug, text, last=last, on_progress=show, now=page.now)
    bar.empty()
    st.session_state[_RESULT] = _Kept(slug, found)


def _result(page: Page, found: DryRun, *, is_now: bool) -> None:
    if not is_now:
        st.warning("The text or the version in force has changed since: run it again.", icon=":material/update:")
    st.markdown(f"**{words.escaped(_sentence(found))}**")
    left, right = st.columns(2)
    with left:
        charts.shown(policies_charts.outcomes(found), policies_charts.outcomes_table(found), "Outputs by outcome")
    with right:
        charts.shown(policies_charts.load(found), policies_charts.load_table(found), "Tasks a day by queue")
    st.markdown(words.escaped(_errors(found)))
    with st.popover("By rule", icon=":material/rule:"):
        st.dataframe(policies_charts.rules_table(found), hide_index=True)
    _changes(page, found)


def _sentence(found: DryRun) -> str:
    failed = f" A condition fails on {found.draft.n_failed:,}: they are held." if found.draft.n_failed else ""
    now, then = (found.a_day(tally.n_tasks) for tally in (found.active, found.draft))
    load = f"{then:,.0f} tasks a day instead of {now:,.0f}"
    return f"Of the last {found.n:,} outputs, {found.n_changed:,} would go another way; {load}.{failed}"


def _errors(found: DryRun) -> str:
    now, then = found.active.slipped(), found.draft.slipped()
    if not then.n:
        return "No known error among them: nobody corrected or rejected any of these outputs."
    return (
        f"Of the known errors, which people corrected or rejected, {then.sentence()} would pass; "
        f"with version {found.version}, {now.sentence()}."
    )


def _changes(page: Page, found: DryRun) -> None:
    if not found.changed:
        return
    of = "all" if found.n_changed == len(found.changed) else f"the newest {len(found.changed)} of {found.n_changed:,}"
    st.text(f"What would go another way ({of}):")
    opened = listing("What would go another way", _COLUMNS, [_row(told, page) for told in found.changed], key="moved")
    if opened:
        page.go("inbox", item=opened)


def _row(told: Told, page: Page) -> Row:
    verdict = Cell(told.verdict or "not asked", tone="bad" if told.verdict in ("correct", "reject") else "muted")
    name = Cell(told.external_id, title=history.when(told.received_at, page.now).title)
    cells: list[Cell | str] = [name, _outcome(told.before), _outcome(told.after), told.rule_after or "no rule", verdict]
    return Row(str(told.item_id), cells, opens=True)


def _outcome(outcome: Outcome) -> Cell:
    return Cell(policies_charts.NAMES[outcome].lower(), tone=_TONES.get(outcome, ""))

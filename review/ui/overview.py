"""What needs someone now, and how it is going: queues, decisions over time, and shares with their intervals."""

from datetime import datetime, timedelta

import streamlit as st

from review.queries import calibrations, overview
from review.queries.overview import Decided, Depth
from review.ui import charts, history, words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

DAYS = 14
_COLUMNS = [
    Column("Queue", "30%"), Column("Open"), Column("Overdue"), Column("Due within the hour"), Column("Oldest arrived"),
]  # fmt: skip


def needs(page: Page, system: str | None) -> None:
    """The queues, and in one sentence what is urgent about them."""
    now = page.now
    with page.read() as session:
        depths = overview.depths(session, page.actor, system=system, now=now)
    if not depths:
        nothing(
            "No queue yet",
            "An admin adds a system; its policy names the queue that its outputs wait in.",
        )
        return
    st.markdown(f"**{words.escaped(_sentence(depths, now))}**")
    listing("Queues", _COLUMNS, [_row(depth, now) for depth in depths], key="queues")


def _sentence(depths: list[Depth], now: datetime) -> str:
    n_open = sum(depth.n_open for depth in depths)
    if n_open == 0:
        return "Nothing is waiting for anyone."
    n_late, n_soon = sum(depth.n_overdue for depth in depths), sum(depth.n_due_soon for depth in depths)
    oldest = min(depth.oldest_at for depth in depths if depth.oldest_at)
    late = f"{words.plural(n_late, 'is', 'are')} overdue" if n_late else "none is overdue"
    soon = f"{words.plural(n_soon, 'is', 'are')} due within the hour" if n_soon else "none is due within the hour"
    many = words.plural(n_open, "task waits", "tasks wait")
    return f"{many}: {late}, {soon}. The oldest has waited {words.span(now - oldest)}."


def _row(depth: Depth, now: datetime) -> Row:
    late = Cell(f"⚠ {depth.n_overdue:,}", tone="bad") if depth.n_overdue else Cell("none", tone="muted")
    soon = Cell(f"◷ {depth.n_due_soon:,}", tone="warn") if depth.n_due_soon else Cell("none", tone="muted")
    oldest = history.when(depth.oldest_at, now) if depth.oldest_at else Cell("")
    name = f"{depth.name} (handed up)" if depth.level else depth.name
    return Row(depth.queue, [name, f"{depth.n_open:,}", late, soon, oldest])


def trends(page: Page, system: str | None) -> None:
    """Two weeks of decisions, and the share of them that changed something."""
    days = _days(page.now)
    with page.read() as session:
        counts = overview.decided(session, page.actor, days, system=system)
        marks = overview.happened(session, page.actor, days[0], system=system)
        warnings = [each.warning for each in calibrations.known(session, page.actor, system=system) if each.warning]
    for warning in warnings:
        st.warning(words.escaped(warning), icon=":material/warning:")
    if not counts:
        nothing("No decision in the last 14 days", "Decisions are made on the desk; they show up here at once.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{_throughput(counts)}**")
        charts.shown(charts.by_day(counts, days, marks), charts.by_day_table(counts, days), "Decisions by day")
    with right:
        st.markdown(f"**{words.escaped(_changed(counts))}**")
        charts.shown(charts.by_system(counts), charts.by_system_table(counts), "Share changed by system")


def _days(now: datetime) -> list[datetime]:
    today = now.astimezone(words.zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today + timedelta(days=offset) for offset in range(1 - DAYS, 2)]


def _throughput(counts: list[Decided]) -> str:
    n, today = sum(each.n for each in counts), sum(each.n for each in counts if each.period == DAYS - 1)
    rate = f"{n / DAYS:.0f} a day; {today:,} today so far."
    return f"People decided {words.plural(n, 'task')} in the last {DAYS} days, {rate}"


def _changed(counts: list[Decided]) -> str:
    share = overview.share_changed(counts)
    caution = "Reviewed only: most of it was picked because it looked doubtful."
    return f"Of what was reviewed, people changed {share.sentence()}. {caution}"

"""Charts: one sentence stands above each (the caller's), its table is one click away."""

from collections.abc import Sequence
from datetime import datetime

import altair as alt
import pandas as pd
import streamlit as st

from review.domain.decisions import Verdict
from review.domain.estimates import Estimate
from review.queries import overview
from review.queries.overview import Decided, Happened
from review.ui import words

Layers = alt.LayerChart | alt.FacetChart
_COLOURS = ["#2f8f6b", "#d48a1c", "#c8465a"]  # tell apart in both themes, and by colour-blind eyes
_TOO_FEW = 20
# The weekday above the date, and the month where it begins: so two weeks stand side by side without a slant.
_DATE = "slice(datum.label, 4)"
_WITH_MONTH = f"datum.index === 0 || slice({_DATE}, 0, 2) === '1 '"
_DAYS = alt.Axis(
    labelAngle=0, labelOverlap=False,
    labelExpr=f"[slice(datum.label, 0, 3), {_WITH_MONTH} ? {_DATE} : split({_DATE}, ' ')[0]]",
)  # fmt: skip
_HEIGHT = 240


def shown(chart: Layers, table: pd.DataFrame, name: str) -> None:
    """Draw a chart, with its table one click away."""
    st.altair_chart(chart, alt=f"{name}; the figures are in the table below.")
    with st.popover("Table", icon=":material/table:"):
        st.dataframe(table, hide_index=True)


def by_day_table(counts: Sequence[Decided], days: Sequence[datetime]) -> pd.DataFrame:
    """A row a day: how many tasks were decided how."""
    rows = [
        [_day(day), *(_n(counts, index, verdict) for verdict in words.VERDICTS)] for index, day in enumerate(days[:-1])
    ]
    return pd.DataFrame(rows, columns=["Day", *words.VERDICTS.values()])


def _day(day: datetime) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _n(counts: Sequence[Decided], period: int, verdict: Verdict) -> int:
    return sum(each.n for each in counts if each.period == period and each.verdict is verdict)


def by_day(counts: Sequence[Decided], days: Sequence[datetime], marks: Sequence[Happened]) -> Layers:
    """Decisions by day and verdict, with a mark where a policy came into force."""
    order = [_day(day) for day in days[:-1]]
    long = by_day_table(counts, days).melt("Day", var_name="Verdict", value_name="Tasks")
    bars = (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("Day:N", sort=order, title=None, axis=_DAYS),
            y=alt.Y("Tasks:Q", title="Tasks decided", axis=alt.Axis(tickMinStep=1)),
            color=_verdict_colour(),
            order=alt.Order("rank:Q"),
            tooltip=["Day", "Verdict", "Tasks"],
        )
        .transform_calculate(rank="datum.Verdict == 'Approved' ? 0 : datum.Verdict == 'Corrected' ? 1 : 2")
    )
    return alt.layer(bars, _marks(days, marks, order)).properties(height=_HEIGHT)


def _verdict_colour() -> alt.Color:
    scale = alt.Scale(domain=list(words.VERDICTS.values()), range=_COLOURS)
    return alt.Color("Verdict:N", scale=scale, legend=alt.Legend(orient="top", title=None))


def _marks(days: Sequence[datetime], marks: Sequence[Happened], order: list[str]) -> alt.Chart:
    rows = [{"Day": _day(mark.at.astimezone(days[0].tzinfo)), "What": f"{mark.system}: {mark.what}"} for mark in marks]
    frame = pd.DataFrame(rows, columns=["Day", "What"]).groupby("Day", as_index=False).agg({"What": ", ".join})
    marked: alt.Chart = (
        alt.Chart(frame)
        .mark_point(shape="triangle-down", size=70, filled=True, color="#6b7280", yOffset=-6)
        .encode(x=alt.X("Day:N", sort=order, title=None, axis=_DAYS), y=alt.value(0), tooltip=["Day:N", "What:N"])
    )
    return marked


def shares(counts: Sequence[Decided]) -> dict[str, Estimate]:
    """Each system's share of reviewed tasks that people changed."""
    slugs = sorted({each.system for each in counts})
    return {slug: overview.share_changed([each for each in counts if each.system == slug]) for slug in slugs}


def by_system_table(counts: Sequence[Decided]) -> pd.DataFrame:
    """A row a system: the share changed, its interval and how many it is of."""
    rows = [
        [slug, share.value, share.low, share.high, share.n, "too few to tell" if share.n < _TOO_FEW else share.method]
        for slug, share in shares(counts).items()
    ]
    return pd.DataFrame(rows, columns=["System", "Share", "Low", "High", "n", "Method"])


def by_system(counts: Sequence[Decided]) -> Layers:
    """Each system's share with its 95% interval; pale where there is too little to tell."""
    frame = by_system_table(counts).assign(Named=lambda table: table.System + " (n = " + table.n.astype(str) + ")")
    y = alt.Y("Named:N", title=None, axis=alt.Axis(labelLimit=220))
    pale = alt.condition(alt.datum.n < _TOO_FEW, alt.value(0.35), alt.value(1.0))
    percent = alt.Axis(format="%")
    base = alt.Chart(frame).encode(y=y, opacity=pale, tooltip=_interval_tooltip())
    bars = base.mark_rule(strokeWidth=3, color="#4a86e8").encode(
        x=alt.X("Low:Q", scale=alt.Scale(domain=[0, 1]), title="Share changed, 95% interval", axis=percent), x2="High:Q"
    )
    points = base.mark_point(size=110, filled=True, color="#4a86e8").encode(x="Share:Q")
    return alt.layer(bars, points).properties(height=max(_HEIGHT - 60, 60 * len(frame)))


def _interval_tooltip() -> list[alt.Tooltip]:
    figures = [alt.Tooltip(name, format=".1%") for name in ("Share", "Low", "High")]
    return [alt.Tooltip("System"), *figures, alt.Tooltip("n"), alt.Tooltip("Method")]

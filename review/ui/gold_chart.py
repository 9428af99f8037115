"""The chart of how well each reviewer answers gold: the share right with its interval, beside the bar."""

import altair as alt
import pandas as pd

from review.domain.gold import Against, against
from review.domain.policies import GoldTasks
from review.queries.gold_checks import Checked
from review.ui.charts import Layers

_NAMES = {
    Against.ABOVE: "Above the bar", Against.AROUND: "Not told apart", Against.BELOW: "Below the bar",
    Against.TOO_FEW: "Too few to tell",
}  # fmt: skip
_COLOURS = ["#2f8f6b", "#4a86e8", "#c8465a", "#8a94a6"]
_SHAPES = ["circle", "diamond", "triangle-down", "square"]
_LEAST_HEIGHT, _ROW = 170, 44


def table(checked: list[Checked], rules: GoldTasks | None) -> pd.DataFrame:
    """A row a reviewer who answered: the share right, its interval, of how many, and where that lies."""
    names = [one.name for one in checked]
    rows = [
        [
            _label(one, is_only=names.count(one.name) == 1), one.accuracy.value, one.accuracy.low, one.accuracy.high,
            one.accuracy.n, _NAMES[against(one.accuracy, rules) if rules else Against.TOO_FEW],
        ]
        for one in checked
        if one.accuracy.n
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["Reviewer", "Right", "Low", "High", "n", "Standing"])


def _label(one: Checked, *, is_only: bool) -> str:
    name = one.name if is_only else f"{one.name} ({one.person})"
    return f"{name}, n = {one.accuracy.n}"


def accuracy(checked: list[Checked], rules: GoldTasks | None) -> Layers:
    """Each reviewer's share right with its 95% interval, and the bar as a dashed line."""
    frame = table(checked, rules)
    known = list(_NAMES.values())
    colour = alt.Color("Standing:N", scale=alt.Scale(domain=known, range=_COLOURS), legend=_legend(rules))
    shape = alt.Shape("Standing:N", scale=alt.Scale(domain=known, range=_SHAPES), legend=_legend(rules))
    y = alt.Y("Reviewer:N", title=None, sort=list(frame.Reviewer), axis=alt.Axis(labelLimit=200))
    figures = [alt.Tooltip(name, format=".1%") for name in ("Right", "Low", "High")]
    base = alt.Chart(frame).encode(y=y, color=colour, tooltip=["Reviewer", *figures, "n", "Standing"])
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("Low:Q", scale=alt.Scale(domain=[0, 1]), title="Answered right, 95% interval", axis=axis)
    layers = [
        base.mark_rule(strokeWidth=3).encode(x=x, x2="High:Q"),
        base.mark_point(size=110, filled=True, opacity=1).encode(x="Right:Q", shape=shape),
    ]
    if rules is not None:
        layers.append(_bar(rules.bar))
    return alt.layer(*layers).properties(height=max(_LEAST_HEIGHT, _ROW * len(frame) + 90))


def _legend(rules: GoldTasks | None) -> alt.Legend | None:
    return alt.Legend(orient="top", title=None, columns=2) if rules else None


def _bar(bar: float) -> alt.Chart:
    drawn: alt.Chart = (
        alt.Chart(pd.DataFrame({"Bar": [bar]}))
        .mark_rule(strokeDash=[5, 4], strokeWidth=2, color="#6b7280")
        .encode(x="Bar:Q", tooltip=alt.Tooltip("Bar:Q", title="The bar", format=".0%"))
    )
    return drawn

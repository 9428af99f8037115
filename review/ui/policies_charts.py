"""Charts and tables of a dry run: the version in force beside the draft."""

import altair as alt
import pandas as pd

from review.domain.dry_runs import DryRun, Outcome, Tally
from review.ui.charts import Layers

NAMES = {
    Outcome.PASSED: "Passed", Outcome.REVIEWED: "Reviewed after", Outcome.HELD: "Held", Outcome.BLOCKED: "Blocked",
}  # fmt: skip
_BOTH = ("In force", "Draft")
_COLOURS = ["#8a94a6", "#4a86e8"]  # grey for what is, blue for what would be; tell apart in both themes
_HEIGHT = 200
_MOST_QUEUES = 6


def _both(found: DryRun) -> list[tuple[str, Tally]]:
    return list(zip(_BOTH, (found.active, found.draft), strict=True))


def outcomes_table(found: DryRun) -> pd.DataFrame:
    """A row an outcome: how many outputs, and how many of them are known errors."""
    rows = [
        [
            NAMES[outcome],
            *(tally.n_by_outcome[outcome] for _, tally in _both(found)),
            *(tally.n_errors_by_outcome[outcome] for _, tally in _both(found)),
        ]
        for outcome in Outcome
    ]
    return pd.DataFrame(rows, columns=["Outcome", *_BOTH, *(f"Known errors, {name.lower()}" for name in _BOTH)])


def outcomes(found: DryRun) -> Layers:
    """How many outputs pass, are held and are blocked, now and by the draft."""
    return _beside(outcomes_table(found)[["Outcome", *_BOTH]], "Outcome", "Outputs", ",")


def load_table(found: DryRun) -> pd.DataFrame:
    """A row a queue: tasks a day, the most loaded first."""
    queues = sorted(
        {*found.active.n_tasks_by_queue, *found.draft.n_tasks_by_queue},
        key=lambda queue: -max(tally.n_tasks_by_queue[queue] for _, tally in _both(found)),
    )
    rows = [[queue, *(found.a_day(tally.n_tasks_by_queue[queue]) for _, tally in _both(found))] for queue in queues]
    return pd.DataFrame(rows, columns=["Queue", *_BOTH])


def load(found: DryRun) -> Layers:
    """The load of the queues in tasks a day, now and by the draft."""
    return _beside(load_table(found).head(_MOST_QUEUES), "Queue", "Tasks a day", ",.1~f")


def rules_table(found: DryRun) -> pd.DataFrame:
    """A row a rule and outcome: how many outputs, now and by the draft."""
    both = [tally.n_by_rule for _, tally in _both(found)]
    keys = sorted({*both[0], *both[1]}, key=lambda key: -max(n[key] for n in both))
    rows = [[rule or "no rule", NAMES[outcome], *(n[rule, outcome] for n in both)] for rule, outcome in keys]
    return pd.DataFrame(rows, columns=["Rule", "Outcome", *_BOTH])


def _beside(table: pd.DataFrame, what: str, measure: str, form: str) -> Layers:
    """Two bars side by side for each row of a table."""
    long = table.melt(what, var_name="Policy", value_name=measure)
    order = list(table[what])
    base = alt.Chart(long).encode(
        x=alt.X(f"{what}:N", sort=order, title=None, axis=alt.Axis(labelAngle=0, labelLimit=90, labelFontSize=10)),
        xOffset=alt.XOffset("Policy:N", sort=list(_BOTH)),
        y=alt.Y(f"{measure}:Q", title=measure, axis=alt.Axis(tickCount=4)),
        tooltip=[what, "Policy", alt.Tooltip(f"{measure}:Q", format=form)],
    )
    colour = alt.Color(
        "Policy:N",
        scale=alt.Scale(domain=list(_BOTH), range=_COLOURS),
        legend=alt.Legend(orient="top", title=None),
    )
    return alt.layer(base.mark_bar().encode(color=colour)).properties(height=_HEIGHT)

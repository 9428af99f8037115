"""Gold tasks: whether an answer is the known one, and what a reviewer's answers so far say of them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from review.domain import content
from review.domain.decisions import Verdict
from review.domain.estimates import Estimate, wilson
from review.domain.policies import GoldTasks


class Standing(StrEnum):
    """Where a reviewer stands with a system's gold tasks."""

    LEARNING = "learning"  # gold tasks come before all others
    TRUSTED = "trusted"
    BELOW = "below"  # the accuracy is below the bar, by its whole interval


class Against(StrEnum):
    """Where an accuracy lies beside the bar, told by its whole interval."""

    TOO_FEW = "too_few"
    ABOVE = "above"
    AROUND = "around"  # the interval holds the bar
    BELOW = "below"


def is_right(known: tuple[Verdict, Any], given: tuple[Verdict, Any]) -> bool:
    """Whether a verdict and its correction are the known ones; blanks around a text do not count, in fields either."""
    return known[0] is given[0] and content.canonical(_trimmed(known[1])) == content.canonical(_trimmed(given[1]))


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {name: _trimmed(one) for name, one in value.items()}
    return [_trimmed(one) for one in value] if isinstance(value, list) else value


def accuracy(answers: Sequence[bool]) -> Estimate:
    """The share of answers that were right, with its Wilson interval."""
    return share_right(sum(answers), len(answers))


def share_right(n_right: int, n: int) -> Estimate:
    """The same of counted answers."""
    return wilson(n_right, n)


def against(known: Estimate, rules: GoldTasks) -> Against:
    """Where an accuracy lies beside the bar of the rules."""
    if known.n < rules.min_n:
        return Against.TOO_FEW
    if known.high < rules.bar:
        return Against.BELOW
    return Against.ABOVE if known.low >= rules.bar else Against.AROUND


def standing(answers: Sequence[bool], rules: GoldTasks, *, is_vouched_for: bool) -> Standing:
    """What right and wrong answers, in order of time, say of a reviewer; whom a lead vouched for need not learn."""
    if against(accuracy(answers), rules) is Against.BELOW:
        return Standing.BELOW
    if is_vouched_for or not rules.onboarding:
        return Standing.TRUSTED
    latest = accuracy(answers[-rules.onboarding :])
    is_through = latest.n >= rules.onboarding and latest.value is not None and latest.value >= rules.bar
    return Standing.TRUSTED if is_through else Standing.LEARNING


def below_the_bar(system: str, answers: Sequence[bool], rules: GoldTasks) -> str:
    """Why a reviewer is paused, as they read it."""
    return (
        f"Of the tasks in {system} whose answer was known beforehand, {accuracy(answers).sentence()} were answered "
        f"right; the bar is {rules.bar:.0%}. Talk it over with a lead, who can lift the pause."
    )


def nothing_left(system: str, rules: GoldTasks) -> str:
    """Why a reviewer who is still learning is given nothing."""
    return (
        f"In {system} the first {rules.onboarding} tasks are ones whose answer is known, and there are none left for "
        "you. A lead can add some, or vouch for you by lifting the pause."
    )

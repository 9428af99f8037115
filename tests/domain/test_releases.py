from datetime import UTC, datetime, timedelta

import pytest

from review.domain.policies import Route, Rule
from review.domain.releases import is_overdue, was_held

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rule(route: Route, reasons: list[str] | None = None, *, hold: bool = True) -> Rule:
    return Rule(name="r", when="true", route=route, reasons=reasons or [], hold=hold)


@pytest.mark.parametrize(
    ("route", "reasons", "by", "held"),
    [
        ("pass", [], None, False),
        ("pass", ["audit_sample"], None, False),
        ("pass", ["stopped"], None, True),
        ("pass", ["a", "audit_sample", "stopped"], rule(Route.PASS, ["a"]), True),
        ("review", ["review_all"], None, True),
        ("review", ["a"], rule(Route.REVIEW, ["a"]), True),
        ("review", ["a"], rule(Route.REVIEW, ["a"], hold=False), False),
        ("review", ["a", "queue_full"], rule(Route.REVIEW, ["a"], hold=False), False),
        ("review", ["a", "rule_failed"], rule(Route.REVIEW, ["a"], hold=False), True),
        ("review", ["a", "review_all"], rule(Route.REVIEW, ["a"], hold=False), True),
        ("review", ["review_all"], rule(Route.REVIEW, ["review_all"], hold=False), False),  # a word of the rule's own
        ("review", ["rule_failed"], rule(Route.PASS), True),
        ("block", [], rule(Route.BLOCK), True),
    ],
)
def test_what_was_held(route: str, reasons: list[str], by: Rule | None, held: bool) -> None:
    assert was_held(Route(route), reasons, by) is held


@pytest.mark.parametrize(
    ("state", "lapses_at", "overdue"),
    [
        ("pending", NOON, True),
        ("pending", NOON + timedelta(microseconds=1), False),
        ("pending", None, False),
        ("released", NOON, False),
    ],
)
def test_when_the_fail_safe_has_the_word(state: str, lapses_at: datetime | None, overdue: bool) -> None:
    assert is_overdue(state, lapses_at, NOON) is overdue

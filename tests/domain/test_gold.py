"""Gold tasks: what counts as right, and what the answers say of a reviewer."""

import pytest

from review.domain.decisions import Verdict
from review.domain.gold import Against, Standing, against, below_the_bar, is_right, share_right, standing
from review.domain.policies import GoldTasks

A, R, C = Verdict.APPROVE, Verdict.REJECT, Verdict.CORRECT
RULES = GoldTasks(rate=0.1, bar=0.8, min_n=20)
LEARNING = GoldTasks(rate=0.1, bar=0.8, min_n=20, onboarding=5)


@pytest.mark.parametrize(
    ("known", "given", "right"),
    [
        ((A, None), (A, None), True),
        ((A, None), (R, None), False),
        ((C, "Paris"), (C, "  Paris\n"), True),
        ((C, "Paris"), (C, "Lyon"), False),
        ((C, "Paris"), (C, "paris"), False),
        ((C, "Paris"), (A, None), False),
        ((C, {"to": "a", "cc": ["b"]}), (C, {"cc": [" b "], "to": "a "}), True),
        ((C, {"amount": 1}), (C, {"amount": 2}), False),
        ((C, {"amount": 1}), (C, {"amount": 1, "to": "a"}), False),
    ],
)
def test_an_answer_is_right_where_it_is_the_known_one(
    known: tuple[Verdict, object], given: tuple[Verdict, object], right: bool
) -> None:
    assert is_right(known, given) is right


@pytest.mark.parametrize(
    ("n_right", "n", "said"),
    [(0, 0, "too_few"), (0, 19, "too_few"), (5, 20, "below"), (16, 20, "around"), (59, 60, "above")],
)
def test_where_an_accuracy_lies_beside_the_bar_is_told_by_its_interval(n_right: int, n: int, said: str) -> None:
    assert against(share_right(n_right, n), RULES) is Against(said)


def test_a_few_wrong_answers_are_not_enough_to_say() -> None:
    assert standing([False] * 19, RULES, is_vouched_for=False) is Standing.TRUSTED
    assert standing([False] * 20, RULES, is_vouched_for=False) is Standing.BELOW


def test_below_the_bar_is_told_by_the_whole_interval() -> None:
    assert standing([True] * 14 + [False] * 6, RULES, is_vouched_for=False) is Standing.TRUSTED  # 70%, up to 85%
    assert standing([True] * 56 + [False] * 24, RULES, is_vouched_for=False) is Standing.BELOW  # 70%, up to 79%


def test_who_is_new_learns_until_enough_was_right() -> None:
    assert standing([], LEARNING, is_vouched_for=False) is Standing.LEARNING
    assert standing([True] * 4, LEARNING, is_vouched_for=False) is Standing.LEARNING
    assert standing([True] * 4 + [False], LEARNING, is_vouched_for=False) is Standing.TRUSTED
    assert standing([False] * 2 + [True] * 3, LEARNING, is_vouched_for=False) is Standing.LEARNING
    assert standing([False] * 2 + [True] * 4, LEARNING, is_vouched_for=False) is Standing.TRUSTED  # the latest five
    assert standing([], LEARNING, is_vouched_for=True) is Standing.TRUSTED


def test_the_reason_tells_the_figure_its_interval_and_n() -> None:
    told = below_the_bar("Helper", [True] * 10 + [False] * 30, RULES)
    assert "25.0% (14.2% to 40.2%, n = 40)" in told
    assert "80%" in told

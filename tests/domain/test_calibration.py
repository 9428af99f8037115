"""Calibration: the curve, the AUC with its interval, and what is said of a confidence that misleads."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.calibration import Judged, fit
from review.domain.estimates import Estimate
from review.domain.outputs import Output
from review.domain.risks import Curve, of, warning
from review.domain.rulings import CompiledPolicy
from tests.support.world import POLICY, output


def judged(*pairs: tuple[float, bool]) -> list[Judged]:
    return [Judged(confidence, is_wrong, 1.0) for confidence, is_wrong in pairs]


JUDGED = st.lists(
    st.builds(Judged, st.floats(0, 1), st.booleans(), st.sampled_from([1.0, 0.5, 0.05])), min_size=1, max_size=60
)


@given(JUDGED, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_probability_of_error_never_rises_with_the_confidence(found: list[Judged], at: list[float]) -> None:
    curve = fit(found).curve
    values = [curve.at(confidence) for confidence in sorted(at)]
    assert all(0 <= value <= 1 for value in values)
    assert all(one >= other - 1e-9 for one, other in pairwise(values))


def test_what_never_errs_more_where_confident_is_told_as_level() -> None:
    curve = fit(judged(*[(0.2, False)] * 8, *[(0.2, True)] * 2, *[(0.9, False)] * 2, *[(0.9, True)] * 8)).curve
    assert curve.at(0.2) == curve.at(0.55) == curve.at(0.9) == 0.5


def test_what_was_drawn_stands_for_many() -> None:
    drawn = [Judged(0.9, False, 0.05)] + [Judged(0.9, True, 1.0)] * 4
    assert fit(drawn).curve.at(0.9) == pytest.approx(4 / 24, abs=1e-6)


def test_between_points_the_curve_is_straight_and_beyond_them_level() -> None:
    curve = Curve(((0.2, 0.8), (0.6, 0.4)))
    assert [curve.at(one) for one in (0.0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0.8, 0.8, 0.6, 0.4, 0.4])
    with pytest.raises(ValueError, match="order"):
        Curve(((0.6, 0.4), (0.2, 0.8)))
    with pytest.raises(ValueError, match="order"):
        Curve(())


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=12, max_size=40))
def test_the_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    auc = fit(judged(*pairs)).auc
    wrong = [confidence for confidence, is_wrong in pairs if is_wrong]
    right = [confidence for confidence, is_wrong in pairs if not is_wrong]
    if min(len(wrong), len(right)) < 5:
        assert (auc.value, auc.low, auc.high) == (None, 0, 1)
        return
    wins = [(a < b) + (a == b) / 2 for a in wrong for b in right]
    assert auc.value == pytest.approx(sum(wins) / len(wins))


def test_the_interval_is_delongs_where_all_weigh_the_same() -> None:
    pairs = [(0.1, True), (0.4, True), (0.35, True), (0.8, True), (0.5, True),
             (0.3, False), (0.6, False), (0.9, False), (0.7, False), (0.45, False), (0.95, False)]  # fmt: skip
    wrong = [confidence for confidence, is_wrong in pairs if is_wrong]
    right = [confidence for confidence, is_wrong in pairs if not is_wrong]
    of_wrong = [np.mean([(a < b) + (a == b) / 2 for b in right]) for a in wrong]
    of_right = [np.mean([(a < b) + (a == b) / 2 for a in wrong]) for b in right]
    spread = (np.var(of_wrong, ddof=1) / len(wrong) + np.var(of_right, ddof=1) / len(right)) ** 0.5
    auc = fit(judged(*pairs)).auc
    assert auc.value is not None
    assert auc.low == pytest.approx(auc.value - 1.959963984540054 * spread)
    assert auc.high == pytest.approx(min(1, auc.value + 1.959963984540054 * spread))


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = random.Random(7)
    n_held = 0
    for _ in range(200):
        pairs = [(chance.random(), chance.random() < 0.3) for _ in range(150)]  # the confidence tells nothing: 0.5
        auc = fit(judged(*pairs)).auc
        n_held += auc.low <= 0.5 <= auc.high
    assert 180 <= n_held <= 199


@pytest.mark.parametrize(
    ("auc", "said"),
    [
        (Estimate(0.88, 0.85, 0.91, 900, "m"), None),
        (Estimate(None, 0, 1, 120, "m"), None),
        (Estimate(0.52, 0.44, 0.60, 300, "m"), "does not tell errors from the rest (AUC 0.52 (0.44 to 0.60, n = 300))"),
        (Estimate(0.39, 0.36, 0.42, 1400, "m"), "misleads: its errors are rather among the confident ones"),
    ],
)
def test_a_confidence_that_misleads_is_said_to(auc: Estimate, said: str | None) -> None:
    told = warning("Helper", "v1", auc)
    assert (told is None) if said is None else (told is not None and said in told)


def test_risk_is_severity_times_the_learned_probability_of_error() -> None:
    def risk(curve: Curve | None = None, **changes: object) -> float:
        one = Output(**output(**changes))  # type: ignore[arg-type]
        return of(one, CompiledPolicy(POLICY).ruling(one, b"k" * 32), curve)

    grave = [{"code": "harm", "severity": 5}]
    assert risk(confidence=0.2) == pytest.approx(3 / 5 * 0.8)
    assert risk(confidence=0.2, flags=grave) == pytest.approx(0.8)
    assert risk(Curve(((0.0, 0.1),)), confidence=0.2, flags=grave) == pytest.approx(0.1)
    assert risk(Curve(((0.0, 0.1),)), confidence=None, flags=grave) == 1

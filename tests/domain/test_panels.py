"""Several people on one item: what follows from each answer."""

from uuid import uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from review.domain.decisions import Verdict
from review.domain.lifecycle import TaskKind
from review.domain.panels import Panel, Said, Step, next_step

A, R, C = Verdict.APPROVE, Verdict.REJECT, Verdict.CORRECT
REVIEW, LEAD, HANDED_UP = TaskKind.REVIEW, TaskKind.ADJUDICATION, TaskKind.ESCALATION


def said(*verdicts: Verdict | tuple[Verdict, object], last: TaskKind = REVIEW) -> list[Said]:
    pairs = [one if isinstance(one, tuple) else (one, None) for one in verdicts]
    kinds = [REVIEW] * (len(pairs) - 1) + [last]
    return [Said(uuid4(), kind, verdict, text) for (verdict, text), kind in zip(pairs, kinds, strict=True)]


@pytest.mark.parametrize(
    ("most", "answers", "n_open", "step"),
    [
        (1, said(A), 0, Step.FINAL),
        (2, said(A), 1, Step.WAIT),
        (2, said(A, A), 0, Step.FINAL),
        (2, said(A, R), 0, Step.ADJUDICATE),
        (3, said(A, R), 0, Step.ANOTHER),  # one more may be asked
        (3, said(A, R, A), 0, Step.FINAL),  # more than half, after all that may be asked
        (3, said(A, R, (C, "x")), 0, Step.ADJUDICATE),
        (5, said(A, R, A), 0, Step.ANOTHER),  # more than half, and others may still be asked
        (5, said(A, R, A, A, A), 0, Step.FINAL),
        (4, said(A, R, A, R), 0, Step.ADJUDICATE),  # half is not more than half
        (2, said((C, "x"), (C, "x")), 0, Step.FINAL),
        (2, said((C, "x"), (C, "y")), 0, Step.ADJUDICATE),  # the same verdict, another content
        (2, said((C, {"a": 1, "b": 2}), (C, {"b": 2, "a": 1})), 0, Step.FINAL),
        (2, said(A, R, last=LEAD), 0, Step.FINAL),
        (3, said(A, last=HANDED_UP), 2, Step.FINAL),  # a lead's word ends it, whoever else was asked
    ],
)
def test_what_follows_from_an_answer(most: int, answers: list[Said], n_open: int, step: Step) -> None:
    assert next_step(Panel(most), answers, n_open) is step


@pytest.mark.parametrize(
    ("answers", "n_open", "step"),
    [
        (said(A), 1, Step.WAIT),
        (said(A, A), 0, Step.FINAL),
        (said(A, R), 0, Step.ADJUDICATE),
        (said(A, R, A, last=LEAD), 0, Step.FINAL),  # the lead is the second who says so
        (said(A, R, (C, "x"), last=LEAD), 0, Step.ADJUDICATE),  # alone with it: another lead
        (said(A, last=HANDED_UP), 0, Step.ADJUDICATE),
        (said(A, last=HANDED_UP), 1, Step.WAIT),
        (said(R, last=HANDED_UP), 1, Step.FINAL),  # nothing is released by a rejection
        (said(A, (C, "x"), R, last=LEAD), 0, Step.FINAL),
    ],
)
def test_with_four_eyes_two_say_the_same_before_anything_is_released(
    answers: list[Said], n_open: int, step: Step
) -> None:
    assert next_step(Panel(2, four_eyes=True), answers, n_open) is step


ANSWERS = st.lists(st.sampled_from([A, R, (C, "x"), (C, "y")]), min_size=1, max_size=5)


@given(ANSWERS, st.integers(1, 5), st.integers(0, 3), st.sampled_from(TaskKind))
def test_four_eyes_never_release_on_one_persons_word(
    answers: list[Verdict], most: int, n_open: int, last: TaskKind
) -> None:
    everyone = said(*answers, last=last)
    if next_step(Panel(most, four_eyes=True), everyone, n_open) is Step.FINAL and everyone[-1].verdict is not R:
        assert sum(one.meaning == everyone[-1].meaning for one in everyone) >= 2


@given(ANSWERS, st.integers(1, 5))
def test_when_nobody_is_left_to_wait_for_something_follows(answers: list[Verdict], most: int) -> None:
    step = next_step(Panel(most), said(*answers), 0)
    assert step is not Step.WAIT
    assert step is not Step.ANOTHER or len(answers) < most


def end(panel: Panel, answers: list[Verdict]) -> tuple[Step, object]:
    """Where answers lead that come one after the other: the last step, and what stands where it is final."""
    everyone = said(*answers)
    for n in range(panel.n_first, len(everyone) + 1):
        step = next_step(panel, everyone[:n], 0)
        if step is not Step.ANOTHER:
            return step, everyone[n - 1].meaning if step is Step.FINAL else None
    raise AssertionError("nothing followed")


@given(st.data(), st.integers(2, 5), st.booleans())
def test_the_order_of_the_answers_changes_nothing(data: st.DataObject, n_first: int, four_eyes: bool) -> None:
    n_first = 2 if four_eyes else n_first
    most = data.draw(st.integers(n_first, 5))
    answers = data.draw(st.lists(st.sampled_from([A, R, (C, "x")]), min_size=most, max_size=most))
    other = data.draw(st.permutations(answers))
    # Where all who were asked at first agree, nobody else is asked, and there are no more answers.
    assume(all(len(set(some[:n_first])) > 1 for some in (answers, other)))
    panel = Panel(most, four_eyes=four_eyes, n_first=n_first)
    assert end(panel, answers) == end(panel, other)
    alone = Panel(n_first, four_eyes=four_eyes, n_first=n_first)
    assert next_step(alone, said(*answers[:n_first]), 0) is Step.ADJUDICATE

"""Several people on one item: when what they said is enough, and what follows where they disagree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from review.domain import content
from review.domain.decisions import Verdict
from review.domain.lifecycle import TaskKind

LEADS = frozenset({TaskKind.ADJUDICATION, TaskKind.ESCALATION})


class Step(StrEnum):
    """What follows from an answer."""

    WAIT = "wait"  # others are still to answer
    FINAL = "final"  # this answer is the one that stands
    ANOTHER = "another"  # one more person is asked
    ADJUDICATE = "adjudicate"  # a lead is asked, who sees all answers


@dataclass(frozen=True, slots=True)
class Panel:
    """How many people a rule asks: at most `most`, where they disagree; with `four_eyes`, two must say the same
    before anything is released."""

    most: int = 1
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one person answered, and on what kind of task."""

    person_id: UUID
    kind: TaskKind
    verdict: Verdict
    correction: Any = None

    @property
    def meaning(self) -> bytes:
        """Two people agree where this is equal: the verdict and, of a correction, its exact content."""
        return content.canonical([self.verdict.value, self.correction])


def next_step(panel: Panel, said: Sequence[Said], n_open: int) -> Step:
    """What follows from the last answer of `said`, in order of time, while `n_open` others are still asked.

    A lead's answer ends it; people agree where all say the same or, where more than were asked at first had to
    answer, where more than half do. With four eyes, what releases needs a second person who says the same.
    """
    last = said[-1]
    if panel.four_eyes and last.verdict is not Verdict.REJECT and _n_alike(said) < 2:
        return Step.WAIT if n_open else Step.ADJUDICATE
    if last.kind in LEADS:
        return Step.FINAL
    if n_open:
        return Step.WAIT
    if _n_alike(said) * 2 > len(said) and _is_settled(panel, said):
        return Step.FINAL
    return Step.ANOTHER if len(said) < panel.most else Step.ADJUDICATE


def _n_alike(said: Sequence[Said]) -> int:
    """How many say what the last one says."""
    return Counter(one.meaning for one in said)[said[-1].meaning]


def _is_settled(panel: Panel, said: Sequence[Said]) -> bool:
    return _n_alike(said) == len(said) or len(said) >= panel.most

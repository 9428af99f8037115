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
    """How many people a rule asks: `n_first` at first, at most `most` where they disagree; with `four_eyes`, two
    must say the same before anything is released."""

    most: int = 1
    four_eyes: bool = False
    n_first: int = 1

    @property
    def n_enough(self) -> int:
        """How many settle a disagreement: more than half of all who may be asked, and no fewer than at first.

        Fewer would let the order of the answers decide: nobody's last word can then be against what so many say.
        """
        return max(self.n_first, self.most // 2 + 1)


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
    answer, where enough do, in whatever order. With four eyes, what releases needs a second who says the same.
    """
    is_leads, n_alike = said[-1].kind in LEADS, _n_alike(said)
    is_alone = panel.four_eyes and said[-1].verdict is not Verdict.REJECT and n_alike < 2
    if is_leads and not is_alone:
        return Step.FINAL
    if n_open:
        return Step.WAIT
    if not is_alone and (n_alike == len(said) or n_alike >= panel.n_enough):
        return Step.FINAL
    return Step.ANOTHER if panel.n_first <= len(said) < panel.most and not is_leads else Step.ADJUDICATE


def _n_alike(said: Sequence[Said]) -> int:
    """How many say what the last one says."""
    return Counter(one.meaning for one in said)[said[-1].meaning]

"""How the demo's reviewers work: when they get to a task, how long they think, and what they answer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from review.demo.scenario import Truth
from review.domain.decisions import Answer, Span, Verdict

SLIPS = 0.04
_OPENS, _CLOSES = 7, 20
_THINKING = {"answer": (45, 230), "classification": (9, 60), "action": (40, 190)}  # seconds, within one lease


@dataclass
class Diary:
    """Who is free from when on, so that nobody does two things at once."""

    rng: Random
    latest: datetime
    free_at: dict[str, datetime] = field(default_factory=dict)

    def block(self, people: tuple[str, ...], ready: datetime, length: timedelta) -> datetime:
        """When all of them begin something together that takes so long."""
        begin = max(ready, *(self.free_at.get(name, ready) for name in people))
        self.free_at.update(dict.fromkeys(people, begin + length))
        return begin

    def book(self, people: tuple[str, ...], ready: datetime, kind: str) -> tuple[str, datetime, datetime]:
        """Who takes a task of this kind, from when to when."""
        who = min(self.rng.sample(people, len(people)), key=lambda name: self.free_at.get(name, ready))
        begin = max(self._in_hours(ready), self.free_at.get(who, ready))
        if begin > self.latest:
            begin = max(ready, min(self.free_at.get(who, ready), self.latest))
        end = begin + timedelta(seconds=self.rng.uniform(*_THINKING[kind]))
        self.free_at[who] = end + timedelta(seconds=self.rng.uniform(2, 40))
        return who, begin, end

    def _in_hours(self, at: datetime) -> datetime:
        """The moment, or the next one in office hours."""
        opens = at.replace(hour=_OPENS, minute=0, second=0) + timedelta(minutes=self.rng.uniform(0, 25))
        if at.hour >= _CLOSES:
            return opens + timedelta(days=1)
        return max(at, opens) if at.hour < _OPENS else at


def right_answer(truth: Truth) -> Answer:
    """What a careful reviewer says."""
    if truth.ok:
        return Answer(verdict=Verdict.APPROVE, note=truth.note)
    verdict = Verdict.REJECT if truth.correction is None else Verdict.CORRECT
    return Answer(
        verdict=verdict, correction=truth.correction, labels=list(truth.labels),
        spans=[Span(**span) for span in truth.spans], note=truth.note,
    )  # fmt: skip


def human_answer(truth: Truth, rng: Random) -> Answer:
    """What a reviewer says who is right but for a slip now and then: passing a mistake, or refusing what was fine."""
    return right_answer(truth) if rng.random() >= SLIPS else opposite_answer(truth)


def opposite_answer(truth: Truth) -> Answer:
    """What somebody says who passes a mistake, or refuses what was fine."""
    return Answer(verdict=Verdict.REJECT, labels=["style"]) if truth.ok else Answer(verdict=Verdict.APPROVE)

"""What happens when in the demo: steps, each done at its own moment by the real commands, and who does them."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlmodel import Session

from review.demo.scenario import NEWCOMER, PEOPLE
from review.domain.actors import Actor
from review.store.engine import Store

_TOGETHER = timedelta(hours=4)  # this much of the play is one transaction
Step = Callable[[Session, datetime], None]


@dataclass(frozen=True)
class Cast:
    """Who acts: the firm's people by username, and the producing systems by slug, with the keys of their samples."""

    staff: Mapping[str, Actor]
    producers: Mapping[str, Actor]
    sample_keys: Mapping[str, bytes]

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who works the desk in these two weeks."""
        return tuple(one.username for one in PEOPLE if one.role == "reviewer" and one.username != NEWCOMER)

    @property
    def leads(self) -> tuple[str, ...]:
        """Who takes what is handed up."""
        return tuple(one.username for one in PEOPLE if one.role == "lead")


class Agenda:
    """Steps by their moments; what would come after now is left out."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._steps: list[tuple[datetime, int, Step]] = []
        self._order = count()

    def plan(self, at: datetime, step: Step) -> None:
        """Have something done at a moment."""
        if at < self.now:
            heapq.heappush(self._steps, (at, next(self._order), step))

    def play(self, store: Store) -> None:
        """Do everything up to now, some hours in a transaction."""
        while self._steps:
            until = self._steps[0][0] + _TOGETHER
            with store.write() as session:
                while self._steps and self._steps[0][0] < until:
                    moment, _, step = heapq.heappop(self._steps)
                    step(session, moment)

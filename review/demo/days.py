"""The two weeks themselves: outputs come in, reviewers take and decide them, a lead resolves what is handed up."""

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import decisions, intake, tasks
from review.demo.arrivals import FRESH, Arrival, Fate
from review.demo.reviewers import Diary, human_answer, right_answer
from review.domain.actors import Actor
from review.domain.decisions import Answer, EscalationReason
from review.domain.lifecycle import LeaseToken, TaskState
from review.domain.outputs import read_output
from review.errors import ReviewError
from review.store.engine import Store
from review.store.tables import Item, Task

_TOGETHER = timedelta(hours=1)  # this much of the play is one transaction
Step = Callable[[Session, datetime], None]
Finish = Callable[[Session, datetime, Actor, Task, LeaseToken], None]


class Days:
    """A play over an agenda of steps, each done at its own moment by the real commands."""

    def __init__(
        self, staff: Mapping[str, Actor], reviewers: tuple[str, ...], leads: tuple[str, ...],
        producers: Mapping[str, Actor], now: datetime, rng: Random,
    ) -> None:  # fmt: skip
        self.staff, self.reviewers, self.leads, self.producers = staff, reviewers, leads, producers
        self.now, self.rng, self.diary = now, rng, Diary(rng, now - FRESH)
        self._agenda: list[tuple[datetime, int, Step]] = []
        self._order = count()

    def play(self, store: Store, arrivals: list[Arrival]) -> None:
        """Do everything up to now, an hour in a transaction."""
        for arrival in arrivals:
            self._plan(arrival.at, self._arrives(arrival))
        while self._agenda:
            until = self._agenda[0][0] + _TOGETHER
            with store.write() as session:
                while self._agenda and self._agenda[0][0] < until:
                    moment, _, step = heapq.heappop(self._agenda)
                    step(session, moment)

    def _plan(self, at: datetime, step: Step) -> None:
        if at < self.now:
            heapq.heappush(self._agenda, (at, next(self._order), step))

    def _arrives(self, arrival: Arrival) -> Step:
        def step(session: Session, now: datetime) -> None:
            body = orjson.dumps({**arrival.played.output, "produced_at": now - timedelta(seconds=2)})
            (taken,) = intake.take(
                session, self.producers[arrival.played.output["system"]], [read_output(body, now)], now=now
            )
            if isinstance(taken, ReviewError):
                raise taken
            if taken.status == "waiting" and arrival.fate is not Fate.WAITING:
                self._to_reviewer(session, now, taken.item_id, arrival)

        return step

    def _to_reviewer(self, session: Session, now: datetime, item_id: UUID, arrival: Arrival) -> None:
        soon = arrival.fate is Fate.HANDED_UP
        ready = now + timedelta(minutes=self.rng.uniform(2, 12) if soon else self.rng.lognormvariate(2.9, 0.7))
        truth = arrival.played.truth
        if truth.escalate:
            finish = self._hands_up(EscalationReason(truth.escalate), truth.note, arrival)
        else:
            finish = self._decides(human_answer(truth, self.rng))
        self._work(session, self.reviewers, ready, item_id, arrival, finish)

    def _work(
        self, session: Session, people: tuple[str, ...], ready: datetime, item_id: UUID, arrival: Arrival,
        finish: Finish,
    ) -> None:  # fmt: skip
        task_id = session.execute(
            select(col(Task.id)).where(col(Task.item_id) == item_id, col(Task.state) == TaskState.OPEN)
        ).scalar_one()
        who, begin, end = self.diary.book(people, ready, arrival.played.output["kind"])
        if end < self.now:
            self._plan(begin, self._claims(self.staff[who], task_id, end, finish))

    def _claims(self, actor: Actor, task_id: UUID, end: datetime, finish: Finish) -> Step:
        def step(session: Session, now: datetime) -> None:
            task = tasks.claim_one(session, actor, task_id, now=now)
            version = session.execute(select(col(Item.version)).where(col(Item.id) == task.item_id)).scalar_one()
            lease = LeaseToken(task.lease_token or "", version)
            self._plan(end, lambda session, now: finish(session, now, actor, task, lease))

        return step

    def _decides(self, answer: Answer) -> Finish:
        def finish(session: Session, now: datetime, actor: Actor, task: Task, lease: LeaseToken) -> None:
            decisions.decide(session, actor, task.id, lease, answer, now=now)

        return finish

    def _hands_up(self, reason: EscalationReason, note: str, arrival: Arrival) -> Finish:
        def finish(session: Session, now: datetime, actor: Actor, task: Task, lease: LeaseToken) -> None:
            decisions.escalate(session, actor, task.id, lease, reason, note, now=now)
            if arrival.fate is not Fate.HANDED_UP:
                ready = now + timedelta(minutes=self.rng.uniform(15, 80))
                decide = self._decides(right_answer(arrival.played.truth))
                self._work(session, self.leads, ready, task.item_id, arrival, decide)

        return finish

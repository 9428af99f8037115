"""The two weeks of work: outputs come in, reviewers take and decide them, a lead settles what is left to settle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import decisions, intake, lapses, releases, service_levels, tasks
from review.demo.agenda import Agenda, Cast, Step
from review.demo.arrivals import Arrival, Fate
from review.demo.reviewers import Diary, human_answer, opposite_answer, right_answer
from review.demo.scenario import SKILLS
from review.domain.decisions import Answer, EscalationReason
from review.domain.lifecycle import ItemStatus, LeaseToken, ReleaseState, TaskState
from review.domain.outputs import read_output
from review.errors import ReviewError
from review.store.tables import Item, Queue, Task, TaskSkill

_ACTS = "billing-agent"  # the system that carries out what is released
_LEFT_TO_A_LEAD = (Fate.HANDED_UP, Fate.DISPUTED)


@dataclass
class Story:
    """One item on its way through people: who was asked, and how many answered."""

    item_id: UUID
    arrival: Arrival
    asked: set[str] = field(default_factory=set)
    booked: set[UUID] = field(default_factory=set)
    n_said: int = 0
    is_handed_up: bool = False
    is_used: bool = False

    @property
    def system(self) -> str:
        """The slug of its system."""
        return str(self.arrival.played.output["system"])

    @property
    def bundle(self) -> str:
        """What it is released together with; by itself, where it is of no bundle."""
        output = self.arrival.played.output
        return str(output.get("bundle", output["external_id"]))


Notice = Callable[[Session, datetime, Story], None]


class Days:
    """Plans on an agenda what becomes of each output, one step after the other."""

    def __init__(self, agenda: Agenda, cast: Cast, diary: Diary, notice: Notice) -> None:
        self.agenda, self.cast, self.diary, self.rng, self._notice = agenda, cast, diary, diary.rng, notice
        self._bundles: dict[str, list[Story]] = {}

    def expect(self, arrivals: Sequence[Arrival]) -> None:
        """Plan that these outputs come in."""
        for arrival in arrivals:
            self.agenda.plan(arrival.at, self._arrives(arrival))

    def _arrives(self, arrival: Arrival) -> Step:
        def step(session: Session, now: datetime) -> None:
            output = arrival.played.output
            body = orjson.dumps({**output, "produced_at": now - timedelta(seconds=2)})
            (taken,) = intake.take(session, self.cast.producers[output["system"]], [read_output(body, now)], now=now)
            if isinstance(taken, ReviewError):
                raise taken
            story = Story(taken.item_id, arrival)
            self._bundles.setdefault(story.bundle, []).append(story)
            if taken.status == ItemStatus.WAITING:
                self._waits(session, now, story)
            if taken.release_state == ReleaseState.RELEASED:
                self._use_soon(story, now)

        return step

    def _waits(self, session: Session, now: datetime, story: Story) -> None:
        item = session.get_one(Item, story.item_id)
        self.agenda.plan(item.due_at or now, self._is_due(story))
        self._notice(session, now, story)
        is_left = story.arrival.fate is Fate.WAITING or (story.arrival.fate is Fate.LAPSED and item.lapses_at)
        if not is_left:
            self._offer(session, now, story)

    def _is_due(self, story: Story) -> Step:
        """What the worker does when the time of an item is over."""

        def step(session: Session, now: datetime) -> None:
            if _status(session, story) == ItemStatus.WAITING:
                service_levels.run(session, now=now)
                lapses.lapse_due(session, now=now, at_most=100)

        return step

    def _offer(self, session: Session, now: datetime, story: Story) -> None:
        """Have somebody come to each open task of an item that nobody comes to yet."""
        for task_id, level, is_limited in session.execute(_OPEN.where(col(Task.item_id) == story.item_id)).all():
            if task_id in story.booked or (level and story.arrival.fate in _LEFT_TO_A_LEAD):
                continue
            people = self._able(level, story, _skills(session, task_id) if is_limited else set())
            if people:
                self._book(session, now, story, task_id, level, people)

    def _able(self, level: int, story: Story, wanted: set[str]) -> tuple[str, ...]:
        people = self.cast.leads if level else self.cast.reviewers
        return tuple(one for one in people if one not in story.asked and wanted <= set(SKILLS[one]))

    def _book(
        self, session: Session, now: datetime, story: Story, task_id: UUID, level: int, people: tuple[str, ...]
    ) -> None:
        ready = now + timedelta(minutes=self._minutes(story, level))
        who, begin, end = self.diary.book(people, ready, story.arrival.played.output["kind"])
        story.asked.add(who)
        story.booked.add(task_id)
        lapses_at = session.execute(select(col(Item.lapses_at)).where(col(Item.id) == story.item_id)).scalar()
        if end < self.agenda.now and (lapses_at is None or end < lapses_at):
            self.agenda.plan(begin, self._claims(who, task_id, end, story, level))

    def _minutes(self, story: Story, level: int) -> float:
        """After how long somebody comes."""
        if level:
            return self.rng.uniform(15, 80)
        soon = story.arrival.fate in _LEFT_TO_A_LEAD
        return self.rng.uniform(2, 12) if soon else self.rng.lognormvariate(2.9, 0.7)

    def _claims(self, who: str, task_id: UUID, end: datetime, story: Story, level: int) -> Step:
        def step(session: Session, now: datetime) -> None:
            if _is_open(session, task_id):
                task = tasks.claim_one(session, self.cast.staff[who], task_id, now=now)
                self.agenda.plan(end, self._finishes(who, task, story, level))

        return step

    def _finishes(self, who: str, task: Task, story: Story, level: int) -> Step:
        def step(session: Session, now: datetime) -> None:
            if not _is_open(session, task.id):
                return
            actor, truth = self.cast.staff[who], story.arrival.played.truth
            version = session.execute(select(col(Item.version)).where(col(Item.id) == story.item_id)).scalar_one()
            lease = LeaseToken(task.lease_token or "", version)
            if truth.escalate and not level and not story.is_handed_up:
                story.is_handed_up = True
                decisions.escalate(
                    session, actor, task.id, lease, EscalationReason(truth.escalate), truth.note, now=now
                )
            else:
                decisions.decide(session, actor, task.id, lease, self._answer(story, level), now=now)
            self._offer(session, now, story)
            self._use_soon(story, now)

        return step

    def _answer(self, story: Story, level: int) -> Answer:
        truth = story.arrival.played.truth
        story.n_said += 1
        if level or story.is_handed_up:
            return right_answer(truth)
        if story.arrival.fate in (Fate.SETTLED, Fate.DISPUTED):
            return right_answer(truth) if story.n_said == 1 else opposite_answer(truth)
        return human_answer(truth, self.rng)

    def _use_soon(self, story: Story, now: datetime) -> None:
        """Have the producer of an action carry it out, with the others of its turn, where it may by now."""
        if story.system == _ACTS:
            for one in self._bundles[story.bundle]:
                self.agenda.plan(now + timedelta(seconds=15), self._uses(one))

    def _uses(self, story: Story) -> Step:
        def step(session: Session, now: datetime) -> None:
            if story.is_used:
                return
            producer = self.cast.producers[story.system]
            release = releases.fetch(session, producer, story.item_id, now=now)
            if release.state is ReleaseState.RELEASED and release.sha256:
                releases.consume(session, producer, story.item_id, release.sha256, now=now)
                story.is_used = True

        return step


_OPEN: Any = (
    select(col(Task.id), col(Queue.level), col(Task.is_limited))
    .join(Queue, col(Queue.id) == col(Task.queue_id))
    .where(col(Task.state) == TaskState.OPEN, col(Task.gold_id).is_(None))
    .order_by(col(Task.id))
)


def _skills(session: Session, task_id: UUID) -> set[str]:
    return set(session.execute(select(col(TaskSkill.skill)).where(col(TaskSkill.task_id) == task_id)).scalars())


def _status(session: Session, story: Story) -> str:
    status: str = session.execute(select(col(Item.status)).where(col(Item.id) == story.item_id)).scalar_one()
    return status


def _is_open(session: Session, task_id: UUID) -> bool:
    """Whether a task is still to be done, by whoever comes."""
    state, assigned = session.execute(
        select(col(Task.state), col(Task.assigned_to_id)).where(col(Task.id) == task_id)
    ).one()
    return state == TaskState.OPEN and assigned is None

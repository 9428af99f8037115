"""How gold tasks come to the router: a lead marks decided items, and each reviewer learns on them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import decisions, drafts, gold, tasks
from review.demo import arrivals
from review.demo.agenda import Agenda, Cast, Step
from review.demo.days import Story
from review.demo.reviewers import Diary
from review.demo.scenario import NEWCOMER, policy
from review.domain.actors import ActorKind
from review.domain.decisions import Answer, Verdict
from review.domain.lifecycle import LeaseToken
from review.queries.gold import FIRST_VERSION
from review.store.tables import Decision, Gold, Item, System, Task

_SYSTEM, _QUEUE = "ticket-router", "routing"
_N_FROM_EACH = 12
_N_TASKS, _EACH = 6, timedelta(seconds=25)
_WRONG = {"maya": (), "jonas": (4,), NEWCOMER: (0, 2, 3, 5)}  # which of their first answers
_BEGINS, _JOINS = timedelta(days=7, hours=8), timedelta(days=10, hours=8)


class GoldDays:
    """Waits for a task in whose place gold tasks come: on the day when they begin, and when somebody new joins."""

    def __init__(self, agenda: Agenda, cast: Cast, diary: Diary) -> None:
        self.agenda, self.cast, self.diary = agenda, cast, diary
        start = arrivals.first_midnight(agenda.now)
        self._awaited = [(start + _BEGINS, cast.reviewers), (start + _JOINS, (NEWCOMER,))]

    def notice(self, session: Session, now: datetime, story: Story) -> None:
        """Begin what was awaited, if this item can stand in for its task."""
        output = story.arrival.played.output
        is_plain = output["system"] == _SYSTEM and output["metadata"]["language"] == "en"
        if not self._awaited or now < self._awaited[0][0] or not is_plain or not 8 <= now.hour < 18:
            return
        if not self._is_enough(session):
            return
        _, learners = self._awaited.pop(0)
        begin = self.diary.block(self.cast.reviewers, now + timedelta(minutes=1), _EACH * (_N_TASKS + 2))
        if NEWCOMER not in learners:
            self.agenda.plan(begin, self._introduces())
        for username in learners:
            self.agenda.plan(begin + timedelta(seconds=1), self._takes(username, 0))

    def _introduces(self) -> Step:
        def step(session: Session, now: datetime) -> None:
            owner = self.cast.staff["priya"]  # who is also a lead
            for item_id in self._known(session):
                gold.mark(session, owner, item_id, now=now)
            document = policy(_SYSTEM)
            draft = drafts.write(session, owner, _SYSTEM, document, now=now)
            drafts.activate(session, owner, draft.id, seen=drafts.digest_of(document), now=now)

        return step

    def _is_enough(self, session: Session) -> bool:
        """Whether everyone has enough to learn on: nobody is checked by what they decided."""
        decided = self._decided(session)
        n_each = [len(decided.get(self.cast.staff[one].person_id, ())) for one in self.cast.reviewers]
        return sum(n_each) - max(n_each) >= _N_TASKS

    def _known(self, session: Session) -> list[UUID]:
        return [item_id for found in self._decided(session).values() for item_id in found[:_N_FROM_EACH]]

    def _decided(self, session: Session) -> dict[UUID, list[UUID]]:
        """The items that each person decided."""
        by_person: dict[UUID, list[UUID]] = {}
        for item_id, person_id in session.execute(_DECIDED.where(col(System.slug) == _SYSTEM)).all():
            by_person.setdefault(person_id, []).append(item_id)
        return by_person

    def _takes(self, username: str, n: int) -> Step:
        def step(session: Session, now: datetime) -> None:
            task = tasks.claim(session, self.cast.staff[username], queue=_QUEUE, now=now)
            if task is None:
                return
            if task.gold_id is None:
                tasks.give_back(session, self.cast.staff[username], task.id, task.lease_token or "", now=now)
            else:
                self.agenda.plan(now + _EACH * 0.9, self._answers(username, n, task))

        return step

    def _answers(self, username: str, n: int, task: Task) -> Step:
        def step(session: Session, now: datetime) -> None:
            known = session.execute(_ANSWER.where(col(Gold.id) == task.gold_id)).scalar_one()
            answer = _wrong(known) if n in _WRONG[username] else _same(known)
            lease = LeaseToken(task.lease_token or "", FIRST_VERSION)
            decisions.decide(session, self.cast.staff[username], task.id, lease, answer, now=now)
            if n + 1 < _N_TASKS:
                self.agenda.plan(now + _EACH * 0.1, self._takes(username, n + 1))

        return step


_DECIDED: Any = (
    select(col(Item.id), col(Decision.decided_by_id))
    .join(Decision, col(Decision.id) == col(Item.decision_id))
    .join(System, col(System.id) == col(Item.system_id))
    .where(col(Decision.decided_by_kind) == ActorKind.PERSON)
    .order_by(col(Decision.decided_at))
)
_ANSWER: Any = (
    select(Decision).join(Item, col(Item.decision_id) == col(Decision.id)).join(Gold, col(Gold.item_id) == col(Item.id))
)


def _same(known: Decision) -> Answer:
    return Answer(verdict=Verdict(known.verdict), correction=known.correction, labels=known.labels)


def _wrong(known: Decision) -> Answer:
    if known.verdict == Verdict.APPROVE:
        return Answer(verdict=Verdict.REJECT, labels=["wrong_label"])
    return Answer(verdict=Verdict.APPROVE)

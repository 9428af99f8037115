"""Claim, renew, expire, decide, undo, escalate, skip and give back, in any order, against a simple model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlalchemy import func, select
from sqlmodel import col

from review.commands import decisions, tasks
from review.domain.decisions import UNDO_SECONDS, EscalationReason
from review.domain.lifecycle import LEASE, SKIP, LeaseToken
from review.errors import LeaseLost, ReviewError, WrongState
from review.store.engine import Store
from review.store.tables import Decision, Item, Task
from tests.support.world import World, output

REVIEWERS, LEADS = ("ann", "bob"), ("lea",)


@dataclass
class Modelled:
    """What the model knows of one open or closed task."""

    task_id: UUID
    item_id: UUID
    order: tuple[int, datetime, UUID]
    level: int = 0
    state: str = "open"
    holder: str | None = None
    until: datetime | None = None
    skipped_at: dict[str, datetime] = field(default_factory=dict)

    def stays_away_from(self, who: str, now: datetime) -> bool:
        return who in self.skipped_at and self.skipped_at[who] > now - SKIP

    def is_free(self, now: datetime) -> bool:
        return self.state == "open" and (self.until is None or self.until <= now)


@dataclass(frozen=True)
class Hold:
    """A lease as its holder remembers it, whether it still holds or not."""

    task_id: UUID
    who: str
    lease: LeaseToken


class QueueMachine(RuleBasedStateMachine):
    """The store does exactly what the model says, and never more."""

    holds = Bundle("holds")
    decided = Bundle("decided")
    url = ""

    @initialize()
    def start(self) -> None:
        self.world = World(Store(self.url))
        self.model: dict[UUID, Modelled] = {}
        self.version: dict[UUID, int] = {}
        self.verdict: dict[UUID, UUID | None] = {}
        self.decided_at: dict[UUID, datetime] = {}
        self.n_sent = 0

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.store.close()

    @rule(severity=st.sampled_from([None, 5]))
    def submit(self, severity: int | None) -> None:
        self.n_sent += 1
        changes = {"kind": "action", "flags": [{"code": "amount", "severity": severity}]} if severity else {}
        taken = self.world.submit(output(f"x{self.n_sent}", **changes))[0]
        with self.world.store.read() as session:
            task = session.execute(select(Task).where(col(Task.item_id) == taken.item_id)).scalar_one()
        self.model[task.id] = Modelled(task.id, taken.item_id, (-task.priority, task.due_at, task.id))
        self.version[taken.item_id] = 1

    @rule(seconds=st.sampled_from([1, 30, 200, LEASE.total_seconds(), SKIP.total_seconds()]))
    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds=seconds)

    @rule(target=holds, who=st.sampled_from(REVIEWERS + LEADS))
    def claim(self, who: str) -> object:
        level = 1 if who in LEADS else 0
        free = [
            task for task in self.model.values()
            if task.is_free(self.world.now) and task.level <= level and not task.stays_away_from(who, self.world.now)
        ]  # fmt: skip
        task = self.world.claim(who)
        if not free:
            assert task is None
            return multiple()
        assert task is not None
        assert task.id == min(free, key=lambda one: one.order).task_id
        return self._held(task, who)

    def _held(self, task: Task, who: str) -> Hold:
        modelled = self.model[task.id]
        modelled.holder, modelled.until = who, self.world.now + LEASE
        assert task.lease_token
        return Hold(task.id, who, LeaseToken(task.lease_token, self.version[task.item_id]))

    def _holds(self, hold: Hold) -> bool:
        with self.world.store.read() as session:
            token = session.get_one(Task, hold.task_id).lease_token
        task = self.model[hold.task_id]
        return (
            task.state == "open" and task.holder == hold.who and token == hold.lease.token
            and task.until is not None and task.until > self.world.now
        )  # fmt: skip

    @rule(hold=holds)
    def renew(self, hold: Hold) -> None:
        with self._expecting(self._holds(hold)) as session:
            tasks.renew(session, self.world.actors[hold.who], hold.task_id, hold.lease.token, now=self.world.now)
            self.model[hold.task_id].until = self.world.now + LEASE

    @rule(hold=consumes(holds), skip=st.booleans())
    def let_go(self, hold: Hold, skip: bool) -> None:
        let_go = tasks.skip if skip else tasks.give_back
        with self._expecting(self._holds(hold)) as session:
            let_go(session, self.world.actors[hold.who], hold.task_id, hold.lease.token, now=self.world.now)
            task = self.model[hold.task_id]
            task.holder = task.until = None
            if skip:
                task.skipped_at[hold.who] = self.world.now

    @rule(target=decided, hold=holds, verdict=st.sampled_from(["approve", "reject"]))
    def decide(self, hold: Hold, verdict: str) -> object:
        if not self._holds(hold):
            with pytest.raises(ReviewError):
                self.world.decide(self._task(hold), hold.who, lease=hold.lease, verdict=verdict)
            return multiple()
        decision = self.world.decide(self._task(hold), hold.who, lease=hold.lease, verdict=verdict)
        self.model[hold.task_id].state = "decided"
        self.model[hold.task_id].until = None
        self.version[decision.item_id] += 1
        self.verdict[decision.item_id] = decision.id
        self.decided_at[decision.id] = self.world.now
        return decision

    def _task(self, hold: Hold) -> Task:
        with self.world.store.read() as session:
            return session.get_one(Task, hold.task_id)

    @rule(target=holds, decision=decided, who=st.sampled_from(REVIEWERS + LEADS))
    def undo(self, decision: Decision, who: str) -> object:
        by = next(name for name, actor in self.world.actors.items() if actor.id == decision.decided_by_id)
        fresh = self.world.now - self.decided_at[decision.id] <= timedelta(seconds=UNDO_SECONDS)
        stands = self.verdict.get(decision.item_id) == decision.id
        if not (who == by and fresh and stands):
            with pytest.raises(WrongState), self.world.store.write() as session:
                decisions.undo(session, self.world.actors[who], decision.id, now=self.world.now)
            return multiple()
        with self.world.store.write() as session:
            task = decisions.undo(session, self.world.actors[who], decision.id, now=self.world.now)
        self.version[decision.item_id] += 1
        self.verdict[decision.item_id] = None
        self.model[task.id].state = "open"
        return self._held(task, who)

    @rule(hold=holds)
    def escalate(self, hold: Hold) -> None:
        task = self.model[hold.task_id]
        with self._expecting(self._holds(hold) and task.level == 0) as session:
            up = decisions.escalate(
                session, self.world.actors[hold.who], hold.task_id, hold.lease, EscalationReason.OTHER, "",
                now=self.world.now,
            )  # fmt: skip
            task.state, task.until = "escalated", None
            self.version[task.item_id] += 1
            self.model[up.id] = Modelled(up.id, up.item_id, (-up.priority, up.due_at, up.id), level=1)

    def _expecting(self, fine: bool):  # type: ignore[no-untyped-def]
        return _Expecting(self.world.store, fine)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        if not hasattr(self, "world"):
            return
        with self.world.store.read() as session:
            states = dict(session.execute(select(col(Task.id), col(Task.state))).all())
            standing = session.execute(
                select(col(Decision.item_id), func.count())
                .where(col(Decision.superseded_at).is_(None))
                .group_by(col(Decision.item_id))
            ).all()
            found = {item.id: item for item in session.execute(select(Item)).scalars()}
        assert states == {task.task_id: task.state for task in self.model.values()}
        assert dict(standing) == {item_id: 1 for item_id, decision in self.verdict.items() if decision}
        assert {item_id: item.version for item_id, item in found.items()} == self.version
        for item_id, item in found.items():
            assert item.decision_id == self.verdict.get(item_id)
            assert (item.release_state == "pending") == (item.decision_id is None)


class _Expecting:
    """A write that must go through, or must be refused and change nothing."""

    def __init__(self, store: Store, fine: bool) -> None:
        self.writing, self.fine = store.write(), fine

    def __enter__(self):  # type: ignore[no-untyped-def]
        return self.writing.__enter__()

    def __exit__(self, kind, error, trace) -> bool:  # type: ignore[no-untyped-def]
        self.writing.__exit__(kind, error, trace)
        refused = isinstance(error, LeaseLost | WrongState)
        assert refused is not self.fine
        return refused


def test_the_queue_does_what_the_model_says(fresh_url: Callable[[], str]) -> None:
    class Machine(QueueMachine):
        @initialize()
        def start(self) -> None:
            self.url = fresh_url()
            super().start()

    Machine.TestCase.settings = settings(
        max_examples=20, stateful_step_count=40, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    Machine.TestCase("runTest").runTest()

"""Several reviewers, blind, adjudication, four eyes, skip, snooze, undo, lapse, modes, bundles, gold, consume and
reopen, in any order: what must hold holds after each step, and the audit trail verifies at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlmodel import col

from review.commands import bulk, decisions, gold, lapses, modes, policies, releases, reopenings, snoozes, tasks
from review.delivery import worker
from review.domain.actors import HOLDPOINT, Role
from review.domain.bulk import Selection
from review.domain.content import content_digest
from review.domain.decisions import Answer, EscalationReason, Verdict
from review.domain.lifecycle import LEASE, LeaseToken
from review.domain.modes import Mode
from review.domain.releases import ReleaseReason
from review.errors import Consumed, NotReleased, ReviewError
from review.queries import audit, items
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.store.tables import Item, Task
from tests.support.discipline import person
from tests.support.discipline_invariants import check
from tests.support.world import World, output

REVIEWERS, LEADS = ("ann", "bob", "cem"), ("lea", "leo")
KINDS = ("several", "eyes", "plain", "noted", "blocked", "else")
POLICY = """\
queue: default
due: PT30M
fallback: We will come back to you.
bulk: true
gold: {rate: 0.3, bar: 0.5, min_n: 5}
audit_sample: {probability: 0.5}
rules:
  - {name: several, when: "metadata.is == 'several'", route: review, reviewers: 2, extra_on_disagreement: 1,
     on_lapse: fallback, fallback: Please wait.}
  - {name: eyes, when: "metadata.is == 'eyes'", route: review, four_eyes: true, on_lapse: withhold}
  - {name: plain, when: "metadata.is == 'plain'", route: review, on_lapse: release}
  - {name: noted, when: "metadata.is == 'noted'", route: review, hold: false}
  - {name: blocked, when: "metadata.is == 'blocked'", route: block}
"""
PEOPLE = st.sampled_from(REVIEWERS + LEADS)
PICK = st.integers(0, 10_000)
EXAMPLES = 15


@dataclass(frozen=True)
class Hold:
    """A task as somebody took it."""

    task_id: UUID
    item_id: UUID
    who: str
    lease: LeaseToken
    is_gold: bool


class DisciplineMachine(RuleBasedStateMachine):
    """People, a producer, owners and the worker, each doing what they may at any time.

    Rules have no preconditions: which outputs are drawn for the sample, and who gets gold, is left to real chance.
    """

    def begin(self, url: str, key: AuditKey) -> None:
        """Start with an empty world."""
        self.world, self.key = World(Store(url)), key
        for name, role in (("cem", Role.REVIEWER), ("leo", Role.LEAD)):
            person(self.world, name, role)
        with self.world.store.write() as session:
            policies.activate(session, HOLDPOINT, "helper", POLICY, now=self.world.now)
        self.items: list[UUID] = []
        self.holds: list[Hold] = []
        self.decided: list[tuple[str, UUID]] = []
        self.consumed: dict[UUID, str] = {}
        self.n_sent = 0
        for kind in KINDS:
            self.submit(kind, by=None, bundle=None)
            self.submit(kind, by="ann", bundle="turn")
        for n in range(6):
            self.work("leo", Verdict.APPROVE)
            self.keep_as_gold(2 * n)

    def teardown(self) -> None:
        """Nothing in the trail is missing, changed or made up."""
        if hasattr(self, "world"):
            worker.tick(self.world.store, self.key, self.world.now)
            found = audit.verify(self.world.store, self.key)
            self.world.store.close()
            assert found.problem is None, str(found.problem)

    @property
    def now(self) -> datetime:
        return self.world.now

    def attempt(self, who: str, command: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a command as somebody; None where it is refused, and then nothing is written."""
        try:
            with self.world.store.write() as session:
                return command(session, self.world.actors[who], *args, now=self.now, **kwargs)
        except ReviewError:
            return None

    @rule(
        kind=st.sampled_from(KINDS), by=st.sampled_from([None, *REVIEWERS, "stranger"]),
        bundle=st.sampled_from([None, None, "turn"]),
    )  # fmt: skip
    def submit(self, kind: str, by: str | None, bundle: str | None) -> None:
        self.n_sent += 1
        optional = {"requested_by": by, "bundle": bundle, "bundle_position": self.n_sent if bundle else None}
        sent = {name: value for name, value in optional.items() if value is not None}
        taken = self.world.submit(output(f"x{self.n_sent}", metadata={"is": kind}, **sent))[0]
        self.items.append(taken.item_id)

    @rule(seconds=st.sampled_from([1, 5, 60, LEASE.total_seconds(), 1_900, 3_700]))
    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds=seconds)

    @rule(who=PEOPLE)
    def claim(self, who: str) -> None:
        task = self.attempt(who, tasks.claim)
        if task is not None:
            with self.world.store.read() as session:
                whole = items.whole(session, self.world.actors[who], task.item_id)
            assert whole.decision is None, "who decides has seen the answer"
            assert whole.item.status == "waiting"
            lease = LeaseToken(task.lease_token or "", whole.item.version)
            self.holds.append(Hold(task.id, task.item_id, who, lease, task.gold_id is not None))

    @rule(n=PICK, verdict=st.sampled_from(list(Verdict)), text=st.sampled_from(["Paris.", "It is Paris."]))
    def decide(self, n: int, verdict: Verdict, text: str) -> None:
        if not self.holds:
            return
        hold = self.holds.pop(n % len(self.holds))
        before = self.item(hold.item_id).model_dump()
        answer = Answer(verdict=verdict, correction=text if verdict is Verdict.CORRECT else None)
        done = self.attempt(hold.who, decisions.decide, hold.task_id, hold.lease, answer)
        if done is not None:
            self.decided.append((hold.who, done.id))
            is_late = before["lapses_at"] is not None and before["lapses_at"] <= self.now
            assert hold.is_gold or not (is_late and before["release_state"] == "pending"), "too late"
        if hold.is_gold:
            assert self.item(hold.item_id).model_dump() == before, "a gold answer changed its item"

    @rule(who=PEOPLE, verdict=st.sampled_from(list(Verdict)))
    def work(self, who: str, verdict: Verdict) -> None:
        """Take a task and decide it, which is what people mostly do."""
        n = len(self.holds)
        self.claim(who)
        if len(self.holds) > n:
            self.decide(n, verdict, "Paris.")

    @rule(who=PEOPLE, other=PEOPLE, verdict=st.sampled_from(list(Verdict)))
    def agree(self, who: str, other: str, verdict: Verdict) -> None:
        """Two people, one after the other, who think alike."""
        self.work(who, verdict)
        self.work(other, verdict)

    def item(self, item_id: UUID) -> Item:
        with self.world.store.read() as session:
            return session.get_one(Item, item_id)

    @rule(n=PICK, who=st.sampled_from([None, *REVIEWERS]))
    def undo(self, n: int, who: str | None) -> None:
        if not self.decided:
            return
        by, decision_id = self.decided[-1 - n % min(3, len(self.decided))]
        task = self.attempt(who or by, decisions.undo, decision_id)
        assert task is None or who in (None, by), "somebody else's decision was undone"
        if task is not None:
            version = 1 if task.gold_id else self.item(task.item_id).version
            lease = LeaseToken(task.lease_token or "", version)
            self.holds.append(Hold(task.id, task.item_id, by, lease, task.gold_id is not None))

    @rule(n=PICK, how=st.sampled_from(["skip", "give back", "snooze", "escalate"]), minutes=st.sampled_from([5, 40]))
    def let_go(self, n: int, how: str, minutes: int) -> None:
        if not self.holds:
            return
        hold = self.holds.pop(n % len(self.holds))
        token, until = hold.lease.token, self.now + timedelta(minutes=minutes)
        ways: dict[str, tuple[Any, ...]] = {
            "skip": (tasks.skip, hold.task_id, token),
            "give back": (tasks.give_back, hold.task_id, token),
            "snooze": (snoozes.snooze, hold.task_id, token, until),
            "escalate": (decisions.escalate, hold.task_id, hold.lease, EscalationReason.OTHER, ""),
        }
        self.attempt(hold.who, *ways[how])

    @rule(is_alive=st.sampled_from([True, False, False]))
    def worker_ticks(self, is_alive: bool) -> None:
        if not is_alive:
            return
        with self.world.store.write() as session:
            lapses.lapse_due(session, now=self.now, at_most=100)
            assert lapses.lapse_due(session, now=self.now, at_most=100) == 0, "it lapsed twice"

    @rule(mode=st.sampled_from(list(Mode)), minutes=st.sampled_from([None, 10]))
    def set_mode(self, mode: Mode, minutes: int | None) -> None:
        until = self.now + timedelta(minutes=minutes) if minutes and mode is not Mode.NORMAL else None
        self.attempt("odo", modes.set_mode, "helper", mode, reason="a test", until=until)

    @rule(n=PICK, is_right=st.sampled_from([True, True, False]))
    def consume(self, n: int, is_right: bool) -> None:
        if not self.items:
            return
        item_id = self.items[-1 - n % min(6, len(self.items))]
        release = self.attempt("helper", releases.fetch, item_id)
        digest = (release.sha256 if is_right else None) or "0" * 64
        try:
            with self.world.store.write() as session:
                given = releases.consume(session, self.world.actors["helper"], item_id, digest, now=self.now)
        except Consumed:
            assert item_id in self.consumed
            return
        except NotReleased:
            assert release.state != "released"
            return
        except ReviewError:
            assert not is_right
            return
        self.gave(item_id, release, given, digest)

    def gave(self, item_id: UUID, release: Any, given: Any, digest: str) -> None:
        """What was given out was released then, once, with the digest that was asked for."""
        if given.state == "withheld":  # of a stopped system: the fallback, and nothing changes
            assert given.content == "We will come back to you."
            assert self.item(item_id).release_consumed_at is None
            return
        assert item_id not in self.consumed, "given out twice"
        assert (release.state, given.state) == ("released", "released")
        assert content_digest(given.content) == digest
        # The answer of a stopped system waits for nobody.
        assert given.reason == ReleaseReason.SYSTEM_STOPPED or self.bundle_is_answered(item_id)
        self.consumed[item_id] = digest

    def bundle_is_answered(self, item_id: UUID) -> bool:
        bundle = self.item(item_id).bundle
        with self.world.store.read() as session:
            of_it = select(col(Item.release_state)).where(col(Item.bundle) == bundle, col(Item.bundle).is_not(None))
            return "pending" not in session.execute(of_it).scalars().all()

    @rule(n=PICK, who=st.sampled_from([*LEADS, "ann"]))
    def reopen(self, n: int, who: str) -> None:
        if not self.items:
            return
        self.attempt(who, reopenings.reopen, self.items[n % len(self.items)], reason="look again")

    @rule(n=PICK)
    def keep_as_gold(self, n: int) -> None:
        if not self.items:
            return
        self.attempt("lea", gold.mark, self.items[n % len(self.items)])

    @rule(verdict=st.sampled_from([Verdict.APPROVE, Verdict.REJECT]))
    def many_at_once(self, verdict: Verdict) -> None:
        looked_at = self.attempt("lea", bulk.preview, Selection(system="helper"))
        if looked_at is not None:
            done = self.attempt("lea", bulk.decide, looked_at.id, verdict, "all alike")
            assert done is not None
            assert done.n_decided + done.n_claimed + done.n_changed + done.n_refused == looked_at.n

    @invariant()
    def what_must_hold_holds(self) -> None:
        if not hasattr(self, "world"):
            return
        check(self.world)
        for item_id, digest in self.consumed.items():
            item = self.item(item_id)
            assert (item.release_state, item.release_digest) == ("released", digest), "what was used changed"

    @invariant()
    def nobody_holds_what_is_settled(self) -> None:
        if not hasattr(self, "world"):
            return
        with self.world.store.read() as session:
            held = session.execute(
                select(Task).where(col(Task.state) != "open", col(Task.lease_expires_at) > self.now)
            ).all()
        assert held == []


def test_what_must_hold_holds_whatever_happens(fresh_url: Callable[[], str], tmp_path: Path) -> None:
    class Machine(DisciplineMachine):
        @initialize()
        def start(self) -> None:
            self.begin(fresh_url(), AuditKey(tmp_path))

    Machine.TestCase.settings = settings(
        max_examples=EXAMPLES, stateful_step_count=60, deadline=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),  # shrinking takes an hour; the steps are told
    )  # fmt: skip
    Machine.TestCase("runTest").runTest()

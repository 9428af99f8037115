"""What must hold at every moment of a world, whatever people, producers, leads and the worker did."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain import fail_safes
from review.domain.content import canonical, content_digest, parse
from review.domain.fail_safes import Cause
from review.domain.policies import Route
from review.domain.releases import was_held
from review.domain.rulings import compiled
from review.store.tables import AuditEvent, Decision, GoldAnswer, Item, ItemPayload, Person, Policy, Task
from tests.support.world import World


class Found:
    """Everything in the database that the invariants are about."""

    def __init__(self, session: Session) -> None:
        self.items = {one.id: one for one in session.execute(select(Item)).scalars()}
        packed = session.execute(select(col(ItemPayload.item_id), col(ItemPayload.content))).all()
        self.sent = {row.item_id: parse(row.content) for row in packed}
        self.decisions: dict[UUID, list[Decision]] = defaultdict(list)
        for decision in session.execute(select(Decision).order_by(col(Decision.id))).scalars():
            self.decisions[decision.item_id].append(decision)
        self.tasks: dict[UUID, list[Task]] = defaultdict(list)
        for task in session.execute(select(Task)).scalars():
            self.tasks[task.item_id].append(task)
        self.policies = {one.version: compiled(one.document) for one in session.execute(select(Policy)).scalars()}
        self.people = {one.username: one.id for one in session.execute(select(Person)).scalars()}
        undone = select(col(AuditEvent.body)).where(col(AuditEvent.action) == "decision.undone")
        self.undone = {parse(body)["decision_id"] for body in session.execute(undone).scalars()}
        self.golden = {one.id for one in session.execute(select(GoldAnswer)).scalars()}

    def rule(self, item: Item) -> Any:
        return self.policies[item.policy_version].rule(item.rule, item.reasons)

    def held(self, item: Item) -> bool:
        return was_held(Route(item.route), item.reasons, self.rule(item))

    def standing(self, item: Item) -> list[Decision]:
        return [one for one in self.decisions[item.id] if one.superseded_at is None]

    def final(self, item: Item) -> Decision | None:
        found = [one for one in self.standing(item) if one.is_final]
        assert len(found) <= 1, "two authoritative answers"
        assert item.decision_id == (found[0].id if found else None)
        return found[0] if found else None


def check(world: World) -> None:
    """Fail where anything that must hold does not."""
    with world.store.read() as session:
        found = Found(session)
        for item in found.items.values():
            final = found.final(item)
            _released_only_by(found, item, final)
            _answered_once_by_each(found, item)
            _lapses_are_the_systems(found, item, final)
            _four_eyes(found, item, final)
            _asked(found, item)


def _released_only_by(found: Found, item: Item, final: Decision | None) -> None:
    """Nothing is released without a pass, a decision, or the fail-safe that the policy names."""
    output = found.sent[item.id]["output"]
    if not found.held(item):
        assert (item.release_state, item.release_digest) == ("released", content_digest(output))
        return
    if item.release_consumed_at is not None:  # what was given out stays, reopened or not
        assert item.release_state == "released"
        return
    if final is None:
        assert (item.release_state, item.release_digest) == ("pending", None)
        return
    allowed = {"approve": output, "correct": final.correction}
    if final.verdict == "reject":
        assert (item.release_state, item.release_digest) == ("withheld", None)
    else:
        assert (item.release_state, item.release_digest) == ("released", content_digest(allowed[final.verdict]))


def _answered_once_by_each(found: Found, item: Item) -> None:
    """Nobody decides twice on one item, unless they took it back, and nobody on what they asked for."""
    by = Counter(
        one.decided_by_id for one in found.decisions[item.id] if one.decided_by_id and str(one.id) not in found.undone
    )
    assert all(n == 1 for n in by.values()), "somebody decided twice"
    assert found.people.get(item.requested_by or "") not in by, "somebody decided on what they asked for"


def _lapses_are_the_systems(found: Found, item: Item, final: Decision | None) -> None:
    """Every lapse is on record as Holdpoint's, as its rule says; no person's decision is."""
    for one in found.decisions[item.id]:
        assert (one.decided_by_kind == "system") == (one.cause is not None) == (one.decided_by_id is None)
    if final is None:
        assert item.status in ("waiting", "passed") or "queue_full" in item.reasons
        return
    assert item.status == ("lapsed" if final.decided_by_kind == "system" else "decided")
    if final.cause is None:
        return
    policy = found.policies[item.policy_version]
    if final.cause == Cause.STOPPED:
        expected = fail_safes.of_stopped(policy.policy)
    else:
        expected = fail_safes.of_rule(
            found.sent[item.id]["output"], policy.policy, found.rule(item), Cause(final.cause)
        )
    assert (final.verdict, final.correction) == (expected.verdict, expected.correction)


def _four_eyes(found: Found, item: Item, final: Decision | None) -> None:
    """Where four eyes are asked for, two people said the same before anything was released."""
    rule = found.rule(item)
    if not (rule and rule.four_eyes) or final is None or final.decided_by_id is None or final.verdict == "reject":
        return
    alike = {
        one.decided_by_id for one in found.standing(item)
        if canonical([one.verdict, one.correction]) == canonical([final.verdict, final.correction])
    }  # fmt: skip
    assert len(alike) >= 2, "one pair of eyes"


def _asked(found: Found, item: Item) -> None:
    """Somebody is asked about every item that waits, and nobody about any other; gold is no item's task."""
    is_asked = any(task.state == "open" and task.gold_id is None for task in found.tasks[item.id])
    assert is_asked == (item.status == "waiting")

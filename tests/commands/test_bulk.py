"""Deciding many at once: what is let in, what is left out, and that each has a decision and an event of its own."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from review.commands import bulk
from review.domain.bulk import Selection
from review.domain.decisions import Verdict
from review.errors import Forbidden, Invalid, NotFound, WrongState
from review.store.tables import AuditEvent, Decision, Item, Task
from tests.support.discipline import activate, item
from tests.support.queues import assign, tasks_of
from tests.support.world import World, output

BULK = "bulk: true\n"


def preview(world: World, who: str = "lea", **chosen: Any) -> bulk.Preview:
    with world.store.write() as session:
        return bulk.preview(session, world.actors[who], Selection(**{"system": "helper", **chosen}), now=world.now)


def decide(world: World, looked_at: bulk.Preview, who: str = "lea", verdict: Verdict = Verdict.REJECT) -> bulk.Done:
    with world.store.write() as session:
        return bulk.decide(session, world.actors[who], looked_at.id, verdict, "same fault", now=world.now)


def count(world: World, action: str) -> int:
    with world.store.read() as session:
        query = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.action) == action)
        n: int = session.execute(query).scalar_one()
        return n


def snooze(world: World, external_id: str) -> None:
    """Put the task of this item off, as who asks its producer does."""
    later = update(Task).where(col(Task.id) == tasks_of(world, external_id)[0].id)
    with world.store.write() as session:
        session.execute(later.values(snoozed_until=world.now + timedelta(minutes=5)))


def test_only_leads_and_only_where_the_policy_allows_it(world: World) -> None:
    activate(world)
    world.item_id()
    with pytest.raises(Forbidden, match="many"):
        preview(world)
    activate(world, rest=BULK)
    for who in ("ann", "odo", "adm"):
        with pytest.raises(Forbidden):
            preview(world, who)
    with pytest.raises(NotFound):
        preview(world, system="nowhere")
    assert preview(world).n == 1


def test_each_has_a_decision_and_an_event_of_its_own(world: World) -> None:
    activate(world, rest=BULK)
    taken = world.submit(*(output(f"x{n}") for n in range(12)))
    looked_at = preview(world)
    assert (looked_at.n, looked_at.n_claimed, len(looked_at.sample)) == (12, 0, 10)
    assert {whole.item.id for whole in looked_at.sample} <= {one.item_id for one in taken}
    assert count(world, "item.viewed") == 10
    assert decide(world, looked_at) == bulk.Done(12, 0, 0, 0)
    with world.store.read() as session:
        found = session.execute(select(Decision)).scalars().all()
    assert len({one.item_id for one in found}) == 12
    assert {(one.verdict, one.note, one.decided_by_id) for one in found} == {
        ("reject", "same fault", world.actors["lea"].person_id)
    }
    assert (count(world, "item.decided"), count(world, "items.decided_at_once")) == (12, 1)


def test_it_is_that_very_set(world: World) -> None:
    activate(world, rest=BULK)
    world.item_id("x1")
    looked_at = preview(world)
    later = world.item_id("x2")
    assert decide(world, looked_at).n_decided == 1
    assert item(world, later).status == "waiting"


def test_what_somebody_works_on_is_left_out_and_said_so(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(*(output(f"x{n}") for n in range(3)))
    assert world.claim("ann") is not None
    looked_at = preview(world)
    assert (looked_at.n, looked_at.n_claimed) == (2, 1)
    assert world.claim("bob") is not None
    assert decide(world, looked_at) == bulk.Done(1, 1, 0, 0)


def test_what_changed_since_is_left_out(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(*(output(f"x{n}") for n in range(2)))
    looked_at = preview(world)
    with world.store.write() as session:
        session.execute(update(Item).where(col(Item.external_id) == "x0").values(version=2))
    assert decide(world, looked_at) == bulk.Done(1, 0, 1, 0)


def test_what_is_put_off_or_given_to_another_is_left_out_then_and_later(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(*(output(f"x{n}") for n in range(4)))
    snooze(world, "x0")
    looked_at = preview(world)
    assert looked_at.n == 3
    snooze(world, "x1")
    assign(world, tasks_of(world, "x2")[0], "ann")
    assert decide(world, looked_at) == bulk.Done(1, 0, 2, 0)


def test_what_its_producer_could_not_take_is_left_out(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(output("x1", allowed_verdicts=["approve", "correct"]), output("x2"))
    assert decide(world, preview(world)) == bulk.Done(1, 0, 0, 1)


@pytest.mark.parametrize("rule", ["four_eyes: true", "reviewers: 2", "skills: ['language:de']"])
def test_what_asks_for_several_people_or_skills_is_never_among_it(world: World, rule: str) -> None:
    activate(world, rule, BULK)
    world.item_id()
    with pytest.raises(Invalid, match="No item matches"):
        preview(world)


def test_held_actions_are_never_among_it(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(output("x1", kind="action", output={"refund": 5}))
    with pytest.raises(Invalid):
        preview(world)
    activate(world, "hold: false", BULK)
    world.submit(output("x2", kind="action", output={"refund": 5}))  # released already: the look is for learning
    assert preview(world).n == 1


def test_a_filter_chooses(world: World) -> None:
    activate(world, "reasons: [low_confidence]", BULK)
    world.submit(output("x1", confidence=0.1), output("x2", confidence=0.9, kind="classification"))
    assert preview(world, confidence_below=0.5).n == 1
    assert preview(world, confidence_from=0.5, kind="classification").n == 1
    assert preview(world, reason="low_confidence", rule="all", queue="default").n == 2
    for nothing in ({"reason": "confidence"}, {"rule": "other"}, {"queue": "other"}, {"older_than_minutes": 5}):
        with pytest.raises(Invalid):
            preview(world, **nothing)
    world.later(minutes=5)
    assert preview(world, older_than_minutes=5).n == 2


def test_a_choice_is_decided_once_by_who_looked_and_soon(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(*(output(f"x{n}") for n in range(2)))
    looked_at = preview(world)
    with pytest.raises(Invalid):
        decide(world, looked_at, verdict=Verdict.CORRECT)
    with pytest.raises(Forbidden):
        decide(world, looked_at, "ann")
    with pytest.raises(NotFound):
        decide(world, looked_at._replace(id=uuid4()))
    world.later(minutes=11)
    with pytest.raises(WrongState, match="too long ago"):
        decide(world, looked_at)
    again = preview(world)
    assert decide(world, again).n_decided == 2
    with pytest.raises(WrongState, match="already"):
        decide(world, again)


def test_where_the_policy_stopped_allowing_it_nothing_is_decided(world: World) -> None:
    activate(world, rest=BULK)
    world.item_id()
    looked_at = preview(world)
    activate(world)
    with pytest.raises(Forbidden):
        decide(world, looked_at)


def test_too_many_are_not_decided_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(world, rest=BULK)
    monkeypatch.setattr(bulk, "MOST", 2)
    world.submit(*(output(f"x{n}") for n in range(3)))
    with pytest.raises(Invalid, match="More than"):
        preview(world)


def test_a_search_narrows_it_as_in_the_inbox(world: World) -> None:
    activate(world, rest=BULK)
    world.submit(output("refund-1"), output("order-1", output="About your Refund."), output("order-2"))
    assert preview(world, q="refund").n == 2
    assert preview(world, q="order-").n == 2
    with pytest.raises(Invalid):
        preview(world, q="50%")

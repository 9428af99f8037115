"""The gate: what was let through is given out once, to who names its digest; a bundle at once; nothing when stopped."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from review.commands import decisions, releases
from review.delivery import worker
from review.domain.content import content_digest
from review.domain.modes import Mode
from review.errors import Conflict, Consumed, Forbidden, NotFound, NotReleased, ReviewError, WrongState
from review.queries import audit
from review.queries import releases as release_queries
from review.store.secrets import AuditKey
from review.store.tables import AuditEvent, Item, OutboxMessage
from tests.support import gate
from tests.support.gate import FALLBACK, consume, fetch, gated, peek, sent, set_mode
from tests.support.tampering import Tampering
from tests.support.world import World, output

OUTPUT = output()["output"]
DIGEST = content_digest(OUTPUT)


def released(world: World, **answer: str) -> UUID:
    """An item that was decided; approved unless told otherwise."""
    item_id = sent(gated(world), "wait")
    gate.answer(world, **answer)
    return item_id


def test_what_was_let_through_is_given_once(world: World) -> None:
    item_id = released(world)
    given = consume(world, item_id, DIGEST)
    assert (given.state, given.content, given.sha256) == ("released", OUTPUT, DIGEST)
    item = gate.item(world, item_id)
    assert (item.release_consumed_at, item.release_fetched_at) == (world.now, world.now)
    with pytest.raises(Consumed):
        consume(world, item_id, DIGEST)
    with world.store.read() as session:
        for table, name in ((AuditEvent, AuditEvent.action), (OutboxMessage, OutboxMessage.topic)):
            told = select(func.count()).select_from(table).where(col(name) == "release.consumed")
            assert session.execute(told).scalar_one() == 1


def test_a_correction_is_given_by_its_own_digest(world: World) -> None:
    item_id = released(world, verdict="correct", correction="It is Paris.")
    with pytest.raises(Conflict) as conflict:
        consume(world, item_id, DIGEST)
    assert conflict.value.field == "sha256"
    assert content_digest("It is Paris.") in conflict.value.message
    assert consume(world, item_id, content_digest("It is Paris.")).content == "It is Paris."


def test_what_waits_or_is_withheld_is_not_given(world: World) -> None:
    item_id = sent(gated(world), "wait")
    with pytest.raises(NotReleased, match="pending"):
        consume(world, item_id, DIGEST)
    gate.answer(world, verdict="reject")
    with pytest.raises(NotReleased, match="withheld"):
        consume(world, item_id, DIGEST)


def test_only_its_own_system_uses_a_release(world: World) -> None:
    item_id = released(world)
    with world.store.write() as session, pytest.raises(Forbidden):
        releases.consume(session, world.actors["lea"], item_id, DIGEST, now=world.now)
    with pytest.raises(NotFound):
        consume(world, UUID(int=1), DIGEST)


def test_what_passed_is_given_once_too(world: World) -> None:
    item_id = sent(gated(world), "whatever")
    assert consume(world, item_id, DIGEST).content == OUTPUT
    with pytest.raises(Consumed):
        consume(world, item_id, DIGEST)


def test_of_many_who_ask_at_once_exactly_one_is_given_it(world: World) -> None:
    item_ids = [sent(gated(world), "whatever", f"x{n}") for n in range(5)]

    def ask(item_id: UUID) -> str:
        try:
            return world.store.commit(
                lambda session: releases.consume(session, world.actors["helper"], item_id, DIGEST, now=world.now)
            ).state
        except ReviewError as error:
            return type(error).__name__

    with ThreadPoolExecutor(12) as pool:
        for item_id in item_ids:
            assert sorted(pool.map(ask, [item_id] * 12)) == ["Consumed"] * 11 + ["released"]


def test_what_was_used_is_not_undone(world: World) -> None:
    item_id = released(world)
    consume(world, item_id, DIGEST)
    decision_id = gate.item(world, item_id).decision_id
    assert decision_id is not None
    with world.store.write() as session, pytest.raises(WrongState):
        decisions.undo(session, world.actors["ann"], decision_id, now=world.now)


def test_an_answer_to_what_was_released_at_once_changes_no_release(world: World) -> None:
    item_id = sent(gated(world), "at once")
    gate.answer(world, verdict="correct", correction="It is Paris.")
    given = fetch(world, item_id)
    assert (given.content, given.sha256, given.verdict) == (OUTPUT, DIGEST, "correct")


# Stopped


def test_while_a_system_is_stopped_nothing_is_given_and_nothing_changes(world: World) -> None:
    decided, used = released(world), sent(world, "passing")
    consume(world, used, DIGEST)
    waiting, passed = sent(world, "withhold"), sent(world, "whatever")
    set_mode(world, Mode.STOPPED)
    before = [gate.item(world, one) for one in (decided, waiting, passed)]
    for item_id in (decided, waiting, passed):
        for given in (peek(world, item_id), fetch(world, item_id), consume(world, item_id, DIGEST)):
            assert (given.state, given.content, given.reason) == ("withheld", FALLBACK, "system_stopped")
            assert given.sha256 == content_digest(FALLBACK)
            assert given.decision_id is None
    assert [gate.item(world, one) for one in (decided, waiting, passed)] == before
    assert fetch(world, used).content == OUTPUT
    set_mode(world, Mode.NORMAL)
    assert fetch(world, waiting).state == "pending"
    assert consume(world, decided, DIGEST).content == OUTPUT


def test_a_stop_without_a_fallback_gives_nothing(world: World) -> None:
    item_id = sent(gated(world, gate.GATE.replace(f"fallback: {FALLBACK}\n", "")), "whatever")
    set_mode(world, Mode.STOPPED)
    given = fetch(world, item_id)
    assert (given.state, given.content, given.sha256, given.notice) == (
        "withheld", None, None, "The system was stopped.",
    )  # fmt: skip


def test_what_came_in_while_stopped_was_answered_then(world: World) -> None:
    gated(world)
    set_mode(world, Mode.STOPPED)
    item_id = sent(world, "whatever")
    for _ in range(2):
        given = fetch(world, item_id)
        assert (given.state, given.content, given.reason) == ("released", FALLBACK, "system_stopped")
    set_mode(world, Mode.NORMAL)
    assert consume(world, item_id, content_digest(FALLBACK)).content == FALLBACK


def test_a_stop_ends_by_itself_when_its_time_is_over(world: World) -> None:
    item_id = sent(gated(world), "whatever")
    set_mode(world, Mode.STOPPED, until=world.now + timedelta(minutes=5))
    world.later(minutes=4)
    assert fetch(world, item_id).state == "withheld"
    world.later(minutes=1)
    assert fetch(world, item_id).state == "released"


# Bundles


def test_a_bundle_is_released_at_once(world: World) -> None:
    gated(world)
    one = sent(world, "wait", "one", bundle="turn", bundle_position=0)
    two = sent(world, "wait", "two", bundle="turn", bundle_position=1)
    passed = sent(world, "whatever", bundle="turn", bundle_position=2)
    other = sent(world, "whatever", "other", bundle="another turn")
    gate.answer(world)
    for item_id in (one, passed):
        given = fetch(world, item_id)
        assert (given.state, given.content, given.reason, given.verdict) == ("pending", None, "bundle", None)
        with pytest.raises(NotReleased, match="bundle"):
            consume(world, item_id, DIGEST)
    assert fetch(world, two).reason is None
    assert fetch(world, other).state == "released"
    with world.store.read() as session:
        assert release_queries.settled(session, [one, two, passed], now=world.now) == set()
    gate.answer(world, "bob", verdict="reject")
    assert [fetch(world, item_id).state for item_id in (one, two, passed)] == ["released", "withheld", "released"]
    with world.store.read() as session:
        assert release_queries.settled(session, [one, two, passed], now=world.now) == {one, two, passed}


def test_a_first_sight_of_a_pending_bundle_leaves_its_decisions_undoable(world: World) -> None:
    gated(world)
    one = sent(world, "wait", "one", bundle="turn")
    sent(world, "wait", "two", bundle="turn")
    gate.answer(world)
    fetch(world, one)
    assert gate.item(world, one).release_fetched_at is None


def test_once_one_of_a_bundle_was_used_no_decision_on_it_is_undone(world: World) -> None:
    gated(world)
    passed = sent(world, "whatever", "one", bundle="turn")
    held = sent(world, "wait", "two", bundle="turn")
    gate.answer(world)
    assert consume(world, passed, DIGEST).state == "released"
    decision_id = gate.item(world, held).decision_id
    assert decision_id is not None
    with pytest.raises(WrongState, match="fetched"), world.store.write() as session:
        decisions.undo(session, world.actors["ann"], decision_id, now=world.now)


def test_a_bundle_of_a_known_size_waits_for_all_of_it(world: World) -> None:
    gated(world)
    first = sent(world, "whatever", "one", bundle="turn", bundle_size=2)
    assert fetch(world, first).state == "pending"
    second = sent(world, "whatever", "two", bundle="turn", bundle_size=2)
    assert [fetch(world, one).state for one in (first, second)] == ["released", "released"]


def test_a_bundle_is_of_one_system(world: World) -> None:
    gated(world)
    assert fetch(world, sent(world, "whatever", bundle="turn")).state == "released"


def test_an_overdue_member_lets_its_bundle_go(world: World) -> None:
    gated(world)
    lapsing = sent(world, "withhold", bundle="turn")
    passed = sent(world, "whatever", bundle="turn")
    assert fetch(world, passed).state == "pending"
    world.later(hours=1)
    with world.store.read() as session:
        assert release_queries.settled(session, [passed, lapsing], now=world.now) == {passed, lapsing}
    assert fetch(world, passed).state == "released"
    assert gate.item(world, lapsing).status == "lapsed"


def test_an_overdue_member_of_a_bundle_that_still_waits(world: World) -> None:
    gated(world)
    lapsing, waiting = sent(world, "release", bundle="turn"), sent(world, "wait", bundle="turn")
    world.later(hours=1)
    with world.store.read() as session:
        assert release_queries.settled(session, [lapsing, waiting], now=world.now) == set()
    assert fetch(world, lapsing).reason == "bundle"
    assert gate.item(world, lapsing).status == "lapsed"


# Audit


def test_the_audit_trail_vouches_for_what_was_used(world: World, tmp_path: Path) -> None:
    item_id, other = released(world), sent(world, "whatever")
    consume(world, item_id, DIGEST)
    key = AuditKey(tmp_path)
    worker.seal_all(world.store, key, world.now)
    assert audit.verify(world.store, key).problem is None
    tampering = Tampering(world.store)
    used, unused = f"id = {tampering.literal(item_id)}", f"id = {tampering.literal(other)}"
    tampering.change("item", unused, release_consumed_at=tampering.value("item", "release_consumed_at", used))
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.what, problem.id) == ("item", str(other))
    tampering.change("item", unused, release_consumed_at=None)
    tampering.change("item", used, release_consumed_at=None)
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert problem.id == str(item_id)


def test_content_that_has_not_the_digest_is_never_given(world: World) -> None:
    item_id = sent(gated(world), "whatever")
    with world.store.write() as session:
        session.get_one(Item, item_id).release_digest = "0" * 64
    with pytest.raises(RuntimeError, match="digest"):
        fetch(world, item_id)

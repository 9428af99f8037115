import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import modes
from review.delivery import worker
from review.domain.modes import Mode
from review.errors import Forbidden, Invalid, NotFound
from review.queries import modes as mode_queries
from review.queries.modes import ModeNow
from review.store.secrets import AuditKey
from review.store.tables import AuditEvent, OutboxMessage
from tests.support.gate import gated, sent, set_mode
from tests.support.world import World, output


def mode_of(world: World, who: str = "helper", slug: str = "helper") -> ModeNow:
    with world.store.read() as session:
        return mode_queries.mode_of(session, world.actors[who], slug, now=world.now)


def told(world: World, topic: str = "system.mode_changed") -> list[dict[str, Any]]:
    with world.store.read() as session:
        return list(
            session.execute(
                select(OutboxMessage.body).where(col(OutboxMessage.topic) == topic).order_by(col(OutboxMessage.id))  # type: ignore[call-overload]
            ).scalars()
        )


@pytest.mark.parametrize("who", ["odo", "dee", "adm"])
def test_who_answers_for_a_system_sets_its_mode_and_everyone_is_told(world: World, who: str) -> None:
    assert mode_of(world) == ModeNow("helper", Mode.NORMAL, "", None, None)
    until = world.now + timedelta(hours=1)
    set_mode(world, Mode.REVIEW_ALL, who, reason="It invents dates.", until=until)
    assert mode_of(world) == ModeNow("helper", Mode.REVIEW_ALL, "It invents dates.", world.now, until)
    [message] = told(world)
    assert (message["system"], message["mode"], message["before"]) == ("helper", "review_all", "normal")
    with world.store.read() as session:
        event = session.execute(select(AuditEvent).where(col(AuditEvent.action) == "system.mode_changed")).scalar_one()
        assert (event.actor_name, event.subject_kind) == (who.title(), "system")
        assert "It invents dates." in event.body


@pytest.mark.parametrize("who", ["ann", "lea", "aud", "helper"])
def test_nobody_else_sets_it(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        set_mode(world, Mode.STOPPED, who)
    assert mode_of(world).mode is Mode.NORMAL


@pytest.mark.parametrize(
    ("also", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2_001}, "reason"),
        ({"reason": "a\x00"}, "reason"),
        ({"until": datetime.fromisoformat("2026-03-02T09:00:00Z")}, "until"),
    ],
)
def test_a_mode_that_makes_no_sense_is_refused(world: World, also: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as invalid:
        set_mode(world, Mode.STOPPED, **also)
    assert invalid.value.field == field
    with pytest.raises(Invalid, match="no end"):
        set_mode(world, Mode.NORMAL, until=world.now + timedelta(hours=1))
    with world.store.write() as session, pytest.raises(NotFound):
        modes.set_mode(session, world.actors["odo"], "nothing", Mode.STOPPED, reason="x", now=world.now)


def test_a_mode_ends_by_itself_and_the_worker_says_so(world: World, tmp_path: Path) -> None:
    gated(world)
    until = world.now + timedelta(minutes=30)
    set_mode(world, Mode.REVIEW_ALL, until=until)
    assert world.submit(output("a", input="whatever"))[0].status == "waiting"
    world.later(minutes=31)
    assert world.submit(output("b", input="whatever"))[0][-2:] == ("normal", False)
    before = mode_of(world)
    assert (before.mode, before.since, before.until) == (Mode.NORMAL, until, None)
    assert worker.tick(world.store, AuditKey(tmp_path), world.now).n_modes_ended == 1
    assert mode_of(world) == before
    assert [(one["mode"], one["before"]) for one in told(world)] == [("review_all", "normal"), ("normal", "review_all")]
    assert worker.tick(world.store, AuditKey(tmp_path), world.now).n_modes_ended == 0


def test_the_next_output_has_the_mode(world: World) -> None:
    gated(world)
    set_mode(world, Mode.STOPPED)
    assert world.submit(output("x", input="whatever"))[0].mode == "stopped"
    set_mode(world, Mode.NORMAL)
    assert world.submit(output("x", input="whatever"))[0].mode == "normal"


def test_who_may_know_the_mode(world: World) -> None:
    for who in ("helper", "ann", "aud"):
        assert mode_of(world, who).mode is Mode.NORMAL
    with pytest.raises(NotFound):
        mode_of(world, "helper", "another")


def test_nothing_is_sent_while_nothing_changes(world: World) -> None:
    sent(gated(world), "whatever")
    assert told(world) == []


def test_a_stop_gets_through_while_outputs_never_cease_to_come(world: World) -> None:
    """Locks that any number may share would let every intake pass before it, for ever."""
    gated(world)
    end = threading.Event()

    def send(hand: int) -> int:
        n = 0
        while not end.is_set():
            n += len(world.submit(*(output(f"{hand}-{n}-{k}", input="whatever") for k in range(100))))
        return n

    with ThreadPoolExecutor(6) as pool:
        hands = [pool.submit(send, hand) for hand in range(6)]
        try:
            time.sleep(1)
            began = time.monotonic()
            set_mode(world, Mode.STOPPED)
            took = time.monotonic() - began
        finally:
            end.set()
        assert sum(hand.result(60) for hand in hands) > 0
    assert took < 30

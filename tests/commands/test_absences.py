"""Who is away and who is paused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import select

from review.commands import absences, pauses
from review.domain.actors import HOLDPOINT
from review.errors import Forbidden, Invalid, NotFound, ReviewError, WrongState
from review.queries import people as people_queries
from review.queries import queues as queue_queries
from review.store.tables import Pause, System
from tests.support.queues import away, events, messages
from tests.support.world import World, output


def shown(world: World, who: str) -> list[str]:
    with world.store.read() as session:
        return [one.person for one in queue_queries.absences(session, world.actors[who], now=world.now)]


def test_a_person_says_it_themselves_and_a_lead_for_them(world: World) -> None:
    away(world, None, who="ann")
    away(world, "ann", who="ann", starts=48)
    away(world, "bob", who="lea", starts=1)
    assert shown(world, "lea") == ["ann", "bob", "ann"]
    assert shown(world, "bob") == ["bob"]
    with pytest.raises(Forbidden):
        away(world, "bob", who="ann")
    with pytest.raises(Forbidden):
        away(world, "nobody", who="ann")
    with pytest.raises(NotFound):
        away(world, "nobody", who="lea")
    world.later(hours=24)
    assert shown(world, "lea") == ["bob", "ann"]


@pytest.mark.parametrize(("starts", "hours"), [(0, 0), (2, -1), (-48, 24), (0, 24 * 367)])
def test_times_that_mean_nothing_are_refused(world: World, starts: float, hours: float) -> None:
    with pytest.raises(Invalid) as refused:
        away(world, "ann", starts=starts, hours=hours)
    assert refused.value.field == "until_at"


def test_it_is_taken_back_by_who_may(world: World) -> None:
    first, second = away(world, None, who="ann"), away(world, None, who="ann", starts=48)
    with world.store.write() as session, pytest.raises(Forbidden):
        absences.remove(session, world.actors["bob"], first.id, now=world.now)
    with world.store.write() as session:
        absences.remove(session, world.actors["ann"], first.id, now=world.now)
        absences.remove(session, world.actors["lea"], second.id, now=world.now)
        with pytest.raises(NotFound):
            absences.remove(session, world.actors["ann"], first.id, now=world.now)
    assert shown(world, "lea") == []
    assert len(events(world, "absence.removed")) == 2


def pause(world: World, username: str = "ann", who: str = "lea", system: str = "helper", reason: str = "hasty") -> Any:
    with world.store.write() as session:
        return pauses.pause(session, world.actors[who], username, system, reason=reason, now=world.now)


def lift(world: World, pause_id: Any, who: str = "lea", reason: str = "trained") -> None:
    with world.store.write() as session:
        pauses.lift(session, world.actors[who], pause_id, reason=reason, now=world.now)


def test_a_paused_person_finds_nothing_of_that_system_until_a_lead_lifts_it(world: World) -> None:
    world.submit(output())
    begun: Pause = pause(world)
    assert pause(world) is None
    assert world.claim("ann") is None
    with world.store.read() as session:
        [told] = people_queries.pauses(session, world.actors["ann"])
        assert people_queries.pauses(session, world.actors["bob"]) == []
    assert (told.system, told.reason, told.since) == ("helper", "hasty", world.now)
    lift(world, begun.id)
    assert world.claim("ann") is not None
    assert orjson.loads(events(world, "person.pause_lifted")[0].body)["reason"] == "trained"
    assert [one["person"] for one in messages(world, "person.paused")] == ["ann"]
    with pytest.raises(WrongState):
        lift(world, begun.id)
    assert pause(world) is not None


def test_holdpoint_pauses_too(world: World) -> None:
    with world.store.write() as session:
        system = session.execute(select(System)).scalar_one()
        person_id = world.actors["bob"].person_id
        assert pauses.begin(session, HOLDPOINT, person_id, system.id, reason="accuracy 60%", now=world.now)
    assert events(world, "person.paused")[0].actor_name == "Holdpoint"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"username": "nobody"}, NotFound), ({"system": "none"}, NotFound), ({"reason": " "}, Invalid),
        ({"reason": "x" * 2_001}, Invalid), ({"who": "ann"}, Forbidden),
    ],
)  # fmt: skip
def test_a_pause_that_cannot_be(world: World, fields: dict[str, str], error: type[ReviewError]) -> None:
    with pytest.raises(error):
        pause(world, **fields)


def test_nobody_lifts_their_own(world: World) -> None:
    begun = pause(world, "lea", who="adm")
    with pytest.raises(Invalid, match="their own"):
        lift(world, begun.id)
    with pytest.raises(NotFound):
        lift(world, uuid4())
    with pytest.raises(Invalid):
        lift(world, begun.id, who="adm", reason="")
    lift(world, begun.id, who="adm")
    assert world.later(hours=1) - timedelta(hours=1) == begun.since


def test_nobody_pauses_themselves(world: World) -> None:
    with world.store.write() as session, pytest.raises(WrongState, match="themselves"):
        pauses.pause(session, world.actors["lea"], username="lea", system="helper", reason="rest", now=world.now)

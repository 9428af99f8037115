"""Many tasks at once: what is looked at is what is done, and what is undone is what nobody took since."""

from typing import Any

import orjson
import pytest

from review.commands import reassignments
from review.commands.reassignments import Preview
from review.domain.queues import Chosen
from review.errors import Forbidden, Invalid, NotFound, WrongState
from tests.support.queues import assign, assigned, away, events, messages, settle, tasks_of
from tests.support.world import World, output


def preview(world: World, to: str | None, who: str = "lea", **chosen: Any) -> Preview:
    with world.store.write() as session:
        wanted = Chosen.model_validate(chosen)
        return reassignments.preview(session, world.actors[who], wanted, to, now=world.now)


def carry_out(world: World, found: Preview, who: str = "lea") -> int:
    with world.store.write() as session:
        return reassignments.carry_out(session, world.actors[who], found.id, now=world.now)


def undo(world: World, found: Preview, who: str = "lea") -> int:
    with world.store.write() as session:
        return reassignments.undo(session, world.actors[who], found.id, now=world.now)


def send(world: World, *ids: str) -> None:
    world.submit(*(output(id_) for id_ in ids))


def test_what_was_looked_at_is_what_is_done(world: World) -> None:
    send(world, "x1", "x2", "x3")
    found = preview(world, "bob", system="helper", queue="default", kind="review")
    assert (found.n, found.n_held, found.n_not_allowed) == (3, 0, 0)
    assert [external_id for _, external_id in found.sample] == ["x1", "x2", "x3"]
    assert set(assigned(world).values()) == {None}
    send(world, "x4")  # it came too late to be looked at
    assign(world, tasks_of(world, "x3")[0], "ann")  # and this one changed since
    assert carry_out(world, found) == 2
    assert assigned(world) == {"x1": "bob", "x2": "bob", "x3": "ann", "x4": None}
    told = [orjson.loads(event.body) for event in events(world, "task.assigned")]
    assert [one.get("reassignment_id") for one in told] == [None, str(found.id), str(found.id)]
    assert messages(world, "tasks.reassigned")[0]["n"] == 2


def test_undo_gives_back_what_nobody_claimed_since(world: World) -> None:
    send(world, "x1", "x2", "x3")
    assign(world, tasks_of(world, "x2")[0], "ann")
    found = preview(world, "bob")
    assert carry_out(world, found) == 3
    assert world.claim("bob") is not None
    world.later(minutes=9)
    assert undo(world, found) == 2
    assert assigned(world) == {"x1": "bob", "x2": "ann", "x3": None}
    assert len(events(world, "task.reassignment_undone")) == 2
    with pytest.raises(WrongState, match="nothing to undo"):
        undo(world, found)


def test_undo_gives_nothing_back_to_who_may_not_take_it_by_then(world: World) -> None:
    send(world, "x1", "x2")
    for id_, to in (("x1", "bob"), ("x2", "lea")):
        assign(world, tasks_of(world, id_)[0], to)
    found = preview(world, "ann")
    assert carry_out(world, found) == 2
    away(world, "bob")
    assert undo(world, found) == 2
    assert assigned(world) == {"x1": None, "x2": "lea"}


def test_freeing_all_that_one_has(world: World) -> None:
    send(world, "x1", "x2", "x3")
    for id_, to in (("x1", "ann"), ("x2", "ann"), ("x3", "bob")):
        assign(world, tasks_of(world, id_)[0], to)
    found = preview(world, None, assigned_to="ann")
    assert (found.n, carry_out(world, found)) == (2, 2)
    assert assigned(world) == {"x1": None, "x2": None, "x3": "bob"}
    assert undo(world, found) == 2
    assert assigned(world) == {"x1": "ann", "x2": "ann", "x3": "bob"}


def test_what_is_worked_on_is_left_out_and_counted(world: World) -> None:
    send(world, "x1", "x2")
    assert world.claim("ann") is not None
    found = preview(world, "bob")
    assert (found.n, found.n_held) == (1, 1)


def test_what_the_person_may_not_take_is_left_out_and_counted(world: World) -> None:
    send(world, "x1", "x2")
    world.submit(output("x3", requested_by="bob"))
    found = preview(world, "bob")
    assert (found.n, found.n_not_allowed) == (2, 1)
    settle(world, members=["ann"])
    assert preview(world, "bob").n_not_allowed == 3


@pytest.mark.parametrize(
    ("chosen", "n"),
    [
        ({"priority_from": 60}, 1), ({"priority_from": 50}, 3), ({"older_than_minutes": 30}, 2),
        ({"kind": "escalation"}, 0), ({"is_assigned": False}, 2), ({"is_assigned": True}, 1),
        ({"assigned_to": "ann"}, 1), ({"queue": "escalations"}, 0),
    ],
)  # fmt: skip
def test_the_filter(world: World, chosen: dict[str, Any], n: int) -> None:
    send(world, "x1", "x2")
    assign(world, tasks_of(world, "x1")[0], "ann")
    world.later(hours=1)
    world.submit(output("pay", kind="action", output={"tool": "pay"}, flags=[{"code": "money", "severity": 5}]))
    assert preview(world, "bob", **chosen).n == n


@pytest.mark.parametrize("chosen", [{"queue": "none"}, {"system": "none"}, {"assigned_to": "none"}])
def test_a_filter_on_what_is_not_there_says_so(world: World, chosen: dict[str, Any]) -> None:
    with pytest.raises(NotFound) as refused:
        preview(world, "bob", **chosen)
    assert refused.value.field == next(iter(chosen))


def test_it_is_ones_own_and_once_and_soon(world: World) -> None:
    send(world, "x1")
    found = preview(world, "bob")
    with pytest.raises(NotFound):
        carry_out(world, found, who="adm")
    with pytest.raises(Forbidden):
        preview(world, "bob", who="ann")
    with pytest.raises(WrongState, match="nothing to undo"):
        undo(world, found)
    assert carry_out(world, found) == 1
    with pytest.raises(WrongState, match="done already"):
        carry_out(world, found)
    world.later(minutes=11)
    with pytest.raises(WrongState, match="10 minutes"):
        undo(world, found)
    late = preview(world, "ann")
    world.later(minutes=11)
    with pytest.raises(WrongState, match="too long ago"):
        carry_out(world, late)
    newer = preview(world, "ann")
    with pytest.raises(NotFound):  # a new look takes the place of the one before
        carry_out(world, late)
    assert carry_out(world, newer) == 1


def test_nothing_goes_to_who_is_away_by_then(world: World) -> None:
    send(world, "x1")
    found = preview(world, "bob")
    away(world, "bob")
    with pytest.raises(Invalid, match="away"):
        carry_out(world, found)
    assert assigned(world) == {"x1": None}


def test_too_many_at_once_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassignments, "MOST", 2)
    send(world, "x1", "x2", "x3")
    with pytest.raises(Invalid, match="Narrow it"):
        preview(world, "bob")


def test_a_search_narrows_it_as_in_the_inbox(world: World) -> None:
    send(world, "refund-1", "refund-2", "order-1")
    assert carry_out(world, preview(world, "bob", q="refund-")) == 2
    assert assigned(world) == {"refund-1": "bob", "refund-2": "bob", "order-1": None}

"""Calibration from decisions: when it is fitted, on what, and that intake orders by it."""

from sqlalchemy import select, update
from sqlmodel import col

from review.commands import calibrations
from review.queries import calibrations as known
from review.store.tables import Calibration, Item, System, Task
from tests.support.discipline import activate, say
from tests.support.world import World, output

BY_RISK = "order: expected_risk\n"


def history(world: World, n: int, name: str = "old") -> None:
    """Decided outputs of which the confident ones are all wrong."""
    world.submit(*(output(f"{name} {k}", confidence=0.9 if k % 2 else 0.1) for k in range(n)))
    for _ in range(n):
        task = world.claim("ann")
        assert task is not None
        with world.store.read() as session:
            is_sure = session.get_one(Item, task.item_id).confidence == 0.9
        world.decide(task, "ann", verdict="reject" if is_sure else "approve")


def fit(world: World) -> int:
    with world.store.write() as session:
        return calibrations.fit_due(session, now=world.now)


def test_it_is_fitted_when_there_is_enough_that_is_new(world: World) -> None:
    activate(world)
    history(world, 19)
    assert fit(world) == 0
    history(world, 2, "more")
    world.later(seconds=1)
    assert fit(world) == 1
    world.later(seconds=1)
    history(world, 30, "new")
    assert fit(world) == 0  # ten minutes are not over
    world.later(minutes=10)
    assert fit(world) == 1
    world.later(minutes=10)
    assert fit(world) == 0  # nothing is new
    with world.store.read() as session:
        assert [one.n for one in session.execute(select(Calibration).order_by(col(Calibration.n))).scalars()] == [
            21,
            51,
        ]


def test_intake_orders_by_what_was_learned_and_not_by_the_confidence(world: World) -> None:
    activate(world, rest=BY_RISK)
    sure, unsure = output("sure 1", confidence=0.9), output("unsure 1", confidence=0.1)
    before = priorities(world, sure, unsure)
    assert before == {"sure 1": 6, "unsure 1": 54}
    say(world, "ann")
    say(world, "ann")
    history(world, 100)
    world.later(minutes=1)
    fit(world)
    after = priorities(world, output("sure 2", confidence=0.9), output("unsure 2", confidence=0.1))
    assert after["sure 2"] == after["unsure 2"]  # a curve that may only fall is level where the confident ones err


def priorities(world: World, *outputs: dict[str, object]) -> dict[str, int]:
    taken = world.submit(*outputs)
    with world.store.read() as session:
        found = {}
        for one, sent in zip(taken, outputs, strict=True):
            query = select(col(Task.priority)).where(col(Task.item_id) == one.item_id)
            found[str(sent["external_id"])] = session.execute(query).scalar_one()
    return found


def test_a_confidence_that_misleads_is_told(world: World) -> None:
    activate(world)
    history(world, 100)
    fit(world)
    with world.store.read() as session:
        [told] = known.known(session, world.actors["odo"], system="helper")
    assert told.auc.value == 0
    assert told.warning is not None
    assert "misleads" in told.warning


def test_too_few_are_not_believed(world: World) -> None:
    activate(world)
    history(world, 60)
    fit(world)
    with world.store.read() as session:
        [kept] = session.execute(select(Calibration)).scalars()
        assert kept.n == 60
        assert known.curves(session, kept.system_id) == {}
        assert known.known(session, world.actors["odo"]) == []


def test_what_holdpoint_decided_is_nothing_to_learn_from(world: World) -> None:
    activate(world, rest="fallback: We will come back to you.\n")
    with world.store.write() as session:
        session.execute(update(System).values(mode="stopped"))
    world.submit(*(output(f"x{n}") for n in range(40)))
    assert fit(world) == 0

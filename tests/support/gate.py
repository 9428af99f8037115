"""A policy whose rules differ in what happens when nobody answers, and outputs that each rule is for."""

from typing import Any
from uuid import UUID

from review.commands import modes, policies, releases
from review.domain.actors import HOLDPOINT
from review.domain.modes import Mode
from review.queries import releases as release_queries
from review.queries.releases import Release
from review.store.tables import Item
from tests.support.world import World, output

FALLBACK = "A colleague will answer you."
GATE = f"""\
queue: default
fallback: {FALLBACK}
rules:
  - {{name: withhold, when: "input == 'withhold'", route: review, on_lapse: withhold, due: PT1H}}
  - {{name: release, when: "input == 'release'", route: review, on_lapse: release, due: PT1H}}
  - {{name: fallback, when: "input == 'fallback'", route: block, on_lapse: fallback, fallback: Please wait., due: PT1H}}
  - {{name: wait, when: "input == 'wait'", route: review, due: PT1H}}
  - {{name: at once, when: "input == 'at once'", route: review, hold: false, due: PT1H}}
"""


def gated(world: World, document: str = GATE) -> World:
    """The world with this policy in force."""
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", document, now=world.now)
    return world


def sent(world: World, rule: str, external_id: str | None = None, **changes: Any) -> UUID:
    """Submit an output that the rule of this name is for; gives the item's id."""
    (taken,) = world.submit(output(external_id or rule, input=rule, **changes))
    return taken.item_id


def fetch(world: World, item_id: UUID, who: str = "helper") -> Release:
    with world.store.write() as session:
        return releases.fetch(session, world.actors[who], item_id, now=world.now)


def peek(world: World, item_id: UUID, who: str = "helper") -> Release:
    """The release as a reader sees it, with nothing written."""
    with world.store.read() as session:
        return release_queries.release(session, world.actors[who], item_id, now=world.now)


def consume(world: World, item_id: UUID, sha256: str) -> Release:
    with world.store.write() as session:
        return releases.consume(session, world.actors["helper"], item_id, sha256, now=world.now)


def item(world: World, item_id: UUID) -> Item:
    with world.store.read() as session:
        return session.get_one(Item, item_id)


def set_mode(world: World, mode: Mode, who: str = "odo", **also: Any) -> None:
    with world.store.write() as session:
        modes.set_mode(session, world.actors[who], "helper", mode, **{"reason": "a test", **also}, now=world.now)


def answer(world: World, who: str = "ann", **answer: Any) -> None:
    """Claim the next task and decide it."""
    task = world.claim(who)
    assert task is not None
    world.decide(task, who, **answer)

"""The queues' commands, run as people run them."""

import json

import pytest

from tests.support.queues import events
from tests.support.terminal import Terminal, at_world, terminal
from tests.support.world import World, output

__all__ = ["at_world", "terminal"]
SETTINGS = """\
name: First look
members: [ann]
load_cap: 5
service:
  time_zone: Europe/Berlin
  hours: {mon: [{start: "09:00", end: "17:00"}]}
"""


def test_a_queue_is_settled_from_a_file_and_listed(at_world: Terminal, world: World) -> None:
    world.submit(output())
    told = at_world.done("queue", "settle", "default", str(at_world.file("queue.yaml", SETTINGS)))
    assert told.strip() == "default is run this way now."
    assert events(world, "queue.settled")[0].actor_name == "command line"
    [listed, *_] = json.loads(at_world.done("queue", "list", "--json"))["queues"]
    assert (listed["queue"], listed["n_open"], listed["settings"]["members"]) == ("default", 1, ["ann"])
    assert listed["settings"]["service"]["hours"] == {"mon": [{"start": "09:00:00", "end": "17:00:00"}]}
    assert "default: 1 open, " in at_world.done("queue", "list")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("members: [ann]", "name"), ("- a", "holds no settings"), ("{", "is not YAML"),
        (SETTINGS.replace('"17:00"', "17:00"), "in quotes"), (SETTINGS.replace("ann", "odo"), "members: "),
    ],
)  # fmt: skip
def test_what_cannot_be_settled_is_told_in_a_line(at_world: Terminal, world: World, content: str, told: str) -> None:
    world.submit(output())
    assert told in at_world.refused("queue", "settle", "default", str(at_world.file("queue.yaml", content)))

"""Settling queues: who may, what is refused and why, and what follows for tasks at once."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from review.commands import people
from review.domain.actors import HOLDPOINT, Role
from review.domain.queues import Settings
from review.errors import Forbidden, Invalid, NotFound, ReviewError
from review.queries import queues as queue_queries
from review.store.tables import Person
from tests.support.queues import assign, assigned, away, events, settle, skilled, tasks_of
from tests.support.world import World, output

HOURS = {"time_zone": "Europe/Berlin", "hours": {"mon": [{"start": "09:00", "end": "17:00"}]}}


def test_what_was_settled_is_kept_and_on_record(world: World) -> None:
    world.submit(output())
    settle(world, name="First look", members=["ann", "lea"], ceiling=100, load_cap=5, service=HOURS)
    with world.store.read() as session:
        [run, *_] = queue_queries.listed(session, world.actors["odo"], now=world.now)
    assert (run.slug, run.settings.name, run.settings.members) == ("default", "First look", ["ann", "lea"])
    assert (run.settings.ceiling, run.settings.load_cap, run.n_open, run.escalates_to) == (100, 5, 1, "escalations")
    assert run.settings.service is not None
    assert run.settings.service.time_zone == "Europe/Berlin"
    [event] = events(world, "queue.settled")
    told = orjson.loads(event.body)
    assert (told["queue"], told["members"], told["ceiling"]) == ("default", ["ann", "lea"], 100)


def test_members_alone_are_offered_its_tasks(world: World) -> None:
    world.submit(output())
    settle(world, members=["bob"])
    assert world.claim("ann") is None
    with pytest.raises(Forbidden, match="members"):
        world.claim("ann", "default")
    assert world.claim("bob") is not None


def test_due_times_are_promised_in_working_time(world: World) -> None:
    world.submit(output())
    settle(world, service=HOURS)  # it is Monday, 10:00 in Berlin
    world.later(hours=6)
    world.submit(output("x2"))
    [before, after] = tasks_of(world)
    assert before.due_at.isoformat() == "2026-03-02T13:00:00+00:00"
    assert after.due_at.isoformat() == "2026-03-09T11:00:00+00:00"  # an hour is left this Monday, three the next


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"members": ["nobody"]}, "members", "not an active person"),
        ({"members": ["odo"]}, "members", "only reviewers and leads"),
        ({"service": {"steps": [{"name": "tell", "after_minutes": 0, "action": "notify", "notify": ["who"]}]}},
         "service.steps[tell].notify", "not an active person"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(world: World, fields: dict[str, Any], field: str, told: str) -> None:
    world.submit(output())
    with pytest.raises(Invalid, match=told) as refused:
        settle(world, **fields)
    assert refused.value.field == field


def test_leads_alone_work_what_was_handed_up_and_nobody_is_above_them(world: World) -> None:
    world.submit(output())
    with pytest.raises(Invalid, match="only leads"):
        settle(world, "escalations", members=["ann"])
    up = {"name": "up", "after_minutes": 0, "action": "hand_up"}
    with pytest.raises(Invalid, match="nobody is above"):
        settle(world, "escalations", service={"steps": [up]})
    settle(world, "escalations", members=["lea"])


@pytest.mark.parametrize("wrong", [{"ceiling": 0}, {"load_cap": 0}, {"name": ""}, {"ceiling": "many"}, {"size": 1}])
def test_values_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"name": "n", **wrong})


@pytest.mark.parametrize("who", ["ann", "odo", "aud"])
def test_who_may_not_settle_a_queue(world: World, who: str) -> None:
    world.submit(output())
    with pytest.raises(Forbidden, match="manage queues"):
        settle(world, who=who)


def test_a_queue_that_is_none(world: World) -> None:
    with pytest.raises(NotFound, match="no queue"):
        settle(world, "nowhere")


def test_tasks_of_who_no_longer_works_it_are_offered_to_everyone(world: World) -> None:
    world.submit(output())
    assign(world, tasks_of(world)[0], "ann")
    settle(world, members=["bob"])
    assert assigned(world) == {"x1": None}
    assert orjson.loads(events(world, "task.freed")[0].body)["why"] == "no member"
    assert world.claim("bob") is not None


def test_who_works_what_and_has_how_much(world: World) -> None:
    world.submit(output("x1"), output("x2"))
    settle(world, members=["bob"])
    skilled(world, "bob", "language:de", "domain:law", "language:de")
    assign(world, tasks_of(world)[0], "bob")
    away(world, "ann", starts=1)
    with world.store.read() as session:
        found = {one.username: one for one in queue_queries.workers(session, world.actors["aud"], now=world.now)}
    assert set(found) == {"ann", "bob", "lea"}
    assert (found["bob"].queues, found["bob"].skills, found["bob"].n_assigned) == (
        ["default"], ["domain:law", "language:de"], 1,
    )  # fmt: skip
    assert found["ann"].queues == []
    assert len(found["ann"].absences) == 1
    assert found["lea"].queues == ["escalations"]


def test_skills_go_on_record_and_decide_who_keeps_a_task(world: World) -> None:
    world.submit(output())
    skilled(world, "ann", "language:de")
    assert orjson.loads(events(world, "person.skills_changed")[0].body)["skills"] == ["language:de"]
    with pytest.raises(ReviewError, match="not an active person"):
        skilled(world, "gone", "language:de")
    with pytest.raises(ValidationError):
        skilled(world, "ann", "German")


def test_who_left_has_nothing_assigned(world: World) -> None:
    world.submit(output())
    assign(world, tasks_of(world)[0], "ann")
    with world.store.write() as session:
        ann = session.execute(select(col(Person.id)).where(col(Person.username) == "ann")).scalar_one()
        people.set_role(session, HOLDPOINT, ann, Role.AUDITOR, now=world.now)
    settle(world)
    assert assigned(world) == {"x1": None}

"""Queues over HTTP, as documented: every answer is checked against the document."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.queues import assigned, tasks_of
from tests.support.serving import Caller
from tests.support.world import output

SERVICE = {
    "time_zone": "Europe/Berlin",
    "hours": {"mon": [{"start": "09:00:00", "end": "17:00:00"}]},
    "holidays": ["2026-12-25"],
    "due_soon_minutes": 60,
    "steps": [{"name": "up", "after_minutes": 30, "action": "hand_up", "priority": 100, "notify": []}],
}
SETTINGS = {"name": "First look", "members": ["ann", "bob"], "ceiling": 100, "load_cap": 2, "service": SERVICE}


@pytest.fixture
def waiting(api: Caller) -> Caller:
    """Three tasks wait in the queue named default."""
    api.world.submit(*(output(f"x{n}") for n in range(3)))
    return api


def test_a_queue_is_settled_and_read_as_it_was_settled(waiting: Caller) -> None:
    answer = waiting.call("PUT", "/queues/default", "lea", json=SETTINGS)
    assert answer.status_code == 200
    assert answer.json() == {
        "queue": "default", "level": 0, "escalates_to": "escalations", "settings": SETTINGS,
        "n_open": 3, "n_overdue": 0, "n_assigned": 0, "n_held": 0,
    }  # fmt: skip
    assert waiting.get("/queues/default", "aud").json() == answer.json()
    assert [one["queue"] for one in waiting.get("/queues", "odo").json()["queues"]] == ["default", "escalations"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"members": ["odo"]}, "members"), ({"load_cap": 0}, "load_cap"), ({"name": ""}, "name"),
        ({"service": {"time_zone": "Mars"}}, "service.time_zone"), ({"size": 1}, "size"),
        ({"service": {"hours": {"mon": [{"start": "9", "end": "17:00"}]}}}, "service.hours.mon.0.start"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(waiting: Caller, change: dict[str, Any], field: str) -> None:
    answer = waiting.call("PUT", "/queues/default", "lea", json={**SETTINGS, **change})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_who_may(waiting: Caller) -> None:
    for who in ("ann", "odo", "helper"):
        assert waiting.call("PUT", "/queues/default", who, json=SETTINGS).status_code == 403
    for path in ("/queues", "/queues/default", "/workers"):
        assert waiting.get(path, "ann").status_code == 403
        assert waiting.get(path, "helper").status_code == 403
    assert waiting.get("/queues/nowhere", "lea").status_code == 404


def test_tasks_are_assigned_by_themselves_and_by_hand(waiting: Caller) -> None:
    assert waiting.post("/queues/default/assign", {}, "lea").status_code == 422
    waiting.call("PUT", "/queues/default", "lea", json={**SETTINGS, "load_cap": 1})
    assert waiting.post("/queues/default/assign", {}, "lea").json() == {"n_assigned": 2}
    [*_, last] = tasks_of(waiting.world)
    assert waiting.post(f"/tasks/{last.id}/assign", {"to": "ann"}, "lea").status_code == 204
    assert assigned(waiting.world) == {"x0": "ann", "x1": "bob", "x2": "ann"}
    assert waiting.post(f"/tasks/{last.id}/assign", {"to": None}, "lea").status_code == 204
    assert waiting.post(f"/tasks/{last.id}/assign", {"to": "odo"}, "lea").json()["field"] == "to"
    assert waiting.post(f"/tasks/{last.id}/assign", {}, "lea").status_code == 422
    loads = {one["person"]: one["n_assigned"] for one in waiting.get("/workers", "lea").json()["workers"]}
    assert loads == {"ann": 1, "bob": 1, "lea": 0}


def test_many_at_once(waiting: Caller) -> None:
    looked = waiting.post("/reassignments", {"chosen": {"queue": "default"}, "to": "bob"}, "lea")
    assert looked.status_code == 201
    found = looked.json()
    assert (found["n"], found["n_held"], [one["external_id"] for one in found["sample"]]) == (3, 0, ["x0", "x1", "x2"])
    path = f"/reassignments/{found['reassignment_id']}"
    assert waiting.post(f"{path}/carry_out", {}, "adm").status_code == 404
    assert waiting.post(f"{path}/carry_out", {}, "lea").json() == {"n": 3}
    assert waiting.post(f"{path}/carry_out", {}, "lea").status_code == 409
    assert waiting.post(f"{path}/undo", {}, "lea").json() == {"n": 3}
    assert set(assigned(waiting.world).values()) == {None}


def test_skills(api: Caller) -> None:
    assert api.call("PUT", "/workers/ann/skills", "lea", json={"skills": ["language:de"]}).status_code == 204
    [ann, *_] = api.get("/workers", "lea").json()["workers"]
    assert (ann["person"], ann["skills"]) == ("ann", ["language:de"])
    assert api.call("PUT", "/workers/ann/skills", "lea", json={"skills": ["German"]}).json()["field"] == "skills.0"
    assert api.call("PUT", "/workers/nobody/skills", "lea", json={"skills": []}).status_code == 422


def test_absences(api: Caller) -> None:
    days = {"from_at": "2026-03-03T00:00:00Z", "until_at": "2026-03-05T00:00:00Z"}
    mine = api.post("/absences", days)
    assert mine.status_code == 201
    assert api.post("/absences", {**days, "person": "bob"}).status_code == 403
    assert api.post("/absences", {**days, "person": "bob"}, "lea").status_code == 201
    assert [one["person"] for one in api.get("/absences", "lea").json()["absences"]] == ["ann", "bob"]
    assert [one["person"] for one in api.get("/absences").json()["absences"]] == ["ann"]
    assert api.post("/absences", {**days, "until_at": days["from_at"]}).json()["field"] == "until_at"
    path = f"/absences/{mine.json()['absence_id']}"
    assert api.call("DELETE", path, "bob").status_code == 403
    assert api.call("DELETE", path).status_code == 204
    assert api.call("DELETE", path).status_code == 404
    assert api.get("/absences", "helper").status_code == 403


def test_pauses(api: Caller) -> None:
    body = {"person": "ann", "system": "helper", "reason": "too fast"}
    assert api.post("/pauses", body).status_code == 403
    assert api.post("/pauses", body, "lea").status_code == 204
    [told] = api.get("/pauses").json()["pauses"]
    assert (told["person"], told["system"], told["reason"]) == ("ann", "helper", "too fast")
    assert api.get("/pauses", "bob").json() == {"pauses": []}
    assert len(api.get("/pauses", "aud").json()["pauses"]) == 1
    assert api.post(f"/pauses/{told['pause_id']}/lift", {"reason": ""}, "lea").json()["field"] == "reason"
    assert api.post(f"/pauses/{told['pause_id']}/lift", {"reason": "trained"}, "lea").status_code == 204
    assert api.post(f"/pauses/{uuid4()}/lift", {"reason": "trained"}, "lea").status_code == 404
    assert api.get("/pauses").json() == {"pauses": []}

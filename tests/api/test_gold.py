"""Gold, many at once, and what a confidence is worth, over HTTP."""

import time
from typing import Any

import pytest
from sqlalchemy import select

from review.commands import calibrations
from review.store.tables import Task
from tests.support.discipline import activate
from tests.support.serving import Caller
from tests.support.world import output


def decided(api: Caller, external_id: str, verdict: str = "approve") -> str:
    item_id: str = api.send(output(external_id))["item_id"]
    work = api.claim("lea")
    assert api.decide(work, "lea", verdict=verdict).status_code == 201
    return item_id


def gold_ids(api: Caller) -> set[str]:
    with api.world.store.read() as session:
        return {str(task.id) for task in session.execute(select(Task)).scalars() if task.gold_id is not None}


def names(value: Any) -> Any:
    """The names of all fields, however deep."""
    return {name: names(one) for name, one in value.items()} if isinstance(value, dict) else type(value)


def test_leads_keep_and_retire_gold_and_see_how_it_was_answered(api: Caller) -> None:
    item_id = decided(api, "known", "reject")
    assert api.post(f"/items/{item_id}/gold", who="ann").status_code == 403
    added = api.post(f"/items/{item_id}/gold", who="lea")
    assert added.status_code == 201
    assert added.json()["verdict"] == "reject"
    assert api.post(f"/items/{item_id}/gold", who="lea").status_code == 409
    listed = api.get("/systems/helper/gold", "lea").json()
    assert [one["item_id"] for one in listed["items"]] == [item_id]
    assert listed["items"][0]["accuracy"]["n"] == 0
    assert api.get("/systems/helper/gold", "ann").status_code == 403
    assert api.get("/systems/nowhere/gold", "lea").status_code == 404
    assert api.call("DELETE", f"/items/{item_id}/gold", "lea").status_code == 204
    assert api.call("DELETE", f"/items/{item_id}/gold", "lea").status_code == 404


def test_nothing_that_a_reviewer_is_answered_tells_a_gold_task(api: Caller) -> None:
    known = decided(api, "known")
    api.post(f"/items/{known}/gold", who="lea")
    api.world.later(days=60)
    activate(api.world, "reasons: [odd]", "gold: {rate: 0.5, min_n: 100}\n")
    for n in range(30):
        api.send(output(f"x{n}"))
    told: dict[bool, list[Any]] = {True: [], False: []}
    for n in range(25):
        api.world.later(seconds=1)
        work = api.claim("ann")
        item_id = work["item"]["item_id"]
        answers = [
            work,
            api.get(f"/items/{item_id}", "ann").json(),
            api.get(f"/items/{item_id}/history", "ann").json(),
            api.get(f"/items/{item_id}/release", "ann").json(),
        ]
        given = api.decide(work, "ann", verdict=["approve", "reject"][n % 2])
        assert given.status_code == 201, given.text
        answers += [given.json(), api.get(f"/items/{item_id}", "ann").json()]
        told[work["task_id"] in gold_ids(api)].append(answers)
    [golden], others = told[True], told[False]
    assert all(len(one) == len(golden) for one in others)
    for place, answer in enumerate(golden):
        assert names(answer) in [names(other[place]) for other in others], place
    assert golden[1]["status"] == "waiting"
    assert golden[1]["decision"] is None
    assert [event["action"] for event in golden[2]["events"]] == [
        event["action"] for event in others[0][2]["events"]
    ]  # fmt: skip
    assert golden[5]["status"] == others[0][5]["status"] == "decided"
    assert "gold" not in str(golden)


def test_a_reviewer_waits_for_their_own_answer_on_a_gold_task(api: Caller) -> None:
    known = decided(api, "known")
    api.post(f"/items/{known}/gold", who="lea")
    activate(api.world, "", "gold: {rate: 0.5, min_n: 100}\n")
    for n in range(30):
        api.send(output(f"x{n}"))
    while (work := api.claim())["item"]["item_id"] != known:
        api.decide(work)
    began = time.monotonic()
    assert api.get(f"/items/{known}/release?wait=0.2").json()["state"] == "pending"
    assert time.monotonic() - began >= 0.2
    api.decide(work)
    assert api.get(f"/items/{known}/release?wait=20").json()["state"] == "released"
    assert time.monotonic() - began < 10


def test_many_are_decided_at_once(api: Caller) -> None:
    activate(api.world, rest="bulk: true\n")
    for n in range(3):
        api.send(output(f"x{n}"))
    api.claim("ann")
    looked_at = api.post("/bulk/preview", {"system": "helper"}, "lea")
    assert looked_at.status_code == 200, looked_at.text
    assert (looked_at.json()["n"], looked_at.json()["n_claimed"], len(looked_at.json()["sample"])) == (2, 1, 2)
    wanted = {"token": looked_at.json()["token"], "verdict": "reject", "reason": "all the same fault"}
    assert api.post("/bulk/decide", {**wanted, "verdict": "correct"}, "lea").status_code == 422
    assert api.post("/bulk/decide", {**wanted, "reason": ""}, "lea").status_code == 422
    assert api.post("/bulk/decide", wanted, "ann").status_code == 403
    done = api.post("/bulk/decide", wanted, "lea")
    assert done.json() == {"n_decided": 2, "n_claimed": 0, "n_changed": 0, "n_refused": 0}
    assert api.post("/bulk/decide", wanted, "lea").status_code == 409


@pytest.mark.parametrize("who", ["ann", "odo", "adm", "helper"])
def test_nobody_else_decides_many_at_once(api: Caller, who: str) -> None:
    activate(api.world, rest="bulk: true\n")
    api.send(output())
    assert api.post("/bulk/preview", {"system": "helper"}, who).status_code == 403


def test_a_confidence_that_misleads_is_told(api: Caller) -> None:
    for n in range(100):
        api.send(output(f"x{n}", confidence=0.3 if n % 2 else 0.1))
        work = api.claim("lea")
        api.decide(work, "lea", verdict="reject" if n % 2 else "approve")
    with api.world.store.write() as session:
        calibrations.fit_due(session, now=api.world.now)
    [known] = api.get("/systems/helper/calibrations", "odo").json()["calibrations"]
    assert known["auc"]["value"] == 0
    assert "misleads" in known["warning"]
    assert api.get("/systems/nowhere/calibrations", "odo").status_code == 404

import json
import threading
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from review.domain.content import content_digest
from review.domain.modes import Mode
from tests.support.gate import FALLBACK, gated, set_mode
from tests.support.serving import Caller
from tests.support.world import output

OUTPUT = output()["output"]
DIGEST = content_digest(OUTPUT)


def put(api: Caller, path: str, body: dict[str, Any], who: str = "odo") -> httpx.Response:
    return api.call("PUT", path, who, json=body)


def stop(api: Caller, **also: Any) -> httpx.Response:
    return put(api, "/systems/helper/mode", {"mode": "stopped", "reason": "It invents dates.", **also})


# Modes


def test_a_mode_is_set_and_read(api: Caller) -> None:
    assert api.get("/systems/helper/mode", "helper").json() == {
        "system": "helper", "mode": "normal", "reason": "", "since": None, "until": None,
    }  # fmt: skip
    answer = stop(api, until="2026-03-02T12:00:00+02:00")
    assert answer.status_code == 200
    assert api.get("/systems/helper/mode", "aud").json() == answer.json() == {
        "system": "helper", "mode": "stopped", "reason": "It invents dates.", "since": "2026-03-02T09:00:00Z",
        "until": "2026-03-02T10:00:00Z",
    }  # fmt: skip


def test_a_mode_that_did_not_change_is_not_sent_again(api: Caller) -> None:
    first = api.get("/systems/helper/mode", "helper")
    for known in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
        again = api.get("/systems/helper/mode", "helper", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    stop(api, until="2026-03-02T10:00:00Z")
    changed = api.get("/systems/helper/mode", "helper", headers={"if-none-match": first.headers["etag"]})
    assert (changed.status_code, changed.json()["mode"]) == (200, "stopped")
    api.world.later(hours=1)
    ended = api.get("/systems/helper/mode", "helper", headers={"if-none-match": changed.headers["etag"]})
    assert (ended.status_code, ended.json()["mode"]) == (200, "normal")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "off", "reason": "x"}, "mode"),
        ({"mode": "stopped"}, "reason"),
        ({"mode": "stopped", "reason": ""}, "reason"),
        ({"mode": "stopped", "reason": "x", "until": "2026-03-02T08:00:00Z"}, "until"),
        ({"mode": "stopped", "reason": "x", "until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"mode": "stopped", "reason": "x", "until": "tomorrow"}, "until"),
    ],
)
def test_a_mode_that_cannot_be_set_is_refused(api: Caller, body: dict[str, Any], field: str) -> None:
    answer = put(api, "/systems/helper/mode", body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_only_who_answers_for_a_system_sets_its_mode(api: Caller) -> None:
    for who in ("ann", "lea", "aud", "helper"):
        assert put(api, "/systems/helper/mode", {"mode": "stopped", "reason": "x"}, who).status_code == 403
    assert put(api, "/systems/none/mode", {"mode": "stopped", "reason": "x"}).status_code == 404
    assert api.get("/systems/none/mode", "helper").status_code == 404


def test_every_intake_answer_says_the_mode(api: Caller) -> None:
    gated(api.world)
    assert api.send(output("a", input="whatever"))["mode"] == "normal"
    stop(api)
    told = api.send(output("b", input="whatever"))
    assert (told["mode"], told["status"], told["reasons"]) == ("stopped", "lapsed", ["stopped"])
    release = told["release"]
    assert (release["state"], release["content"], release["reason"]) == ("released", FALLBACK, "system_stopped")
    assert release["sha256"] == content_digest(FALLBACK)
    lines = b'{"nothing": 1}\n'
    assert api.batch(lines).json()["mode"] == "stopped"
    again = api.batch(json.dumps(output("a", input="whatever")).encode(), query="?results=true")
    [line] = again.json()["results"]
    assert (line["replayed"], line["mode"], line["release_state"]) == (True, "stopped", "withheld")


# The gate


def consume(api: Caller, item_id: str, sha256: str = DIGEST) -> httpx.Response:
    return api.post(f"/items/{item_id}/release/consume", {"sha256": sha256}, "helper")


def test_a_release_is_used_once(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    pending = consume(api, item_id)
    assert (pending.status_code, pending.json()["type"]) == (409, "urn:holdpoint:not-released")
    api.decide(api.claim())
    other = consume(api, item_id, "0" * 64)
    assert (other.status_code, other.json()["type"], other.json()["field"]) == (
        409, "urn:holdpoint:conflict", "sha256",
    )  # fmt: skip
    used = consume(api, item_id)
    assert (used.status_code, used.json()["content"], used.json()["sha256"]) == (200, OUTPUT, DIGEST)
    again = consume(api, item_id)
    assert (again.status_code, again.json()["type"]) == (409, "urn:holdpoint:consumed")
    assert consume(api, item_id, "what").status_code == 422
    assert api.post(f"/items/{item_id}/release/consume", {"sha256": DIGEST}, "lea").status_code == 403


def test_a_stopped_system_answers_every_call_with_its_fallback(api: Caller) -> None:
    gated(api.world)
    item_id = api.send(output(input="wait"))["item_id"]
    stop(api)
    for answer in (api.get(f"/items/{item_id}/release", "helper"), consume(api, item_id),
                   api.get(f"/items/{item_id}/release?wait=20", "helper")):  # fmt: skip
        told = answer.json()
        assert (told["state"], told["content"], told["reason"]) == ("withheld", FALLBACK, "system_stopped")
        assert told["notice"] == "The system was stopped."
    assert api.get(f"/items/{item_id}", "aud").json()["status"] == "waiting"


def test_a_list_does_not_tell_of_overdue_items_as_waiting(api: Caller) -> None:
    gated(api.world)
    api.send(output(input="withhold"))
    api.world.later(hours=1)
    assert api.get("/items?status=waiting", "helper").json()["items"] == []
    [item] = api.get("/items", "helper").json()["items"]
    assert (item["status"], item["release_state"]) == ("lapsed", "withheld")


def test_a_long_poll_wakes_when_the_fail_safe_has_the_word(live: Caller) -> None:
    gated(live.world)
    item_id = live.send(output(input="fallback"))["item_id"]
    threading.Timer(0.5, lambda: live.world.later(hours=1)).start()
    began = time.monotonic()
    told = live.get(f"/items/{item_id}/release?wait=20", "helper").json()
    assert 0.4 < time.monotonic() - began < 15
    assert (told["content"], told["reason"], told["decided_by"]) == ("Please wait.", "lapsed", {"kind": "system"})


def test_a_long_poll_wakes_when_the_system_is_stopped(live: Caller) -> None:
    gated(live.world)
    item_id = live.send(output(input="wait"))["item_id"]
    threading.Timer(0.5, lambda: set_mode(live.world, Mode.STOPPED)).start()
    began = time.monotonic()
    told = live.get(f"/items/{item_id}/release?wait=20", "helper").json()
    assert 0.4 < time.monotonic() - began < 15
    assert (told["state"], told["content"]) == ("withheld", FALLBACK)


def test_a_long_poll_waits_for_the_whole_bundle(live: Caller) -> None:
    gated(live.world)
    part = output("a", input="whatever", bundle="turn", bundle_position=0, bundle_size=2)
    first = live.send(part)
    assert (first["route"], first["release"]["state"], first["release"]["reason"]) == ("pass", "pending", "bundle")
    again = live.batch(json.dumps(part).encode(), query="?results=true")
    assert again.json()["results"][0]["release_state"] == "pending"
    threading.Timer(0.5, lambda: live.send(output("b", input="whatever", bundle="turn", bundle_size=2))).start()
    told = live.get(f"/items/{first['item_id']}/release?wait=20", "helper").json()
    assert (told["state"], told["content"]) == ("released", OUTPUT)


def test_a_lead_reopens_an_item(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    api.decide(api.claim())
    answer = api.post(f"/items/{item_id}/reopen", {"reason": "The source is newer."}, "lea")
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["release_state"]) == ("waiting", "pending")
    assert api.claim("bob")["task_id"] == answer.json()["task_id"]
    assert api.post(f"/items/{item_id}/reopen", {"reason": "Again."}, "lea").status_code == 409
    assert api.post(f"/items/{item_id}/reopen", {"reason": "Again."}, "ann").status_code == 403
    assert api.post(f"/items/{item_id}/reopen", {"reason": ""}, "lea").status_code == 422


# Contingencies


def test_a_plan_is_written_exercised_and_carried_out(api: Caller) -> None:
    plan = {"mode": "review_all", "fallback": "answerer-small", "instructions": "Call the vendor."}
    path = "/systems/helper/contingencies/model_unavailable"
    assert put(api, path, plan).json() == {"event": "model_unavailable", **plan}
    assert api.post(f"{path}/exercises", {"result": "Took 4 minutes."}, "dee").status_code == 201
    told = api.post("/systems/helper/events", {"event": "model_unavailable", "detail": "503"}, "helper")
    assert told.status_code == 201
    assert told.json() == {
        "event": "model_unavailable", "mode": "review_all", "is_mode_changed": True,
        "plan": {"event": "model_unavailable", **plan},
    }  # fmt: skip
    assert api.get("/systems/helper/mode", "helper").json()["mode"] == "review_all"
    [kept] = api.get("/systems/helper/contingencies", "aud").json()["contingencies"]
    assert (kept["written_by"], [one["is_exercise"] for one in kept["drills"]]) == ("Odo", [False, True])


def test_a_report_without_a_plan(api: Caller) -> None:
    told = api.post("/systems/helper/events", {"event": "price_changed"}, "helper").json()
    assert told == {"event": "price_changed", "mode": "normal", "is_mode_changed": False, "plan": None}


def test_plans_and_reports_are_refused_where_they_should_be(api: Caller) -> None:
    path = "/systems/helper/contingencies/model_unavailable"
    assert put(api, path, {"mode": "normal"}).status_code == 422
    assert put(api, path, {}).status_code == 422
    assert put(api, path, {"mode": "stopped"}, "ann").status_code == 403
    assert put(api, "/systems/helper/contingencies/rain", {"mode": "stopped"}).status_code == 422
    assert api.post(f"{path}/exercises", {"result": "x"}, "odo").status_code == 404
    assert api.post("/systems/helper/events", {"event": "price_changed"}, "odo").status_code == 403
    assert api.post("/systems/none/events", {"event": "price_changed"}, "helper").status_code == 404
    assert api.get("/systems/helper/contingencies", "helper").status_code == 403


def test_the_time_of_a_mode_is_over_for_intake_too(api: Caller) -> None:
    gated(api.world)
    stop(api, until=(api.world.now + timedelta(minutes=1)).isoformat())
    api.world.later(minutes=1)
    told = api.send(output(input="whatever"))
    assert (told["mode"], told["route"]) == ("normal", "pass")

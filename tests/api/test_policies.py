"""Policies over HTTP: drafts, approval, dry runs, and who may."""

from hashlib import sha256

import pytest

from review.commands import systems
from tests.support.serving import Caller
from tests.support.world import POLICY, output

STRICTER = POLICY.replace("confidence < 0.35", "confidence < 0.7")
SEEN = {"sha256": sha256(STRICTER.encode()).hexdigest()}


def critical(api: Caller) -> None:
    with api.world.store.write() as session:
        systems.set_critical(session, api.world.actors["adm"], "helper", critical=True, now=api.world.now)


def test_from_a_draft_to_the_version_in_force_by_two_people(api: Caller) -> None:
    critical(api)
    draft = api.post("/systems/helper/drafts", {"document": STRICTER}, "odo").json()
    assert (draft["needs_approval"], draft["faults"], draft["sha256"]) == (True, [], SEEN["sha256"])
    where = f"/drafts/{draft['draft_id']}"
    assert api.post(f"{where}/activate", SEEN, "odo").status_code == 409
    assert api.post(f"{where}/approve", SEEN, "odo").status_code == 403
    assert api.post(f"{where}/approve", SEEN, "dee").json()["approved_by"] == "Dee"
    made = api.post(f"{where}/activate", SEEN, "odo").json()
    assert (made["version"], made["written_by"], made["approved_by"]) == (3, "Odo", "Dee")
    assert made["document"] == STRICTER
    told = api.get("/systems/helper/policies", "aud").json()
    assert (told["active_version"], told["is_critical"], told["may_change"]) == (3, True, False)
    assert [one["version"] for one in told["versions"]] == [3, 2, 1]
    assert api.get(where, "aud").json()["closed_at"]
    assert api.get("/systems/helper/drafts", "aud").json() == {"drafts": []}


def test_a_document_comes_into_force_at_once_unless_the_system_is_critical(api: Caller) -> None:
    assert api.post("/systems/helper/policies", {"document": STRICTER}, "odo").json()["version"] == 3
    assert api.get("/systems/helper/policies/3", "lea").json()["document"] == STRICTER
    critical(api)
    answer = api.post("/systems/helper/policies", {"document": POLICY}, "odo")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdpoint:wrong-state")


def test_a_draft_tells_what_is_wrong_with_it_and_where(api: Caller) -> None:
    draft = api.post("/systems/helper/drafts", {"document": "queue: q\ncolour: red\nrules: []"}, "odo").json()
    assert draft["faults"] == [
        {"line": 2, "field": "colour", "detail": "colour is not a known field. Remove it, or check its spelling."}
    ]
    where = f"/drafts/{draft['draft_id']}"
    seen = {"sha256": draft["sha256"]}
    assert api.post(f"{where}/activate", seen, "odo").status_code == 422
    changed = api.call("PUT", where, "odo", json={"document": STRICTER, **seen}).json()
    assert changed["faults"] == []
    assert api.call("PUT", where, "odo", json={"document": POLICY, **seen}).status_code == 409
    assert api.call("DELETE", where, "odo").status_code == 204
    assert api.call("DELETE", where, "odo").status_code == 409


def test_a_check_writes_nothing(api: Caller) -> None:
    assert api.post("/systems/helper/policies/check", {"document": STRICTER}, "lea").json() == {
        "faults": [],
        "remarks": [],
    }
    [fault] = api.post("/systems/helper/policies/check", {"document": "queue: ["}, "lea").json()["faults"]
    assert (fault["line"], fault["field"]) == (1, "document")


def test_a_check_remarks_on_what_is_not_there(api: Caller) -> None:
    rule = "{name: vip, when: 'metadata.tier > 1', route: review, queue: vips, skills: ['domain:vip']}"
    document = f"queue: default\nrules:\n  - {rule}\n"
    told = api.post("/systems/helper/policies/check", {"document": document}, "lea").json()
    assert told["faults"] == []
    assert [one["field"] for one in told["remarks"]] == ["rules[vip].when", "rules[vip].queue", "rules[vip].skills"]


def test_a_dry_run_over_http(api: Caller) -> None:
    for index in range(10):
        api.send(output(f"x{index}", confidence=index / 10))
    found = api.post("/systems/helper/policies/dry_run", {"document": STRICTER, "last": 100}, "aud").json()
    assert (found["outputs"], found["changed"], found["active_version"]) == (10, 3, 2)
    assert found["active"]["outcomes"] == {"passed": 6, "reviewed": 0, "held": 4, "blocked": 0}
    assert found["draft"]["outcomes"] == {"passed": 3, "reviewed": 0, "held": 7, "blocked": 0}
    assert found["moved"] == [{"before": "passed", "after": "held", "n": 3}]
    assert [told["external_id"] for told in found["first_changed"]] == ["x6", "x5", "x4"]
    assert found["draft"]["tasks_a_day_by_queue"] == {"default": 7}
    assert found["draft"]["slipped"]["value"] is None
    assert api.post("/systems/helper/policies/dry_run", {"document": "queue: ["}, "aud").status_code == 422
    assert api.post("/systems/helper/policies/dry_run", {"document": STRICTER, "last": 0}, "aud").status_code == 422


def test_an_earlier_version_is_rolled_back_to(api: Caller) -> None:
    back = api.post("/systems/helper/policies/1/roll_back", who="dee").json()
    assert (back["policy"]["version"], back["policy"]["restores"]) == (3, 1)
    critical(api)
    waiting = api.post("/systems/helper/policies/2/roll_back", who="dee").json()
    assert waiting["policy"] is None
    assert api.get(f"/drafts/{waiting['draft']['draft_id']}", "odo").json()["restores"] == 2
    assert api.post("/systems/helper/policies/9/roll_back", who="dee").status_code == 404


@pytest.mark.parametrize("who", ["ann", "helper"])
def test_producers_and_reviewers_have_no_part_in_it(api: Caller, who: str) -> None:
    draft = api.post("/systems/helper/drafts", {"document": STRICTER}, "odo").json()["draft_id"]
    document = {"document": STRICTER}
    answers = [
        api.get("/systems/helper/policies", who),
        api.get("/systems/helper/policies/1", who),
        api.get("/systems/helper/drafts", who),
        api.get(f"/drafts/{draft}", who),
        api.post("/systems/helper/policies", document, who),
        api.post("/systems/helper/policies/check", document, who),
        api.post("/systems/helper/policies/dry_run", document, who),
        api.post("/systems/helper/policies/1/roll_back", who=who),
        api.post("/systems/helper/drafts", document, who),
        api.call("PUT", f"/drafts/{draft}", who, json={**document, **SEEN}),
        api.call("DELETE", f"/drafts/{draft}", who),
        api.post(f"/drafts/{draft}/approve", SEEN, who),
        api.post(f"/drafts/{draft}/activate", SEEN, who),
        api.get("/systems/nothing/policies", who),
    ]
    assert {answer.status_code for answer in answers} == {403}

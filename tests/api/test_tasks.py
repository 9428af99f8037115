from typing import Any
from uuid import uuid4

import pytest

from tests.support.serving import Caller, n_rows
from tests.support.world import output


def test_a_claim_gives_all_that_is_needed_to_decide(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    work = api.claim()
    assert work["kind"] == "review"
    assert work["due_at"] == "2026-03-02T13:00:00Z"
    assert work["lease"]["expires_at"] == "2026-03-02T09:05:00Z"
    assert work["can_escalate"] is True
    assert work["handed_up"] is None
    assert "unsupported" in work["taxonomy"]
    item = work["item"]
    assert item["item_id"] == item_id
    assert item["version"] == 1
    assert item["reasons"] == ["low_confidence"]
    for name in ("external_id", "kind", "input", "context", "output", "confidence"):
        assert item[name] == output()[name]


def test_nothing_free_is_no_content(api: Caller) -> None:
    assert api.post("/tasks/claim").status_code == 204
    assert api.post("/tasks/claim", {}).status_code == 204


def test_every_claim_gives_another_task_the_most_urgent_first(api: Caller) -> None:
    api.send(output("low"))
    money = [{"code": "money", "severity": 5}]
    api.send(output("urgent", kind="action", output={"tool": "pay"}, flags=money))
    assert [api.claim()["item"]["external_id"] for _ in range(2)] == ["urgent", "low"]
    assert api.post("/tasks/claim").status_code == 204


def test_a_claim_may_name_its_queue(api: Caller) -> None:
    api.send(output())
    assert api.post("/tasks/claim", {"queue": "nowhere"}).status_code == 404
    assert api.post("/tasks/claim", {"queue": "escalations"}).status_code == 403
    assert api.post("/tasks/claim", {"queue": "escalations"}, "lea").status_code == 204
    assert api.claim(queue="default")["item"]["external_id"] == "x1"


@pytest.mark.parametrize("who", ["helper", "odo", "aud", "adm"])
def test_only_reviewers_and_leads_work_tasks(api: Caller, who: str) -> None:
    api.send(output())
    work = api.claim()
    before = n_rows(api.world.store)
    hold = {"lease": work["lease"]["token"]}
    path = f"/tasks/{work['task_id']}"
    assert api.post("/tasks/claim", {}, who).status_code == 403
    for what in ("renew", "give_back", "skip"):
        assert api.post(f"{path}/{what}", hold, who).status_code == 403
    assert api.decide(work, who).status_code == 403
    assert api.post(f"{path}/escalate", {**hold, "reason": "other"}, who).status_code == 403
    assert api.post(f"/decisions/{uuid4()}/undo", who=who).status_code == 403
    assert n_rows(api.world.store) == before


def test_a_hold_is_renewed(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    api.world.later(minutes=4)
    answer = api.post(f"/tasks/{work['task_id']}/renew", {"lease": work["lease"]["token"]})
    assert answer.json() == {"lease": {"token": work["lease"]["token"], "expires_at": "2026-03-02T09:09:00Z"}}
    api.world.later(minutes=4)
    assert api.decide(work).status_code == 201


def test_what_is_given_back_comes_again_and_what_is_skipped_goes_to_others(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    assert api.post(f"/tasks/{work['task_id']}/give_back", {"lease": work["lease"]["token"]}).status_code == 204
    again = api.claim()
    assert again["task_id"] == work["task_id"]
    assert again["lease"]["token"] != work["lease"]["token"]
    assert api.post(f"/tasks/{work['task_id']}/skip", {"lease": again["lease"]["token"]}).status_code == 204
    assert api.post("/tasks/claim").status_code == 204
    assert api.claim("bob")["task_id"] == work["task_id"]


@pytest.mark.parametrize(
    ("answer", "release"),
    [
        ({"verdict": "approve"}, "released"),
        (
            {
                "verdict": "correct", "correction": "It is Paris.", "labels": ["unsupported"], "note": "See source.",
                "spans": [{"start": 25, "end": 29, "label": "unsupported", "text": "Lyon"}],
            },
            "released",
        ),
        ({"verdict": "reject", "labels": ["unsafe"]}, "withheld"),
    ],
)  # fmt: skip
def test_a_decision_is_recorded_as_it_was_given(api: Caller, answer: dict[str, Any], release: str) -> None:
    api.send(output())
    work = api.claim()
    told = api.decide(work, **answer)
    assert told.status_code == 201
    body = told.json()
    assert body["item_id"] == work["item"]["item_id"]
    assert body["verdict"] == answer["verdict"]
    assert body["release"]["state"] == release
    decision = api.get(f"/items/{body['item_id']}").json()["decision"]
    assert decision["decision_id"] == body["decision_id"]
    for name, value in answer.items():
        assert decision[name] == value


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"verdict": "correct"}, 422, "correction"),
        ({"verdict": "maybe"}, 422, "verdict"),
        ({"correction": "x"}, 422, "correction"),
        ({"verdict": "correct", "correction": {"a": 1}}, 422, "correction"),
        ({"verdict": "correct", "correction": "a\x00"}, 422, "correction"),
        ({"verdict": "correct", "correction": "x" * (1024**2 + 1)}, 422, "correction"),
        ({"labels": ["no_such_code"]}, 422, "labels"),
        ({"spans": [{"start": 0, "end": 99, "label": "style"}]}, 422, "spans[0]"),
        ({"spans": [{"start": 0, "end": 3, "label": "style", "text": "the"}]}, 422, "spans[0]"),
        ({"note": "a\x00"}, 422, "note"),
        ({"reviewer": "bob"}, 422, "reviewer"),
        ({"item_version": "1"}, 422, "item_version"),
        ({"item_version": 2**40}, 422, "item_version"),
        ({"lease": "a\x00b"}, 422, "lease"),
        ({"lease": "wrong"}, 409, None),
        ({"item_version": 2}, 409, None),
    ],
)
def test_a_decision_that_does_not_fit_writes_nothing(
    api: Caller, change: dict[str, Any], status: int, field: str | None
) -> None:
    api.send(output())
    work = api.claim()
    before = n_rows(api.world.store)
    answer = api.decide(work, **change)
    assert answer.status_code == status, answer.text
    assert answer.json().get("field") == field
    assert n_rows(api.world.store) == before
    assert api.decide(work).status_code == 201


def test_a_hold_that_ended_decides_nothing(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    api.world.later(minutes=6)
    before = n_rows(api.world.store)
    path, hold = f"/tasks/{work['task_id']}", {"lease": work["lease"]["token"]}
    answers = [api.post(f"{path}/{what}", hold) for what in ("renew", "give_back", "skip")]
    answers += [api.decide(work), api.post(f"{path}/escalate", {**hold, "reason": "other"})]
    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:holdpoint:lease-lost"
    assert n_rows(api.world.store) == before
    assert api.claim("bob")["task_id"] == work["task_id"]


def test_nobody_decides_under_the_hold_of_another(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    assert api.decide(work, "bob").status_code == 409
    assert api.decide(work).status_code == 201
    assert api.decide(work).json()["type"] == "urn:holdpoint:lease-lost"


@pytest.mark.parametrize("what", ["renew", "give_back", "skip", "decision", "escalate"])
def test_a_task_that_is_not_there_is_not_found(api: Caller, what: str) -> None:
    bodies = {
        "decision": {"lease": "x", "item_version": 1, "verdict": "approve"},
        "escalate": {"lease": "x", "reason": "other"},
    }
    assert api.post(f"/tasks/{uuid4()}/{what}", bodies.get(what, {"lease": "x"})).status_code == 404


@pytest.mark.parametrize("with_version", [True, False])
def test_a_task_is_handed_up_to_leads_with_its_reason(api: Caller, with_version: bool) -> None:
    api.send(output())
    work = api.claim()
    body = {"lease": work["lease"]["token"], "reason": "needs_expertise", "note": "A lawyer should look."}
    answer = api.post(f"/tasks/{work['task_id']}/escalate", {**body, **({"item_version": 1} if with_version else {})})
    assert answer.status_code == 201
    assert answer.json()["item_id"] == work["item"]["item_id"]
    assert api.post("/tasks/claim").status_code == 204
    above = api.claim("lea")
    assert above["task_id"] == answer.json()["escalated_to"]
    assert above["kind"] == "escalation"
    assert above["can_escalate"] is False
    assert above["handed_up"] == {
        "reason": "needs_expertise", "note": "A lawyer should look.", "by": "Ann", "at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    assert api.decide(above, "lea").status_code == 201


def test_an_escalation_of_an_item_that_changed_writes_nothing(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    before = n_rows(api.world.store)
    body = {"lease": work["lease"]["token"], "reason": "other", "item_version": 2}
    assert api.post(f"/tasks/{work['task_id']}/escalate", body).status_code == 409
    assert n_rows(api.world.store) == before


def test_a_fresh_decision_is_undone_and_the_task_is_held_again(api: Caller) -> None:
    api.send(output())
    first = api.decide(api.claim(), verdict="reject").json()
    api.world.later(seconds=9)
    answer = api.post(f"/decisions/{first['decision_id']}/undo")
    assert answer.status_code == 200
    assert api.post(f"/decisions/{first['decision_id']}/undo").status_code == 409
    assert api.decide(answer.json(), verdict="approve").status_code == 201


def test_who_is_paused_by_then_undoes_a_decision_and_holds_nothing(api: Caller) -> None:
    api.send(output())
    decided = api.decide(api.claim()).json()
    assert api.post("/pauses", {"person": "ann", "system": "helper", "reason": "hasty"}, "lea").is_success
    undone = api.post(f"/decisions/{decided['decision_id']}/undo")
    assert (undone.status_code, undone.json()["lease"]) == (200, None)
    assert api.claim("bob")["task_id"] == undone.json()["task_id"]


def test_undoing_is_for_the_author_and_ends_after_ten_seconds(api: Caller) -> None:
    api.send(output())
    decided = api.decide(api.claim()).json()
    assert api.post(f"/decisions/{decided['decision_id']}/undo", who="bob").status_code == 409
    assert api.post(f"/decisions/{uuid4()}/undo").status_code == 409
    api.world.later(seconds=11)
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 409

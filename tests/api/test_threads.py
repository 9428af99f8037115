"""Over HTTP: several blind on one item, putting off, asking the producer, and comments."""

from uuid import uuid4

import pytest

from tests.support.discipline import activate
from tests.support.serving import Caller, n_rows
from tests.support.world import output

PARIS = "The capital of France is Paris."


def test_answers_come_with_the_task_that_settles_them_and_nowhere_else(api: Caller) -> None:
    activate(api.world, "reviewers: 2")
    item_id = api.send(output())["item_id"]
    works = [api.claim("ann"), api.claim("bob")]
    assert [work["answers"] for work in works] == [[], []]
    assert api.decide(works[0], "ann", verdict="reject", note="No source says so.").status_code == 201
    for who in ("bob", "lea", "odo", "aud", "helper"):
        told = api.get(f"/items/{item_id}", who).text + api.get(f"/items/{item_id}/history", who).text
        assert "No source" not in told
        assert '"verdict":"reject"' not in told
    assert api.decide(works[1], "bob", verdict="correct", correction=PARIS).status_code == 201
    work = api.claim("lea")
    assert work["kind"] == "adjudication"
    assert {(one["verdict"], one["correction"], one["note"]) for one in work["answers"]} == {
        ("reject", None, "No source says so."), ("correct", PARIS, ""),
    }  # fmt: skip
    assert not {"Ann", "Bob"} & set(str(work["answers"]).split('"'))


def test_a_claim_carries_what_the_producer_takes(api: Caller) -> None:
    schema = {"type": "string", "maxLength": 40}
    api.send(output(allowed_verdicts=["correct"], correction_schema=schema))
    work = api.claim()
    assert (work["item"]["allowed_verdicts"], work["item"]["correction_schema"]) == (["correct"], schema)
    assert api.decide(work).json()["field"] == "verdict"
    assert api.decide(work, verdict="correct", correction="x" * 41).json()["field"] == "correction"
    assert api.decide(work, verdict="correct", correction=PARIS).status_code == 201


def test_a_task_is_put_off(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    body = {"lease": work["lease"]["token"], "until": "2026-03-02T09:30:00Z"}
    path = f"/tasks/{work['task_id']}/snooze"
    late = api.post(path, {**body, "until": "2026-03-12T09:30:00Z"})
    assert (late.status_code, late.json()["field"]) == (422, "until")
    assert api.post(path, {**body, "until": "2026-03-02T09:30:00"}).status_code == 422
    assert api.post(path, body, "aud").status_code == 403
    assert api.post(path, body).status_code == 204
    assert api.post("/tasks/claim", who="bob").status_code == 204
    api.world.later(minutes=30)
    assert api.claim("bob")["task_id"] == work["task_id"]


def test_a_question_goes_to_the_producer_and_its_answer_comes_back(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    work = api.claim()
    hold = {"lease": work["lease"]["token"]}
    asked = api.post(f"/tasks/{work['task_id']}/ask", {**hold, "question": "Which country?"})
    assert asked.status_code == 201
    assert api.post("/tasks/claim", who="bob").status_code == 204
    [told] = api.get(f"/items/{item_id}/questions", "helper").json()["questions"]
    assert (told["question"], told["asked_by"], told["answer"]) == ("Which country?", "A reviewer", None)
    body = {"question_id": asked.json()["question_id"], "answer": "France."}
    assert api.post(f"/items/{item_id}/answer", body, "ann").status_code == 403
    assert api.post(f"/items/{item_id}/answer", {**body, "question_id": str(uuid4())}, "helper").status_code == 404
    assert api.post(f"/items/{item_id}/answer", body, "helper").status_code == 204
    assert api.post(f"/items/{item_id}/answer", body, "helper").status_code == 409
    assert api.claim("bob")["task_id"] == work["task_id"]
    [told] = api.get(f"/items/{item_id}/questions", "bob").json()["questions"]
    assert (told["asked_by"], told["answer"]) == ("Ann", "France.")


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "ask @nobody"}, {"text": "a\x00"}, {}])
def test_a_comment_that_does_not_fit_writes_nothing(api: Caller, body: dict[str, str]) -> None:
    item_id = api.send(output())["item_id"]
    before = n_rows(api.world.store)
    refused = api.post(f"/items/{item_id}/comments", body)
    assert (refused.status_code, refused.json()["field"]) == (422, "text")
    assert n_rows(api.world.store) == before


def test_comments_are_for_colleagues(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    sent = api.post(f"/items/{item_id}/comments", {"text": "Look, @bob."})
    assert (sent.status_code, sent.json()["mentions"]) == (201, ["bob"])
    thread = api.get(f"/items/{item_id}/comments", "bob").json()
    assert [(one["by"], one["text"]) for one in thread["comments"]] == [("Ann", "Look, @bob.")]
    assert thread["is_blind"] is False
    assert api.get(f"/items/{item_id}/comments", "helper").status_code == 403


FAR = {"from_at": "9999-12-31T00:00:00-14:00", "until_at": "9999-12-31T23:59:00-14:00"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "until_at"),
        ({"from_at": "2026-03-02T00:00:00Z"}, "until_at"),
        ({"from_at": "2030-03-02T00:00:00Z", "until_at": "2030-03-03T00:00:00Z"}, "until_at"),
        ({"from_at": "0001-01-01T00:00:00+14:00", "until_at": "2026-03-09T00:00:00Z"}, "from_at"),
    ],
)
def test_an_absence_in_another_age_is_refused(api: Caller, changes: dict[str, str], field: str) -> None:
    refused = api.post("/absences", {**FAR, **changes}, "ann")
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert api.get("/absences", "lea").status_code == 200
    assert api.get("/workers", "lea").status_code == 200


def test_times_that_no_clock_shows_are_refused_everywhere(api: Caller) -> None:
    api.send(output())
    work = api.claim()
    body = {"lease": work["lease"]["token"], "until": FAR["until_at"]}
    refused = api.post(f"/tasks/{work['task_id']}/snooze", body)
    assert (refused.status_code, refused.json()["field"]) == (422, "until")
    body = {"mode": "stopped", "reason": "why", "until": FAR["until_at"]}
    refused = api.call("PUT", "/systems/helper/mode", "odo", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "until")

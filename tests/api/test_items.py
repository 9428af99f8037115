from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from review.commands import keys, policies, systems
from review.domain.actors import HOLDPOINT
from review.store.tables import AuditEvent
from tests.support.queues import assign, tasks_of
from tests.support.serving import Caller, n_rows
from tests.support.world import POLICY, output


@pytest.fixture
def other(api: Caller) -> Caller:
    """The same world with a second system named other, and its key."""
    world = api.world
    with world.store.write() as session:
        systems.add(session, HOLDPOINT, slug="other", owner="odo", deputy="dee", now=world.now)
        policies.activate(session, HOLDPOINT, "other", POLICY.replace("queue: default", "queue: second"), now=world.now)
        world.tokens["other"] = keys.create_for_system(session, HOLDPOINT, "other", now=world.now)
    return api


def all_pages(api: Caller, who: str, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = api.get("/items", who, params={**query, **({"cursor": cursor} if cursor else {})}).json()
        found += [item["external_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def actions(api: Caller, item_id: str) -> list[tuple[str, str]]:
    with api.world.store.read() as session:
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.actor_name)  # type: ignore[call-overload]
            .where(AuditEvent.subject_id == item_id)
            .order_by(AuditEvent.id)
        )
        return [(action, name) for action, name in rows]


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 200])
def test_pages_are_complete_without_doubles_while_more_arrives(api: Caller, limit: int) -> None:
    for index in range(7):
        api.send(output(f"x{index}"))
    first = api.get("/items", params={"limit": limit}).json()
    api.send(output("later"))
    rest = all_pages(api, "ann", limit=limit, cursor=first["next_cursor"]) if first["next_cursor"] else []
    found = [item["external_id"] for item in first["items"]] + rest
    assert found == [f"x{index}" for index in reversed(range(7))]


def test_filters_fit_together(other: Caller) -> None:
    other.send(output("held"))
    other.send(output("passed", confidence=0.9))
    other.send(output("elsewhere", system="other"), "other")
    assert all_pages(other, "aud") == ["elsewhere", "passed", "held"]
    assert all_pages(other, "aud", system="helper") == ["passed", "held"]
    assert all_pages(other, "aud", status="passed") == ["passed"]
    assert all_pages(other, "aud", queue="second") == ["elsewhere"]
    assert all_pages(other, "aud", q="hel") == ["held"]
    assert all_pages(other, "aud", q="capital of france", system="other") == ["elsewhere"]


def test_events_say_by_which_key_and_producers_are_not_told_those_of_people(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    api.decide(api.claim())
    actors = api.world.actors
    known = api.get(f"/items/{item_id}/history", "aud").json()["events"]
    by_key = {event["action"]: event["body"].get("key") for event in known}
    assert by_key["outputs.received"] == str(actors["helper"].key_id)
    assert by_key["item.decided"] == str(actors["ann"].key_id)
    told = api.get(f"/items/{item_id}/history", "helper").json()["events"]
    assert {event["body"].get("key") for event in told} == {None, str(actors["helper"].key_id)}


def test_a_systems_key_sees_only_its_own(other: Caller) -> None:
    mine = other.send(output("mine"))["item_id"]
    theirs = other.send(output("theirs", system="other"), "other")["item_id"]
    assert all_pages(other, "helper") == ["mine"]
    before = n_rows(other.world.store)
    for path in (f"/items/{theirs}", f"/items/{theirs}/history", f"/items/{theirs}/release", "/items?system=other"):
        assert other.get(path, "helper").status_code == 404
    unknown = other.get("/items?system=nobody", "helper").json()["detail"]
    assert other.get("/items?system=other", "helper").json()["detail"] == unknown.replace("nobody", "other")
    assert n_rows(other.world.store) == before
    assert other.get(f"/items/{mine}", "helper").status_code == 200


@pytest.mark.parametrize("who", ["ann", "lea", "odo", "aud", "adm"])
def test_every_role_reads_items(api: Caller, who: str) -> None:
    item_id = api.send(output())["item_id"]
    for path in ("/items", f"/items/{item_id}", f"/items/{item_id}/history", f"/items/{item_id}/release"):
        assert api.get(path, who).status_code == 200


def test_an_item_is_told_as_it_was_sent(api: Caller) -> None:
    sent = output(
        context=[{"id": "s1", "title": "Capitals", "text": "Paris.", "uri": "https://x.test", "score": 0.5}, "text"],
        alternatives=[{"value": "Paris", "confidence": 0.1}, "Nice"],
        flags=[{"code": "unsure", "severity": 2, "detail": "why", "span": {"start": 0, "end": 3}}],
        group="de", subject_id="c1", metadata={"a": [1, None, {"b": 0.1}]},
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", produced_at="2026-03-02T08:59:00+01:00",
    )  # fmt: skip
    item_id = api.send(sent)["item_id"]
    told = api.get(f"/items/{item_id}").json()
    for name in ("external_id", "system", "kind", "model", "input", "output", "alternatives", "flags", "group",
                 "subject_id", "metadata", "traceparent", "confidence"):  # fmt: skip
        assert told[name] == sent[name], name
    assert told["context"] == [sent["context"][0], "text"]
    assert told["produced_at"] == "2026-03-02T07:59:00Z"
    assert told["decision"] is None
    assert told["release"]["state"] == "pending"


def test_a_look_goes_on_record(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    api.get(f"/items/{item_id}", "aud")
    api.get(f"/items/{item_id}/history", "helper")
    assert actions(api, item_id) == [("item.viewed", "Aud"), ("item.viewed", "helper")]


def test_a_producers_look_at_a_decided_item_counts_as_fetching(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    decided = api.decide(api.claim()).json()
    api.get(f"/items/{item_id}", "helper")
    assert [action for action, _ in actions(api, item_id)][-2:] == ["item.viewed", "release.fetched"]
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 409


def test_producers_are_not_told_who_decided(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    api.decide(api.claim(), verdict="reject", labels=["unsupported"], note="No.")
    for who, name in (("aud", "Ann"), ("helper", None)):
        item = api.get(f"/items/{item_id}", who).json()
        assert item["decision"]["decided_by"] == {"kind": "person", "name": name}
        assert item["decision"]["labels"] == ["unsupported"]
        history = api.get(f"/items/{item_id}/history", who)
        assert ("Ann" in history.text) == (name is not None)


def test_producers_are_not_told_who_is_asked(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    assign(api.world, tasks_of(api.world)[0], "bob")
    api.post(f"/items/{item_id}/comments", {"text": "Look, @ann."}, "lea")
    for who, names in (("aud", ["bob", "ann"]), ("helper", [])):
        history = api.get(f"/items/{item_id}/history", who)
        assert [name for name in ("bob", "ann") if f'"{name}"' in history.text] == names


def test_the_history_tells_the_story_in_order(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    work = api.claim()
    api.post(f"/tasks/{work['task_id']}/renew", {"lease": work["lease"]["token"]})
    api.decide(work)
    events = api.get(f"/items/{item_id}/history").json()["events"]
    assert [event["action"] for event in events] == [
        "outputs.received", "task.claimed", "task.renewed", "item.decided", "item.viewed",
    ]  # fmt: skip
    assert events[0]["actor"] == {"kind": "api_key", "name": "helper"}
    assert all(event["seq"] is None for event in events)


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"status": "odd"}, 422, "status"),
        ({"system": "nobody"}, 404, "system"),
        ({"queue": "nowhere"}, 404, "queue"),
        ({"cursor": "x"}, 422, "cursor"),
        ({"limit": 0}, 422, "limit"),
        ({"limit": 201}, 422, "limit"),
        ({"q": "a\x00"}, 422, "q"),
        ({"system": "\x00"}, 422, "system"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(api: Caller, query: dict[str, Any], status: int, field: str) -> None:
    answer = api.get("/items", params=query)
    assert answer.status_code == status
    assert answer.json()["field"] == field


@pytest.mark.parametrize("path", ["", "/history", "/release", "/release?wait=1"])
def test_what_is_not_there_is_not_found(api: Caller, path: str) -> None:
    for who in ("ann", "helper"):
        assert api.get(f"/items/{uuid4()}{path}", who).status_code == 404
    assert api.get(f"/items/no-uuid{path}").status_code == 422
    assert api.get(f"/items/{uuid4()}{path}", None).status_code == 401

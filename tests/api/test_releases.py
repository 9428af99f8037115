import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from review.commands import releases
from review.domain.content import content_digest
from review.store.tables import AuditEvent
from tests.support.serving import Caller, n_rows
from tests.support.world import output


def release(api: Caller, item_id: str, who: str = "helper", **query: Any) -> dict[str, Any]:
    answer = api.get(f"/items/{item_id}/release", who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def n_events(api: Caller, action: str) -> int:
    with api.world.store.read() as session:
        count = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)  # type: ignore[arg-type]
        return int(session.execute(count).scalar_one())


@pytest.mark.parametrize(
    ("answer", "state", "content"),
    [
        ({"verdict": "approve"}, "released", "The capital of France is Lyon."),
        ({"verdict": "correct", "correction": "It is Paris. \U0001f5fc"}, "released", "It is Paris. \U0001f5fc"),
        ({"verdict": "reject"}, "withheld", None),
    ],
)
def test_a_decision_makes_the_release(api: Caller, answer: dict[str, Any], state: str, content: str | None) -> None:
    item_id = api.send(output())["item_id"]
    assert release(api, item_id)["state"] == "pending"
    decided = api.decide(api.claim(), **answer).json()
    assert release(api, item_id) == {
        "state": state, "content": content, "sha256": content_digest(content) if content else None,
        "verdict": answer["verdict"], "decided_by": {"kind": "person"}, "decision_id": decided["decision_id"],
        "reason": None, "notice": None,
    }  # fmt: skip


def test_the_first_fetch_goes_on_record_and_later_ones_only_read(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    release(api, item_id)
    assert n_events(api, "release.fetched") == 0
    api.decide(api.claim())
    first = release(api, item_id)
    assert n_events(api, "release.fetched") == 1
    before = n_rows(api.world.store)
    assert release(api, item_id) == first
    assert n_rows(api.world.store) == before


def test_a_fetch_closes_the_time_for_undoing_and_a_persons_look_does_not(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    decided = api.decide(api.claim()).json()
    release(api, item_id, "aud")
    assert n_events(api, "item.viewed") == 1
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 200
    assert release(api, item_id)["state"] == "pending"


def test_a_decision_is_not_undone_while_its_release_is_being_fetched(api: Caller) -> None:
    world = api.world
    item_id = UUID(api.send(output())["item_id"])
    decided = api.decide(api.claim()).json()
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as session:
            releases.fetch(session, world.actors["helper"], item_id, now=world.now)
            undoing = pool.submit(api.post, f"/decisions/{decided['decision_id']}/undo")
            time.sleep(0.5)
            assert not undoing.done()
        assert undoing.result(10).status_code == 409
    assert release(api, str(item_id))["state"] == "released"


WAYS_TO_LEARN: dict[str, Callable[[Caller, str], Any]] = {
    "a list": lambda api, _: api.get("/items", "helper", params={"status": "decided"}).json()["items"],
    "the item": lambda api, item_id: [api.get(f"/items/{item_id}", "helper").json()],
    "the output again": lambda api, _: [{"release_state": api.send(output())["release"]["state"]}],
    "a batch": lambda api, _: api.batch(json.dumps(output()).encode(), query="?results=true").json()["results"],
}


@pytest.mark.parametrize("way", WAYS_TO_LEARN)
def test_what_a_producer_was_told_is_not_undone(api: Caller, way: str) -> None:
    item_id = api.send(output())["item_id"]
    decided = api.decide(api.claim(), verdict="reject").json()
    [told] = WAYS_TO_LEARN[way](api, item_id)
    assert told["release_state"] == "withheld"
    assert n_events(api, "release.fetched") == 1
    assert WAYS_TO_LEARN[way](api, item_id)
    assert n_events(api, "release.fetched") == 1
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 409


def test_a_persons_list_and_a_batch_without_results_tell_the_producer_nothing(api: Caller) -> None:
    api.send(output())
    decided = api.decide(api.claim()).json()
    assert len(api.get("/items", "aud").json()["items"]) == 1
    assert api.batch(json.dumps(output()).encode()).json()["replayed"] == 1
    assert n_events(api, "release.fetched") == 0
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 200


def test_a_list_of_what_is_known_writes_nothing(api: Caller) -> None:
    api.send(output("passed", confidence=0.9))
    item_id = api.send(output("held"))["item_id"]
    api.decide(api.claim())
    release(api, item_id)
    before = n_rows(api.world.store)
    assert len(api.get("/items", "helper").json()["items"]) == 2
    assert n_rows(api.world.store) == before


def test_what_passed_is_released_without_a_record_of_each_poll(api: Caller) -> None:
    item_id = api.send(output(confidence=0.9))["item_id"]
    before = n_rows(api.world.store)
    assert release(api, item_id, wait=5)["content"] == output()["output"]
    assert n_rows(api.world.store) == before


@pytest.mark.parametrize("wait", [-1, 60.1, "nan", "inf", "soon"])
def test_the_wait_is_at_most_a_minute(api: Caller, wait: Any) -> None:
    item_id = api.send(output())["item_id"]
    answer = api.get(f"/items/{item_id}/release", "helper", params={"wait": wait})
    assert answer.status_code == 422
    assert answer.json()["field"] == "wait"


def test_a_wait_ends_with_pending_when_its_time_is_over(api: Caller) -> None:
    item_id = api.send(output())["item_id"]
    began = time.monotonic()
    assert release(api, item_id, wait=0.3)["state"] == "pending"
    assert 0.3 <= time.monotonic() - began < 3


def test_a_long_poll_wakes_on_the_decision(live: Caller) -> None:
    item_id = live.send(output())["item_id"]
    task = live.world.claim()
    assert task is not None

    def decide() -> None:  # as the desk does it: past the HTTP interface
        live.world.decide(task)

    threading.Timer(0.5, decide).start()
    began = time.monotonic()
    assert release(live, item_id, wait=20)["state"] == "released"
    assert 0.4 < time.monotonic() - began < 3


def test_many_long_polls_hold_neither_threads_nor_connections(live: Caller) -> None:
    item_id = live.send(output())["item_id"]
    work = live.claim()
    n = 150  # more than the server has threads or connections
    limits = httpx.Limits(max_connections=n)
    with httpx.Client(base_url=live.http.base_url, limits=limits, timeout=30) as http, ThreadPoolExecutor(n) as pool:
        waiting = Caller(http, live.world)
        polls = [pool.submit(release, waiting, item_id, wait=25) for _ in range(n)]
        time.sleep(1.5)
        began = time.monotonic()
        assert live.get("/me").status_code == 200
        assert live.decide(work).status_code == 201
        assert time.monotonic() - began < 3
        assert {poll.result(15)["state"] for poll in polls} == {"released"}
    assert n_events(live, "release.fetched") == 1

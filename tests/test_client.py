import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from review import client as client_module
from review.client import (
    Client,
    ClientError,
    Conflict,
    Consumed,
    InvalidOutput,
    NotAllowed,
    NotKnown,
    NotReleased,
    StillPending,
    Summary,
    Unavailable,
    WrongContent,
    bodies,
)
from review.commands import contingencies
from review.domain.content import content_digest
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode
from review.domain.outputs import read_output
from tests.support.gate import set_mode
from tests.support.serving import n_rows, served
from tests.support.world import World, output

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """A real server over the world's store."""
    with served(world) as address:
        yield address


@pytest.fixture
def client(world: World, url: str) -> Iterator[Client]:
    with Client(url, world.tokens["helper"]) as one:
        yield one


def scripted(*answers: httpx.Response | Exception, **options: Any) -> tuple[Client, list[httpx.Request]]:
    """A client whose server gives these answers, one after the other."""
    asked: list[httpx.Request] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = next(left)
        if isinstance(given, Exception):
            raise given
        return given

    return Client("http://server", "hp_x", transport=httpx.MockTransport(answer), **options), asked


def released(content: Any, /, **changes: Any) -> httpx.Response:
    told = {
        "state": "released", "content": content, "sha256": content_digest(content), "verdict": "approve",
        "decided_by": {"kind": "person"}, "decision_id": str(uuid4()), "reason": None, "notice": None, **changes,
    }  # fmt: skip
    return httpx.Response(200, json=told)


def test_an_output_is_sent_and_its_answer_is_typed(client: Client, world: World) -> None:
    told = client.submit(output(confidence=0.9, output={"tool": "pay", "euros": 1.5}))
    assert told.route == "pass"
    assert told.release.state == "released"
    assert told.release.content == {"tool": "pay", "euros": 1.5}
    assert told.release.decided_by == "system"
    assert told.replayed is False
    held = client.submit(output("held"))
    assert (held.route, held.reasons, held.release.state) == ("review", ["low_confidence"], "pending")
    assert held.due_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert client.submit(output("held")).replayed is True


def test_a_checked_output_is_sent_as_it_is(client: Client, world: World) -> None:
    checked, _ = read_output(json.dumps(output(produced_at="2026-03-02T08:00:00Z")).encode(), world.now)
    first = client.submit(checked)
    assert client.submit(output(produced_at=datetime(2026, 3, 2, 8, tzinfo=UTC))).item_id == first.item_id


def test_refusals_carry_the_problem(client: Client, url: str, world: World) -> None:
    client.submit(output())
    with pytest.raises(Conflict) as conflict:
        client.submit(output(output="Other."))
    assert conflict.value.field == "external_id"
    assert conflict.value.problem["status"] == 409
    with pytest.raises(InvalidOutput, match="not a known field") as invalid:
        client.submit(output("y", colour="red"))
    assert invalid.value.field == "colour"
    with pytest.raises(InvalidOutput, match="MiB"):
        client.submit(output("y", input="x" * 5_000_000))
    with pytest.raises(NotKnown):
        client.release(uuid4())
    for key in ("hp_wrong", world.tokens["ann"]):
        with pytest.raises(NotAllowed), Client(url, key) as other:
            other.submit(output())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800", {1: {2: {3}}}])
def test_what_json_cannot_carry_is_never_sent_as_something_else(value: Any) -> None:
    client, asked = scripted()
    with pytest.raises(InvalidOutput):
        client.submit(output(metadata={"a": value}))
    assert asked == []


def test_many_are_sent_in_batches_and_one_bad_one_costs_that_one(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BATCH_LINES", 10)
    outputs = [output(f"x{index}", confidence=index / 25) for index in range(25)]
    outputs[3]["confidence"] = 7
    outputs[14]["metadata"] = {"a": float("nan")}
    outputs[24]["colour"] = "red"
    seen: list[int] = []
    told = client.submit_many((one for one in outputs), on_batch=lambda summary: seen.append(summary.total))
    assert (told.accepted, told.replayed, told.total) == (22, 0, 25)
    assert [(one.line, one.problem["status"]) for one in told.rejected] == [(4, 422), (15, 422), (25, 422)]
    assert sum(told.routes.values()) == 22
    assert seen == [10, 21, 25]
    again = client.submit_many(outputs)
    assert (again.accepted, again.replayed, again.routes) == (0, 22, told.routes)
    assert n_rows(world.store)["item"] == 22


def test_batches_stay_small(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BATCH_BYTES", 2_000)
    seen: list[int] = []
    outputs = [output(f"x{index}", input="x" * (5_000 if index == 2 else 500)) for index in range(6)]
    assert client.submit_many(outputs, on_batch=lambda summary: seen.append(summary.total)).accepted == 6
    assert seen == [2, 3, 5, 6]
    assert client.submit_many([]) == Summary()


def test_a_release_is_waited_for(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "POLL_SECONDS", 0.3)
    item_id = client.submit(output()).item_id
    with pytest.raises(StillPending):
        client.wait_for_release(item_id, timeout=0.5)
    task = world.claim()
    assert task is not None
    threading.Timer(0.5, lambda: world.decide(task, verdict="correct", correction="It is Paris. \U0001f5fc")).start()
    release = client.wait_for_release(item_id, timeout=20)
    assert release.content == "It is Paris. \U0001f5fc"
    assert (release.state, release.verdict, release.decided_by) == ("released", "correct", "person")


def test_what_is_withheld_has_no_content(client: Client, world: World) -> None:
    item_id = client.submit(output()).item_id
    task = world.claim()
    assert task is not None
    world.decide(task, verdict="reject")
    release = client.wait_for_release(str(item_id))
    assert (release.state, release.content, release.verdict) == ("withheld", None, "reject")


def test_a_release_is_used_once_and_never_asked_for_twice(client: Client, world: World) -> None:
    item_id = client.submit(output()).item_id
    digest = content_digest(output()["output"])
    with pytest.raises(NotReleased, match="pending"):
        client.consume(item_id, digest)
    task = world.claim()
    assert task is not None
    world.decide(task)
    with pytest.raises(Conflict):
        client.consume(item_id, "0" * 64)
    assert client.consume(item_id, digest).content == output()["output"]
    with pytest.raises(Consumed):
        client.consume(item_id, digest)
    lost, asked = scripted(httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable):
        lost.consume(item_id, digest)
    assert len(asked) == 1


def test_the_mode_is_asked_for_cheaply(client: Client, world: World) -> None:
    before = client.mode("helper")
    assert (before.mode, before.since) == ("normal", None)
    assert client.mode("helper") is before
    set_mode(world, Mode.STOPPED, until=world.now + timedelta(hours=1))
    after = client.mode("helper")
    assert (after.mode, after.reason, after.since) == ("stopped", "a test", world.now)
    told = client.submit(output())
    assert (told.mode, told.status, told.release.reason) == ("stopped", "lapsed", "system_stopped")
    assert client.submit_many([output("y")]).mode == "stopped"
    with pytest.raises(NotKnown):
        client.mode("another")


def test_what_happened_to_the_model_is_reported(client: Client, world: World) -> None:
    assert client.report("helper", "price_changed").plan is None
    plan = PlanText(mode=Mode.REVIEW_ALL, fallback="answerer-small")
    with world.store.write() as session:
        contingencies.write(session, world.actors["odo"], "helper", Trigger.MODEL_UNAVAILABLE, plan, now=world.now)
    done = client.report("helper", "model_unavailable", "503 since 9:00")
    assert (done.mode, done.is_mode_changed) == ("review_all", True)
    assert done.plan is not None
    assert (done.plan.fallback, done.plan.mode) == ("answerer-small", "review_all")


@pytest.mark.parametrize("change", [{"content": "Other."}, {"sha256": None}, {"sha256": "0" * 64}])
def test_content_with_another_digest_is_never_given_out(change: dict[str, Any]) -> None:
    client, _ = scripted(released("Paris.", **change))
    with pytest.raises(WrongContent):
        client.wait_for_release(uuid4())


def test_a_server_that_is_away_is_asked_again() -> None:
    busy = httpx.Response(503, json={"detail": "Busy."}, headers={"retry-after": "0"})
    gone = httpx.ConnectError("refused")
    client, asked = scripted(gone, busy, httpx.Response(502, text="<html>"), released("Paris."))
    assert client.wait_for_release(uuid4()).content == "Paris."
    assert len(asked) == 4


def test_a_server_that_stays_away_is_unavailable() -> None:
    client, asked = scripted(*[httpx.ReadTimeout("slow")] * 3, attempts=3)
    with pytest.raises(Unavailable, match="could not be reached"):
        client.submit(output())
    assert len(asked) == 3
    assert len({request.content for request in asked}) == 1


def test_a_refusal_is_not_asked_again() -> None:
    client, asked = scripted(httpx.Response(409, json={"detail": "Used before."}))
    with pytest.raises(Conflict, match="Used before"):
        client.submit(output())
    assert len(asked) == 1
    client, _ = scripted(httpx.Response(418, json=["odd"]))
    with pytest.raises(ClientError):
        client.submit(output())


def test_an_address_that_is_none_is_said_at_once() -> None:
    with Client("server:8501", "hp_x") as client, pytest.raises(ClientError, match="no address"):
        client.submit(output())


@pytest.mark.parametrize("given", ["http://server", "http://server/", "http://server/api/v1", "http://server/api/v1/"])
def test_the_address_may_be_the_servers_or_the_interfaces(given: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return released("x")

    with Client(given, "hp_x", transport=httpx.MockTransport(answer)) as client:
        client.release("a")
    assert asked == ["http://server/api/v1/items/a/release?wait=0"]


def test_the_client_is_light_to_import() -> None:
    heavy = "streamlit sqlalchemy sqlmodel pandas numpy fastapi starlette alembic"
    code = f"import review.client, sys; sys.exit(' '.join(m for m in '{heavy}'.split() if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")

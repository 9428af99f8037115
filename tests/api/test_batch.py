import gzip
import json
import random
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from review.api import batches
from tests.support.serving import Caller, n_rows
from tests.support.world import output


def line(external_id: str, **changes: Any) -> bytes:
    return json.dumps(output(external_id, **changes)).encode()


def lines(n: int, **changes: Any) -> bytes:
    return b"\n".join(line(f"x{index}", **changes) for index in range(n))


def test_one_bad_line_costs_that_line_alone(api: Caller) -> None:
    body = b"\n".join(
        [line("a"), b"{not json", line("b", confidence=0.9), line("c", span=1), line("a", output="Other."), line("a")]
    )
    answer = api.batch(body)
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in ("accepted", "replayed", "routes")} == {
        "accepted": 2, "replayed": 1, "routes": {"pass": 1, "review": 2, "block": 0},
    }  # fmt: skip
    assert [(one["line"], one["problem"]["status"], one["problem"].get("field")) for one in told["rejected"]] == [
        (2, 422, "body"), (4, 422, "span"), (5, 409, "external_id"),
    ]  # fmt: skip
    assert n_rows(api.world.store)["item"] == 2


def test_blank_lines_are_skipped_but_counted(api: Caller) -> None:
    told = api.batch(b"\n  \r\n" + line("a") + b"\r\n\n" + b"nonsense\n\n").json()
    assert told["accepted"] == 1
    assert [one["line"] for one in told["rejected"]] == [5]


@pytest.mark.parametrize("body", [b"", b"\n\n", b" "])
def test_an_empty_batch_is_no_error(api: Caller, body: bytes) -> None:
    assert api.batch(body).json() == {
        "accepted": 0, "replayed": 0, "rejected": [], "routes": {"pass": 0, "review": 0, "block": 0},
        "mode": "normal",
    }  # fmt: skip


def test_results_tell_of_every_line_that_was_taken(api: Caller) -> None:
    api.send(output("x1"))
    told = api.batch(lines(3) + b"\nbad", query="?results=true").json()
    assert [(one["line"], one["route"], one["replayed"]) for one in told["results"]] == [
        (1, "review", False), (2, "review", True), (3, "review", False),
    ]  # fmt: skip
    assert {one["release_state"] for one in told["results"]} == {"pending"}
    item_id = told["results"][0]["item_id"]
    assert api.get(f"/items/{item_id}", "helper").json()["external_id"] == "x0"


def test_many_lines_are_one_audit_event_a_commit(api: Caller) -> None:
    before = n_rows(api.world.store)
    assert api.batch(lines(2500)).json()["accepted"] == 2500
    after = n_rows(api.world.store)
    assert after["item"] - before["item"] == 2500
    assert after["task"] - before["task"] == 2500
    assert after["audit_event"] - before["audit_event"] == 3
    assert api.batch(lines(2500)).json()["replayed"] == 2500
    assert n_rows(api.world.store) == after


def test_gzip_is_read_in_one_member_or_several(api: Caller) -> None:
    body = gzip.compress(lines(2) + b"\n") + gzip.compress(line("y"))
    assert api.batch(body, content_encoding="gzip").json()["accepted"] == 3


def test_zeros_behind_a_gzip_member_are_padding(api: Caller) -> None:
    body = gzip.compress(lines(2) + b"\n") + bytes(700_000) + gzip.compress(line("y")) + bytes(512)
    assert api.batch(body, content_encoding="gzip").json()["accepted"] == 3


@pytest.mark.parametrize(
    "body", [gzip.compress(lines(50))[:-9], b"no gzip at all", lines(2), gzip.compress(lines(2)) + b"tail"]
)
def test_broken_gzip_is_refused(api: Caller, body: bytes) -> None:
    answer = api.batch(body, content_encoding="gzip")
    assert answer.status_code == 422
    assert answer.json()["field"] == "body"


@pytest.mark.parametrize("blank", [b"\n", b" "])
def test_a_gzip_bomb_is_refused_without_unpacking_it_all(api: Caller, blank: bytes) -> None:
    bomb = gzip.compress(blank * (512 * 1024**2), 9)
    assert len(bomb) < 1024**2
    tracemalloc.start()
    answer = api.batch(bomb, content_encoding="gzip")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 64 * 1024**2


def test_endless_empty_gzip_members_are_refused(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BYTES", 100_000)
    parts = (gzip.compress(b"") * 1000 for _ in range(100))
    answer = api.batch(parts, content_encoding="gzip")  # type: ignore[arg-type]
    assert answer.status_code == 413


def test_too_many_lines_are_refused(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_LINES", 5)
    assert api.batch(lines(5)).status_code == 200
    assert api.batch(lines(6)).status_code == 413
    assert api.batch(b"\n" * 6).status_code == 413


def test_too_many_bytes_are_refused(api: Caller) -> None:
    parts = (b" " * 1024**2 for _ in range(65))
    assert api.batch(parts).status_code == 413  # type: ignore[arg-type]
    assert api.batch(b"x", content_length=str(65 * 1024**2)).status_code == 413


def test_a_line_too_long_costs_that_line_alone(api: Caller) -> None:
    long = line("long", input="x" * (9 * 1024**2))
    told = api.batch(b"\n".join([line("a"), long, line("b")])).json()
    assert told["accepted"] == 2
    assert [(one["line"], one["problem"]["status"]) for one in told["rejected"]] == [(2, 413)]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "application/json"}, 415),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "gzip, gzip"}, 415),
        ({"content_type": "application/jsonl; charset=utf-8"}, 200),
    ],
)
def test_types_and_encodings(api: Caller, headers: dict[str, str], status: int) -> None:
    assert api.batch(line("a"), **headers).status_code == status


def test_chunks_are_committed_while_the_rest_still_arrives(live: Caller) -> None:
    world, address = live.world, live.http.base_url
    body = lines(1500)
    with socket.create_connection((address.host, address.port or 80), timeout=20) as connection:
        connection.sendall(
            f"POST /api/v1/outputs/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.tokens['helper']}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body) + 1}\r\n\r\n".encode()
        )
        connection.sendall(body)
        deadline = time.monotonic() + 10
        while n_rows(world.store)["item"] < 1000 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert n_rows(world.store)["item"] == 1000
    time.sleep(0.3)  # the connection is gone: what was committed stays, and the server goes on
    assert live.batch(body).json()["accepted"] == 500


def test_batches_that_overlap_at_the_same_time_lose_and_double_nothing(live: Caller) -> None:
    ids = [f"x{index}" for index in range(400)]

    def send(seed: int) -> dict[str, Any]:
        mixed = random.Random(seed).sample(ids, len(ids))
        answer = live.batch(b"\n".join(line(external_id) for external_id in mixed))
        assert answer.status_code == 200, answer.text
        return answer.json()

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(send, range(4)))
    assert sum(one["accepted"] for one in told) == 400
    assert sum(one["replayed"] for one in told) == 1200
    assert n_rows(live.world.store)["item"] == 400

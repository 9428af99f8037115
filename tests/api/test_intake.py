import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from review.domain.content import content_digest
from tests.support.serving import Caller, n_rows
from tests.support.world import output

ROUTING = ("item_id", "route", "reasons", "policy_version", "inclusion_probability", "due_at")


def test_a_held_output_is_answered_without_content(api: Caller) -> None:
    answer = api.post("/outputs", output(), "helper")
    assert answer.status_code == 201
    body = answer.json()
    assert body["route"] == "review"
    assert body["reasons"] == ["low_confidence"]
    assert body["policy_version"] == 2
    assert body["inclusion_probability"] == 1.0
    assert body["status"] == "waiting"
    assert body["due_at"] == "2026-03-02T13:00:00Z"
    assert body["release"] == {
        "state": "pending", "content": None, "sha256": None, "verdict": None, "decided_by": None, "decision_id": None,
        "reason": None, "notice": None,
    }  # fmt: skip


@pytest.mark.parametrize("content", ["Paris, the “capital” \U0001f5fc.", {"tool": "refund", "euros": 12.50}, [1, None]])
def test_what_passes_is_released_at_once_with_its_exact_content(api: Caller, content: Any) -> None:
    body = api.send(output(confidence=0.9, output=content))
    assert body["route"] == "pass"
    assert body["release"]["state"] == "released"
    assert body["release"]["content"] == content
    assert body["release"]["sha256"] == content_digest(content)
    assert body["release"]["decided_by"] == {"kind": "system"}


@pytest.mark.parametrize("confidence", [0.2, 0.9])
def test_the_same_output_again_gives_the_same_answer(api: Caller, confidence: float) -> None:
    first = api.post("/outputs", output(confidence=confidence), "helper")
    before = n_rows(api.world.store)
    again = api.post("/outputs", output(confidence=confidence), "helper")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert n_rows(api.world.store) == before


def test_a_replay_tells_what_became_of_the_item_and_that_is_a_fetch(api: Caller) -> None:
    first = api.send(output())
    decided = api.decide(api.claim(), verdict="correct", correction="Paris.").json()
    again = api.send(output())
    assert {name: again[name] for name in ROUTING} == {name: first[name] for name in ROUTING}
    assert again["status"] == "decided"
    assert again["release"]["content"] == "Paris."
    assert api.post(f"/decisions/{decided['decision_id']}/undo").status_code == 409


def test_the_same_id_with_other_content_is_a_conflict(api: Caller) -> None:
    api.send(output())
    before = n_rows(api.world.store)
    answer = api.post("/outputs", output(output="Something else."), "helper")
    assert answer.status_code == 409
    assert answer.json()["field"] == "external_id"
    assert n_rows(api.world.store) == before


def test_the_same_new_output_from_many_threads_is_one_item(live: Caller) -> None:
    def send(_: int) -> tuple[int, str]:
        answer = live.post("/outputs", output(), "helper")
        return answer.status_code, answer.json()["item_id"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({item_id for _, item_id in answers}) == 1
    assert n_rows(live.world.store)["item"] == 1


def raw(**changes: str) -> bytes:
    """The body of an output with some fields as JSON text of our own."""
    fields = {name: json.dumps(value) for name, value in output().items()} | changes
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode()


DEEP = "[" * 40 + "]" * 40
REFUSED: dict[str, tuple[bytes, int, str | None]] = {
    "confidence is not a number": (raw(confidence="NaN"), 422, "confidence"),
    "confidence is infinite": (raw(confidence="Infinity"), 422, "confidence"),
    "confidence overflows": (raw(confidence="1e999"), 422, "confidence"),
    "confidence is over 1": (raw(confidence="1.01"), 422, "confidence"),
    "a number in metadata is not finite": (raw(metadata='{"a": [NaN]}'), 422, "metadata.a[0]"),
    "a number in metadata overflows": (raw(metadata='{"a": 1e999}'), 422, None),
    "a number in the output overflows": (raw(output='{"a": -1e999}'), 422, None),
    "an integer that cannot be kept": (raw(metadata=f'{{"a": {2**70}}}'), 422, None),
    "NUL in a text": (raw(input=r'"a\u0000b"'), 422, "input"),
    "NUL in the id": (raw(external_id=r'"a\u0000b"'), 422, "external_id"),
    "NUL in a key": (raw(metadata=r'{"a\u0000": 1}'), 422, "metadata"),
    "half of a surrogate pair": (raw(input=r'"a\ud800"'), 422, None),
    "half of a pair in a key": (raw(metadata=r'{"\udc00": 1}'), 422, None),
    "a span outside the output": (
        raw(flags='[{"code":"x","severity":3,"span":{"start":0,"end":99}}]'), 422, "flags[0].span",
    ),
    "a span that ends before it starts": (
        raw(flags='[{"code":"x","severity":3,"span":{"start":5,"end":5}}]'), 422, "flags[0].span",
    ),
    "a severity that is none": (raw(flags='[{"code":"x","severity":6}]'), 422, "flags.0.severity"),
    "over 1 MiB of content": (raw(input=json.dumps("x" * 1024 * 1024)), 413, "context"),
    "over-deep JSON": (raw(metadata=f'{{"a": {DEEP}}}'), 422, "metadata"),
    "JSON too deep to read": (raw(metadata='{"a":' + "[" * 50_000 + "]" * 50_000 + "}"), 422, None),
    "an unknown field": (raw(reviewer='"ann"'), 422, "reviewer"),
    "an unknown field inside": (raw(model='{"name":"m","version":"1","size":"7b"}'), 422, "model.size"),
    "an unknown kind": (raw(kind='"poem"'), 422, "kind"),
    "an unknown system": (raw(system='"nobody"'), 403, "system"),
    "no system": (b'{"external_id":"x"}', 422, "system"),
    "a clock in the future": (raw(produced_at='"2026-03-02T09:05:01Z"'), 422, "produced_at"),
    "a time without a zone": (raw(produced_at='"2026-03-02T09:00:00"'), 422, "produced_at"),
    "an empty id": (raw(external_id='""'), 422, "external_id"),
    "a long id": (raw(external_id=json.dumps("x" * 201)), 422, "external_id"),
    "no JSON": (b"external_id=x", 422, "body"),
    "no UTF-8": (b'{"system":"\xff"}', 422, "body"),
    "nothing": (b"", 422, "body"),
    "a list": (b"[]", 422, "body"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_names_the_field_and_writes_nothing(api: Caller, case: str) -> None:
    body, status, field = REFUSED[case]
    before = n_rows(api.world.store)
    answer = api.post("/outputs", who="helper", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["instance"] == "/api/v1/outputs"
    assert problem["detail"]
    if field is not None:
        assert problem["field"] == field
    assert n_rows(api.world.store) == before


@pytest.mark.parametrize(
    ("who", "status"),
    [(None, 401), ("hp_wrong", 401), ("", 401), ("ann", 403), ("lea", 403), ("odo", 403), ("aud", 403), ("adm", 403)],
)
def test_only_a_systems_key_may_send(api: Caller, who: str | None, status: int) -> None:
    before = n_rows(api.world.store)
    answers = [
        api.post("/outputs", output(), who),
        api.batch(json.dumps(output()).encode(), who) if who else None,
    ]
    for answer in filter(None, answers):
        assert answer.status_code == status
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert n_rows(api.world.store) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-ndjson"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/json", "content-encoding": "br"},
    ],
)
def test_other_types_and_encodings_are_not_read(api: Caller, headers: dict[str, str]) -> None:
    answer = api.post("/outputs", who="helper", content=raw(), headers=headers)
    assert answer.status_code == 415


def test_a_type_with_parameters_is_read(api: Caller) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert api.post("/outputs", who="helper", content=raw(), headers=headers).status_code == 201


def test_a_large_body_is_refused_before_it_is_read(live: Caller) -> None:
    address = live.http.base_url
    import socket

    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        head = f"POST /api/v1/outputs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {live.world.tokens['helper']}\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {10**12}\r\n\r\n".encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_a_large_body_of_no_said_length_is_refused(live: Caller) -> None:
    chunks = (b" " * 65536 for _ in range(100))
    answer = live.post("/outputs", who="helper", content=chunks, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_revoked_key_sends_nothing_any_more(api: Caller) -> None:
    from sqlalchemy import update

    from review.store.tables import ApiKey

    with api.world.store.write() as session:
        session.execute(update(ApiKey).values(revoked_at=api.world.now))
    assert api.post("/outputs", output(), "helper").status_code == 401

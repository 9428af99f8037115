"""Intake, claim and decide over HTTP, beside raw SQLite and a no-op endpoint of the same server."""

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import milliseconds, percentile, ratio
from bench.floors import PAYLOAD, RawSqlite
from bench.program import HOLD_ALL, Program, running
from review.commands import intake as intake_commands
from review.domain.outputs import read_output
from review.queries import keys

N_ITEMS, N_CYCLES, ROUNDS = 100_000, 400, 3
LABEL_STUDIO_ITEMS_PER_SECOND = 3_870  # version 1.23.2, batched import of the same items on a like machine


def _line(i: int, payload: dict[str, Any]) -> bytes:
    model = {"name": "m", "version": "1"}
    body = {"system": "sys", "external_id": f"x{i}", "kind": "answer", "model": model, "confidence": i * 37 % 100 / 100}
    return json.dumps({**body, **payload}).encode()


class Caller:
    """One HTTP connection that is kept open, with a key."""

    def __init__(self, program: Program, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", program.port)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The answer's JSON; raises RuntimeError for a refusal."""
        self.connection.request(method, f"/api/v1{path}", body, {**self.headers, **headers})
        response = self.connection.getresponse()
        raw = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {raw[:300]!r}")
        return json.loads(raw) if raw else None


def _floor() -> RawSqlite:
    return RawSqlite(Path(tempfile.mkdtemp()) / "floor.db")


def _sent(caller: Caller, lines: list[bytes]) -> float:
    body, begun = b"\n".join(lines), time.perf_counter()
    answer = caller.call("POST", "/outputs/batch", body, **{"Content-Type": "application/x-ndjson"})
    took = time.perf_counter() - begun
    if answer["accepted"] != len(lines):
        raise RuntimeError(f"only {answer['accepted']} of {len(lines)} were accepted")
    return len(lines) / took


def intake() -> None:
    """Batched intake of 2 KB outputs over HTTP, with validation, policy and audit in it."""
    ratios = []
    with running() as program:
        _sent(Caller(program, program.system_key), [_line(i, PAYLOAD) for i in range(1_000)])
        for n in range(1, ROUNDS + 1):
            floor = _floor().intake(N_ITEMS)
            lines = [_line(n * N_ITEMS + i, PAYLOAD) for i in range(N_ITEMS)]
            caller = Caller(program, program.system_key)
            ours = [_sent(caller, lines[first : first + 10_000]) for first in range(0, N_ITEMS, 10_000)]
            rate = len(ours) / sum(1 / one for one in ours)
            print(f"raw SQLite {floor:,.0f} items/s; over HTTP {rate:,.0f} items/s", flush=True)
            ratios.append(rate / floor)
    ratio("over HTTP against raw SQLite, median", percentile(ratios, 0.5), "at least 0.25")
    ratio("over HTTP against Label Studio's import", rate / LABEL_STUDIO_ITEMS_PER_SECOND, "above 1")


def _cycles(program: Program, n: int) -> tuple[list[float], list[float], list[float]]:
    caller = Caller(program, program.person_keys[0])
    no_ops, claims, decisions = [], [], []
    for _ in range(n):
        no_ops.append(_took(lambda: caller.call("GET", "/healthz"))[1])
        task, took = _took(lambda: caller.call("POST", "/tasks/claim", b"{}"))
        claims.append(took)
        answer = {
            "lease": task["lease"]["token"], "item_version": task["item"]["version"], "verdict": "approve",
            "labels": [], "spans": [], "note": "",
        }  # fmt: skip
        body, path = json.dumps(answer).encode(), f"/tasks/{task['task_id']}/decision"
        decisions.append(_took(lambda body=body, path=path: caller.call("POST", path, body))[1])
    return no_ops, claims, decisions


def _took(call: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    return call(), time.perf_counter() - begun


def claim_and_decide() -> None:
    """Claim and decide over HTTP, one reviewer, 10,000 tasks waiting."""
    with running(policy=HOLD_ALL) as program:
        fill(program, 10_000, PAYLOAD)
        _cycles(program, 50)
        floor = _floor()
        floor.intake(10_000)
        for _ in range(ROUNDS):
            raw_claims, raw_decisions = floor.cycles(N_CYCLES)
            no_ops, claims, decisions = _cycles(program, N_CYCLES)
            milliseconds("raw SQLite: claim", raw_claims)
            milliseconds("raw SQLite: decide", raw_decisions)
            milliseconds("over HTTP: no-op", no_ops)
            milliseconds("over HTTP: claim", claims)
            milliseconds("over HTTP: decide", decisions)
            for name, ours, raw in (("claim", claims, raw_claims), ("decide", decisions, raw_decisions)):
                least = percentile(raw, 0.95) + percentile(no_ops, 0.95)
                ratio(f"{name}, p95, against raw SQLite + no-op", percentile(ours, 0.95) / least, "at most 3")


def fill(program: Program, n: int, payload: dict[str, Any], *, numbered: bool = False) -> None:
    """Put n outputs in without HTTP; numbered ones say their number, so that a browser can tell them apart."""
    with program.store.read() as session:
        actor = keys.actor_of(session, program.system_key)
    for start in range(0, n, 2_000):
        now = datetime.now(UTC)
        bodies = [(i, _told(i, payload) if numbered else payload) for i in range(start, min(start + 2_000, n))]
        checked = [read_output(_line(i, body), now) for i, body in bodies]
        with program.store.write() as session:
            intake_commands.take(session, actor, checked, now=now)


def _told(i: int, payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "output": f"Number {i:06} is Paris. {payload['output']}"}


def a_million_waiting() -> None:
    """Claim and decide with 1,000,000 tasks waiting, against 10,000."""
    small = {"input": "Which day?", "output": "Monday."}
    with running(policy=HOLD_ALL) as few, running(policy=HOLD_ALL) as many:
        fill(few, 10_000, small)
        fill(many, 1_000_000, small)
        _cycles(few, 50)
        _cycles(many, 50)
        for _ in range(ROUNDS):
            _no_ops, few_claims, few_decisions = _cycles(few, N_CYCLES)
            _no_ops, many_claims, many_decisions = _cycles(many, N_CYCLES)
            milliseconds("10,000 waiting: claim", few_claims)
            milliseconds("1,000,000 waiting: claim", many_claims)
            milliseconds("10,000 waiting: decide", few_decisions)
            milliseconds("1,000,000 waiting: decide", many_decisions)
            for name, after, before in (
                ("claim", many_claims, few_claims),
                ("decide", many_decisions, few_decisions),
            ):
                for share in (0.5, 0.95):
                    figure = percentile(after, share) / percentile(before, share)
                    ratio(f"{name}, p{share * 100:.0f}, 1,000,000 against 10,000", figure, "at most 1.3")

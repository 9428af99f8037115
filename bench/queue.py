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

N_ITEMS, N_CYCLES, ROUNDS = 100_000, 1_200, 3
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


class Reviewer:
    """Somebody who works the queue over HTTP; keeps the seconds that each call took."""

    def __init__(self, program: Program) -> None:
        self.caller = Caller(program, program.person_keys[0])
        self.no_ops: list[float] = []
        self.claims: list[float] = []
        self.decisions: list[float] = []

    def cycle(self) -> None:
        """A no-op, a claim, a decision."""
        self.no_ops.append(_took(lambda: self.caller.call("GET", "/healthz"))[1])
        task, took = _took(lambda: self.caller.call("POST", "/tasks/claim", b"{}"))
        self.claims.append(took)
        answer = {
            "lease": task["lease"]["token"], "item_version": task["item"]["version"], "verdict": "approve",
            "labels": [], "spans": [], "note": "",
        }  # fmt: skip
        body, path = json.dumps(answer).encode(), f"/tasks/{task['task_id']}/decision"
        self.decisions.append(_took(lambda: self.caller.call("POST", path, body))[1])


def _took(call: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    return call(), time.perf_counter() - begun


def claim_and_decide() -> None:
    """Claim and decide over HTTP, one reviewer, 10,000 tasks waiting; raw SQLite in turn with it."""
    with running(policy=HOLD_ALL) as program:
        fill(program, 10_000, PAYLOAD)
        warm, reviewer, floor = Reviewer(program), Reviewer(program), _floor()
        floor.intake(10_000)
        raw_claims, raw_decisions = [], []
        for n in range(N_CYCLES):
            if n < N_CYCLES // 10:
                warm.cycle()
            claims, decisions = floor.cycles(1)
            raw_claims += claims
            raw_decisions += decisions
            reviewer.cycle()
    milliseconds("raw SQLite: claim", raw_claims)
    milliseconds("raw SQLite: decide", raw_decisions)
    milliseconds("over HTTP: no-op", reviewer.no_ops)
    milliseconds("over HTTP: claim", reviewer.claims)
    milliseconds("over HTTP: decide", reviewer.decisions)
    for name, ours, raw in (
        ("claim", reviewer.claims, raw_claims),
        ("decide", reviewer.decisions, raw_decisions),
    ):
        least = percentile(raw, 0.95) + percentile(reviewer.no_ops, 0.95)
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
        for _ in range(50):
            Reviewer(few).cycle()
            Reviewer(many).cycle()
        one, other = Reviewer(few), Reviewer(many)
        for _ in range(N_CYCLES):
            one.cycle()
            other.cycle()
    for name, before, after in (
        ("claim", one.claims, other.claims),
        ("decide", one.decisions, other.decisions),
    ):
        milliseconds(f"10,000 waiting: {name}", before)
        milliseconds(f"1,000,000 waiting: {name}", after)
        for share in (0.5, 0.95):
            figure = percentile(after, share) / percentile(before, share)
            ratio(f"{name}, p{share * 100:.0f}, 1,000,000 against 10,000", figure, "at most 1.3")

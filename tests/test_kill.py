"""kill -9 amid intake and decisions: what was acknowledged is there, the chain verifies, and nothing is stuck."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import func, select
from sqlmodel import col

from review.api.app import create_api
from review.delivery import worker
from review.queries import audit
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.store.tables import Decision, Item, Task
from tests.support.databases import opened
from tests.support.processes import started
from tests.support.world import World, output

KILLS = {"sqlite": 20, "postgresql": 4}


def serve(url: str, folder: Path, port: int) -> None:
    """The interface and the worker, as the one program runs them."""
    store = Store(url)
    work = (store, AuditKey(folder), 0.2, threading.Event())
    threading.Thread(target=worker.run, args=work, daemon=True).start()
    uvicorn.run(create_api(store), host="127.0.0.1", port=port, log_level="error")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Acknowledged:
    """What clients were told is done."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.items: dict[str, str] = {}
        self.decisions: set[str] = set()


@contextmanager
def killed_after(seconds: float, url: str, folder: Path, port: int) -> Iterator[None]:
    """A server that answers, and is killed with signal 9 while the block runs."""
    process = started(serve, url, folder, port)
    assert process.pid is not None
    try:
        for _ in range(300):
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        killer = threading.Timer(seconds, os.kill, (process.pid, signal.SIGKILL))
        killer.start()
        yield
        killer.join()
    finally:
        process.kill()
        process.join()


def until_it_dies(port: int, token: str, act: Any) -> threading.Thread:
    def run() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}) as client:
            while True:
                try:
                    act(client)
                except httpx.TransportError:
                    return

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def send_single(told: Acknowledged, prefix: str) -> Any:
    numbers = iter(range(1_000_000))

    def act(client: httpx.Client) -> None:
        body = output(f"{prefix}-{next(numbers)}")
        answer = client.post("/outputs", json=body)
        assert answer.status_code == 201, answer.text
        with told.lock:
            told.items[body["external_id"]] = answer.json()["item_id"]

    return act


def send_batches(told: Acknowledged, prefix: str) -> Any:
    numbers = iter(range(1_000_000))

    def act(client: httpx.Client) -> None:
        first = next(numbers) * 50
        bodies = [output(f"{prefix}-{n}") for n in range(first, first + 50)]
        lines = "\n".join(json.dumps(body) for body in bodies)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = client.post("/outputs/batch?results=true", content=lines, headers=headers)
        assert answer.json()["accepted"] == 50, answer.text
        time.sleep(0.2)  # a few hundred items tell as much as thousands, and all are claimed at the end
        with told.lock:
            for body, result in zip(bodies, answer.json()["results"], strict=True):
                told.items[body["external_id"]] = result["item_id"]

    return act


def decide(told: Acknowledged) -> Any:
    def act(client: httpx.Client) -> None:
        claimed = client.post("/tasks/claim", json={})
        if claimed.status_code == 204:
            time.sleep(0.02)
            return
        work = claimed.json()
        answer = {
            "lease": work["lease"]["token"], "item_version": work["item"]["version"], "verdict": "reject",
            "labels": ["unsupported"], "spans": [], "note": "",
        }  # fmt: skip
        done = client.post(f"/tasks/{work['task_id']}/decision", json=answer)
        assert done.status_code == 201, done.text
        with told.lock:
            told.decisions.add(done.json()["decision_id"])

    return act


def test_nothing_acknowledged_is_lost(database_url: str, tmp_path: Path) -> None:
    told = Acknowledged()
    with opened(database_url) as store:
        world = World(store, now=datetime.now(UTC))
        for kill in range(KILLS[store.engine.dialect.name]):
            port = free_port()
            with killed_after(0.5 + 0.05 * (kill % 7), database_url, tmp_path, port):
                threads = [
                    until_it_dies(port, world.tokens["helper"], send_single(told, f"single{kill}")),
                    until_it_dies(port, world.tokens["helper"], send_batches(told, f"batch{kill}")),
                    until_it_dies(port, world.tokens["ann"], decide(told)),
                    until_it_dies(port, world.tokens["bob"], decide(told)),
                ]
            for thread in threads:
                thread.join()
        assert_all_there(store, told, tmp_path)
        assert_nothing_is_stuck(world)


def assert_all_there(store: Store, told: Acknowledged, folder: Path) -> None:
    assert told.items
    assert told.decisions
    with store.read() as session:
        items = dict(session.execute(select(col(Item.external_id), col(Item.id))).all())
        decisions = {str(found) for found in session.execute(select(col(Decision.id))).scalars()}
    assert {key: str(items.get(key)) for key in told.items} == told.items
    assert told.decisions <= decisions
    key = AuditKey(folder)
    worker.tick(store, key, datetime.now(UTC))
    verification = audit.verify(store, key)
    assert verification.ok, verification


def assert_nothing_is_stuck(world: World) -> None:
    """Every item that waits has one open task, and once the leases of the dead have ended all of them can be had."""
    world.now = datetime.now(UTC)
    world.later(minutes=6)
    with world.store.read() as session:
        waiting = set(session.execute(select(col(Item.id)).where(col(Item.status) == "waiting")).scalars())
        open_tasks = list(session.execute(select(col(Task.item_id)).where(col(Task.state) == "open")).scalars())
        decided = select(func.count()).select_from(Item).where(col(Item.status) == "decided")
        assert (
            session.execute(decided).scalar_one()
            == session.execute(select(func.count()).select_from(Decision)).scalar_one()
        )
    assert set(open_tasks) == waiting
    assert len(open_tasks) == len(waiting)
    n_claimed = 0
    while world.claim("ann") is not None:
        n_claimed += 1
    assert n_claimed == len(waiting)

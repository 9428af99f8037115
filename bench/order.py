"""What the order of tasks is worth: how many of all errors are found in the first fifth of the reviews."""

import gzip
import json
import os
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlmodel import col

from review.commands import calibrations, decisions, intake, keys, people, policies, systems, tasks
from review.domain.actors import HOLDPOINT, Actor, Role, person_actor
from review.domain.decisions import Answer, Verdict
from review.domain.lifecycle import LeaseToken
from review.domain.outputs import read_output
from review.queries import calibrations as known
from review.queries import keys as key_queries
from review.store import migrate
from review.store.engine import Store
from review.store.tables import Item, Task

DATA = "HOLDPOINT_BENCH_DATA"
SETS = ("banking77.dev", "summedits.dev")
HISTORY, FIRST, RESAMPLES, SEED = 1 / 3, 0.2, 2_000, 20260302
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_POLICY = "queue: q\norder: {order}\nrules:\n  - {{name: all, when: 'true', route: review, severity: 5}}\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One output of the set, and whether people said that it is wrong; only a reviewer sees that."""

    body: dict[str, Any]
    group: str
    is_wrong: bool


def order() -> None:
    """Errors found in the first 20% of reviews: by expected risk, and first in, first out (arrivals simulated)."""
    folder = os.environ.get(DATA)
    if not folder:
        print(f"skipped: set {DATA} to the folder that holds {' and '.join(f'{name}.jsonl.gz' for name in SETS)}")
        return
    for name in SETS:
        _measure(name, _rows(Path(folder) / f"{name}.jsonl.gz"))


def _rows(path: Path) -> list[Row]:
    """The set in an order drawn once, sources that share a group together."""
    with gzip.open(path, "rt") as lines:
        rows = [_row(json.loads(line)) for line in lines]
    groups = sorted({row.group for row in rows})
    random.Random(SEED).shuffle(groups)
    place = {group: n for n, group in enumerate(groups)}
    return sorted(rows, key=lambda row: place[row.group])


def _row(sent: dict[str, Any]) -> Row:
    body = {
        "system": "s", "external_id": sent["id"], "kind": "answer", "model": {"name": "m", "version": "1"},
        "input": sent["input"], "output": sent["output"], "confidence": sent["confidence"],
    }  # fmt: skip
    return Row(body, sent["group"], sent["human_label"] != "ok")


def _measure(name: str, rows: list[Row]) -> None:
    border = next(n for n in range(int(len(rows) * HISTORY), len(rows)) if rows[n].group != rows[n - 1].group)
    past, new = rows[:border], rows[border:]
    random.Random(SEED).shuffle(new)
    print(f"{name}: learned from {len(past):,} decisions; {len(new):,} new outputs, {_n_wrong(new):,} of them wrong")
    wrong = np.array([row.is_wrong for row in new])
    in_turn = _Reviews("priority", [], new)
    believed, learned = _Reviews("expected_risk", [], new), _Reviews("expected_risk", past, new)
    draws = np.random.default_rng(SEED).integers(0, len(new), (RESAMPLES, len(new)))
    base = [_share_found(in_turn.priorities, wrong, draw) for draw in draws]
    for what, reviews in (
        ("first in, first out", in_turn),
        ("expected risk, the confidence as it comes", believed),
        ("expected risk, learned", learned),
    ):
        found = [_share_found(reviews.priorities, wrong, draw) for draw in draws]
        more = [one - other for one, other in zip(found, base, strict=True)]
        print(f"  {what:<44} {reviews.share_found:6.1%} of errors  ({_interval(found)});  more: {_interval(more)}")
    for warning in learned.warnings:
        print(f"  the console says: {warning}")


def _n_wrong(rows: Sequence[Row]) -> int:
    return sum(row.is_wrong for row in rows)


def _share_found(priorities: np.ndarray[Any, Any], wrong: np.ndarray[Any, Any], draw: np.ndarray[Any, Any]) -> float:
    """The share of a resample's errors that its first fifth finds, by priority and then in order of arrival."""
    drawn = np.sort(draw)
    first = np.argsort(-priorities[drawn], kind="stable")[: int(len(drawn) * FIRST)]
    return float(wrong[drawn][first].sum() / wrong[drawn].sum())


def _interval(values: Sequence[float]) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"95% {low:.1%} to {high:.1%}"


class _Reviews:
    """The first fifth of reviews as the product gives them out: real intake, fit, claims and decisions."""

    def __init__(self, order_by: str, past: Sequence[Row], new: Sequence[Row]) -> None:
        self.store = Store(f"sqlite:///{Path(tempfile.mkdtemp()) / 'order.db'}")
        migrate.upgrade(self.store.engine)
        self.now = START
        self.reviewer = self._set_up(order_by)
        if past:
            self._take_in(past)
            self._review(past, len(past))
            with self.store.write() as session:
                calibrations.fit_due(session, now=self.now)
        self._take_in(new)
        self.priorities = self._priorities(new)
        self.share_found = self._review(new, int(len(new) * FIRST)) / _n_wrong(new)
        with self.store.read() as session:
            self.warnings = [one.warning for one in known.known(session, HOLDPOINT) if one.warning]
        self.store.close()

    def _set_up(self, order_by: str) -> Actor:
        with self.store.write() as session:
            made = [
                people.add(
                    session, HOLDPOINT, username=name, name=name, email=f"{name}@example.com", role=role,
                    password_hash=None, now=START,
                )
                for name, role in (("o", Role.OWNER), ("d", Role.OWNER), ("r", Role.REVIEWER))
            ]  # fmt: skip
            systems.add(session, HOLDPOINT, slug="s", owner="o", deputy="d", now=START)
            policies.activate(session, HOLDPOINT, "s", _POLICY.format(order=order_by), now=START)
            self.producer = key_queries.actor_of(session, keys.create_for_system(session, HOLDPOINT, "s", now=START))
            return person_actor(made[-1].id, "r", Role.REVIEWER)

    def _take_in(self, rows: Sequence[Row]) -> None:
        for row in rows:  # one by one, each a second later: they arrive in turn
            self.now += timedelta(seconds=1)
            with self.store.write() as session:
                read = read_output(json.dumps(row.body).encode(), self.now)
                intake.take(session, self.producer, [read], now=self.now)

    def _review(self, rows: Sequence[Row], n: int) -> int:
        """Decide the next `n` tasks with the truth; returns how many were wrong."""
        wrong = {row.body["external_id"]: row.is_wrong for row in rows}
        return sum(self._decide_next(wrong) for _ in range(n))

    def _decide_next(self, wrong: dict[str, bool]) -> bool:
        self.now += timedelta(seconds=1)
        with self.store.write() as session:
            task = tasks.claim(session, self.reviewer, now=self.now)
            if task is None or task.lease_token is None:
                raise RuntimeError("nothing is free")
            is_wrong = wrong[session.get_one(Item, task.item_id).external_id]
            answer = Answer(verdict=Verdict.REJECT if is_wrong else Verdict.APPROVE)
            decisions.decide(session, self.reviewer, task.id, LeaseToken(task.lease_token, 1), answer, now=self.now)
        return is_wrong

    def _priorities(self, rows: Sequence[Row]) -> "np.ndarray[Any, Any]":
        with self.store.read() as session:
            query = select(col(Item.external_id), col(Task.priority)).join(Task, col(Task.item_id) == col(Item.id))
            found = dict(session.execute(query).tuples().all())
        return np.array([found[row.body["external_id"]] for row in rows])

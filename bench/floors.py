"""The least that the same work can cost: raw sqlite3, durable, with no product around it."""

import hashlib
import json
import sqlite3
import time
import uuid
from pathlib import Path

PAYLOAD = {
    "input": "What is the capital of France? " * 4,
    "context": ["Paris is the capital. " * 60],
    "output": "The capital of France is Paris. " * 12,
}
_SCHEMA = """
CREATE TABLE item(id TEXT PRIMARY KEY, system TEXT, external_id TEXT, status TEXT, priority INT, due_at REAL,
  created_at REAL, lease_token TEXT, lease_expires_at REAL, confidence REAL, payload TEXT, UNIQUE(system, external_id));
CREATE INDEX item_queue ON item(priority DESC, due_at) WHERE status = 'waiting';
CREATE TABLE decision(id TEXT PRIMARY KEY, item_id TEXT, actor TEXT, verdict TEXT, at REAL);
CREATE TABLE audit(seq INTEGER PRIMARY KEY, hash TEXT UNIQUE, body TEXT);
"""
_CLAIM = """
UPDATE item SET lease_token = ?, lease_expires_at = ? WHERE id = (
  SELECT id FROM item WHERE status = 'waiting' AND (lease_expires_at IS NULL OR lease_expires_at < ?)
  ORDER BY priority DESC, due_at LIMIT 1) RETURNING id, payload
"""


class RawSqlite:
    """One connection, WAL, every commit synced to disk."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(_SCHEMA)

    def intake(self, n: int) -> float:
        """Insert n items of about 2 KB, 1,000 a transaction. Returns items per second."""
        payload, begun = json.dumps(PAYLOAD), time.perf_counter()
        for first in range(0, n, 1000):
            self.db.execute("BEGIN IMMEDIATE")
            rows = [_row(i, payload) for i in range(first, min(first + 1000, n))]
            self.db.executemany("INSERT INTO item VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
            self.db.execute("COMMIT")
        return n / (time.perf_counter() - begun)

    def cycles(self, n: int) -> tuple[list[float], list[float]]:
        """Claim and decide n items. Returns the seconds that each claim and each decision took."""
        claims, decisions = [], []
        for _ in range(n):
            begun = time.perf_counter()
            item_id = self._claim()
            claimed = time.perf_counter()
            self._decide(item_id)
            claims.append(claimed - begun)
            decisions.append(time.perf_counter() - claimed)
        return claims, decisions

    def _claim(self) -> str:
        now = time.time()
        self.db.execute("BEGIN IMMEDIATE")
        item_id, _payload = self.db.execute(_CLAIM, (uuid.uuid4().hex, now + 300, now)).fetchone()
        self.db.execute("COMMIT")
        return str(item_id)

    def _decide(self, item_id: str) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("INSERT INTO decision VALUES (?,?,?,?,?)", (uuid.uuid4().hex, item_id, "r", "ok", time.time()))
        self.db.execute("UPDATE item SET status = 'decided' WHERE id = ?", (item_id,))
        digest = hashlib.sha256(item_id.encode()).hexdigest()
        self.db.execute("INSERT INTO audit(hash, body) VALUES (?,?)", (digest, item_id))
        self.db.execute("COMMIT")


def _row(i: int, payload: str) -> tuple[object, ...]:
    now = time.time()
    key = f"{time.time_ns():016x}{i:08x}"
    return (key, "sys", f"x{i}", "waiting", i % 5, now + i * 7919 % 86400, now, None, None, i * 37 % 100 / 100, payload)

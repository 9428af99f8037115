"""The worker: what must happen by itself, a tick at a time. Two workers at once do no harm."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from review.commands import audit
from review.store.engine import Store

_SEALED_AT_ONCE = 1_000  # a longer transaction would keep reviewers waiting for SQLite's single writer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    n_sealed: int


def tick(store: Store, audit_key: audit.Signer, now: datetime) -> Tick:
    """Do everything that is due at this moment."""
    return Tick(n_sealed=seal_all(store, audit_key, now))


def seal_all(store: Store, audit_key: audit.Signer, now: datetime) -> int:
    """Chain every event that is not sealed yet, in short transactions. Returns how many."""
    n_sealed = 0
    while True:
        with store.write() as session:
            n = audit.seal(session, audit_key, now=now, at_most=_SEALED_AT_ONCE)
        n_sealed += n
        if n < _SEALED_AT_ONCE:
            return n_sealed


def run(store: Store, audit_key: audit.Signer, every_seconds: float, stop: threading.Event) -> None:
    """Tick until told to stop, and once more then; what fails is logged and tried again with the next tick."""
    while not stop.is_set():
        _try_tick(store, audit_key)
        stop.wait(every_seconds)
    _try_tick(store, audit_key)


def _try_tick(store: Store, audit_key: audit.Signer) -> None:
    try:
        done = tick(store, audit_key, datetime.now(UTC))
    except Exception:
        log.exception("tick.failed")
    else:
        if done.n_sealed:
            log.debug("tick.done", n_sealed=done.n_sealed)

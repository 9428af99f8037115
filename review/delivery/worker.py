"""The worker: what must happen by itself, a tick at a time. Two workers at once do no harm."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import structlog
from sqlmodel import Session

from review.commands import assignments, audit, calibrations, lapses, modes, service_levels
from review.store.engine import Store

_SEALED_AT_ONCE = 1_000  # a longer transaction would keep reviewers waiting for SQLite's single writer
_LAPSED_AT_ONCE = 100
_TASKS_AT_ONCE = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    n_lapsed: int = 0
    n_modes_ended: int = 0
    n_steps_taken: int = 0
    n_assigned: int = 0
    n_calibrated: int = 0
    n_sealed: int = 0

    @property
    def did_anything(self) -> bool:
        """Whether there was anything to do."""
        return any(asdict(self).values())


def tick(store: Store, audit_key: audit.Signer, now: datetime) -> Tick:
    """Do everything that is due at this moment. What fails is logged, and keeps nothing else from being done."""

    def steps(session: Session) -> int:
        return service_levels.run(session, now=now, at_most=_TASKS_AT_ONCE)

    def assign(session: Session) -> int:
        return assignments.assign_waiting(session, now=now, at_most=_TASKS_AT_ONCE)

    return Tick(
        n_lapsed=_done("lapses", lambda: lapse_all(store, now)),
        n_modes_ended=_done("modes", lambda: store.commit(lambda session: modes.end_due(session, now=now))),
        n_steps_taken=_done("service_levels", lambda: _in_pieces(store, steps, _TASKS_AT_ONCE)),
        n_assigned=_done("assignments", lambda: _in_pieces(store, assign, _TASKS_AT_ONCE)),
        n_calibrated=_done(
            "calibrations", lambda: store.commit(lambda session: calibrations.fit_due(session, now=now))
        ),
        n_sealed=_done("seal", lambda: seal_all(store, audit_key, now)),
    )


def _done(job: str, work: Callable[[], int]) -> int:
    try:
        return work()
    except Exception:
        log.exception("tick.failed", job=job)
        return 0


def lapse_all(store: Store, now: datetime) -> int:
    """Answer for everyone whose time is over, in short transactions. Returns for how many items."""
    return _in_pieces(store, lambda session: lapses.lapse_due(session, now=now, at_most=_LAPSED_AT_ONCE),
                      _LAPSED_AT_ONCE)  # fmt: skip


def seal_all(store: Store, audit_key: audit.Signer, now: datetime) -> int:
    """Chain every event that is not sealed yet, in short transactions. Returns how many."""
    return _in_pieces(store, lambda session: audit.seal(session, audit_key, now=now, at_most=_SEALED_AT_ONCE),
                      _SEALED_AT_ONCE)  # fmt: skip


def _in_pieces(store: Store, work: Callable[[Session], int], at_most: int) -> int:
    """Do work that says how much it did, at most so much a transaction, until nothing is left."""
    n_done = 0
    while True:
        n = store.commit(work)
        n_done += n
        if n < at_most:
            return n_done


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
        if done.did_anything:
            log.debug("tick.done", **asdict(done))

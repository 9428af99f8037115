"""What every page of this process shares: the store, and what a first page would otherwise wait for."""

import gc
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import import_module

import structlog

from review.store import migrate
from review.store.engine import Store, advisory_lock

_MIGRATION_LOCK = 7_201_478
# Imported at start so that the garbage collector never looks at them again.
_NEEDED = ("altair", "pandas", "pyarrow", "bcrypt", "jwt")
_stores: list[Store] = []


def begin(opened: Store) -> None:
    """Bring the database up to date and share it with the pages."""
    _log_plainly()
    _migrated(opened)
    for name in _NEEDED:
        import_module(name)
    _stores[:] = [opened]


def _log_plainly() -> None:
    """Log errors without the values of variables: they may hold a password or a customer's text."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _migrated(opened: Store) -> None:
    if opened.is_ready():
        return
    if opened.engine.dialect.name == "sqlite":
        migrate.upgrade(opened.engine)
        return
    with opened.write() as session:  # where several processes start at once, one migrates and the others wait
        advisory_lock(session, _MIGRATION_LOCK)
        migrate.upgrade(opened.engine)


@cache
def settle() -> None:
    """Once a first page was drawn, keep all that is loaded by then out of every later garbage collection.

    Streamlit collects garbage after every run; without this, that is most of what a run costs.
    """
    gc.collect()
    gc.freeze()


def store() -> Store:
    """The store of this process."""
    return _stores[0]


def now() -> datetime:
    """The console's clock."""
    return datetime.now(UTC)

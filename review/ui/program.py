"""What every page of this process shares: the store, and what a first page would otherwise wait for."""

import gc
from datetime import UTC, datetime
from functools import cache
from importlib import import_module

from review import logs
from review.store import migrate
from review.store.engine import Store

# Imported at start so that the garbage collector never looks at them again.
_NEEDED = ("altair", "pandas", "pyarrow", "bcrypt", "jwt")
_stores: list[Store] = []


def begin(opened: Store) -> None:
    """Bring the database up to date and share it with the pages."""
    logs.set_up()
    _migrated(opened)
    for name in _NEEDED:
        import_module(name)
    _stores[:] = [opened]


def _migrated(opened: Store) -> None:
    if not opened.is_ready():
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

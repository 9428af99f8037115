"""Fixtures for every test: a real store on each database, and a small world in it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from review.store.engine import Store
from tests.support.databases import Postgresql, opened, sqlite_url
from tests.support.world import World

MEMORY = Path("/dev/shm")


def pytest_configure() -> None:
    """Keep the tests' files in memory where there is room: each commit of SQLite waits for the disk."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**31:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """One PostgreSQL server for the run."""
    server = Postgresql()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty migrated database, once on each engine."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return request.getfixturevalue("postgresql").emptied()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """A function that gives the address of an empty database, for each run of the machine."""
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        yield server.emptied
        return
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(10_000))

        def fresh() -> str:
            path = Path(folder) / str(next(numbers))
            path.mkdir()
            return sqlite_url(path)

        yield fresh


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store on an empty migrated database, once on each engine."""
    with opened(database_url) as store:
        yield store


@pytest.fixture
def world(store: Store) -> World:
    """People of every role and one system, on each engine."""
    return World(store)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A store on an empty migrated SQLite database, for what does not depend on the engine."""
    with opened(sqlite_url(tmp_path)) as store:
        yield store

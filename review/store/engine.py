"""The engine and its transactions. A write that was acknowledged survives a power cut on both databases."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import stamina
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy import create_engine as sa_create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlmodel import Session, text

from review.errors import Busy

T = TypeVar("T")

WRITE = {"holdpoint_write": True}  # the execution options of a transaction that writes
_BUSY_SECONDS = 10  # as long as one waits for writers of other processes, and of one's own
_TRIES = 8  # each try that fails is one that another transaction won
_IDLE_SECONDS = 1.0
_PAGE_BYTES = 8192  # three items of 2 KB a page, where 4096 holds one: half the bytes to write at intake


class Store:
    """One database: short read and write transactions over a pool of connections."""

    def __init__(self, url: str) -> None:
        self.engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
        # SQLite has one writer: waiting here is fair and wakes at once, where its own busy handler sleeps and retries.
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with Session(self.engine, autoflush=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Like read, for long walks: all its statements see the database as it was at the first of them."""
        with self.read() as session:
            if self.engine.dialect.name == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, durably, or not at all.

        Raises Busy where SQLite's one writer is somebody else for too long.
        """
        if self._turn is None:
            with self._transaction() as session:
                yield session
        else:
            if not self._turn.acquire(timeout=_BUSY_SECONDS):
                raise _busy()
            try:
                with self._transaction() as session:
                    yield session
            finally:
                self._turn.release()

    def commit(self, work: Callable[[Session], T]) -> T:
        """Run work in a write transaction; where another transaction was first or in the way, run it again."""
        for _ in range(_TRIES - 1):
            try:
                with self.write() as session:
                    return work(session)
            except DBAPIError as error:
                if not _was_in_the_way(error):
                    raise
        with self.write() as session:
            return work(session)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            try:
                session.connection(execution_options=WRITE)
            except OperationalError as error:
                raise (_busy() if _is_locked(error.orig) else error) from error
            yield session
            session.commit()

    def is_ready(self) -> bool:
        """Whether the database answers and is migrated."""
        from review.store.migrate import is_current

        try:
            return is_current(self.engine)
        except SQLAlchemyError:
            return False

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _busy() -> Busy:
    return Busy("The database is busy with others' changes. Nothing was written; try again.", retry_after=2)


def _is_locked(error: BaseException | None) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def _was_in_the_way(error: DBAPIError) -> bool:
    deadlock = getattr(error.orig, "sqlstate", None) == "40P01"
    return deadlock or isinstance(error, IntegrityError)


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sa_create_engine(
        url, pool_size=20, max_overflow=40, hide_parameters=True, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, in _begin
        for pragma in (
            f"page_size={_PAGE_BYTES}",
            f"busy_timeout={_BUSY_SECONDS * 1000}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        _log_ahead(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_write(connection) else "BEGIN")

    return engine


@stamina.retry(on=_is_locked, attempts=None, timeout=_BUSY_SECONDS, wait_initial=0.01, wait_max=0.2)
def _log_ahead(connection: Any) -> None:
    """SQLite waits for no lock here, whatever its busy_timeout: on a fresh database two may be at this at once."""
    connection.execute("PRAGMA journal_mode=WAL")


def _postgresql(url: str) -> Engine:
    target = make_url(url)
    if target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    # Last in, first out: the connection taken is the one whose statements are prepared and in the processor's caches.
    engine = sa_create_engine(target, pool_size=20, max_overflow=40, pool_use_lifo=True, hide_parameters=True)
    _ping_the_idle(engine)
    return engine


def _ping_the_idle(engine: Engine) -> None:
    """Ask a connection that was idle whether it lives before it is used: the server may have restarted meanwhile."""

    @event.listens_for(engine, "checkin")
    def _left(_connection: Any, record: Any) -> None:
        record.info["left"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        if now - record.info.get("left", now) < _IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _is_write(connection: Connection) -> bool:
    return WRITE.keys() <= connection.get_execution_options().keys()


def holds_rows(session: Session) -> bool:
    """Whether what a change rests on has to be locked: in write transactions where others write at the same time."""
    connection = session.connection()
    return connection.dialect.name == "postgresql" and _is_write(connection)


def advisory_lock(session: Session, key: int | UUID, *, shared: bool = False) -> None:
    """Wait for a lock held until this transaction ends; SQLite's single writer needs none. An id stands for the number
    of its random half.

    Any number hold it as shared at once, but none comes before who waits for it alone, as happens with locks on rows.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(key.bytes[8:], "big", signed=True) if isinstance(key, UUID) else key
        session.execute(_SHARED if shared else _ALONE, {"number": number})


_SHARED = text("SELECT pg_advisory_xact_lock_shared(:number)")
_ALONE = text("SELECT pg_advisory_xact_lock(:number)")

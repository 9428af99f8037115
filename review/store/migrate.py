"""Bring a database to the newest migration, or back. Several processes may start this at once: one does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from review.errors import WrongState

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_201_479


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply migrations up to a revision; safe to repeat, and for several processes at once.

    Raises WrongState for a database of a version whose tables this one does not know.
    """
    _refuse_unknown(engine)
    with _alone(engine):
        command.upgrade(_config(engine), revision)


def _refuse_unknown(engine: Engine) -> None:
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {one.revision for one in _scripts().walk_revisions()}:
        raise WrongState(
            f"This database is of another version of Holdpoint (its tables are “{current}”): a newer one, or one from "
            "before the first release. Use that version, or start with a new database."
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keep other processes' migrations out; on SQLite the migration's own transaction does."""
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK))
        yield


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations down to a revision; what they added is lost."""
    command.downgrade(_config(engine), revision)


def is_current(engine: Engine) -> bool:
    """Whether the newest migration was applied."""
    newest = _scripts().get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))

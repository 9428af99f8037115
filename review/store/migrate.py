"""Bring a database to the newest migration, or back. Several processes may start this at once: one does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_201_479


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply migrations up to a revision; safe to repeat, and for several processes at once."""
    with _alone(engine):
        command.upgrade(_config(engine), revision)


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
    newest = ScriptDirectory(str(_FOLDER)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest

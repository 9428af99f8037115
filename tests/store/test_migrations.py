"""Models equal migrations, and both directions work, on each database."""

from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from review.errors import WrongState
from review.store import migrate
from review.store.engine import Store
from review.store.tables import metadata
from tests.support.databases import opened
from tests.support.processes import processes, started


def test_the_models_are_what_the_migrations_make(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [change for change in compare_metadata(context, metadata) if not _is_claim_index(store, change)]
    assert found == []


def _is_claim_index(store: Store, change: tuple[str, object]) -> bool:
    """Alembic cannot compare an index with DESC in it on SQLite; its text is compared below."""
    return store.engine.dialect.name == "sqlite" and getattr(change[1], "name", None) == "ix_task_claim"


def _schema(store: Store) -> dict[str, object]:
    inspector = inspect(store.engine)
    return {
        name: (
            {(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)},
            {c["name"] for c in inspector.get_check_constraints(name)},
            {(u["name"], tuple(u["column_names"])) for u in inspector.get_unique_constraints(name)},
            {i["name"] for i in inspector.get_indexes(name)},
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_checks_and_constraints_are_the_same_too(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name == "sqlite":
        with opened(f"sqlite:///{tmp_path / 'models.db'}") as made:
            metadata.create_all(made.engine)
            assert _schema(store) == _schema(made)
            assert _claim_index(store) == _claim_index(made)
    else:
        names = {index["name"] for index in inspect(store.engine).get_indexes("task")}
        assert "ix_task_claim" in names


def _claim_index(store: Store) -> str:
    with store.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'ix_task_claim'")
        return " ".join(str(rows.scalar_one()).split())


def test_down_to_nothing_and_up_again(database_url: str) -> None:
    with opened(database_url) as store:
        migrate.downgrade(store.engine)
        assert set(inspect(store.engine).get_table_names()) <= {"alembic_version"}
        assert not store.is_ready()
        migrate.upgrade(store.engine)
        assert store.is_ready()


def _migrate(database_url: str, together: Barrier) -> None:
    store = Store(database_url)
    together.wait(30)
    migrate.upgrade(store.engine)
    assert store.is_ready()


@pytest.mark.parametrize("n_rounds", [3])
def test_several_processes_may_migrate_one_fresh_database_at_once(
    database_url: str, tmp_path: Path, n_rounds: int
) -> None:
    for n in range(n_rounds):
        with opened(database_url) as store:
            if store.engine.dialect.name == "sqlite":
                database_url = f"sqlite:///{tmp_path}/fresh{n}.db"
            else:
                migrate.downgrade(store.engine)
        together = processes().Barrier(4)
        migrating = [started(_migrate, database_url, together) for _ in range(4)]
        for one in migrating:
            one.join(60)
        assert [one.exitcode for one in migrating] == [0] * 4


def test_a_database_of_another_version_is_refused_and_left_as_it_is(store: Store) -> None:
    ours = _renamed(store, "0001")
    try:
        with pytest.raises(WrongState, match="its tables are “0001”"):
            migrate.upgrade(store.engine)
        assert not store.is_ready()
    finally:
        _renamed(store, ours)


def _renamed(store: Store, revision: str) -> str:
    """Say that the database is at this revision; gives what it was at."""
    with store.engine.begin() as connection:
        before: str = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})
    return before


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    migrate.upgrade(store.engine)
    assert store.is_ready()

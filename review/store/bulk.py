"""Inserting many rows at once: values are prepared a column at a time, which costs a third of a row at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlmodel import SQLModel

_Prepare = Callable[[Any], Any] | None


def insert_rows(connection: Connection, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; each value goes through its column's type, as everywhere."""
    if not rows:
        return
    names = tuple(rows[0])
    statement, prepared = _plan(model, names, connection.dialect)
    columns = [_column([row[name] for row in rows], prepare) for name, prepare in zip(names, prepared, strict=True)]
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _column(values: list[Any], prepare: _Prepare) -> Iterable[Any]:
    if prepare is None:
        return values
    if len(distinct := set(values)) > len(values) // 4:
        return [None if value is None else prepare(value) for value in values]
    known = {value: None if value is None else prepare(value) for value in distinct}
    return [known[value] for value in values]


@lru_cache(maxsize=64)
def _plan(model: type[SQLModel], names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[_Prepare, ...]]:
    table: Table = model.__table__  # type: ignore[attr-defined]
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in names)
    places = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(names))
    prepared = tuple(table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)
    return f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})", prepared  # noqa: S608 - names are ours

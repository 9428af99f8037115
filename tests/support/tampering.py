"""Tampering with the audit trail as someone with the database's password could: past every trigger and constraint."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from review.domain.audit import link
from review.domain.content import sha256
from review.queries.audit import rows
from review.store.engine import Store
from tests.support.databases import opened

_ORDER = "ORDER BY seq"


class Tampering:
    """A second hand on a store's database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.on_sqlite = store.engine.dialect.name == "sqlite"
        self._engine = create_engine(store.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        if self.on_sqlite:
            for (name,) in self.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                self.run(f"DROP TRIGGER {name}")

    @classmethod
    @contextmanager
    def of_a_copy(cls, path: Path) -> Iterator["Tampering"]:
        """A copy of a SQLite database to tamper with."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.db"
            shutil.copy(path, copy)
            with opened(f"sqlite:///{copy}") as store:
                yield cls(store)

    def all(self, sql: str, **values: Any) -> list[Any]:
        """Run a statement past triggers and constraints, and give its rows."""
        with self._engine.connect() as connection:
            off = (
                ("PRAGMA ignore_check_constraints = ON",)
                if self.on_sqlite
                else ("SET session_replication_role = replica",)
            )
            for statement in off:
                connection.exec_driver_sql(statement)
            result = connection.execute(text(sql), values)
            return list(result) if result.returns_rows else []

    def run(self, sql: str, **values: Any) -> None:
        self.all(sql, **values)

    def value(self, table: str, column: str, where: str) -> Any:
        ((found,),) = self.all(f"SELECT {column} FROM {table} WHERE {where}")
        return found

    def change(self, table: str, where: str, **values: Any) -> None:
        self.run(f"UPDATE {table} SET {', '.join(f'{name} = :{name}' for name in values)} WHERE {where}", **values)

    def literal(self, found: Any) -> str:
        """An id as it is written in SQL."""
        found = UUID(str(found))
        return f"'{found.hex if self.on_sqlite else found}'"

    @property
    def last(self) -> int:
        return self.value("audit_event", "max(seq)", "true")

    def checkpoints(self) -> list[int]:
        return [seq for (seq,) in self.all(f"SELECT seq FROM audit_checkpoint {_ORDER}")]

    def id_of(self, seq: int) -> str:
        return str(UUID(str(self.value("audit_event", "id", f"seq = {seq}"))))

    def decision(self, number: int, action: str = "item.decided") -> tuple[int, str]:
        """The place of the event that tells of a decision, and the decision's id."""
        seq, body = self.all(f"SELECT seq, body FROM audit_event WHERE action = '{action}' {_ORDER}")[number]
        return seq, json.loads(body)["decision_id"]

    def item(self, external_id: str) -> str:
        return str(UUID(str(self.value("item", "id", f"external_id = '{external_id}'"))))

    def intake(self, number: int) -> int:
        """The place of the event of an intake."""
        return self.all(f"SELECT seq FROM audit_event WHERE action = 'outputs.received' {_ORDER}")[number][0]

    def change_with_digest(self, seq: int, **values: Any) -> None:
        self.change("audit_event", f"seq = {seq}", **values)
        with self.store.read() as session:
            row = session.execute(rows.events().where(text(f"seq = {seq}"))).one()
        self.change("audit_event", f"seq = {seq}", digest=rows.digest_of_event(row))

    def swap(self, one: int, other: int, *columns: str) -> None:
        """Exchange columns, `seq` among them, between two events."""
        for column in set(columns) - {"seq"}:
            first, second = (self.value("audit_event", column, f"seq = {seq}") for seq in (one, other))
            self.change("audit_event", f"seq = {one}", **{column: second})
            self.change("audit_event", f"seq = {other}", **{column: first})
        for before, after in ((one, -1), (other, one), (-1, other)):
            self.run(f"UPDATE audit_event SET seq = {after} WHERE seq = {before}")

    def remove_event(self, seq: int, *, renumber: bool) -> None:
        self.run(f"DELETE FROM audit_event WHERE seq = {seq}")
        if renumber:
            self._renumber(seq, -1)

    def _renumber(self, seq: int, by: int) -> None:
        self.run(f"UPDATE audit_event SET seq = -seq WHERE seq >= {seq}")
        self.run(f"UPDATE audit_event SET seq = -seq + {by} WHERE seq < 0")

    def put_in(self, seq: int, *, linked: bool) -> None:
        """Put an event in at a place, with its digest; `linked` gives it a chain value that follows."""
        self._renumber(seq, 1)
        columns = "at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, body, digest"
        made = self.literal(uuid4())
        self.run(
            f"INSERT INTO audit_event (id, {columns}, seq, chain) "
            f"SELECT {made}, {columns}, {seq}, 'none' FROM audit_event WHERE seq = 2"
        )
        self.change_with_digest(seq, actor_name="Forger")
        if linked:
            before = self.value("audit_event", "chain", f"seq = {seq - 1}")
            digest = self.value("audit_event", "digest", f"seq = {seq}")
            self.change("audit_event", f"seq = {seq}", chain=link(before, seq, digest))

    def rewrite_from(self, seq: int, **values: Any) -> None:
        """Change an event and compute the chain anew to its end."""
        self.change_with_digest(seq, **values)
        head = self.value("audit_event", "chain", f"seq = {seq - 1}")
        for place, digest in self.all(f"SELECT seq, digest FROM audit_event WHERE seq >= {seq} {_ORDER}"):
            head = link(head, place, digest)
            self.change("audit_event", f"seq = {place}", chain=head)

    def forge_decision(self) -> str:
        made = uuid4()
        task = self.value("task", "id", "id NOT IN (SELECT task_id FROM decision WHERE task_id IS NOT NULL) LIMIT 1")
        columns = [name for (name,) in self._columns("decision") if name not in ("id", "task_id", "is_final")]
        names = ", ".join(columns)
        self.run(
            f"INSERT INTO decision (id, task_id, is_final, {names}) "
            f"SELECT {self.literal(made)}, {self.literal(task)}, false, {names} FROM decision LIMIT 1"
        )
        return str(made)

    def forge_copy(self, table: str, **changed: str) -> str:
        """Put a row in like the first of a table, with an id of its own; `changed` are columns in SQL."""
        made = uuid4()
        columns = [name for (name,) in self._columns(table) if name != "id"]
        values = ", ".join(changed.get(name, name) for name in columns)
        self.run(
            f"INSERT INTO {table} (id, {', '.join(columns)}) "
            f"SELECT {self.literal(made)}, {values} FROM {table} ORDER BY id LIMIT 1"
        )
        return str(made)

    def forge_item(self, like: str, intake_event_id: str | None = None) -> str:
        """Put an item in that says it came with another."""
        made = uuid4()
        columns = [name for (name,) in self._columns("item") if name not in ("id", "external_id", "intake_event_id")]
        names = ", ".join(f'"{name}"' for name in columns)
        event = self.literal(intake_event_id) if intake_event_id else "intake_event_id"
        of = f"WHERE external_id = '{like}'"
        self.run(
            f"INSERT INTO item (id, external_id, intake_event_id, {names}) "
            f"SELECT {self.literal(made)}, 'forged', {event}, {names} FROM item {of}"
        )
        self.run(
            f"INSERT INTO item_payload SELECT {self.literal(made)}, content FROM item_payload "
            f"WHERE item_id = (SELECT id FROM item {of})"
        )
        return str(made)

    def _columns(self, table: str) -> list[Any]:
        if self.on_sqlite:
            return self.all(f"SELECT name FROM pragma_table_info('{table}')")
        return self.all(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'")

    def change_content(self, external_id: str, content: str) -> None:
        """Change an item's content, and its digest with it."""
        item_id = self.literal(self.item(external_id))
        self.change("item_payload", f"item_id = {item_id}", content=content)
        self.change("item", f"id = {item_id}", content_digest=sha256(content.encode()))

    def remove_item(self, external_id: str) -> None:
        item_id = self.literal(self.item(external_id))
        for table, column in (("task", "item_id"), ("item_payload", "item_id"), ("item", "id")):
            self.run(f"DELETE FROM {table} WHERE {column} = {item_id}")

    def rowids(self, table: str) -> list[int]:
        return [rowid for (rowid,) in self.all(f"SELECT rowid FROM {table} ORDER BY rowid")]

    def set_raw(self, table: str, rowid: int, column: str, value: Any) -> bool:
        """Put any value into a cell of SQLite. Returns whether that changed it."""
        where = f"rowid = {rowid}"
        before = self.value(table, column, where)
        try:
            self.change(table, where, **{column: value})
        except IntegrityError:
            return False
        return bool(self.value(table, column, where) != before)

    def delete_raw(self, table: str, rowid: int) -> bool:
        """Delete a row of SQLite. Returns whether that takes anything from the trail: an inner checkpoint does not."""
        inner = table == "audit_checkpoint" and self.value(table, "seq", f"rowid = {rowid}") != self.checkpoints()[-1]
        self.run(f"DELETE FROM {table} WHERE rowid = {rowid}")
        return not inner

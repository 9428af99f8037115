"""Labelled corrections: what reviewers said of each decided item, as rows to learn from, in JSON Lines or CSV."""

import csv
import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import Select, func, select, text
from sqlmodel import Session, col

from review.domain import content
from review.domain.actors import Actor, Permission
from review.domain.decisions import Verdict
from review.domain.spreadsheets import neutralised
from review.errors import NotFound
from review.store.tables import Decision, Item, ItemPayload, System

COLUMNS = (
    "item_id", "external_id", "system", "kind", "model", "group", "input", "context", "output",
    "verdict", "correction", "labels", "spans", "note", "decided_at", "reviewer", "policy_version",
    "inclusion_probability",
)  # fmt: skip
_PAGE = 200  # contents have up to 1 MiB: a page of the largest still fits in memory
# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
_DECIDED = text("item.status = 'decided' AND item.status <> 'passed'")


class Format(StrEnum):
    """How corrections are written: JSON Lines changes nothing; CSV is made safe for spreadsheets."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which corrections: of one system or all, with any of these verdicts, decided in [since, until)."""

    system: str | None = None
    verdicts: tuple[Verdict, ...] = tuple(Verdict)
    since: datetime | None = None
    until: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """The filter as an audit event keeps it."""
        verdicts = [verdict.value for verdict in self.verdicts]
        return {"system": self.system, "verdicts": verdicts, "since": self.since, "until": self.until}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many rows, and the SHA-256 of the file."""

    n: int
    sha256: str


def count(session: Session, actor: Actor, wanted: Wanted) -> int:
    """How many corrections there are."""
    actor.require(Permission.EXPORT)
    n: int = session.execute(_matching(session, wanted, func.count())).scalar_one()
    return n


def rows_as_dicts(session: Session, actor: Actor, wanted: Wanted, *, limit: int) -> list[dict[str, Any]]:
    """The first rows, oldest item first, as they are exported."""
    actor.require(Permission.EXPORT)
    return list(islice(_rows(session, wanted), limit))


def write(session: Session, actor: Actor, wanted: Wanted, form: Format, file: IO[bytes]) -> Written:
    """Write every row to a file, oldest item first, in pages: memory stays flat. Best given a Store.snapshot."""
    actor.require(Permission.EXPORT)
    digest = hashlib.sha256()
    header = _csv_line(COLUMNS) if form is Format.CSV else b""
    for n, line in enumerate(chain([header], _lines(_rows(session, wanted), form))):  # noqa: B007 - the header is 0
        digest.update(line)
        file.write(line)
    return Written(n, digest.hexdigest())


def _lines(rows: Iterable[dict[str, Any]], form: Format) -> Iterator[bytes]:
    for row in rows:
        if form is Format.CSV:
            yield _csv_line(_cell(row[name]) for name in COLUMNS)
        else:
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # the default dialect is RFC 4180's: CRLF, quotes doubled
    return line.getvalue().encode()


def _cell(value: Any) -> str:
    """A text as it is, nothing as nothing, anything else as JSON; never a formula."""
    if value is None:
        return ""
    return neutralised(value if isinstance(value, str) else orjson.dumps(value).decode())


def _rows(session: Session, wanted: Wanted) -> Iterator[dict[str, Any]]:
    query = _matching(session, wanted, *_COLUMNS).join(ItemPayload, col(ItemPayload.item_id) == col(Item.id))
    query = query.join(System, col(System.id) == col(Item.system_id)).order_by(col(Item.id)).limit(_PAGE)
    page = session.execute(query).all()
    while page:
        yield from (_row(*found) for found in page)
        page = session.execute(query.where(col(Item.id) > page[-1][0].id)).all()


_COLUMNS: tuple[Any, ...] = (Item, col(ItemPayload.content), Decision, col(System.slug), col(System.sample_key))


def _matching(session: Session, wanted: Wanted, *columns: Any) -> Select[Any]:
    """The decided items with the decision that stands; what `wanted` leaves open is not a condition."""
    conditions: list[Any] = [
        _DECIDED,
        col(Decision.verdict).in_([verdict.value for verdict in wanted.verdicts]),
    ]
    if wanted.system is not None:
        conditions.append(col(Item.system_id) == _system_id(session, wanted.system))
    if wanted.since is not None:
        conditions.append(col(Decision.decided_at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(col(Decision.decided_at) < wanted.until)
    return (
        select(*columns).select_from(Item).join(Decision, col(Decision.id) == col(Item.decision_id)).where(*conditions)
    )


def _system_id(session: Session, slug: str) -> UUID:
    found: UUID | None = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if found is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return found


def _row(item: Item, packed: str, decision: Decision, slug: str, key: bytes) -> dict[str, Any]:
    sent = content.parse(packed)
    return {
        "item_id": str(item.id),
        "external_id": item.external_id,
        "system": slug,
        "kind": item.kind,
        "model": {"name": item.model_name, "version": item.model_version},
        "group": item.group,
        "input": sent["input"],
        "context": sent["context"],
        "output": sent["output"],
        "verdict": decision.verdict,
        "correction": decision.correction,
        "labels": decision.labels,
        "spans": decision.spans,
        "note": decision.note,
        "decided_at": decision.decided_at.isoformat(),
        "reviewer": pseudonym(key, decision.decided_by_id),
        "policy_version": item.policy_version,
        "inclusion_probability": item.inclusion_probability,
    }


def pseudonym(key: bytes, person_id: UUID | None) -> str:
    """A reviewer's name in exports: the same one within a system, not to be told from it who they are."""
    if person_id is None:
        return "system"
    return f"reviewer-{hmac.digest(key, b'reviewer:' + person_id.bytes, hashlib.sha256).hex()[:8]}"

"""Exports: what leaves Holdpoint in a file is on record, with its filter, its size and its digest."""

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from sqlmodel import Session

from review.commands import audit
from review.domain.actors import Actor, Permission
from review.queries import corrections
from review.queries.corrections import Format, Wanted, Written
from review.store.engine import Store


def record_export(
    session: Session, actor: Actor, what: str, written: Written, filters: Mapping[str, Any], *, now: datetime
) -> None:
    """Put an export on record: what, how many rows, which ones, and the SHA-256 of the file."""
    actor.require(Permission.EXPORT)
    audit.record(
        session, actor, f"{what}.exported", ("export", what), now=now,
        n=written.n, sha256=written.sha256, filters=dict(filters),
    )  # fmt: skip


def preview_corrections(
    store: Store, actor: Actor, wanted: Wanted, *, limit: int, now: datetime
) -> tuple[int, list[dict[str, Any]]]:
    """How many labelled corrections there are, and the first of them; that these were looked at goes on record.

    It opens its transactions itself, as counting must not keep writers waiting.
    """
    with store.snapshot() as session:
        n = corrections.count(session, actor, wanted)
        rows = corrections.rows_as_dicts(session, actor, wanted, limit=limit)
    with store.write() as session:
        told: dict[str, Any] = {"n": n, "n_shown": len(rows), "filters": wanted.as_dict()}
        audit.record(session, actor, "corrections.previewed", ("export", "corrections"), now=now, **told)
    return n, rows


def write_corrections(
    store: Store, actor: Actor, wanted: Wanted, form: Format, file: IO[bytes], *, now: datetime
) -> Written:
    """Write labelled corrections to a file and put that on record; until this returns, nobody is to get the file.

    It opens its transactions itself: reading may take minutes, and must not keep writers waiting.
    """
    with store.snapshot() as session:
        written = corrections.write(session, actor, wanted, form, file)
    with store.write() as session:
        record_export(session, actor, "corrections", written, {**wanted.as_dict(), "format": form.value}, now=now)
    return written

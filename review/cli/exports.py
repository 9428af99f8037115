"""`export corrections`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from review.cli.frame import COMMAND_LINE, AsJson, answer, group, now, ready_store
from review.commands import exports
from review.domain.decisions import Verdict
from review.queries.corrections import Format, Wanted, Written
from review.store.engine import Store

app = typer.Typer()
export = group("export", "Files of what is on record.")
app.add_typer(export)

_DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@export.callback()
def _group() -> None:
    """Hold the commands that export."""


@export.command("corrections")
def corrections(
    system: Annotated[str, typer.Option(help="Of which system.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write; an older one is replaced.")],
    *,
    form: Annotated[Format, typer.Option("--format", help="CSV is made safe for spreadsheets.")] = Format.JSONL,
    verdict: Annotated[list[Verdict] | None, typer.Option(help="Only these verdicts; may be repeated.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=_DAYS, help="Decided at this UTC time or later.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAYS, help="Decided before this UTC time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write what reviewers said of a system's outputs, one line a decided item. The export is put on record."""
    wanted = Wanted(system, tuple(verdict or Verdict), _utc(since), _utc(until))
    with ready_store() as store:
        written = _write(store, wanted, form, out)
    facts = {"file": str(out), "n": written.n, "sha256": written.sha256}
    answer(f"{written.n:,} corrections written to {out}.", facts, as_json=as_json)


def _write(store: Store, wanted: Wanted, form: Format, out: Path) -> Written:
    """Write beside the file and put it in its place at the end: never half an export, nor one off the record."""
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            written = exports.write_corrections(store, COMMAND_LINE, wanted, form, file, now=now())
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return written


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None

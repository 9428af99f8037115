"""`import`: outputs from a file of JSON lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from review.cli import lines, mapping
from review.cli.frame import AsJson, answer, complain, read_text, ready_store
from review.cli.lines import Lines
from review.cli.mapping import LineMap
from review.cli.sending import HttpSender, Numbered, Outcome, Sender, StoreSender
from review.client import Client
from review.errors import Invalid, ReviewError

app = typer.Typer()
_TOGETHER, _TOGETHER_BYTES = 500, 8 * 1024**2  # a piece of the file: lines of one transaction, or of one request
_TOLD = 20


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON lines, plain or gzip.", exists=True, dir_okay=False)],
    system: Annotated[str, typer.Option(help="The system whose outputs these are.")],
    *,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="YAML: which field is which.", exists=True, dir_okay=False)
    ] = None,
    url: Annotated[str, typer.Option(help="Send them to the Holdpoint at this address; needs --key.")] = "",
    key: Annotated[str, typer.Option(envvar="HOLDPOINT_KEY", help="The system's key, for --url.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take in outputs from a file. Sending a file again, or the rest of one, is safe: what is known is skipped.

    Exit code 1 where lines were rejected; the others were taken in.
    """
    line_map = mapping.read_map(read_text(map_file)) if map_file else LineMap()
    outcome = Outcome()
    with _sender(system, url, key) as sender, lines.opened(file) as source, _progress(file) as show:
        for piece in _pieces(source, line_map, system, outcome):
            if piece:
                sender.send(piece, outcome)
            show(source.position())
    _tell(outcome, as_json=as_json)
    if outcome.n_rejected:
        raise typer.Exit(1)


@contextmanager
def _sender(system: str, url: str, key: str) -> Iterator[Sender]:
    if not url:
        with ready_store() as store:
            yield StoreSender(store, system)
    elif not key:
        raise typer.BadParameter("--url needs the system's key: --key or HOLDPOINT_KEY.")
    else:
        with Client(url, key) as client:
            yield HttpSender(client)


def _pieces(source: Lines, line_map: LineMap, system: str, outcome: Outcome) -> Iterator[list[Numbered]]:
    piece: list[Numbered] = []
    n_bytes = 0
    for number, line in source:
        try:
            piece.append((number, _output(line, line_map, system)))
        except ReviewError as error:
            outcome.reject(number, error.message)
            continue
        n_bytes += len(line or b"")
        if len(piece) == _TOGETHER or n_bytes > _TOGETHER_BYTES:
            yield piece
            piece, n_bytes = [], 0
    yield piece


def _output(line: bytes | None, line_map: LineMap, system: str) -> dict[str, Any]:
    if line is None:
        raise Invalid(f"The line is larger than {lines.MAX_LINE_BYTES // 1024**2} MiB.", field="line")
    return {**line_map.output(mapping.parsed(line, "line")), "system": system}


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; nothing where a program reads."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size)
        yield lambda position: progress.update(task, completed=position)


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    sentence = (
        f"{outcome.accepted:,} accepted, {outcome.replayed:,} known already, {outcome.n_rejected:,} lines rejected."
    )
    answer(sentence, asdict(outcome), as_json=as_json)
    if as_json:
        return
    for one in sorted(outcome.rejected, key=lambda rejected: rejected.line)[:_TOLD]:
        complain(f"line {one.line}: {one.problem}")
    if outcome.n_rejected > _TOLD:
        complain(f"and {outcome.n_rejected - _TOLD:,} more lines; --json lists up to 1,000")

"""`queue list`, `queue settle`."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from review.cli.frame import COMMAND_LINE, AsJson, answer, group, now, read_text, ready_store
from review.commands import queues
from review.domain.queues import read_settings
from review.errors import Invalid
from review.queries import queues as queue_queries

app = typer.Typer()
queue = group("queue", "Queues: who works them, how full they may be, and when.")
app.add_typer(queue)


@queue.command("list")
def list_queues(*, as_json: AsJson = False) -> None:
    """How each queue is run, and what is in it."""
    with ready_store() as store, store.read() as session:
        found = queue_queries.listed(session, COMMAND_LINE, now=now())
    facts = [
        {
            "queue": run.slug, "level": run.level, "n_open": run.n_open, "n_overdue": run.n_overdue,
            "n_assigned": run.n_assigned, "settings": run.settings.model_dump(mode="json"),
        }
        for run in found
    ]  # fmt: skip
    lines = [f"{run.slug}: {run.n_open} open, {run.n_overdue} overdue, {run.n_assigned} assigned" for run in found]
    answer("\n".join(lines) or "There is no queue yet.", {"queues": facts}, as_json=as_json)


@queue.command("settle")
def settle(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The queue's short name.")],
    file: Annotated[Path, typer.Argument(help="Its settings, in YAML or JSON.", exists=True, dir_okay=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Change how a queue is run, all of it at once: what is left out is as a new queue has it."""
    settings = read_settings(_fields(file))
    with ready_store() as store, store.write() as session:
        queues.settle(session, COMMAND_LINE, slug, settings, now=now())
    answer(f"{slug} is run this way now.", {"queue": slug, **settings.model_dump(mode="json")}, as_json=as_json)


def _fields(file: Path) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        raise Invalid(f"{file} is not YAML: {error}.", field="file") from error
    if not isinstance(fields, dict):
        raise Invalid(f"{file} holds no settings. Write name, members, ceiling, load_cap, service.", field="file")
    return fields

"""What every command shares: who acts, the database, and how things are said."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from review.domain.actors import Actor, ActorKind
from review.errors import Invalid, WrongState
from review.settings import settings
from review.store.engine import Store

COMMAND_LINE = Actor(ActorKind.SYSTEM, None, "command line")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def group(name: str, about: str) -> typer.Typer:
    """An empty group of commands."""
    return typer.Typer(name=name, help=about, rich_markup_mode=None)


def now() -> datetime:
    """The moment that a command acts at."""
    return datetime.now(UTC)


@contextmanager
def any_store() -> Iterator[Store]:
    """The database of the settings, migrated or not."""
    store = Store(settings().database_url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def ready_store() -> Iterator[Store]:
    """The database of the settings; raises WrongState where it cannot be worked with."""
    with any_store() as store:
        if not store.is_ready():
            raise WrongState("The database does not answer, or is not migrated. Run: python -m review migrate")
        yield store


def read_text(file: Path) -> str:
    """The text of a file; raises Invalid where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8 text. Save it as UTF-8.", field="file") from error


def complain(message: str) -> None:
    """Say in one line on stderr what went wrong."""
    remark("Error: " + " ".join(message.split()))


def remark(message: str) -> None:
    """Say something on stderr that is not the command's result."""
    print(message, file=sys.stderr)


def answer(text: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a command's result: a sentence for people, or JSON."""
    print(orjson.dumps(facts).decode() if as_json else text)

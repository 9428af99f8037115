"""The command line: `python -m review …`. Exit codes: 0 done, 1 refused or failed, 2 not understood."""

import sys
from collections.abc import Sequence

import typer
from sqlalchemy.exc import SQLAlchemyError

from review import logs
from review.cli import audits, exports, imports, people, policies, queues, running, systems
from review.cli.frame import complain
from review.errors import ReviewError

app = typer.Typer(
    help="Holdpoint: human review of what AI systems produce.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (running, people, systems, policies, queues, imports, exports, audits):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command that this process was started with, and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command. What goes wrong is told in one line on stderr; returns the exit code."""
    logs.set_up()
    try:
        return int(app(list(arguments), prog_name="review", standalone_mode=False) or 0)
    except typer.TyperException as error:
        complain(f"{error.format_message()} See --help.")
        return error.exit_code
    except ReviewError as error:
        is_named = not error.field or error.message.startswith(error.field)
        complain(error.message if is_named else f"{error.field}: {error.message}")
    except SQLAlchemyError as error:
        complain(f"The database refused: {getattr(error, 'orig', None) or error}. Check HOLDPOINT_DATABASE_URL.")
    except OSError as error:
        complain(f"{error.strerror or error}: {error.filename or ''}")
    return 1

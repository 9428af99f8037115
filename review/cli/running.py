"""`migrate`, `serve`, `worker`, `demo`."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

import review
from review.cli.frame import AsJson, answer, any_store, now, ready_store, remark
from review.cli.people import new_password
from review.delivery import worker as delivery
from review.demo import play
from review.demo.play import SignIn
from review.errors import NotFound
from review.settings import settings
from review.store import migrate as migrations
from review.store.secrets import AuditKey

app = typer.Typer()

Host = Annotated[str, typer.Option(help="The address to listen on; 127.0.0.1 is this machine alone.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


@app.command()
def migrate() -> None:
    """Make the database, or bring it up to date. Safe to repeat."""
    with any_store() as store:
        migrations.upgrade(store.engine)
    remark("The database is up to date.")


@app.command()
def serve(*, host: Host = "127.0.0.1", port: Port = 8501) -> None:
    """Serve the console and the HTTP interface, with the worker, until stopped."""
    checkout = Path(review.__file__).parents[1]
    if not (checkout / "app.py").is_file():
        raise NotFound(f"There is no app.py in {checkout}. Serve from a checkout of the project.", field="app.py")
    os.environ.update(_with_absolute_paths())
    os.chdir(checkout)  # where Streamlit finds its settings
    flags = {"server.headless": "true", "server.address": host, "server.port": str(port)}
    arguments = [part for name, value in flags.items() for part in (f"--{name}", value)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *arguments])  # noqa: S606 - our own


def _with_absolute_paths() -> dict[str, str]:
    """The settings that name files, so that they name the same ones from any folder."""
    url = make_url(settings().database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str(Path(url.database).absolute()))
    return {
        "HOLDPOINT_DATABASE_URL": url.render_as_string(hide_password=False),
        "HOLDPOINT_DATA_DIR": str(settings().data_dir.absolute()),
    }


@app.command()
def worker() -> None:
    """Do what must happen by itself, such as sealing the audit chain, until stopped. Several at once do no harm."""
    stop = threading.Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: stop.set())
    with ready_store() as store:
        delivery.run(store, AuditKey(settings().data_dir), settings().tick_seconds, stop)


@app.command()
def demo(
    *,
    new_passwords: Annotated[bool, typer.Option("--new-passwords", help="Give its people fresh passwords.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8501,
    as_json: AsJson = False,
) -> None:
    """Load the demo into an empty database: people, three systems, and two weeks of work. Prints the sign-ins."""
    with any_store() as store:
        migrations.upgrade(store.engine)
        with store.read() as session:
            has_people, has_demo = play.has_people(session), play.is_loaded(session)
        if new_passwords:
            sign_ins = play.reset_passwords(store, now(), new_password)
        elif has_people:
            _say_loaded(f"http://{host}:{port}", has_demo=has_demo, as_json=as_json)
            return
        else:
            remark("Loading two weeks of demo work …")
            sign_ins = play.load(store, now(), new_password)
        delivery.seal_all(store, AuditKey(settings().data_dir), now())
    _print_sign_ins(f"http://{host}:{port}", sign_ins, as_json=as_json)


def _say_loaded(address: str, *, has_demo: bool, as_json: bool) -> None:
    if has_demo:
        told = f"The demo is loaded. Console: {address}\nFresh passwords: python -m review demo --new-passwords"
    else:
        told = "There are people in this database already, so the demo was not loaded. It is for an empty database."
    answer(told, {"address": address, "loaded": False, "sign_ins": []}, as_json=as_json)


def _print_sign_ins(address: str, sign_ins: list[SignIn], *, as_json: bool) -> None:
    if as_json:
        facts: dict[str, Any] = {"address": address, "loaded": True, "sign_ins": [one._asdict() for one in sign_ins]}
        answer("", facts, as_json=True)
        return
    table = Table("Sign in as", "Role", "Password", title=f"Console: {address}", title_justify="left")
    for one in sign_ins:
        table.add_row(*one)
    Console().print(table)
    print("These passwords are shown only now. Fresh ones: python -m review demo --new-passwords")

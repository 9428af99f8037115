"""`audit verify`."""

import time

import orjson
import typer

from review.cli.frame import AsJson, complain, group, ready_store
from review.queries import audit
from review.queries.audit import Verification
from review.settings import settings
from review.store.secrets import AuditKey

app = typer.Typer()
trail = group("audit", "The record of everything that anyone did.")
app.add_typer(trail)


@trail.callback()
def _group() -> None:
    """Hold the commands of the trail."""


@trail.command("verify")
def verify(*, as_json: AsJson = False) -> None:
    """Walk the audit chain and all that it vouches for; name the first entry that was changed, removed or put in.

    Exit code 1 where there is one.
    """
    begin = time.perf_counter()
    with ready_store() as store:
        verification = audit.verify(store, AuditKey(settings().data_dir))
    seconds = time.perf_counter() - begin
    if as_json:
        print(orjson.dumps({**verification.as_dict(), "seconds": round(seconds, 3)}).decode())
    else:
        print(_told(verification, seconds))
    if verification.problem is not None:
        complain(str(verification.problem))
        raise typer.Exit(1)


def _told(found: Verification, seconds: float) -> str:
    unsealed = f" {found.n_unsealed:,} newer events are not sealed yet." if found.n_unsealed else ""
    return (
        f"Verified {found.seq:,} sealed events, {found.n_checkpoints:,} checkpoints, {found.n_decisions:,} decisions "
        f"and {found.n_items:,} items in {seconds:.1f} s.{unsealed}\nHead at {found.seq:,}: {found.head}"
    )

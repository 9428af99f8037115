"""Where imported outputs go: straight into the database, or to the HTTP interface of a running Holdpoint."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import select
from sqlmodel import col

from review.cli.frame import COMMAND_LINE, now
from review.client import Client, ClientError, NotAllowed, Unavailable
from review.commands import intake
from review.domain import content
from review.domain.outputs import read_output
from review.errors import Invalid, NotFound, ReviewError
from review.store.engine import Store
from review.store.tables import System

_MAX_TOLD = 1_000

Numbered = tuple[int, dict[str, Any]]  # a line's number, and its output


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that was not taken in, and why."""

    line: int
    problem: str


@dataclass(slots=True)
class Outcome:
    """What became of lines; of very many rejected ones only the first are told."""

    accepted: int = 0
    replayed: int = 0
    n_rejected: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, line: int, problem: str) -> None:
        """Count a line that was refused."""
        self.n_rejected += 1
        if len(self.rejected) < _MAX_TOLD:
            self.rejected.append(Rejected(line, problem))


class Sender(Protocol):
    """Takes pieces of a file, each whole or not at all; sending a piece again does no harm."""

    def send(self, outputs: list[Numbered], outcome: Outcome) -> None:
        """Hand over outputs and count what became of them."""


class StoreSender:
    """Records outputs in the database, as if one of the system's keys had sent them."""

    def __init__(self, store: Store, slug: str) -> None:
        with store.read() as session:
            system_id = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
        if system_id is None:
            raise NotFound(f"There is no system “{slug}”. Add it first: python -m review system add", field="system")
        self._store, self._actor = store, replace(COMMAND_LINE, system_id=system_id)

    def send(self, outputs: list[Numbered], outcome: Outcome) -> None:
        """Record what is right of a piece, in one transaction."""
        moment, numbers, checked = now(), [], []
        for number, output in outputs:
            try:
                checked.append(read_output(content.canonical(output), moment))
                numbers.append(number)
            except ReviewError as error:
                outcome.reject(number, error.message)
        taken = self._store.commit(lambda session: intake.take(session, self._actor, checked, now=moment))
        for number, one in zip(numbers, taken, strict=True):
            if isinstance(one, ReviewError):
                outcome.reject(number, one.message)
            else:
                outcome.replayed += one.replayed
                outcome.accepted += not one.replayed


class HttpSender:
    """Sends outputs to a running Holdpoint with its system's key; what is lost on the way is sent again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, outputs: list[Numbered], outcome: Outcome) -> None:
        """Send a piece as one batch."""
        try:
            said = self._client.submit_many(output for _, output in outputs)
        except Unavailable as error:
            raise Invalid(f"{error} Run the same again later: it goes on where it stopped.", field="url") from error
        except ClientError as error:
            raise Invalid(str(error), field="key" if isinstance(error, NotAllowed) else "url") from error
        outcome.accepted += said.accepted
        outcome.replayed += said.replayed
        for one in said.rejected:
            outcome.reject(outputs[one.line - 1][0], str(one.problem["detail"]))

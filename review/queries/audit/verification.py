"""Walking everything that the audit trail vouches for, in one snapshot of the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col

from review.queries.audit import rows
from review.queries.audit.chain import Chain, Verifier
from review.queries.audit.decided import Decisions
from review.queries.audit.findings import Kind, Problem, Verification, first
from review.queries.audit.people import People
from review.queries.audit.received import RECEIVED, Items
from review.queries.audit.told import ESCALATIONS, POLICIES, Told
from review.queries.audit.used import Uses
from review.store.engine import Store
from review.store.tables import AuditEvent


def verify(store: Store, key: Verifier) -> Verification:
    """Check every event, checkpoint, and row that events tell of, and name the first that is not as it was written."""
    with store.snapshot() as session:
        return _Walk(session, key).verification()


class _Walk:
    def __init__(self, session: Session, key: Verifier) -> None:
        self.session, self.chain = session, Chain(session, key)
        self.decisions, self.items, self.people = Decisions(session), Items(session), People(session)
        self.uses = Uses(session)
        self.told = [Told(session, ESCALATIONS), Told(session, POLICIES)]
        self.n_unsealed = self.n_received = 0

    def verification(self) -> Verification:
        """Events first, then what they do not tell of; the items in any case, as theirs may be the first problem."""
        of_events = self._sealed() or self._unsealed() or self._untold()
        of_items = self.items.check(None if of_events else self.n_received)
        return Verification(
            self.chain.seq, self.chain.head, self.n_unsealed, self.chain.n_checkpoints, self.decisions.n_decided,
            self.items.n, first([of_events, of_items]),
        )  # fmt: skip

    def _sealed(self) -> Problem | None:
        query = rows.events().where(col(AuditEvent.seq).is_not(None)).order_by(col(AuditEvent.seq))
        for chunk in rows.chunks(self.session, query):
            broken, n = self._linked(chunk)
            problem = first([broken, self._told(chunk[:n])])
            if problem is not None:
                return problem
        return self.chain.end()

    def _linked(self, chunk: Sequence[Row[Any]]) -> tuple[Problem | None, int]:
        """The chain's first problem in a chunk, and how many events before it hold."""
        for n, event in enumerate(chunk):
            problem = self.chain.add(event)
            if problem is not None:
                return problem, n
        return None, len(chunk)

    def _unsealed(self) -> Problem | None:
        query = rows.events().where(col(AuditEvent.seq).is_(None)).order_by(col(AuditEvent.id))
        for chunk in rows.chunks(self.session, query):
            self.n_unsealed += len(chunk)
            problem = first(map(_altered, chunk)) or self._told(chunk)
            if problem is not None:
                return problem
        return None

    def _told(self, events: Sequence[Row[Any]]) -> Problem | None:
        self.n_received += sum(_n_received(event) for event in events)
        self.people.add(events)
        return first([self.decisions.add(events), self.uses.add(events), *(told.add(events) for told in self.told)])

    def _untold(self) -> Problem | None:
        ends = [self.decisions.end(), self.uses.end(), *(told.end() for told in self.told), self.people.end()]
        return first(ends)


def _altered(event: Row[Any]) -> Problem | None:
    if rows.digest_of_event(event) == event.digest:
        return None
    return Problem(Kind.CHANGED, "event", rows.name(event.id), None, "its fields do not give its digest")


def _n_received(event: Row[Any]) -> int:
    n = rows.body_of(event).get("n") if event.action == RECEIVED else 0
    return n if isinstance(n, int) else 0

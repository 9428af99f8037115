"""Decisions that Holdpoint makes by itself, on record as its own and never as a person's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from review.commands import audit, outbox
from review.domain.actors import HOLDPOINT, ActorKind
from review.domain.audit import decision_digest
from review.domain.fail_safes import NOTICES, Settled
from review.store.tables import Decision

_RECORD = insert(Decision)


class Lapse(NamedTuple):
    """What Holdpoint decided on one item, with the id that the decision is given."""

    item_id: UUID
    external_id: str
    item_version: int
    decision_id: UUID
    settled: Settled


def record(session: Session, lapses: Sequence[Lapse], *, now: datetime) -> None:
    """Write Holdpoint's decisions with their events, in the caller's transaction."""
    if not lapses:
        return
    rows = [_row(lapse, now) for lapse in lapses]
    session.connection().execute(_RECORD, rows)
    for lapse, row in zip(lapses, rows, strict=True):
        cause, verdict = lapse.settled.cause.value, lapse.settled.verdict.value
        told: dict[str, Any] = {"decision_id": lapse.decision_id, "verdict": verdict, "cause": cause}
        digest = decision_digest(row)
        audit.record(
            session, HOLDPOINT, "item.lapsed", ("item", lapse.item_id), now=now,
            task_id=None, decision_digest=digest, **told,
        )  # fmt: skip
        outbox.enqueue(session, "item.lapsed", lapse.item_id, now=now, external_id=lapse.external_id, **told)


def _row(lapse: Lapse, now: datetime) -> dict[str, Any]:
    settled = lapse.settled
    return {
        "id": lapse.decision_id,
        "item_id": lapse.item_id,
        "task_id": None,
        "item_version": lapse.item_version,
        "is_final": True,
        "cause": settled.cause.value,
        "verdict": settled.verdict.value,
        "correction": settled.correction,
        "difference": None,
        "labels": [],
        "spans": [],
        "note": NOTICES[settled.cause],
        "decided_by_kind": ActorKind.SYSTEM.value,
        "decided_by_id": None,
        "claimed_at": None,
        "decided_at": now,
        "superseded_at": None,
    }

"""Checking where an item stands against its decision: nothing is released that nobody let through."""

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlmodel import col

from review.domain.content import content_digest, parse
from review.domain.decisions import Verdict
from review.domain.lifecycle import ItemStatus, ReleaseState
from review.domain.policies import AUDIT_SAMPLE, Route
from review.queries.audit import rows
from review.store.tables import Decision, Item

COLUMNS = [
    *rows.untyped(Item, "status", "release_state", "release_digest", "decision_id"),
    *rows.untyped(Decision, "verdict", "correction"),
]
N_STANDING: ScalarSelect[int] = (
    select(func.count())
    .select_from(Decision)
    .where(col(Decision.item_id) == col(Item.id), col(Decision.superseded_at).is_(None))
    .correlate(Item)
    .scalar_subquery()
)
IS_ITS_OWN = (
    (col(Decision.id) == col(Item.decision_id))
    & (col(Decision.item_id) == col(Item.id))
    & col(Decision.superseded_at).is_(None)
)


def follows(row: Any) -> bool:
    """Whether an item's status and release are what follows from its routing and the decision that stands on it.

    `row` has COLUMNS, the routing, the content, and `n_standing`, how many decisions stand on the item.
    """
    try:
        return bool(_standing(row) == (row.status, row.release_state, row.release_digest))
    except rows.UNREADABLE:
        return False


def _standing(row: Any) -> tuple[str, str, str | None] | None:
    """The status, the state of the release and its digest; None where the decision is not the one that stands."""
    is_decided = row.verdict is not None
    if is_decided != (row.decision_id is not None) or row.n_standing != is_decided:
        return None
    is_reviewed = row.route != Route.PASS or AUDIT_SAMPLE in parse(row.reasons)
    if not is_reviewed:
        return None if is_decided else (ItemStatus.PASSED, *_released(parse(row.content)["output"]))
    status = ItemStatus.DECIDED if is_decided else ItemStatus.WAITING
    return status, *_release(row)


def _release(row: Any) -> tuple[str, str | None]:
    if row.route == Route.PASS or row.verdict == Verdict.APPROVE:
        return _released(parse(row.content)["output"])
    if row.verdict == Verdict.CORRECT:
        return _released(parse(row.correction))
    return (ReleaseState.PENDING if row.verdict is None else ReleaseState.WITHHELD), None


def _released(content: Any) -> tuple[str, str]:
    return ReleaseState.RELEASED, content_digest(content)

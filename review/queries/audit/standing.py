"""Checking where an item stands against its decision: nothing is released that nobody let through."""

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlmodel import col

from review.domain.content import content_digest, parse
from review.domain.decisions import Verdict
from review.domain.fail_safes import Cause
from review.domain.lifecycle import ItemStatus, ReleaseState
from review.domain.policies import Route
from review.domain.releases import was_held
from review.domain.rulings import AUDIT_SAMPLE, compiled
from review.queries.audit import rows
from review.store.tables import Decision, Item, Policy

COLUMNS = [
    *rows.untyped(Item, "status", "release_state", "release_digest", "release_consumed_at", "due_at", "decision_id"),
    *rows.untyped(Decision, "verdict", "correction", "decided_by_kind"),
    *rows.untyped(Policy, "document"),
]
N_STANDING: ScalarSelect[int] = (
    select(func.count())
    .select_from(Decision)
    .where(col(Decision.item_id) == col(Item.id), col(Decision.is_final), col(Decision.superseded_at).is_(None))
    .correlate(Item)
    .scalar_subquery()
)
IS_ITS_OWN = (
    (col(Decision.id) == col(Item.decision_id))
    & (col(Decision.item_id) == col(Item.id))
    & col(Decision.is_final)
    & col(Decision.superseded_at).is_(None)
)
IS_ITS_POLICY = (col(Policy.system_id) == col(Item.system_id)) & (col(Policy.version) == col(Item.policy_version))


def follows(row: Any) -> bool:
    """Whether an item's status and release are what follows from its routing and the decision that stands on it.

    `row` has COLUMNS, the routing, the content, and `n_standing`, how many final decisions stand on the item.
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
    reasons = parse(row.reasons)
    rule = compiled(row.document).rule(row.rule, reasons)
    added = frozenset(reasons[len(rule.reasons) if rule else 0 :])  # what is no reason of the rule itself
    is_held = was_held(Route(row.route), reasons, rule)
    is_reviewed = row.route != Route.PASS or AUDIT_SAMPLE in added
    if is_decided and not (is_held or is_reviewed):
        return None
    status = _status(row, added, is_reviewed=is_reviewed)
    if row.release_consumed_at is not None:  # what was given out stays, also where the item was reopened
        return status, ReleaseState.RELEASED, row.release_digest
    return status, *_release(row, is_held=is_held)


def _status(row: Any, added: frozenset[str], *, is_reviewed: bool) -> str:
    if row.verdict is not None:
        return ItemStatus.LAPSED if row.decided_by_kind == "system" else ItemStatus.DECIDED
    if row.due_at is not None:  # somebody was asked, at intake or since
        return ItemStatus.WAITING
    return ItemStatus.LAPSED if is_reviewed and Cause.QUEUE_FULL.value in added else ItemStatus.PASSED


def _release(row: Any, *, is_held: bool) -> tuple[str, str | None]:
    if not is_held or row.verdict == Verdict.APPROVE:
        return _released(parse(row.content)["output"])
    if row.verdict == Verdict.CORRECT:
        return _released(parse(row.correction))
    return (ReleaseState.PENDING if row.verdict is None else ReleaseState.WITHHELD), None


def _released(content: Any) -> tuple[str, str]:
    return ReleaseState.RELEASED, content_digest(content)

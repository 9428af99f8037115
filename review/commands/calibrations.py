"""Learning what a system's confidence is worth from what people decided, when there is enough that is new."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import audit
from review.domain import calibration
from review.domain.actors import HOLDPOINT, ActorKind
from review.domain.calibration import Judged
from review.domain.decisions import Verdict
from review.store.engine import advisory_lock
from review.store.tables import Calibration, Decision, Item, System

EVERY = timedelta(minutes=10)
MIN_NEW = 20
NEW_SHARE = 0.1  # of the decisions that the last fit was made of
AT_MOST = 5_000  # the latest decisions of each version; older ones tell of a model and of texts that are gone
_LOCK = 7_201_478


def fit_due(session: Session, *, now: datetime) -> int:
    """Fit every system again that has enough new decisions, each at most every ten minutes. Returns how many."""
    advisory_lock(session, _LOCK)
    fitted = dict(
        session.execute(
            select(col(Calibration.system_id), func.max(col(Calibration.fitted_at))).group_by(
                col(Calibration.system_id)
            )
        ).all()
    )
    n = 0
    for system_id in session.execute(select(col(System.id)).order_by(col(System.id))).scalars():
        last = fitted.get(system_id)
        if (last is None or now - last >= EVERY) and _has_enough_new(session, system_id, last):
            n += fit(session, system_id, now=now)
    return n


def _has_enough_new(session: Session, system_id: UUID, last: datetime | None) -> bool:
    if last is None:
        return _n_judged(session, system_id, None) >= MIN_NEW
    of_last = select(func.sum(col(Calibration.n))).where(
        col(Calibration.system_id) == system_id, col(Calibration.fitted_at) == last
    )
    n_last = session.execute(of_last).scalar_one()
    return bool(_n_judged(session, system_id, last) >= max(MIN_NEW, NEW_SHARE * n_last))


_IS_JUDGED = (
    col(Decision.is_final),
    col(Decision.superseded_at).is_(None),
    col(Decision.decided_by_kind) == ActorKind.PERSON.value,
    col(Item.decision_id) == col(Decision.id),
    col(Item.confidence).is_not(None),
    col(Item.inclusion_probability) > 0,
)


def _n_judged(session: Session, system_id: UUID, since: datetime | None) -> int:
    """How many decisions there are to learn from, after a moment; counting stops where there are enough to learn."""
    found = (
        select(col(Decision.id))
        .join(Item, col(Item.id) == col(Decision.item_id))
        .where(*_IS_JUDGED, col(Item.system_id) == system_id)
        .limit(AT_MOST)
    )
    if since is not None:
        found = found.where(col(Decision.decided_at) > since)
    return int(session.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def fit(session: Session, system_id: UUID, *, now: datetime) -> int:
    """Fit each version of a system's model on the latest decisions on it. Returns how many versions there were."""
    rows = session.execute(
        select(col(Item.model_version), col(Item.confidence), col(Decision.verdict), col(Item.inclusion_probability))
        .join(Decision, col(Decision.item_id) == col(Item.id))
        .where(*_IS_JUDGED, col(Item.system_id) == system_id)
        .order_by(col(Decision.decided_at).desc())
        .limit(AT_MOST)
    ).all()
    by_version: dict[str, list[Judged]] = defaultdict(list)
    for version, confidence, verdict, probability in rows:
        by_version[version].append(Judged(confidence, verdict != Verdict.APPROVE.value, probability))
    for version, judged in sorted(by_version.items()):
        _keep(session, system_id, version, judged, now)
    return len(by_version)


def _keep(session: Session, system_id: UUID, version: str, judged: list[Judged], now: datetime) -> None:
    fitted = calibration.fit(judged)
    auc = fitted.auc
    kept = Calibration(
        system_id=system_id, model_version=version, fitted_at=now, points=list(fitted.curve.points), n=len(judged),
        auc=auc.value, auc_low=auc.low, auc_high=auc.high,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    told: dict[str, Any] = {"calibration_id": kept.id, "model_version": version, "n": kept.n}
    audit.record(
        session, HOLDPOINT, "calibration.fitted", ("system", system_id), now=now,
        auc=auc.value, auc_low=auc.low, auc_high=auc.high, **told,
    )  # fmt: skip

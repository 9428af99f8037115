"""What is known of each model's confidence, and what to say where it misleads."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.domain.estimates import Estimate
from review.domain.risks import AUC_METHOD, Curve, warning
from review.queries import systems
from review.store.tables import Calibration, System

MIN_N = 100  # fewer decisions are no ground to believe a curve rather than the confidence
_LATEST = (
    select(Calibration)
    .order_by(col(Calibration.model_version), col(Calibration.fitted_at).desc())
)  # fmt: skip


def latest(session: Session, system_id: UUID) -> dict[str, Calibration]:
    """The latest fit of each version of a system's model."""
    found: dict[str, Calibration] = {}
    for one in session.execute(_LATEST.where(col(Calibration.system_id) == system_id)).scalars():
        found.setdefault(one.model_version, one)
    return found


def curves(session: Session, system_id: UUID) -> dict[str, Curve]:
    """The curve of each version of a system's model that enough decisions stand behind."""
    return {
        version: Curve(tuple((confidence, error) for confidence, error in one.points))
        for version, one in latest(session, system_id).items()
        if one.n >= MIN_N
    }


@dataclass(frozen=True, slots=True)
class Known:
    """What a low confidence of one version of a model tells of errors."""

    system: str
    model_version: str
    fitted_at: datetime
    auc: Estimate
    warning: str | None


def known(session: Session, actor: Actor, *, system: str | None = None) -> list[Known]:
    """The latest fits, of one system or all, with a plain warning where a confidence misleads or tells nothing."""
    actor.require(Permission.READ_OVERVIEW)
    wanted = select(System).order_by(col(System.name))
    if system is not None:
        wanted = wanted.where(col(System.id) == systems.id_of(session, system))
    return [
        _known(one, fit)
        for one in session.execute(wanted).scalars()
        for fit in latest(session, one.id).values()
        if fit.n >= MIN_N
    ]


def _known(system: System, fit: Calibration) -> Known:
    auc = Estimate(fit.auc, fit.auc_low, fit.auc_high, fit.n, AUC_METHOD)
    said = warning(system.name, fit.model_version, auc)
    return Known(system.slug, fit.model_version, fit.fitted_at, auc, said)

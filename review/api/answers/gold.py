"""Answers to leads about gold items, and about how well reviewers answered them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.domain.decisions import Verdict
from review.domain.estimates import Estimate
from review.queries.gold_checks import Checked, Marked
from review.store.tables import Gold


@exactly
class EstimateAnswer(TypedDict):
    """A share with its interval; the value is null where there is nothing to estimate from."""

    value: float | None
    low: float
    high: float
    n: int
    method: str


def estimate(found: Estimate) -> EstimateAnswer:
    """A figure with what it is worth."""
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n, "method": found.method}


@exactly
class AddedAnswer(TypedDict):
    """An item that is gold now, and the answer that counts as right."""

    item_id: UUID
    verdict: Verdict
    correction: Any
    added_at: datetime


def added(gold: Gold) -> AddedAnswer:
    """The answer of POST /items/{id}/gold."""
    return {
        "item_id": gold.item_id, "verdict": Verdict(gold.verdict), "correction": gold.correction,
        "added_at": gold.added_at,
    }  # fmt: skip


@exactly
class MarkedAnswer(AddedAnswer):
    """One gold item, and how often it was answered right."""

    external_id: str
    added_by: str
    accuracy: EstimateAnswer


@exactly
class CheckedAnswer(TypedDict):
    """How well one reviewer answered gold tasks."""

    person: str
    name: str
    accuracy: EstimateAnswer


@exactly
class GoldAnswer(TypedDict):
    """The gold items of a system, and its reviewers."""

    items: list[MarkedAnswer]
    reviewers: list[CheckedAnswer]


def of_system(marked: list[Marked], checked: list[Checked]) -> GoldAnswer:
    """The answer of GET /systems/{slug}/gold."""
    return {"items": [_marked(one) for one in marked], "reviewers": [_checked(one) for one in checked]}


def _marked(one: Marked) -> MarkedAnswer:
    return {
        "item_id": one.item_id, "verdict": one.verdict, "correction": one.correction, "added_at": one.added_at,
        "external_id": one.external_id, "added_by": one.added_by, "accuracy": estimate(one.accuracy),
    }  # fmt: skip


def _checked(one: Checked) -> CheckedAnswer:
    return {"person": one.person, "name": one.name, "accuracy": estimate(one.accuracy)}

"""Answers to leads who decide many items at once."""

from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers import items
from review.api.answers.common import exactly
from review.api.answers.items import ItemAnswer
from review.commands.bulk import Done, Preview


@exactly
class BulkPreviewAnswer(TypedDict):
    """What would be decided by this token, with a sample; what somebody works on is left out, and counted."""

    token: UUID
    n: int
    n_claimed: int
    sample: list[ItemAnswer]


def preview(found: Preview) -> BulkPreviewAnswer:
    """The answer of POST /bulk/preview."""
    sample = [items.item(whole) for whole in found.sample]
    return {"token": found.id, "n": found.n, "n_claimed": found.n_claimed, "sample": sample}


@exactly
class BulkDoneAnswer(TypedDict):
    """How many were decided, and how many were left as they are: claimed meanwhile, changed, or not to be answered
    so."""

    n_decided: int
    n_claimed: int
    n_changed: int
    n_refused: int


def done(found: Done) -> BulkDoneAnswer:
    """The answer of POST /bulk/decide."""
    return {
        "n_decided": found.n_decided, "n_claimed": found.n_claimed, "n_changed": found.n_changed,
        "n_refused": found.n_refused,
    }  # fmt: skip

"""Which waiting items are meant where a lead decides many at once."""

from typing import Literal

from pydantic import Field

from review.domain.outputs import Code, Name, Strict, Text


class Selection(Strict):
    """Items of one system that wait for a first look; what is left out does not matter."""

    system: Code
    queue: Code | None = None
    q: Text | None = None  # as the inbox searches
    rule: Name | None = None
    reason: Code | None = None
    kind: Literal["answer", "classification", "action"] | None = None
    confidence_from: float | None = Field(default=None, ge=0, le=1)
    confidence_below: float | None = Field(default=None, ge=0, le=1)
    older_than_minutes: int | None = Field(default=None, ge=0, le=10_000_000)

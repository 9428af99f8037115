"""The body of a request that decides many items at once."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from review.domain.outputs import Strict
from review.domain.reasons import MAX_REASON


class BulkBody(Strict):
    """The token of a look, and what is said of all that it chose."""

    token: UUID
    verdict: Literal["approve", "reject"]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]

"""Why somebody did what others have to live with."""

from review.domain import content
from review.errors import Invalid

MAX_REASON = 2_000


def check_reason(reason: str) -> None:
    """Raise Invalid for a reason that tells nothing, or too much."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Invalid(f"Say why, in up to {MAX_REASON:,} characters.", field="reason")
    content.refuse_unkeepable(reason, "reason")

"""How much an output is worth looking at: what an error would cost, times how likely it is."""

from review.domain.outputs import Output
from review.domain.rulings import Ruling

MOST_SEVERE = 5


def of(output: Output, ruling: Ruling) -> float:
    """Severity times the probability of error, 0..1: severity is the worst flag's, or the rule's, of 5.

    An output without a confidence counts as wrong: nobody vouches for it.
    """
    severity = max((flag.severity for flag in output.flags), default=ruling.severity)
    return severity / MOST_SEVERE * (1.0 if output.confidence is None else 1 - output.confidence)

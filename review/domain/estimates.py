"""A figure with what it is worth: value, interval, n and method. Never a bare rate."""

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1] with its interval; `value` is None where there is nothing to estimate from."""

    value: float | None
    low: float
    high: float
    n: int
    method: str

    def sentence(self) -> str:
        """The figure as a person reads it."""
        if self.value is None:
            return "no data yet"
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n = {self.n:,})"


def wilson(n_hits: int, n: int, z: float = Z95) -> Estimate:
    """A proportion with the Wilson score interval (E. B. Wilson 1927, J. Am. Stat. Assoc. 22, 209-212)."""
    if n == 0:
        return Estimate(None, 0.0, 1.0, 0, "Wilson 95%")
    share = n_hits / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), n, "Wilson 95%")

"""Percentiles and ratios, printed one way."""

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def milliseconds(name: str, values: Sequence[float]) -> None:
    """Print p50 and p95 of durations in seconds."""
    p50, p95 = (percentile(values, share) * 1e3 for share in (0.5, 0.95))
    print(f"{name:<58} p50 {p50:8.2f} ms   p95 {p95:8.2f} ms   n={len(values)}", flush=True)


def ratio(name: str, value: float, bound: str) -> None:
    """Print a ratio with the bound it is held to."""
    print(f"{name:<58} {value:8.2f}      (bound: {bound})", flush=True)

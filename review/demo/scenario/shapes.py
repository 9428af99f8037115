"""What the scenario is made of: an output as it was sent, and what a careful reviewer would say of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypedDict

LABELS = (
    "unsupported",
    "contradicts_source",
    "omission",
    "wrong_label",
    "wrong_action",
    "unsafe",
    "private_data",
    "style",
)


class Span(TypedDict):
    """Words of a text output that are wrong: code points, end exclusive."""

    start: int
    end: int
    label: str
    text: str


@dataclass(frozen=True)
class Truth:
    """What is true of an output; `correction` is None where it is right, or where it must be rejected whole."""

    ok: bool
    correction: Any | None = None
    labels: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    note: str = ""
    escalate: str | None = None


@dataclass(frozen=True)
class Played:
    """One output (the body of POST /outputs without produced_at), its truth, and when it arrives after the start."""

    output: dict[str, Any] = field(repr=False)
    truth: Truth
    arrives: timedelta

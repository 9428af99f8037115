"""What a verification found: how much holds, and the first entry that does not."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What was done to an entry."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry that is not as it was written.

    `what` is event, checkpoint, decision, escalation, policy, person or item. `seq` is the entry's place in the
    chain, or that of its event; None where it has none. `id` is None where the entry is gone and nothing else tells
    its id.
    """

    kind: Kind
    what: str
    id: str | None
    seq: int | None
    detail: str

    def __str__(self) -> str:
        name = f"{self.what} {self.id}" if self.id else f"the {self.what}"
        place = f" at position {self.seq:,}" if self.seq is not None else ""
        done = "put in" if self.kind is Kind.INSERTED else self.kind.value
        return f"{name}{place} was {done}: {self.detail}"


def first(problems: Iterable[Problem | None]) -> Problem | None:
    """The problem with the lowest place in the chain; of several at one place, the first given."""
    return min(filter(None, problems), key=lambda found: math.inf if found.seq is None else found.seq, default=None)


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was verified up to the end or the first problem.

    `head` is the chain's value at the last verified position `seq`: kept elsewhere, it proves later that nothing was
    cut off the end. `n_unsealed` counts events written since the last seal, which no chain protects yet.
    """

    seq: int
    head: str
    n_unsealed: int
    n_checkpoints: int
    n_decisions: int
    n_items: int
    problem: Problem | None

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return self.problem is None

    def as_dict(self) -> dict[str, Any]:
        """The verification as JSON."""
        return {"ok": self.ok, **asdict(self)}

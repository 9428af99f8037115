"""What a producer is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from review.client.errors import WrongContent
from review.domain.content import content_digest

Route: TypeAlias = Literal["pass", "review", "block"]
State: TypeAlias = Literal["pending", "released", "withheld"]


@dataclass(frozen=True, slots=True)
class Release:
    """What may be used of an item: `content` is the exact value where the state is `released`, else None."""

    state: State
    content: Any
    sha256: str | None
    verdict: Literal["approve", "correct", "reject"] | None
    decided_by: Literal["person", "system"] | None
    decision_id: UUID | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """Where an output was routed, why, and what may be used of it now; `replayed` where it was sent before."""

    item_id: UUID
    route: Route
    reasons: list[str]
    policy_version: int
    inclusion_probability: float
    status: Literal["passed", "waiting", "decided"]
    due_at: datetime | None
    release: Release
    replayed: bool


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """An output that was refused; `line` is its place in what was sent, from 1."""

    line: int
    problem: Mapping[str, Any]


@dataclass(slots=True)
class Summary:
    """What became of many outputs."""

    accepted: int = 0
    replayed: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    routes: dict[Route, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many outputs were dealt with."""
        return self.accepted + self.replayed + len(self.rejected)

    def add(self, answer: Mapping[str, Any], lines: list[int]) -> None:
        """Add the answer to one batch, whose lines were these places in what was sent."""
        self.accepted += answer["accepted"]
        self.replayed += answer["replayed"]
        self.rejected += [RejectedLine(lines[one["line"] - 1], one["problem"]) for one in answer["rejected"]]
        for route, n in answer["routes"].items():
            self.routes[route] = self.routes.get(route, 0) + n


def submitted(answer: dict[str, Any], *, replayed: bool) -> Submitted:
    """The answer to one output."""
    due_at = answer["due_at"]
    return Submitted(
        **{
            **answer,
            "item_id": UUID(answer["item_id"]),
            "due_at": datetime.fromisoformat(due_at) if due_at else None,
            "release": release_of(answer["release"]),
        },
        replayed=replayed,
    )


def release_of(answer: Mapping[str, Any]) -> Release:
    """The answer as a release; raises WrongContent unless the content has the digest that it came with."""
    release = Release(
        state=answer["state"],
        content=answer["content"],
        sha256=answer["sha256"],
        verdict=answer["verdict"],
        decided_by=answer["decided_by"]["kind"] if answer["decided_by"] else None,
        decision_id=UUID(answer["decision_id"]) if answer["decision_id"] else None,
    )
    if release.state == "released" and content_digest(release.content) != release.sha256:
        raise WrongContent("The content that came does not have the digest it was released with. Do not use it.")
    return release

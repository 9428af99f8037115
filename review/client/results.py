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
Mode: TypeAlias = Literal["normal", "review_all", "stopped"]
Event: TypeAlias = Literal["model_unavailable", "price_changed", "version_deprecated"]


@dataclass(frozen=True, slots=True)
class Release:
    """What may be used of an item: `content` is the exact value where the state is `released`.

    `reason` and `notice` say why, where that is not a person's doing: `lapsed`, `queue_full`, `bundle`, or
    `system_stopped`, where the content of what is withheld is the text that stands in, if there is one.
    """

    state: State
    content: Any
    sha256: str | None
    verdict: Literal["approve", "correct", "reject"] | None
    decided_by: Literal["person", "system"] | None
    decision_id: UUID | None
    reason: Literal["lapsed", "queue_full", "system_stopped", "bundle"] | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class ModeNow:
    """How a system runs, why, since when (None: always), and until when where that was said."""

    system: str
    mode: Mode
    reason: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written for an event: the mode that is set, what stands in for the model, and what people do."""

    event: Event
    mode: Mode | None
    fallback: str
    instructions: str


@dataclass(frozen=True, slots=True)
class Reported:
    """What was done about a report: the plan, if there is one, and the mode that the system is in now."""

    event: Event
    mode: Mode
    is_mode_changed: bool
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """Where an output was routed, why, and what may be used of it now; `replayed` where it was sent before.

    `mode` is how its system runs now.
    """

    item_id: UUID
    route: Route
    reasons: list[str]
    policy_version: int
    inclusion_probability: float
    status: Literal["passed", "waiting", "decided", "lapsed"]
    due_at: datetime | None
    mode: Mode
    release: Release
    replayed: bool


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """An output that was refused; `line` is its place in what was sent, from 1."""

    line: int
    problem: Mapping[str, Any]


@dataclass(slots=True)
class Summary:
    """What became of many outputs; `mode` is how the system ran at the end (None where nothing was sent)."""

    accepted: int = 0
    replayed: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    routes: dict[Route, int] = field(default_factory=dict)
    mode: Mode | None = None

    @property
    def total(self) -> int:
        """How many outputs were dealt with."""
        return self.accepted + self.replayed + len(self.rejected)

    def add(self, answer: Mapping[str, Any], lines: list[int]) -> None:
        """Add the answer to one batch, whose lines were these places in what was sent."""
        self.accepted += answer["accepted"]
        self.replayed += answer["replayed"]
        self.mode = answer["mode"]
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
        reason=answer["reason"],
        notice=answer["notice"],
    )
    if release.state == "released" and content_digest(release.content) != release.sha256:
        raise WrongContent("The content that came does not have the digest it was released with. Do not use it.")
    return release


def mode_of(answer: Mapping[str, Any]) -> ModeNow:
    """The answer as a mode."""
    since, until = (datetime.fromisoformat(answer[name]) if answer[name] else None for name in ("since", "until"))
    return ModeNow(answer["system"], answer["mode"], answer["reason"], since, until)


def reported(answer: Mapping[str, Any]) -> Reported:
    """The answer to a report."""
    plan = Plan(**answer["plan"]) if answer["plan"] else None
    return Reported(answer["event"], answer["mode"], answer["is_mode_changed"], plan)

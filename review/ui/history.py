"""An item's story in plain words."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from review.domain.decisions import Verdict
from review.queries.items import Event
from review.queries.questions import Asked
from review.store.tables import Decision
from review.ui import words
from review.ui.listing import Cell, Column, Row, Tone, listing

_DONE = {"approve": "approved it as it was", "correct": "corrected it", "reject": "rejected it"}
_DID = {
    "outputs.received": "sent it",
    "item.viewed": "looked at it",
    "task.claimed": "took the task",
    "task.renewed": "kept the task",
    "task.given_back": "gave the task back",
    "task.skipped": "skipped the task",
    "decision.undone": "took the decision back",
    "decision.superseded": "took what was decided back",
    "item.reopened": "reopened it",
    "item.lapsed": "answered it: nobody had in time",
    "task.snoozed": "put the task off",
    "task.assigned": "gave the task to someone",
    "task.freed": "offered the task to everyone again",
    "item.question_asked": "asked its producer",
    "item.question_answered": "answered a question",
    "item.commented": "wrote a comment",
    "release.fetched": "fetched the release",
    "gold.answered": "answered it as gold",
    "gold.undone": "took a gold answer back",
    "gold.escalated": "handed it up as gold",
}
_TONES: dict[str, Tone] = {"item.decided": "good", "task.escalated": "warn", "decision.undone": "warn"}


def timeline(events: Sequence[Event], now: datetime) -> None:
    """Everything that happened to an item, newest first; the same thing again and again is one line."""
    runs = [list(run) for _, run in groupby(events, key=lambda event: (event.action, event.actor_name))]
    rows = [_row(run, now) for run in reversed(runs)]
    listing("History", [Column("When", "150px"), Column("Who", "200px"), Column("What")], rows, key="history")


def _row(run: Sequence[Event], now: datetime) -> Row:
    event = run[-1]
    times = f" ({len(run)} times)" if len(run) > 1 else ""
    what = Cell(did(event) + times, tone=_TONES.get(event.action, ""))
    return Row("", [when(event.at, now), event.actor_name, what])


def when(at: datetime, now: datetime) -> Cell:
    """How long ago, with the exact time under the mouse."""
    return Cell(words.ago(at, now), title=words.exact(at), tone="muted")


def did(event: Event) -> str:
    """What someone did, in plain words."""
    body = event.body
    if event.action in ("item.decided", "item.reviewed"):
        return _DONE.get(str(body.get("verdict")), "decided it")
    if event.action == "task.escalated":
        return f"handed it up: {words.name(str(body.get('reason', ''))).lower()}"
    return _DID.get(event.action, event.action.replace(".", " ").replace("_", " "))


def verdicts(decisions: Sequence[tuple[Decision, str | None]], now: datetime) -> None:
    """Every decision on an item, the newest first, with those that were taken back."""
    columns = [
        Column("When", "150px"), Column("Who", "200px"), Column("Verdict", "200px"), Column("Labels"), Column("Note"),
    ]  # fmt: skip
    listing("Decisions", columns, [_verdict(*each, now) for each in reversed(decisions)], key="verdicts")


def _verdict(decision: Decision, by: str | None, now: datetime) -> Row:
    return Row(
        "", [when(decision.decided_at, now), by or "Holdpoint", _standing(decision), _labels(decision), decision.note]
    )


def _standing(decision: Decision) -> Cell:
    icon, tone = VERDICTS[decision.verdict]
    word = words.VERDICTS[Verdict(decision.verdict)]
    if decision.superseded_at is None:
        return Cell(f"{icon} {word}" if decision.is_final else f"{icon} {word}, one of several", tone=tone)
    return Cell(f"{icon} {word}, taken back", title=words.exact(decision.superseded_at), tone="muted")


def _labels(decision: Decision) -> str:
    marked: list[dict[str, Any]] = decision.spans
    return ", ".join(words.name(code) for code in dict.fromkeys([*decision.labels, *(one["label"] for one in marked)]))


def questions(asked: Sequence[Asked], now: datetime) -> None:
    """What the producer was asked about an item, and what it answered."""
    columns = [Column("When", "150px"), Column("Who", "200px"), Column("Question"), Column("Answer")]
    listing("Asked of the producer", columns, [_question(one, now) for one in asked], key="questions")


def _question(one: Asked, now: datetime) -> Row:
    answer = (
        Cell(one.answer, title=words.exact(one.answered_at)) if one.answer and one.answered_at else Cell("none yet")
    )
    return Row("", [when(one.asked_at, now), one.by, one.text, answer])


VERDICTS: dict[str, tuple[str, Tone]] = {"approve": ("✓", "good"), "correct": ("✎", "warn"), "reject": ("✕", "bad")}

"""An item as the workbench draws it: to be decided, or to be read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from review.domain.actors import Actor
from review.domain.lifecycle import TaskKind
from review.domain.support import unsupported
from review.queries import comments, questions
from review.queries.items import Whole
from review.queries.questions import Asked
from review.queries.tasks import Work
from review.store.tables import Decision, Escalation, Item, Task
from review.ui import words

EMPTY: dict[str, Any] = {
    "mode": "empty", "task": None, "item": None, "why": "", "handed_up": None, "taxonomy": [], "help_marks": [],
    "decided": None, "undo": None, "done_today": 0, "waiting": 0, "can_escalate": False, "message": None,
    "answers": [], "allowed_verdicts": None, "notes": [],
    "questions": [], "comments": [], "comments_hidden": False,
}  # fmt: skip


def to_decide(work: Work) -> dict[str, Any]:
    """A held task with all that is needed to decide it."""
    return {
        **EMPTY,
        "mode": "work",
        "task": _task(work.task, work.whole.item.version),
        "item": _item(work.whole),
        "why": f"{why(work.whole.item)} {_ASKED.get(work.task.kind, '')}".rstrip(),
        "handed_up": _handed_up(*work.handed_up) if work.handed_up else None,
        "answers": [_answer(n, decision) for n, decision in enumerate(work.answers, 1)],
        "allowed_verdicts": work.whole.content.get("allowed_verdicts"),
        "taxonomy": _named(work.taxonomy),
        "help_marks": _help_marks(work.whole),
        "can_escalate": work.can_escalate,
    }


def written(session: Session, actor: Actor, item_id: UUID) -> dict[str, Any]:
    """What colleagues wrote of an item, and what its producer was asked, as far as the actor may read it."""
    thread = comments.thread(session, actor, item_id)
    return {
        "comments": [{"by": one.by, "at": one.at.isoformat(), "text": one.text} for one in thread.remarks],
        "comments_hidden": thread.is_blind,
        "questions": [_asked(one) for one in questions.asked(session, actor, item_id)],
    }


def _asked(one: Asked) -> dict[str, Any]:
    answered_at = one.answered_at.isoformat() if one.answered_at else None
    return {
        "by": one.by, "text": one.text, "asked_at": one.asked_at.isoformat(), "answer": one.answer,
        "answered_at": answered_at,
    }  # fmt: skip


def to_read(whole: Whole, taxonomy: Iterable[str], now: datetime) -> dict[str, Any]:
    """An item with the decision that stands, if there is one."""
    decided = _decided(whole.decision, whole.decided_by) if whole.decision else None
    return {
        **EMPTY,
        "mode": "read",
        "turn": 0,
        "now": now.isoformat(),
        "item": _item(whole),
        "why": why(whole.item),
        "taxonomy": _named(taxonomy),
        "help_marks": _help_marks(whole),
        "decided": decided,
    }


def why(item: Item) -> str:
    """One plain sentence: why a person is asked, or was not."""
    rule = f"the rule “{item.rule}”" if item.rule else "the policy"
    if "rule_failed" in item.reasons:
        return f"Policy {item.policy_version}: {rule} could not be applied to it, so a person decides."
    if item.route == "block":
        return f"Policy {item.policy_version}: {rule} blocks it until a person decides."
    if item.route == "review":
        return f"Policy {item.policy_version}: {rule} asks for a person before it is released."
    if "audit_sample" in item.reasons:
        return (
            f"Drawn at random ({item.inclusion_probability:.0%} of what passes) to check the system; it was released."
        )
    return f"Policy {item.policy_version} let it pass: nobody was asked."


# What a kind of task adds to why somebody is asked: of a second look, nothing of the first.
_ASKED = {
    TaskKind.SECOND_REVIEW.value: "More than one person looks at it, each without seeing what others say.",
    TaskKind.ADJUDICATION.value: "People disagree about it: your answer settles it.",
    TaskKind.ESCALATION.value: "It was handed up to you.",
}


def _answer(n: int, decision: Decision) -> dict[str, Any]:
    """What one of several people said, without their name: that is told when the item is settled."""
    said = {name: getattr(decision, name) for name in ("verdict", "correction", "labels", "spans", "note")}
    return {"by": f"Reviewer {n}", **said}


def _task(task: Task, item_version: int) -> dict[str, Any]:
    return {
        "id": str(task.id),
        "kind": task.kind,
        "lease": task.lease_token,
        "item_version": item_version,
        "due_at": task.due_at.isoformat(),
        "lease_expires_at": task.lease_expires_at.isoformat() if task.lease_expires_at else None,
    }


def _item(whole: Whole) -> dict[str, Any]:
    item, content = whole.item, whole.content
    return {
        "id": str(item.id),
        "external_id": item.external_id,
        "system": whole.system.slug,
        "system_name": whole.system.name,
        "model": item.model_name,
        "model_version": item.model_version,
        "kind": item.kind,
        "confidence": item.confidence,
        "input": content["input"],
        "sources": [_source(source) for source in content["context"]],
        "output": content["output"],
        "alternatives": [_alternative(one) for one in content["alternatives"]],
        "flags": [_flag(flag) for flag in content["flags"]],
        "reasons": item.reasons,
        "rule": item.rule,
        "route": item.route,
        "received_at": item.received_at.isoformat(),
        "metadata": content["metadata"],
    }


def _source(source: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(source, str):
        return {"text": source}
    return {name: value for name, value in source.items() if value is not None}


def _alternative(one: Any) -> dict[str, Any]:
    is_weighed = isinstance(one, dict) and one.keys() == {"value", "confidence"}
    return one if is_weighed else {"value": one, "confidence": None}


def _flag(flag: dict[str, Any]) -> dict[str, Any]:
    span = flag["span"]
    kept = {name: flag[name] for name in ("code", "severity", "detail") if flag[name] is not None}
    return {**kept, "span": [span["start"], span["end"]]} if span else kept


def _help_marks(whole: Whole) -> list[tuple[int, int]]:
    output = whole.content["output"]
    if whole.item.kind != "answer" or not isinstance(output, str):
        return []
    return unsupported(output, [_source(source)["text"] for source in whole.content["context"]])


def _handed_up(escalation: Escalation, by: str) -> dict[str, Any]:
    return {"by": by, "reason": escalation.reason, "note": escalation.note, "at": escalation.at.isoformat()}


def _decided(decision: Decision, by: str | None) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "by": by or "Holdpoint",
        "at": decision.decided_at.isoformat(),
        "correction": decision.correction,
        "labels": decision.labels,
        "spans": decision.spans,
        "note": decision.note,
    }


def _named(taxonomy: Iterable[str]) -> list[dict[str, str]]:
    return [{"code": code, "name": words.name(code)} for code in taxonomy]

"""A page with nothing but the workbench: `?case=NAME` picks the items; every act is written below it as JSON."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from review.ui.workbench import last_act, workbench

TAXONOMY = [
    {"code": code, "name": code.replace("_", " ").capitalize()}
    for code in "unsupported contradicts_source omission wrong_label wrong_action unsafe private_data style".split()
]
HOSTILE = (
    "<script>document.title='pwned'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title='pwned'\">"
    " ![pixel](http://127.0.0.1:9/pixel.png) [click](javascript:document.title='pwned') </textarea></style></div>"
)
# Astral, combined emoji, right-to-left, an override, a zero-width space and hidden tag characters.
MIXED = (
    "Start 😀 here, family 👨‍👩‍👧 and שלום עולם then مرحبا بالعالم.\n"
    "Zero\u200bwidth and \u202eoverride\u202c with \U000e0069\U000e0067\U000e006e hidden tags. End 🏁 now"
)
CREAM = (
    "Single cream has 10 to 12% fat, double cream about 48%. Double cream can be whipped into stiff peaks,"
    " making it ideal for desserts. Single cream is thinner and cannot be whipped."
)
CREDIT = {
    "tool": "issue_credit",
    "arguments": {
        "account": "NW-20881",
        "amount_eur": 35.0,
        "months": 2,
        "big": 9007199254740993,
        "confirmed": False,
        "approver": None,
        "10": "ten",
        "2": "two",
        "lines": [{"code": "A1", "eur": 12.5}, {"code": "B2", "eur": 22.5}],
    },
}


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"item-{number}",
        "external_id": f"ext-{number}",
        "system": "help-center-answers",
        "system_name": "Help center answers",
        "model": "answer-model",
        "model_version": "2026-05",
        "kind": "answer",
        "confidence": 0.31,
        "input": f"Question {number}: what is the difference between single and double cream?",
        "sources": [
            {
                "title": "Cream",
                "text": "Single cream has 10 to 12 percent butterfat.",
                "uri": "https://example.com/cream",
            },
            {
                "title": "Whipping",
                "text": "Double cream contains 48 percent. " + "It whips well. " * 120,
                "score": 0.72,
            },
        ],
        "output": CREAM,
        "alternatives": [],
        "flags": [],
        "reasons": ["low_confidence"],
        "rule": "low confidence",
        "route": "review",
        "received_at": (datetime.now(UTC) - timedelta(minutes=12)).isoformat(),
        "metadata": {"channel": "web", "language": "en"},
        **changes,
    }


def hostile(number: int) -> dict[str, Any]:
    text = f"{HOSTILE} item {number}"
    source = {"id": text, "title": text, "text": text, "uri": "javascript:document.title='pwned'"}
    flag = {"code": text, "severity": 5, "detail": text}
    return item(
        number, input=text, output=text, system_name=text, model=text, external_id=text, reasons=[text], rule=text,
        sources=[source, source], flags=[flag, {**flag, "span": [0, 8]}], metadata={text: text},
    )  # fmt: skip


def label(number: int, n_others: int) -> dict[str, Any]:
    others = [{"value": f"intent_{n:02}", "confidence": round(0.4 / n, 2)} for n in range(1, n_others + 1)]
    first = {"value": "card_arrival", "confidence": 0.41}
    return item(
        number, kind="classification", input="Where is my card?", output="card_arrival", alternatives=[first, *others]
    )


def action(number: int, output: Any = CREDIT) -> dict[str, Any]:
    return item(number, kind="action", input="I was charged twice, please refund me.", output=output, route="block")


CASES: dict[str, Any] = {
    "answers": item,
    "mixed": lambda n: item(n, output=MIXED, input=MIXED, sources=[{"text": MIXED}]),
    "hostile": hostile,
    "labels": lambda n: label(n, 3),
    "many-labels": lambda n: label(n, 40),
    "actions": action,
    "sorted-action": lambda n: action(
        n, output={"arguments": {"lines": ["A1"], "account": "NW-20881"}, "tool": "issue_credit"}
    ),
    "crowded": lambda n: item(
        n,
        system_name="Help centre answers",
        model="lanternfield-answers",
        model_version="3.3.0",
        route="block",
        reasons=["serious_flag"],
        flags=[{"code": "instruction_in_source", "severity": 5}],
    ),
    "huge": lambda n: item(n, output="x" * 2**20, input="line " * 10, sources=[{"text": "y" * 2**20}]),
    "crlf": lambda n: item(n, output="First line.\r\nSecond line.\r\n"),
    "long": lambda n: item(n, output=" ".join(f"word{k}" for k in range(5000))),
    "badges": lambda n: item(n, output="a\u200b\u202e" * 30000),
    "hostile-action": lambda n: item(n, kind="action", output={HOSTILE: [HOSTILE, {"__proto__": HOSTILE}]}),
    "escalated": item,
}


state = st.session_state


def option(name: str, default: str = "") -> str:
    return str(st.query_params.get(name, default))


def task(number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    minutes = -12 if option("due") == "overdue" else 42
    return {
        "id": f"task-{number}",
        "kind": "escalation" if option("case") == "escalated" else "review",
        "lease": f"lease-{number}",
        "item_version": 1,
        "due_at": (now + timedelta(minutes=minutes)).isoformat(),
        "lease_expires_at": (now + timedelta(seconds=int(option("hold", "600")))).isoformat(),
    }


def decided() -> dict[str, Any]:
    marked = "making it ideal for desserts"
    start = CREAM.index(marked)
    return {
        "verdict": "correct",
        "by": "Maya Okafor",
        "at": datetime.now(UTC).isoformat(),
        "correction": CREAM.replace("cannot be whipped", "does not hold peaks"),
        "labels": ["omission"],
        "spans": [{"start": start, "end": start + len(marked), "label": "unsupported", "text": marked}],
        "note": "See the second source.",
    }


def shown(number: int) -> dict[str, Any]:
    """The item of the case; with WORKBENCH_ITEMS (a JSON file with a list) the items come from there."""
    path, case = os.environ.get("WORKBENCH_ITEMS"), option("case")
    if path and case == "file":
        items = json.loads(Path(path).read_text(encoding="utf-8"))
        return item(number, **items[number % len(items)])
    return CASES.get(case, item)(number)  # type: ignore[no-any-return]


def handed_up() -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"by": "Jonas Lindqvist", "reason": "policy_unclear", "note": "Is this a refund?", "at": at}


def undoable() -> dict[str, Any] | None:
    until = timedelta(seconds=int(option("undo", "10")))
    return {**state.done, "until": (state.done_at + until).isoformat()} if state.done else None


def help_marks(output: Any) -> list[list[int]]:
    start = CREAM.index("stiff")
    return [[start, start + len("stiff peaks")]] if output == CREAM else []


def data() -> dict[str, Any]:
    case = option("case")
    mode = "read" if case == "read" else "empty" if case == "empty" and state.number == 0 else "work"
    this = None if mode == "empty" else shown(state.number)
    return {
        "mode": mode,
        "turn": state.turn,
        "now": datetime.now(UTC).isoformat(),
        "task": task(state.number) if mode == "work" else None,
        "item": this,
        "why": "Its confidence is below 0.35, so the policy asks a person.",
        "handed_up": handed_up() if case == "escalated" else None,
        "taxonomy": TAXONOMY,
        "help_marks": help_marks(this["output"]) if this else [],
        "decided": decided() if mode == "read" else None,
        "undo": undoable(),
        "done_today": 7,
        "waiting": 38,
        "can_escalate": case != "escalated",
        "message": state.message,
    }


def take() -> None:
    act = last_act("workbench")
    if act is None:
        return
    state.acts.append(act.model_dump(exclude_unset=True))
    state.turn += 1
    state.message = None
    if option("case") == "refused":
        state.message = {"kind": "error", "text": "Refused: the queue is closed. Nothing was changed."}
        return
    if act.action == "undo":
        state.number, state.done = state.number - 1, None
    else:
        decision = {"decision_id": f"d-{state.turn}", "verdict": act.action, "external_id": f"ext-{state.number}"}
        state.done = decision if act.action in ("approve", "correct", "reject") else None
        state.done_at = datetime.now(UTC)
        state.number += 1


def page() -> None:
    st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
    for name, value in {"turn": 1, "number": 0, "acts": [], "done": None, "message": None}.items():
        state.setdefault(name, value)
    if option("slow") and last_act("workbench"):
        time.sleep(0.6)
    if not option("gone") or not st.checkbox("Away"):
        workbench(data(), key="workbench", on_act=take)
    st.text_input("A field of the page")
    st.text(json.dumps(state.acts))


if __name__ == "__main__":
    page()

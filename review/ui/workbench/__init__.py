"""The workbench: one item drawn in the browser to be judged or read, and the act that comes back."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import streamlit as st
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError
from streamlit.components.v2.types import ComponentRenderer

from review.ui.workbench.values import packed, unpacked

_SCRIPTS = "text sheet marks diff tree fields standing evidence output answers panels asides keys desk".split()

log = structlog.get_logger(__name__)


class Span(BaseModel):
    """Marked words of the output: code points, end exclusive."""

    model_config = ConfigDict(extra="forbid")

    start: int
    end: int
    label: str
    text: str


class Act(BaseModel):
    """What a person did on the workbench; only `action` is always there."""

    model_config = ConfigDict(extra="forbid")

    action: Literal[
        "approve", "correct", "reject", "escalate", "skip", "undo", "claim", "give_back", "snooze", "ask", "comment"
    ]
    lease: str | None = None
    item_version: int | None = None
    correction: Annotated[JsonValue, BeforeValidator(unpacked)] = None
    labels: list[str] = []
    spans: list[Span] = []
    note: str = ""
    reason: str | None = None
    decision_id: str | None = None
    until: Literal["quarter", "hour", "tomorrow"] | None = None
    text: str = ""


def workbench(data: Mapping[str, Any], *, key: str, on_act: Callable[[], None] | None = None) -> Act | None:
    """Draw the item and return the act of this run, if there was one.

    Keep the key the same from task to task: the next item then takes the same places without a new frame.
    `on_act` runs before the page does; it reads the act with `last_act(key)`.
    """
    result = _component()(key=key, data=_packed_item(data), on_act_change=on_act or _nothing)
    return _act(result.get("act"))


def last_act(key: str) -> Act | None:
    """The act that started this run, for use in `on_act`."""
    return _act((st.session_state.get(key) or {}).get("act"))


@cache
def _component() -> ComponentRenderer:
    """The component, registered once a process."""
    return st.components.v2.component(
        "holdpoint.workbench", html=_read("frame.html"), css=_read("style.css"), js=_script()
    )


def _script() -> str:
    return "\n".join(_read(f"{name}.js") for name in _SCRIPTS)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _packed_item(data: Mapping[str, Any]) -> dict[str, Any]:
    item, decided = data.get("item"), data.get("decided")
    return {
        **data,
        "item": item
        and {
            **item,
            "input": packed(item["input"]),
            "output": packed(item["output"]),
            "alternatives": _alternatives(item),
        },
        "decided": decided and _packed_answer(decided),
        "answers": [_packed_answer(each) for each in data.get("answers") or []],
    }


def _packed_answer(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**said, "correction": packed(said.get("correction"))}


def _alternatives(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**each, "value": packed(each["value"])} for each in item.get("alternatives") or []]


def _act(sent: Any) -> Act | None:
    """What the browser sent, or nothing where it is no act: the browser is not to be trusted."""
    if sent is None:
        return None
    try:
        return Act.model_validate(sent)
    except (ValidationError, RecursionError) as error:
        log.warning("workbench.act_ignored", problem=type(error).__name__)
        return None


def _nothing() -> None:
    pass

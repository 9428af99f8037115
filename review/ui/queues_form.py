"""The form by which leads settle how a queue is run."""

from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st
from sqlmodel import Session

from review.commands import queues
from review.domain.actors import Actor
from review.domain.calendars import DAYS, Service
from review.domain.lifecycle import highest_level
from review.domain.queues import read_hours, read_settings, say_hours
from review.errors import Invalid
from review.queries import queues as queue_queries
from review.queries.queues import Run
from review.ui.page import Page

_NAMES = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday",
    "sun": "Sunday",
}  # fmt: skip
_ACTIONS = {
    "raise_priority": "Raise the priority", "notify": "Notify people", "hand_up": "Hand it up",
    "fail_safe": "Fail-safe answers",
}  # fmt: skip
_STEP = ["name", "after_minutes", "action", "priority", "notify"]


def draw(page: Page, run: Run) -> None:
    """All that is settled for a queue, in one form."""
    service = run.settings.service or Service()
    with page.read() as session:
        workers = queue_queries.workers(session, page.actor, now=page.now)
    names = {one.username: one.name for one in workers if highest_level(one.role) >= run.level}
    with st.form("queue", border=False):
        filled = {**_people(run, names), "hours": _hours(service), "steps": _steps(service)}
        asked = st.form_submit_button("Save", type="primary", icon=":material/check:")
    st.text("New tasks get their due times this way; those of tasks that wait already stay as they are.")
    if asked:
        page.run(_settle, run.slug, filled, done="Saved. It counts from now on")


def _people(run: Run, names: dict[str, str]) -> dict[str, Any]:
    settings, service = run.settings, run.settings.service or Service()
    left, middle, right = st.columns([1.6, 1, 1])
    with left:
        name = st.text_input("Name", settings.name, max_chars=200)
        members = st.multiselect(
            "Members", list(names), [one for one in settings.members if one in names],
            format_func=lambda each: names[each], placeholder="Everyone of its level",
        )  # fmt: skip
    with middle:
        ceiling = st.number_input("Ceiling: open tasks", 1, 10_000_000, settings.ceiling, placeholder="No ceiling")
        cap = st.number_input("Load cap: tasks a person is given", 1, 1_000, settings.load_cap, placeholder="No cap")
    with right:
        zones = sorted(available_timezones())
        zone = st.selectbox("Time zone", zones, zones.index(service.time_zone) if service.time_zone in zones else None)
        soon = st.number_input("Due soon: working minutes before", 0, 100_000, service.due_soon_minutes)
    return {"name": name, "members": members, "ceiling": ceiling, "load_cap": cap, "zone": zone, "soon": soon}


def _hours(service: Service) -> dict[str, Any]:
    st.markdown("**Working hours**", help="Such as 09:00-12:00, 13:00-17:00. All days empty: around the clock.")
    columns = st.columns(7)
    empty = "closed" if service.hours else "all day"
    hours = {
        day: column.text_input(
            _NAMES[day], say_hours(service.hours.get(day, [])), key=f"hours_{day}", placeholder=empty
        )
        for day, column in zip(DAYS, columns, strict=True)
    }
    holidays = st.text_input(
        "Holidays", ", ".join(str(day) for day in sorted(service.holidays)),
        placeholder="2026-12-25, 2026-12-26", help="Days on which no hours begin.",
    )  # fmt: skip
    return {"days": hours, "holidays": holidays}


def _steps(service: Service) -> Any:
    st.markdown("**Steps**", help="What happens by itself, once a task: minutes are working minutes after it is due.")
    rows = [{**step.model_dump(), "action": _ACTIONS[step.action], "notify": ", ".join(step.notify)}
            for step in service.steps]  # fmt: skip
    frame = pd.DataFrame(rows, columns=_STEP)
    frame = frame.astype({"name": "string", "action": "string", "notify": "string",
                          "after_minutes": "Int64", "priority": "Int64"})  # fmt: skip
    column = st.column_config
    return st.data_editor(
        frame, num_rows="dynamic", hide_index=True, key="steps", height=180,
        column_config={
            "name": column.TextColumn("Name", required=True, help="A short code of yours", max_chars=64),
            "after_minutes": column.NumberColumn("Minutes after due", step=1, help="Negative: before", required=True),
            "action": column.SelectboxColumn("What happens", options=list(_ACTIONS.values()), required=True),
            "priority": column.NumberColumn("Priority", min_value=0, max_value=100, step=1, help="To raise it to"),
            "notify": column.TextColumn("Notify", help="Usernames, with commas between them"),
        },
    )  # fmt: skip


def _settle(session: Session, actor: Actor, slug: str, filled: dict[str, Any], *, now: datetime) -> bool:
    settings = {name: filled[name] for name in ("name", "members", "ceiling", "load_cap")}
    queues.settle(session, actor, slug, read_settings({**settings, "service": _service(filled)}), now=now)
    return True


def _service(filled: dict[str, Any]) -> dict[str, Any]:
    days = {day: read_hours(text, _NAMES[day]) for day, text in filled["hours"]["days"].items()}
    return {
        "time_zone": filled["zone"] or "UTC",
        "hours": {day: spans for day, spans in days.items() if spans},
        "holidays": _dates(filled["hours"]["holidays"]),
        "due_soon_minutes": filled["soon"],
        "steps": [_step(row) for row in filled["steps"].to_dict("records")],
    }


def _dates(text: str) -> list[date]:
    try:
        return [date.fromisoformat(day.strip()) for day in text.split(",") if day.strip()]
    except ValueError as error:
        raise Invalid("Write holidays as 2026-12-25, with commas between them.", field="holidays") from error


def _step(row: dict[str, Any]) -> dict[str, Any]:
    actions = {label: action for action, label in _ACTIONS.items()}
    given = {name: value for name, value in row.items() if not pd.isna(value)}
    names = [name.strip() for name in str(given.pop("notify", "")).split(",") if name.strip()]
    return {**given, "action": actions.get(str(given.get("action")), ""), "notify": names}

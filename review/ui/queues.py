"""Queues: what waits in each and how it is run."""

import streamlit as st

from review.commands import assignments
from review.domain.actors import Permission
from review.domain.calendars import DAYS, Service
from review.domain.queues import say_hours
from review.queries import queues
from review.queries.queues import Run
from review.ui import queues_form, words
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [
    Column("Queue", "22%"), Column("Open", "90px"), Column("Overdue", "100px"), Column("Assigned", "100px"),
    Column("Worked on", "100px"), Column("Worked by"), Column("Hours", "22%"),
]  # fmt: skip
_DOES = {
    "raise_priority": "raise the priority to {priority}",
    "notify": "notify {notify}",
    "hand_up": "hand it up",
    "fail_safe": "the rule's fail-safe answers",
}


def table(page: Page) -> None:
    """All queues; one opens in place of them."""
    with page.read() as session:
        found = queues.listed(session, page.actor, now=page.now)
    if not found:
        nothing("No queue yet", "A policy that names a queue brings it into being with the first output it holds.")
        return
    opened = listing("Queues", _COLUMNS, [_row(run) for run in found], key="all_queues")
    if opened:
        st.query_params["queue"] = opened
        st.rerun()


def _row(run: Run) -> Row:
    settings = run.settings
    full = settings.ceiling is not None and run.n_open >= settings.ceiling
    of = f" of {settings.ceiling:,}" if settings.ceiling is not None else ""
    n_open = Cell(f"{'⚠ ' if full else ''}{run.n_open:,}{of}", tone="warn" if full else "")
    overdue = Cell(f"⚠ {run.n_overdue:,}", tone="bad") if run.n_overdue else Cell("0", tone="muted")
    cells: list[Cell | str] = [
        settings.name, n_open, overdue, f"{run.n_assigned:,}", f"{run.n_held:,}", _worked_by(run),
        _hours(settings.service),
    ]  # fmt: skip
    return Row(run.slug, cells, opens=True)


def _worked_by(run: Run) -> Cell:
    members = run.settings.members
    if not members:
        return Cell("every lead" if run.level else "every reviewer and lead", tone="muted")
    return Cell(words.joined(members) if len(members) < 5 else words.plural(len(members), "member"), ", ".join(members))


def _hours(service: Service | None) -> Cell:
    if service is None or not service.hours:
        return Cell("around the clock", tone="muted")
    days = [f"{day.capitalize()} {say_hours(service.hours[day])}" for day in DAYS if service.hours.get(day)]
    first = days[0] if len(days) == 1 else f"{words.plural(len(days), 'day')} a week"
    return Cell(f"{first}, {service.time_zone}", title="\n".join(days))


def one(page: Page, slug: str) -> None:
    """One queue with how it is run: a form for those who run queues, else to read."""
    with page.read() as session:
        run = queues.one(session, page.actor, slug, now=page.now)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Back to the queues", icon=":material/arrow_back:"):
            del st.query_params["queue"]
            st.rerun()
        st.markdown(f"**{words.escaped(run.settings.name)}**", width="content")
        st.text(_standing(run), width="stretch")
        if st.button("See what waits", icon=":material/inbox:", help="In the inbox, where each task can be assigned"):
            page.go("inbox", queue=run.slug, status="waiting")
        if page.actor.may(Permission.MANAGE_QUEUES) and run.settings.load_cap:
            _assign_now(page, run)
    if page.actor.may(Permission.MANAGE_QUEUES):
        queues_form.draw(page, run)
    else:
        _to_read(run)


def _standing(run: Run) -> str:
    up = f" What is handed up goes to {run.escalates_to}." if run.escalates_to else ""
    n_open, n_held = words.plural(run.n_open, "open task"), f"{run.n_held:,} being worked on"
    return f"{n_open}, {run.n_overdue:,} overdue, {run.n_assigned:,} assigned, {n_held}.{up}"


def _assign_now(page: Page, run: Run) -> None:
    if st.button("Assign what waits", icon=":material/assignment_ind:", help="To those with the fewest, up to the cap"):
        n = page.run(assignments.assign_queue, run.slug)
        if n is not None:
            said = f"{words.plural(n, 'task was', 'tasks were')} assigned" if n else "There is nothing left to assign"
            st.toast(said, icon=":material/check:")


def _to_read(run: Run) -> None:
    settings = run.settings
    service = settings.service or Service()
    lines = [
        ("Worked by", _worked_by(run).text),
        ("Ceiling", f"{settings.ceiling:,} open tasks" if settings.ceiling else "none"),
        ("Load cap", words.plural(settings.load_cap, "task") + " a person" if settings.load_cap else "none"),
        ("Hours", _hours(service).title.replace("\n", "; ") or "around the clock"),
        ("Time zone", service.time_zone),
        ("Holidays", ", ".join(str(day) for day in sorted(service.holidays)) or "none"),
        ("Said to be due soon", f"{words.plural(service.due_soon_minutes, 'working minute')} before"),
        *((f"Step {step.name}", _step(step.after_minutes, step.action, step.priority, step.notify))
          for step in service.steps),
    ]  # fmt: skip
    listing("How it is run", [Column("What", "220px"), Column("How")], [Row("", line) for line in lines], key="run")


def _step(after: int, action: str, priority: int, notify: list[str]) -> str:
    when = "when it is due" if not after else f"{abs(after)} working minutes {'after' if after > 0 else 'before'}"
    return f"{when}: {_DOES[action].format(priority=priority, notify=words.joined(notify))}"

"""What waits for leads: who handed it up or that people disagree, and who has it."""

from datetime import datetime
from typing import NoReturn

import streamlit as st

from review.domain.actors import Actor, Permission
from review.queries import tasks
from review.queries.tasks import Waiting
from review.ui import words
from review.ui.inbox import due_cell
from review.ui.listing import Cell, Column, Row, listing
from review.ui.page import Page, nothing

_COLUMNS = [
    Column("Item", "12%"), Column("System", "13%"), Column("Why"), Column("From", "12%"),
    Column("Priority", "80px"), Column("Due", "130px"), Column("With", "10%"), Column("", "100px"),
]  # fmt: skip

_WHY = {tasks.DISAGREEMENT: "People disagree about it", "": "It waits in a queue of leads"}
_ORDER = "In order of the policy's priority, then of when they are due."


def table(page: Page) -> str | None:
    """Everything that waits, the most urgent first. Returns the id of the row opened in this run."""
    now = page.now
    with page.read() as session:
        waiting = tasks.escalated(session, page.actor, now=now)
    if not waiting:
        nothing(
            "Nothing is waiting for a lead",
            "What reviewers hand up from the desk (key U) appears here, with their reason.",
        )
        return None
    is_lead = page.actor.may(Permission.RESOLVE)
    n_late = sum(each.due_at <= now for each in waiting)
    late = f" {words.plural(n_late, 'is', 'are')} overdue." if n_late else ""
    hint = " Take one on the desk to resolve it." if is_lead else " A lead resolves them; you can read them."
    st.text(f"{words.plural(len(waiting), 'task waits', 'tasks wait')} for a lead.{late}{hint} {_ORDER}")
    rows = [_row(each, page.actor, is_lead=is_lead, now=now) for each in waiting]
    return listing("Escalations", _COLUMNS, rows, key="escalations", button_at=7)


def _row(each: Waiting, me: Actor, *, is_lead: bool, now: datetime) -> Row:
    why = "\n".join(text for text in (_WHY.get(each.reason, words.name(each.reason)), each.note) if text)
    is_mine = each.holder_id == me.id
    can_take = is_lead and (each.holder is None or is_mine) and each.snoozed_until is None
    act = ("Go on with it" if is_mine else "Take it") if can_take else "Read it"
    by = Cell(f"{each.by}\n{words.ago(each.at, now)}", title=words.exact(each.at))
    cells: list[Cell | str] = [
        each.external_id,
        each.system,
        Cell(why, title=each.note),
        by,
        f"{each.priority}",
        due_cell(each.due_at, now),
        _holder(each),
        act,
    ]
    return Row(f"{'take' if can_take else 'read'}:{each.task_id if can_take else each.item_id}", cells, opens=True)


def _holder(each: Waiting) -> Cell | str:
    if each.snoozed_until is not None:
        return Cell("◷ put off", title=f"Until {words.exact(each.snoozed_until)}", tone="muted")
    return each.holder or "nobody yet"


def follow(page: Page, opened: str) -> NoReturn:
    """Go where the opened row leads: to the desk with this task, or to its item."""
    act, id_ = opened.split(":")
    if act == "take":
        page.go("desk", task=id_)
    page.go("inbox", item=id_)

"""A person's path through the whole program, in a real browser, by the keyboard."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlmodel import col

from review.store.tables import AuditEvent, Decision, Item
from tests.browser.conftest import MakeWindow
from tests.support.console import Console, ready
from tests.support.world import output

MARK = """(box, words) => {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const at = node.data.indexOf(words);
    if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + words.length);
  }
}"""


def on_desk(page: Page, question: str) -> None:
    """That question is on the desk, and it takes decisions."""
    expect(page.locator(".input")).to_contain_text(question)
    ready(page)


def test_from_sign_in_to_the_downloaded_correction(console: Console, window: MakeWindow) -> None:
    reviewer, lead = console.person("rita", name="Rita Reviewer"), console.person("lena", "lead", "Lena Lead")
    console.system("path", "olga", "dora")
    console.send("path", *(output(f"path-{n}", input=f"Question {n}?") for n in range(1, 6)))

    page = window().sign_in(reviewer)
    expect(page.get_by_text("5 tasks wait for you.")).to_be_visible()
    page.locator(".desk[data-state=ready]").wait_for()
    page.keyboard.press("t")
    on_desk(page, "Question 1?")
    page.keyboard.press("a")
    on_desk(page, "Question 2?")
    _correct(page)
    on_desk(page, "Question 3?")
    page.keyboard.press("2")
    page.keyboard.press("x")
    on_desk(page, "Question 4?")
    page.keyboard.press("u")
    page.get_by_label("Reason").select_option("policy_unclear")
    page.get_by_placeholder("What should the next person know?").fill("Is Lyon a capital?")
    page.keyboard.press("Control+Enter")
    on_desk(page, "Question 5?")
    page.keyboard.press("g")
    expect(page.get_by_text("Given back: anyone can take it.")).to_be_visible()
    _sign_out(page)

    page = window(accept_downloads=True).sign_in(lead, "/escalations")
    expect(page.get_by_text("for a lead.")).to_be_visible()
    expect(page.get_by_role("row", name="path-4")).to_contain_text("Policy unclear")
    expect(page.get_by_role("row", name="path-4")).to_contain_text("Is Lyon a capital?")
    expect(page.get_by_role("row", name="path-4")).to_contain_text("Rita Reviewer")
    page.get_by_role("button", name="path-4: Take it").click()
    on_desk(page, "Question 4?")
    expect(page.get_by_label("Handed up")).to_contain_text("Is Lyon a capital?")
    page.keyboard.press("x")
    on_desk(page, "Question 5?")
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()

    page.get_by_test_id("stTopNavLink").filter(has_text="Corrections").click()
    matching = page.get_by_text(re.compile("decisions? match"))
    corrections = matching.inner_text()
    page.get_by_role("button", name="Approved it as it was").click()
    expect(matching).not_to_have_text(corrections)
    rows = _downloaded(page, "Download JSON Lines")
    rows = {row["external_id"]: row for row in rows if row["system"] == "path"}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "path-1": "approve", "path-2": "correct", "path-3": "reject", "path-4": "reject", "path-5": "approve",
    }  # fmt: skip
    corrected = rows["path-2"]
    assert corrected["correction"] == "The capital of France is Paris."
    assert corrected["spans"] == [{"start": 25, "end": 29, "label": "unsupported", "text": "Lyon"}]
    assert corrected["reviewer"].startswith("reviewer-")
    assert rows["path-3"]["labels"] == ["contradicts_source"]
    _sign_out(page)
    _check_record(console)


def _correct(page: Page) -> None:
    page.locator(".output .text").evaluate(MARK, "Lyon")
    page.keyboard.press("1")
    page.keyboard.press("e")
    page.get_by_label("Correction", exact=True).fill("The capital of France is Paris.")
    page.keyboard.press("Control+Enter")


def _downloaded(page: Page, button: str) -> list[dict[str, object]]:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _sign_out(page: Page) -> None:
    page.get_by_test_id("stTopNavSection").click()
    page.get_by_text("Account and sign-out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Username")).to_be_visible()


def _check_record(console: Console) -> None:
    """Who did what is on record, and what was downloaded."""
    with console.store.read() as session:
        items = session.execute(select(Item).where(col(Item.external_id).like("path-%"))).scalars().all()
        ids = [str(item.id) for item in items]
        wanted = col(Decision.item_id).in_([item.id for item in items])
        decisions = session.execute(select(Decision).where(wanted)).scalars().all()
        events = session.execute(select(AuditEvent).where(col(AuditEvent.subject_id).in_(ids))).scalars().all()
        exports = session.execute(select(AuditEvent).where(col(AuditEvent.action) == "corrections.exported"))
        exported_by = {event.actor_name for event in exports.scalars()}
    decided_by = [event.actor_name for event in events if event.action == "item.decided"]
    assert sorted(decided_by) == ["Lena Lead", "Lena Lead", *["Rita Reviewer"] * 3]
    assert len(decisions) == 5
    assert "Lena Lead" in exported_by
    assert {item.release_state for item in items} == {"released", "withheld"}


def test_undo_brings_the_task_back_and_lets_the_next_one_go(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("una")
    console.system("undo", "olga", "dora")
    console.send("undo", *(output(f"undo-{n}", input=f"Question {n}?") for n in range(1, 4)))
    page = window().sign_in(reviewer)
    page.get_by_role("button", name="Take the next task").click()
    on_desk(page, "Question 1?")
    page.keyboard.press("x")
    on_desk(page, "Question 2?")
    page.keyboard.press("z")
    on_desk(page, "Question 1?")
    page.keyboard.press("a")
    on_desk(page, "Question 2?")
    with console.store.read() as session:
        item = session.execute(select(Item).where(col(Item.external_id) == "undo-1")).scalar_one()
        decisions = session.execute(
            select(Decision).where(col(Decision.item_id) == item.id).order_by(col(Decision.id))
        ).scalars()
        stands = [(decision.verdict, decision.superseded_at is None) for decision in decisions]
    assert stands == [("reject", False), ("approve", True)]


def _on_first_of_two(console: Console, window: MakeWindow, reviewer: str, slug: str) -> Page:
    """The desk of a reviewer who took the first of two outputs of a new system."""
    console.system(slug, "olga", "dora")
    console.send(slug, output(f"{slug}-1", input="Question 1?"), output(f"{slug}-2", input="Question 2?"))
    page = window().sign_in(reviewer)
    page.locator(".desk[data-state=ready]").wait_for()
    page.keyboard.press("t")
    on_desk(page, "Question 1?")
    return page


def test_the_held_task_is_still_there_after_a_reload(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("hal")
    page = _on_first_of_two(console, window, reviewer, "held")
    page.reload()
    on_desk(page, "Question 1?")


def test_a_task_that_is_gone_is_refused_and_the_desk_goes_on(console: Console, window: MakeWindow) -> None:
    reviewer, lead = console.person("gus"), console.person("gail", "lead")
    page = _on_first_of_two(console, window, reviewer, "gone")
    other = window().sign_in(lead)
    with console.store.read() as session:
        held = session.execute(select(Item).where(col(Item.external_id) == "gone-1")).scalar_one()
    task_id = _task_of(console, held)
    other.goto(f"{console.url}/desk?task={task_id}")
    expect(other.get_by_text("Someone else is working on this task, or it is done.")).to_be_visible()
    page.keyboard.press("a")
    on_desk(page, "Question 2?")


def _task_of(console: Console, item: Item) -> str:
    from review.store.tables import Task

    with console.store.read() as session:
        return str(session.execute(select(col(Task.id)).where(col(Task.item_id) == item.id)).scalar_one())

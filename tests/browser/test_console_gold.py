"""Gold in a real browser: a lead keeps a decided item and retires it, owners read, reviewers never hear of it."""

from datetime import UTC, datetime
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select
from sqlmodel import col

from review.commands import decisions, policies, tasks
from review.domain.actors import HOLDPOINT, Role, person_actor
from review.domain.decisions import Answer, Verdict
from review.domain.lifecycle import LeaseToken
from review.store.tables import Gold, GoldAnswer, Item, Person, Task
from tests.browser.conftest import MakeWindow
from tests.browser.test_console_pages import signed_in
from tests.support.console import POLICY, Console


def decide(console: Console, who: str, item_id: Any) -> None:
    """Have a lead approve an item."""
    now = datetime.now(UTC)
    with console.store.write() as session:
        person = session.execute(select(Person).where(col(Person.username) == who)).scalar_one()
        actor = person_actor(person.id, person.name, Role.LEAD)
        task_id = session.execute(select(col(Task.id)).where(col(Task.item_id) == item_id)).scalar_one()
        lease = tasks.claim_one(session, actor, task_id, now=now).lease_token or ""
        seen = LeaseToken(lease, session.get_one(Item, item_id).version)
        decisions.decide(session, actor, task_id, seen, Answer(verdict=Verdict.APPROVE), now=now)


def answer(console: Console, who: str, item_id: Any) -> None:
    """Put on record that a reviewer answered a gold item right."""
    with console.store.write() as session:
        person = session.execute(select(Person).where(col(Person.username) == who)).scalar_one()
        gold = session.execute(select(Gold).where(col(Gold.item_id) == item_id)).scalar_one()
        task_id = session.execute(select(col(Task.id)).where(col(Task.item_id) == item_id)).scalar_one()
        session.add(
            GoldAnswer(
                gold_id=gold.id, system_id=gold.system_id, person_id=person.id, task_id=task_id, verdict="approve",
                labels=[], spans=[], note="", is_right=True, at=datetime.now(UTC),
            )
        )  # fmt: skip


def test_a_lead_keeps_and_retires_gold_that_reviewers_never_hear_of(console: Console, window: MakeWindow) -> None:
    console.person("gil", "lead", "Gil Lead")
    console.person("gus", "reviewer", "Gus Reviewer")
    console.system("golden", "olga", "dora", name="Golden")
    [taken] = console.answers("golden", "golden-1")
    decide(console, "gil", taken.item_id)
    page = signed_in(window(), "gil", "/systems?system=golden")
    page.get_by_role("tab", name="Gold").click()
    expect(page.get_by_text("The policy of Golden mixes no gold in")).to_be_visible()
    expect(page.get_by_text("No gold item yet")).to_be_visible()
    page.goto(f"{console.url}/inbox?item={taken.item_id}")
    page.get_by_role("button", name="Keep as gold").click()
    page.get_by_role("button", name="Keep it as gold").click()
    expect(page.get_by_text("★ Gold")).to_be_visible()
    with console.store.write() as session:
        document = f"{POLICY.format(slug='golden')}gold: {{rate: 0.1, bar: 0.8}}\n"
        policies.activate(session, HOLDPOINT, "golden", document, now=datetime.now(UTC))
    answer(console, "gus", taken.item_id)
    reader = signed_in(window(), "olga", "/systems?system=golden")
    reader.get_by_role("tab", name="Gold").click()
    expect(reader.get_by_text("Beside the bar of 80%: 1 with fewer than the 20 answers")).to_be_visible()
    expect(reader.get_by_role("table", name="Reviewers")).to_contain_text("100.0% (20.7% to 100.0%, n = 1)")
    expect(reader.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first).to_be_visible()
    assert [found for found in Axe().run(reader).response["violations"] if found["impact"] == "critical"] == []
    page.goto(f"{console.url}/systems?system=golden")
    page.get_by_role("tab", name="Gold").click()
    page.get_by_role("table", name="Gold items").get_by_role("button", name="golden-1").click()
    page.get_by_role("dialog").get_by_role("button", name="Retire it").click()
    expect(page.get_by_text("No gold item yet")).to_be_visible()
    reviewer = signed_in(window(), "gus", "/systems?system=golden")
    expect(reviewer.get_by_text("Its policy decides what passes and what is held.")).to_be_visible()
    expect(reviewer.get_by_role("tab")).to_have_count(0)
    reviewer.goto(f"{console.url}/inbox?item={taken.item_id}")
    expect(reviewer.get_by_role("table", name="History")).to_be_visible()
    assert "gold" not in reviewer.locator("body").inner_text().lower().replace("golden", "")

"""Many at once in a real browser: decided after a look at a sample, given to one person, and one task given."""

import re
from datetime import UTC, datetime, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlmodel import col

from review.commands import policies
from review.domain.actors import HOLDPOINT
from review.store.tables import BulkChoice, Item, System
from tests.browser.conftest import MakeWindow
from tests.browser.test_console_pages import HOSTILE, signed_in
from tests.browser.test_console_queues import n_assigned
from tests.support.console import POLICY, Console, choose
from tests.support.world import output


def statuses(console: Console, slug: str) -> list[str]:
    with console.store.read() as session:
        query = select(col(Item.status)).join(System, col(System.id) == col(Item.system_id))
        return sorted(session.execute(query.where(col(System.slug) == slug)).scalars())


def allow_bulk(console: Console, slug: str) -> None:
    with console.store.write() as session:
        document = f"{POLICY.format(slug=slug)}bulk: true\n"
        policies.activate(session, HOLDPOINT, slug, document, now=datetime.now(UTC))


def look(page: Page, n: int) -> None:
    page.get_by_role("button", name="Look at them").click()
    expect(page.get_by_text(re.compile(f"{n} items? waits?"))).to_be_visible()


def test_a_lead_decides_many_after_a_look_and_only_where_it_is_allowed(console: Console, window: MakeWindow) -> None:
    console.person("mina", "lead", "Mina Lead")
    console.system("bulky", "olga", "dora", name="Bulky")
    console.send("bulky", *(output(f"bulky-{n}", output=f"Answer {n}. {HOSTILE}") for n in range(3)))
    page = signed_in(window(), "mina", "/inbox?system=bulky&q=bulky-")
    page.get_by_role("button", name="Many at once").click()
    expect(page.get_by_text("The policy of Bulky does not let many items be decided at once")).to_be_visible()
    expect(page.get_by_text("bulk: true")).to_be_visible()
    allow_bulk(console, "bulky")
    page.reload()
    look(page, 3)
    sample = page.get_by_role("table", name="A sample")
    expect(sample).to_contain_text("U+202E RLO")
    expect(sample.locator("img, a, script")).to_have_count(0)
    expect(page.get_by_role("button", name="Decide 3 items of Bulky")).to_be_disabled()
    assert [found for found in Axe().run(page).response["violations"] if found["impact"] == "critical"] == []
    page.get_by_role("radio", name="Reject").click()
    page.get_by_role("button", name="Reject 3 items of Bulky").click()
    expect(page.get_by_role("alert").filter(has_text="Say why")).to_be_visible()
    with console.store.write() as session:
        session.execute(update(BulkChoice).values(made_at=datetime.now(UTC) - timedelta(minutes=11)))
    page.get_by_label("Why, for the record of each").fill("All of them are hostile.")
    page.get_by_role("button", name="Reject 3 items of Bulky").click()
    expect(page.get_by_role("alert").filter(has_text="looked at too long ago")).to_be_visible()
    assert statuses(console, "bulky") == ["waiting"] * 3
    page.reload()
    look(page, 3)
    page.get_by_role("radio", name="Reject").click()
    page.get_by_label("Why, for the record of each").fill("All of them are hostile.")
    page.get_by_role("button", name="Reject 3 items of Bulky").click()
    expect(page.get_by_text("Bulky: 3 items were rejected, each with a decision of its own.")).to_be_visible()
    assert statuses(console, "bulky") == ["decided"] * 3
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator(".listing tbody tr")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"system=bulky&q=bulky-$"))


def test_a_lead_gives_what_the_filter_holds_to_one_person_and_back(console: Console, window: MakeWindow) -> None:
    console.person("nils", "lead")
    console.person("nora", "reviewer", "Nora Reviewer")
    console.system("given", "olga", "dora")
    console.answers("given", "given-a1", "given-a2", "given-b1")
    page = signed_in(window(), "nils", "/inbox?system=given&q=given-a&many=yes")
    page.get_by_role("tab", name="Assign").click()
    choose(page, "Give them to", "Nora Reviewer")
    page.get_by_role("button", name="See how many").click()
    page.get_by_role("button", name="Give 2 tasks to Nora Reviewer").click()
    expect(page.get_by_text("2 tasks were given to Nora Reviewer, each on record.")).to_be_visible()
    assert n_assigned(console, "given", "nora") == 2
    page.get_by_role("button", name=re.compile("Undo, until")).click()
    expect(page.get_by_text("2 tasks are as before")).to_be_visible()
    assert n_assigned(console, "given", "nora") == 0
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name="given-a1").click()
    page.get_by_role("button", name="Assign").click()
    choose(page, "Give it to", "Nora Reviewer")
    page.get_by_role("button", name="Give it", exact=True).click()
    expect(page.get_by_text("Nora Reviewer can take it now")).to_be_visible()
    assert n_assigned(console, "given", "nora") == 1


def test_those_who_do_not_run_queues_have_no_many_at_once(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("nell"), "/inbox?many=yes")
    expect(page.get_by_label("Search")).to_be_visible()
    expect(page.locator(".listing, [data-testid=stVerticalBlockBorderWrapper]").first).to_be_visible()
    expect(page.get_by_role("button", name="Many at once")).to_have_count(0)
    expect(page.get_by_role("tab", name="Decide")).to_have_count(0)

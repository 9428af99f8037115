"""Policies in a real browser: a draft is written, dry-run, approved by a second person, and put in force."""

import re

from playwright.sync_api import Locator, Page, expect

from review.commands import systems
from review.domain.actors import HOLDPOINT
from review.queries import policies
from tests.browser.conftest import MakeWindow
from tests.support.console import Console, Window
from tests.support.world import START, output


def opened(window: Window, username: str, path: str) -> Page:
    """A tab at an address, without the form."""
    window.context.add_cookies([window.console.cookie(username)])  # type: ignore[list-item]
    page = window.tab(path)
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
    return page


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Policy, in YAML")


def button(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True)


def prepared(console: Console, slug: str) -> str:
    """A critical system that holds everything, with ten outputs on record; gives its policy."""
    console.system(slug, "olga", "dora")
    console.send(slug, *(output(f"{slug}-{n}", confidence=n / 10) for n in range(10)))
    with console.store.write() as session:
        systems.set_critical(session, HOLDPOINT, slug, critical=True, now=START)
        return policies.in_force(session, HOLDPOINT, slug)[1].document


def test_from_draft_over_dry_run_and_approval_to_the_version_in_force(console: Console, window: MakeWindow) -> None:
    document = prepared(console, "tuned")
    page = opened(window(), "olga", "/policies")
    expect(page.get_by_text("No system is chosen")).to_be_visible()
    page.goto(f"{console.url}/policies?system=tuned")
    expect(page.get_by_text("It can be put in force: 1 rule.")).to_be_visible()

    editor(page).fill(document.replace("route: review", "route: nowhere"))
    editor(page).press("Control+Enter")
    expect(page.get_by_text("1 thing is wrong:")).to_be_visible()
    expect(page.get_by_text("line 3: rules.0.route")).to_be_visible()

    editor(page).fill(document.replace('"true"', '"confidence < 0.4"'))
    button(page, "Keep as a draft").click()  # straight from the field: nothing is lost by not leaving it first
    expect(page.get_by_text("Waits for approval by Dora or an admin, not by Olga.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/policies\?system=tuned&draft=[0-9a-f-]{36}$"))
    expect(button(page, "Put in force")).to_be_disabled()

    button(page, "Dry run").click()
    expect(page.get_by_text("Of the last 10 outputs, 6 would go another way")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")).to_have_count(2)
    rows = page.get_by_role("table", name="What would go another way").locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.first).to_contain_text("tuned-9")
    page.get_by_role("tab", name="Difference").click()
    expect(page.get_by_text('+  - {name: everything, when: "confidence < 0.4"')).to_be_visible()

    second = opened(window(), "dora", "/policies?system=tuned")
    expect(second.get_by_text("A draft that Olga wrote just now waits for approval.")).to_be_visible()
    button(second, "Read it").click()
    button(second, "Approve").click()
    expect(second.get_by_text("Approved by Dora just now.")).to_be_visible()
    page.reload()
    button(page, "Put in force").click()
    page.get_by_role("dialog").get_by_role("button", name="Put version 3 in force").click()
    expect(
        page.get_by_text("tuned follows version 3, put in force just now by Olga and approved by Dora.")
    ).to_be_visible()
    assert console.answers("tuned", "after-1")[0].policy_version == 3


def test_an_earlier_version_is_rolled_back_to(console: Console, window: MakeWindow) -> None:
    console.system("turned", "olga", "dora")
    page = opened(window(), "dora", "/policies?system=turned")
    editor(page).fill("queue: other\nrules: []\n")
    editor(page).press("Control+Enter")
    expect(page.get_by_text("It can be put in force: 0 rules.")).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("table", name="Versions").get_by_role("button", name="1", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("nothing passes until someone says what may").first).to_be_visible()
    dialog.get_by_role("tab", name="Difference from the version in force").click()
    expect(dialog.get_by_text("+++ version 1")).to_be_visible()
    dialog.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_text("turned follows version 3, put in force just now by Dora.")).to_be_visible()
    expect(page.get_by_role("table", name="Versions")).to_contain_text("3, in force")


def test_a_text_that_somebody_changed_meanwhile_is_not_written_over(console: Console, window: MakeWindow) -> None:
    document = prepared(console, "shared")
    first = opened(window(), "olga", "/policies?system=shared")
    expect(editor(first)).to_be_visible()
    editor(first).fill(document + "bulk: true\n")
    button(first, "Keep as a draft").click()
    expect(first.get_by_text("Waits for approval")).to_be_visible()
    second = opened(window(), "dora", first.url.removeprefix(console.url))
    editor(second).fill(document + "bulk: false\n")
    button(second, "Keep changes").click()
    expect(second.get_by_text("Waits for approval by Olga or an admin, not by Dora.")).to_be_visible()
    editor(first).fill(document + "order: expected_risk\n")
    button(first, "Keep changes").click()
    expect(first.get_by_text("yours cannot be kept over it")).to_be_visible()
    button(first, "Show that text instead of mine").click()
    expect(editor(first)).to_have_value(document + "bulk: false\n")
    button(first, "Discard").click()
    first.get_by_role("dialog").get_by_role("button", name="Discard it").click()
    expect(first).to_have_url(re.compile(r"/policies\?system=shared$"))


def test_who_does_not_answer_for_the_system_reads_only(console: Console, window: MakeWindow) -> None:
    prepared(console, "theirs")
    page = opened(window(), console.person("leni", "lead"), "/policies?system=theirs")
    expect(page.get_by_text("You may read and dry-run this policy. Olga, Dora and admins change it.")).to_be_visible()
    expect(editor(page)).to_have_count(0)
    expect(button(page, "Keep as a draft")).to_have_count(0)
    button(page, "Dry run").click()
    expect(page.get_by_text("Of the last 10 outputs, 0 would go another way")).to_be_visible(timeout=30_000)

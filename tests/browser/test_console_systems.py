"""The Systems page: the stop switch and what a waiting producer notices, and contingencies."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from playwright.sync_api import expect

from review.client import Client
from review.commands import keys
from review.domain.actors import HOLDPOINT
from tests.browser.conftest import MakeWindow
from tests.browser.test_console_pages import signed_in
from tests.support.console import Console


def test_the_owner_stops_a_system_and_a_waiting_producer_is_answered(console: Console, window: MakeWindow) -> None:
    console.system("halted", "olga", "dora", name="Halted")
    [taken] = console.answers("halted", "halted-1")
    with console.store.write() as session:
        key = keys.create_for_system(session, HOLDPOINT, "halted", now=datetime.now(UTC))
    page = signed_in(window(), "olga", "/systems?system=halted")
    expect(page.get_by_text("Its policy decides what passes and what is held.")).to_be_visible()
    with ThreadPoolExecutor(1) as pool, Client(console.url, key) as producer:
        waiting = pool.submit(producer.wait_for_release, taken.item_id, timeout=60)
        page.get_by_role("button", name="Stop the system").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("is given nothing: its policy has no fallback")
        dialog.get_by_role("button", name="Stop the system").click()
        expect(dialog).to_contain_text("Say why")  # without it, nothing is changed
        dialog.get_by_label("Why").fill("It tells customers the wrong price.")
        dialog.get_by_role("button", name="Stop the system").click()
        expect(page.get_by_text("Nothing that its model makes is released.")).to_be_visible()
        assert waiting.result(60).state == "withheld"
        assert producer.mode("halted").mode == "stopped"
    page.get_by_role("button", name="All systems").click()
    expect(page.get_by_text("1 system does not run normally.")).to_be_visible()
    page.goto(f"{console.url}/systems?system=halted")
    page.get_by_role("button", name="Run normally again").click()
    page.get_by_role("dialog").get_by_label("Why").fill("Prices are right again.")
    page.get_by_role("dialog").get_by_role("button", name="Run normally again").click()
    expect(page.get_by_text("Its policy decides what passes and what is held.")).to_be_visible()


def test_a_plan_is_written_exercised_and_read_by_others(console: Console, window: MakeWindow) -> None:
    console.system("planned", "olga", "dora", name="Planned")
    page = signed_in(window(), "dora", "/systems?system=planned")
    page.get_by_role("button", name="Write a plan").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What people do").fill("Ring the vendor.")
    dialog.get_by_role("button", name="Keep the plan").click()
    expect(page.get_by_text("Ring the vendor.")).to_be_visible()
    page.get_by_role("button", name="Record an exercise").click()
    page.get_by_role("dialog").get_by_label("How it went").fill("They answered after 4 minutes.")
    page.get_by_role("dialog").get_by_role("button", name="Put it on record").click()
    expect(page.get_by_text("They answered after 4 minutes.")).to_be_visible()
    reader = signed_in(window(), console.person("planned-reader"), "/systems?system=planned")
    expect(reader.get_by_text("Ring the vendor.")).to_be_visible()
    expect(reader.get_by_role("button", name="Stop the system")).to_have_count(0)

"""The pages of the console in a real browser: what they show, keep in the address, put on record, and refuse."""

import re
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlmodel import col

from review.commands import people
from review.queries import people as people_queries
from review.store.tables import ApiKey, AuditEvent, Person, System
from tests.browser.conftest import MakeWindow
from tests.support.console import PASSWORD, Console, Window, fill_form, ready
from tests.support.world import output

HOSTILE = (
    "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    "![pixel](http://127.0.0.1:9/pixel.png) [click](javascript:alert(1)) https://evil.example.com"
    " :red[red] $x^2$ :smile: \u202eoverride\u202c zero\u200bwidth =1+1"
)


def signed_in(window: Window, username: str, path: str) -> Page:
    """A tab at an address, without the form."""
    window.context.add_cookies([window.console.cookie(username)])  # type: ignore[list-item]
    page = window.tab(path)
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
    return page


def n_events(console: Console, action: str, subject: str) -> int:
    with console.store.read() as session:
        found = session.execute(
            select(AuditEvent.id).where(col(AuditEvent.action) == action, col(AuditEvent.subject_id) == subject)  # type: ignore[call-overload]
        )
        return len(found.all())


def test_the_inbox_filters_pages_and_shares_its_address(console: Console, window: MakeWindow) -> None:
    console.system("many", "olga", "dora")
    console.answers("many", *(f"many-{n:02}" for n in range(30)))
    page = signed_in(window(), console.person("ines", "auditor"), "/inbox?system=many&status=waiting")
    rows = page.locator(".listing tbody tr")
    expect(rows).to_have_count(25)
    expect(rows.first).to_contain_text("many-29")
    page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(5)
    expect(page).to_have_url(re.compile(r"system=many&status=waiting&before="))
    page.get_by_label("Search").fill("many-07")
    page.get_by_label("Search").press("Enter")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/inbox\?system=many&status=waiting&q=many-07$"))
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Search")).to_have_value("many-07")
    page.get_by_label("Search").fill("no such words")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_a_look_at_an_item_is_on_record_once_an_opening(console: Console, window: MakeWindow) -> None:
    console.system("looked", "olga", "dora")
    [taken] = console.answers("looked", "looked-1")
    page = signed_in(window(), console.person("lou", "auditor", "Lou Auditor"), "/inbox?system=looked")
    page.get_by_role("button", name="looked-1").click()
    expect(page.locator(".desk[data-mode=read] .output")).to_contain_text("The capital of France is Lyon.")
    expect(page.get_by_role("table", name="History")).to_contain_text("sent it")
    expect(page.get_by_role("table", name="History")).to_contain_text("looked at it")
    expect(page).to_have_url(re.compile(f"system=looked&item={taken.item_id}$"))
    page.wait_for_timeout(5_500)  # the watch has run by then
    assert n_events(console, "item.viewed", str(taken.item_id)) == 1
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name="looked-1").click()
    expect(page.locator(".desk[data-mode=read] .output")).to_be_visible()
    assert n_events(console, "item.viewed", str(taken.item_id)) == 2


@pytest.mark.parametrize("item", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_an_item_that_is_not_there_is_a_state_of_the_page(console: Console, window: MakeWindow, item: str) -> None:
    page = signed_in(window(), console.person(f"nil-{item[:4]}", "auditor"), f"/inbox?item={item}")
    expect(page.get_by_text(re.compile("There is no such item|The address names no item"))).to_be_visible()


def test_hostile_content_runs_nothing_and_hides_nothing(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("hank", "lead", name=f"Hank {HOSTILE}"[:200])
    console.system("hostile", "olga", "dora")
    long = "line " * 200_000
    bad = output(HOSTILE[:200], input=HOSTILE, output=HOSTILE, context=[{"title": HOSTILE, "text": HOSTILE}, long])
    [taken] = console.send("hostile", bad)
    browser = window()
    page = signed_in(browser, reviewer, "/desk")
    page.locator(".desk[data-state=ready]").wait_for()
    page.keyboard.press("t")
    ready(page)
    expect(page.locator(".output")).to_contain_text("<script>")
    expect(page.locator(".output")).to_contain_text("U+202E RLO")
    expect(page.locator(".output")).to_contain_text("U+200B ZWSP")
    page.keyboard.press("u")
    page.get_by_placeholder("What should the next person know?").fill(HOSTILE)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".handed")).to_contain_text("U+202E RLO")
    lists = ("inbox", "escalations", "overview", "corrections", "policies", "admin", "desk")
    for path in (*lists, f"inbox?item={taken.item_id}", f"policies?system={slug}"):
        page.goto(f"{console.url}/{path}")
        expect(page.get_by_text("<script>", exact=False).first).to_be_visible()
        assert page.locator("a[href*='evil'], a[href^='javascript'], img[src*='pixel'], img[src='x']").count() == 0
        assert "pwned" not in page.title()
    assert not [url for url in browser.requests if "evil" in url or ":9/" in url]


def test_admins_add_change_and_deactivate_people(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("anna", "admin"), "/admin")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Nora New")
    page.get_by_role("textbox", name="Username").fill("nora")
    page.get_by_label("E-mail").fill("nora@example.com")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Nora New signs in with this password.")).to_be_visible()
    password = page.get_by_role("dialog").locator("code").inner_text()
    page.reload()
    expect(page.get_by_role("button", name="Nora New")).to_be_visible()
    expect(page.get_by_text(password)).to_have_count(0)
    hers = window().tab("/")
    fill_form(hers, "nora", password)
    expect(hers.get_by_role("button", name="Take the next task")).to_be_visible()
    page.get_by_role("button", name="Nora New").click()
    page.get_by_role("button", name="Deactivate…").click()
    expect(page.get_by_text("They are signed out at once")).to_be_visible()
    page.get_by_role("button", name="Deactivate them").click()
    expect(page.get_by_role("row", name="Nora New")).to_contain_text("Deactivated")
    expect(hers.get_by_label("Username")).to_be_visible()


def test_what_is_refused_is_said_where_it_happened(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("abel", "admin"), "/admin")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Abel Again")
    page.get_by_role("textbox", name="Username").fill("abel")
    page.get_by_label("E-mail").fill("other@example.com")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("Somebody has this username already.")).to_be_visible()


def test_admins_add_systems_and_make_and_revoke_keys(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("alma", "admin"), "/admin")
    page.get_by_role("tab", name="Systems").click()
    page.get_by_role("button", name="Add a system").click()
    page.get_by_role("textbox", name="Slug").fill("made-here")
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Made here")
    for label, name in (("Owner", "Olga"), ("Deputy", "Dora")):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=name).click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name="Made here")).to_contain_text("version 1")
    page.get_by_role("tab", name="Keys").click()
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("combobox", name="System").click()
    page.get_by_role("option", name="made-here").click()
    page.get_by_role("button", name="Make it").click()
    token = page.get_by_role("dialog").locator("code").inner_text()
    assert token.startswith("hp_")
    page.reload()
    page.get_by_role("tab", name="Keys").click()
    page.get_by_role("row", name="made-here").get_by_role("button").click()
    expect(page.get_by_text("This cannot be undone")).to_be_visible()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row", name="made-here")).to_contain_text("Revoked")
    with console.store.read() as session:
        system = session.execute(select(System).where(col(System.slug) == "made-here")).scalar_one()
        key = session.execute(select(ApiKey).where(col(ApiKey.system_id) == system.id)).scalar_one()
    assert key.revoked_at is not None


def test_a_download_is_refused_to_someone_just_signed_out(console: Console, window: MakeWindow) -> None:
    username = console.person("dana", "auditor")
    with console.store.read() as session:
        person = session.execute(select(Person).where(col(Person.username) == username)).scalar_one()
        assert people_queries.signed_in(session, username, datetime.now(UTC)) is not None
    page = signed_in(window(accept_downloads=True), username, "/corrections")
    expect(page.get_by_text(re.compile("match|No correction"))).to_be_visible()
    console.change(username, people.set_active, active=False)
    expect(page.get_by_label("Username")).to_be_visible()
    assert n_events(console, "corrections.exported", str(person.id)) == 0


def test_the_overview_says_what_needs_someone_now(console: Console, window: MakeWindow) -> None:
    console.system("viewed", "olga", "dora")
    console.answers("viewed", "viewed-1", "viewed-2")
    page = signed_in(window(), console.person("owen", "owner"), "/overview?system=viewed")
    expect(page.get_by_text("2 tasks wait: none is overdue, none is due within the hour.")).to_be_visible()
    expect(page.get_by_role("row", name="Viewed")).to_contain_text("2")
    expect(page.get_by_text("No decision in the last 14 days")).to_be_visible()


def test_a_failure_nobody_foresaw_shows_a_reference_alone(console: Console, window: MakeWindow) -> None:
    console.system("failing", "olga", "dora")
    [taken] = console.answers("failing", "failing-1")
    username = console.person("fay", "auditor")
    with console.store.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE item_payload SET content = 'broken' WHERE item_id = ?", (taken.item_id.hex,)
        )
    page = signed_in(window(), username, f"/inbox?item={taken.item_id}")
    expect(page.get_by_text(re.compile("Something failed and was logged. Reference [0-9a-f]{8}"))).to_be_visible()
    assert "Traceback" not in page.locator("body").inner_text()
    assert "JSONDecodeError" in (console.folder / "console.log").read_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(console: Console, window: MakeWindow, theme: str) -> None:
    slug = f"axe-{theme}"
    console.system(slug, "olga", "dora")
    [taken, _] = console.answers(slug, f"{slug}-1", f"{slug}-2")
    browser = window(color_scheme=theme)
    page = browser.tab("/")
    expect(page.get_by_label("Username")).to_be_visible()
    found = {"sign-in": _violations(page)}
    username = console.person(f"axel-{theme}", "admin")
    browser.context.add_cookies([console.cookie(username)])  # type: ignore[list-item]
    for path in ("inbox", f"inbox?item={taken.item_id}", "escalations", "overview", "corrections", "policies", f"policies?system={slug}", "admin", "desk"):
        page.goto(f"{console.url}/{path}")
        expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
        page.wait_for_timeout(700)
        found[path] = _violations(page)
    assert {path: problems for path, problems in found.items() if problems} == {}


def _violations(page: Page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in results
        if each["impact"] in ("serious", "critical")
    ]


def test_the_headers_keep_a_page_to_itself(console: Console, window: MakeWindow) -> None:
    page = window().tab()
    answer = page.goto(f"{console.url}/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "'unsafe-eval'" not in policy
    assert re.search(r"script-src [^;]*unsafe-inline", policy) is None
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_password_is_never_in_the_log(console: Console) -> None:
    assert PASSWORD not in (console.folder / "console.log").read_text()

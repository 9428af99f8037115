"""The pages of the console in a real browser: what they show, keep in the address, put on record, and refuse."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlmodel import col

from review.commands import people
from review.queries import people as people_queries
from review.store.tables import ApiKey, AuditEvent, Person, System, Task
from tests.browser.conftest import MakeWindow
from tests.browser.test_console_path import on_desk
from tests.support.console import PASSWORD, Console, Window, choose, fill_form, ready, serious, violations
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


LINE = "line " * ((2**20 - 10_000) // 5)  # as long as a content may be with all the rest


def _hostile(number: int, **changes: object) -> dict[str, object]:
    text = f"={number}+1 {HOSTILE}"
    sources = [{"title": text, "text": text, "uri": "javascript:alert(1)"}, LINE]
    sent: dict[str, object] = {"input": text, "output": text, "context": sources, **changes}
    return output(f"hostile-{number} {HOSTILE}"[:200], **sent)


def test_hostile_content_runs_nothing_and_hides_nothing(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("hank", "lead", name=f"Hank {HOSTILE}"[:200])
    console.system("hostile", "olga", "dora", name=HOSTILE)
    console.send("hostile", _hostile(1), _hostile(2), _hostile(3, context=[], output=LINE))
    browser = window(accept_downloads=True)
    page = signed_in(browser, reviewer, "/desk")
    page.locator(".desk[data-state=ready]").wait_for()
    page.keyboard.press("t")
    _on_hostile_desk(page, "=1+1")
    page.get_by_label("Note for the record").fill(HOSTILE)
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    _on_hostile_desk(page, "=2+1")
    page.keyboard.press("u")
    page.get_by_placeholder("What should the next person know?").fill(HOSTILE)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Handed up hostile-2")).to_be_visible()
    page.goto(f"{console.url}/escalations")
    row = page.get_by_role("row", name="hostile-2")
    expect(row).to_contain_text("U+202E RLO")
    row.get_by_role("button").click()
    expect(page.locator(".handed")).to_contain_text("U+202E RLO")
    page.goto(f"{console.url}/inbox?system=hostile")
    expect(page.locator(".listing tbody tr")).to_have_count(3)
    page.get_by_role("button", name="hostile-1").click()
    expect(page.get_by_role("table", name="Decisions")).to_contain_text("U+202E RLO")
    page.goto(f"{console.url}/corrections?system=hostile")
    expect(page.get_by_text("1 decision matches.")).to_be_visible()
    expect(page.locator("[role=gridcell]").filter(has_text="=1+1").first).to_be_attached()
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)  # the grid's own, unsafe and unrecorded
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert ",\"'=1+1 <script>" in Path(download.value.path()).read_text(encoding="utf-8")
    for path in ("desk", "inbox", "escalations", "overview", "corrections", "policies?system=hostile", "account"):
        page.goto(f"{console.url}/{path}")
        expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
        page.wait_for_timeout(500)
        assert page.locator("a[href*='evil'], a[href^='javascript'], img[src*='pixel'], img[src='x']").count() == 0
        assert "pwned" not in page.title()
    assert not [url for url in browser.requests if "evil" in url or ":9/" in url]


def _on_hostile_desk(page: Page, beginning: str) -> None:
    expect(page.locator(".output")).to_contain_text(f"{beginning} <script>")
    for badge in ("U+202E RLO", "U+200B ZWSP"):
        expect(page.locator(".output")).to_contain_text(badge)
    assert page.locator(".desk").locator("script, img, a, iframe").count() == 0
    ready(page)


def test_corrections_open_on_what_was_corrected_or_rejected(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("cora", "lead")
    console.system("learned", "olga", "dora")
    console.send("learned", *(output(f"learned-{n}", input=f"Question {n}?") for n in (1, 2)))
    page = signed_in(window(), reviewer, "/desk")
    ready(page)
    page.keyboard.press("t")
    on_desk(page, "Question 1?")
    page.keyboard.press("a")
    on_desk(page, "Question 2?")
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    page.goto(f"{console.url}/corrections?system=learned")
    expect(page.get_by_text("1 decision matches.")).to_be_visible()
    page.get_by_role("button", name="Approved it as it was").click()
    expect(page.get_by_text("2 decisions match.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 decisions match.")).to_be_visible()


def test_a_task_that_is_still_held_comes_back_with_a_full_hold(console: Console, window: MakeWindow) -> None:
    console.system("clock", "olga", "dora")
    [taken] = console.answers("clock", "clock-1")
    reviewer = console.person("hedy")
    with console.store.write() as session:
        person_id = session.execute(select(col(Person.id)).where(col(Person.username) == reviewer)).scalar_one()
        held = {"holder_id": person_id, "lease_token": "hers", "claimed_at": datetime.now(UTC)}
        ending = datetime.now(UTC) + timedelta(seconds=40)
        session.execute(update(Task).where(col(Task.item_id) == taken.item_id).values(lease_expires_at=ending, **held))
    page = signed_in(window(), reviewer, "/desk")
    expect(page.locator(".output")).to_contain_text("Lyon")
    expect(page.locator(".tally")).to_have_text("0 done today · 0 waiting")


def _add_person(page: Page, name: str, username: str, email: str) -> None:
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill(name)
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Add", exact=True).click()


def test_admins_add_change_and_deactivate_people(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("anna", "admin"), "/admin")
    _add_person(page, "Nora New", "nora", "nora@example.com")
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
    _add_person(page, "Abel Again", "abel", "other@example.com")
    expect(page.get_by_role("dialog").get_by_text("Somebody has this username already.")).to_be_visible()


def test_admins_add_systems_and_make_and_revoke_keys(console: Console, window: MakeWindow) -> None:
    page = signed_in(window(), console.person("alma", "admin"), "/admin")
    page.get_by_role("tab", name="Systems").click()
    page.get_by_role("button", name="Add a system").click()
    page.get_by_role("textbox", name="Slug").fill("made-here")
    page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Made here")
    for label, name in (("Owner", "Olga"), ("Deputy", "Dora")):
        choose(page, label, name)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name="Made here")).to_contain_text("version 1")
    page.get_by_role("tab", name="Keys").click()
    page.get_by_role("button", name="Make a key").click()
    choose(page, "System", "made-here")
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


def test_every_page_is_accessible(console: Console, window: MakeWindow) -> None:
    slug = "axe"
    console.system(slug, "olga", "dora")
    browser = window()
    page = browser.tab("/")
    expect(page.get_by_label("Username")).to_be_visible()
    found = {"sign-in": violations(page)}
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(page.get_by_label("Username")).to_be_visible()
    found["sign-in, dark from the start"] = serious(page)
    page.emulate_media(color_scheme="light")
    lead, admin = console.person("axe-lead", "lead"), console.person("axe-admin", "admin")
    taken = console.answers(slug, *(f"{slug}-{n}" for n in range(3)))
    browser.context.add_cookies([console.cookie(lead)])  # type: ignore[list-item]
    page.goto(f"{console.url}/desk")
    _decide_and_hand_up(page)
    for path in (
        "desk",
        f"inbox?item={taken[0].item_id}",
        "inbox",
        "escalations",
        "overview",
        "corrections",
        "systems",
        f"systems?system={slug}",
        "policies",
        f"policies?system={slug}",
        "account",
    ):
        page.goto(f"{console.url}/{path}")
        found[path] = _violations_when_drawn(page)
    page.goto(f"{console.url}/admin")
    found["refused"] = _violations_when_drawn(page)
    browser.context.add_cookies([console.cookie(admin)])  # type: ignore[list-item]
    page.reload()
    found["people"] = _violations_when_drawn(page)
    for tab in ("Systems", "Keys"):
        page.get_by_role("tab", name=tab).click()
        found[tab] = _violations_when_drawn(page)
    assert {path: problems for path, problems in found.items() if problems} == {}


def _decide_and_hand_up(page: Page) -> None:
    """Leave a rejection, a task that was handed up, and one on the desk."""
    ready(page)
    page.keyboard.press("t")
    page.locator(".desk[data-mode=work][data-state=ready]").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("x")
    expect(page.get_by_text("Rejected", exact=True)).to_be_visible()
    ready(page)
    page.keyboard.press("u")
    page.keyboard.press("Control+Enter")
    ready(page)


def _violations_when_drawn(page: Page) -> list[str]:
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
    page.wait_for_timeout(700)
    return violations(page)


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

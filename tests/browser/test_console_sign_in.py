"""Signing in and out in a real browser: what it takes, what ends it, and that nobody else sees anything."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlmodel import col

from review.commands import people
from review.domain.actors import Role
from review.store.tables import AuditEvent, SignInAttempt
from tests.browser.conftest import MakeWindow
from tests.support.console import PASSWORD, Console, fill_form, password_hash, received

FORM = "Skip to main content\nHoldpoint\nUsername\nPassword\nSign in"


def shows_sign_in(page: Page) -> None:
    """The sign-in, and nothing else."""
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
    for _ in range(50):
        if _words(page) == FORM.split("\n"):
            break
        page.wait_for_timeout(100)  # the form comes part by part
    assert _words(page) == FORM.split("\n")


def _words(page: Page) -> list[str]:
    lines = page.locator("body").inner_text().split("\n")
    return [line for line in lines if line.strip() and line != "visibility"]


def is_in(page: Page) -> None:
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()


def test_a_deep_link_survives_sign_in(console: Console, window: MakeWindow) -> None:
    console.person("deep", "auditor")
    page = window().sign_in("deep", "/inbox?status=decided&q=abc")
    expect(page).to_have_url(re.compile(r"/inbox\?status=decided&q=abc$"))
    expect(page.get_by_label("Search")).to_have_value("abc")


def test_a_reload_and_another_tab_stay_signed_in(console: Console, window: MakeWindow) -> None:
    console.person("stay", "auditor")
    browser = window()
    page = browser.sign_in("stay", "/overview")
    page.reload()
    is_in(page)
    is_in(browser.tab("/inbox"))


@pytest.mark.parametrize(("role", "first"), [("reviewer", "desk"), ("lead", "desk"), ("owner", "overview")])
def test_each_role_begins_on_its_own_page(console: Console, window: MakeWindow, role: str, first: str) -> None:
    page = window().sign_in(console.person(f"first-{role}", role))
    expect(page).to_have_url(re.compile(f"/{first}$"))


def test_a_wrong_password_is_refused_and_counted(console: Console, window: MakeWindow) -> None:
    console.person("wrong")
    page = window().tab("/")
    fill_form(page, "wrong", "not the password")
    expect(page.get_by_text("The username or the password is not right.")).to_be_visible()
    with console.store.read() as session:
        [attempt] = session.execute(select(SignInAttempt).where(col(SignInAttempt.username) == "wrong")).scalars()
        failed = session.execute(select(AuditEvent).where(col(AuditEvent.action) == "sign_in.failed")).scalars().all()
    assert not attempt.succeeded
    assert any('"username":"wrong"' in event.body for event in failed)


def test_attempts_are_limited(console: Console, window: MakeWindow) -> None:
    console.person("limited")
    with console.store.write() as session:
        for _ in range(people.MAX_PER_PERSON):
            people.attempt_sign_in(session, "limited", "10.0.0.9", now=datetime.now(UTC))
    page = window().tab("/")
    fill_form(page, "limited", PASSWORD)
    expect(page.get_by_text("Too many attempts to sign in.")).to_be_visible()
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)


def test_signing_out_empties_every_tab_and_ends_copied_cookies(console: Console, window: MakeWindow) -> None:
    console.person("leaver", "auditor")
    browser = window()
    other_tab = browser.sign_in("leaver", "/overview")
    copied = browser.context.cookies()
    page = browser.tab("/account")
    page.get_by_role("button", name="Sign out").click()
    shows_sign_in(page)
    shows_sign_in(other_tab)
    assert "holdpoint" not in {cookie["name"] for cookie in browser.context.cookies()}
    page.reload()
    shows_sign_in(page)
    thief = window()
    thief.context.add_cookies(copied)  # type: ignore[arg-type]
    shows_sign_in(thief.tab("/overview"))


def test_who_signs_in_next_in_the_same_tab_finds_nothing_of_who_was_there(console: Console, window: MakeWindow) -> None:
    console.system("left", "olga", "dora")
    [taken] = console.answers("left", "left-1")
    first, second = console.person("first-there", "auditor"), console.person("next-there", "auditor")
    browser = window()
    page = browser.sign_in(first, f"/inbox?item={taken.item_id}")
    expect(page.locator(".desk[data-mode=read] .output")).to_be_visible()
    page.get_by_test_id("stTopNavSection").click()
    page.get_by_text("Account and sign-out").click()
    page.get_by_role("button", name="Sign out").click()
    shows_sign_in(page)
    fill_form(page, second, PASSWORD)
    is_in(page)
    page.go_back()
    expect(page.locator(".desk[data-mode=read] .output")).to_be_visible()
    with console.store.read() as session:
        looks = select(AuditEvent.actor_name).where(  # type: ignore[call-overload]
            col(AuditEvent.action) == "item.viewed", col(AuditEvent.subject_id) == str(taken.item_id)
        )
        assert sorted(session.execute(looks).scalars()) == ["First-There", "Next-There"]


def test_signing_in_again_after_signing_out_in_the_same_tab(console: Console, window: MakeWindow) -> None:
    console.person("again", "auditor")
    browser = window()
    page = browser.sign_in("again", "/account")
    page.get_by_role("button", name="Sign out").click()
    shows_sign_in(page)
    fill_form(page, "again", PASSWORD)
    is_in(page)
    page.reload()
    is_in(page)


def test_a_cookie_with_another_signature_or_an_old_one_is_refused(console: Console, window: MakeWindow) -> None:
    import jwt

    console.person("forged", "admin")
    soon = (datetime.now(UTC) + timedelta(days=1)).timestamp()
    claims = {"username": "forged", "exp_date": soon, "issued_at": datetime.now(UTC).isoformat()}
    secret = (console.folder / "data" / "cookie.key").read_text()
    old = {**claims, "issued_at": (datetime.now(UTC) - timedelta(days=2)).isoformat()}
    undated = {name: claims[name] for name in ("username", "exp_date")}
    for body, key in ((claims, "x" * 32), (old, secret), (undated, secret)):
        browser = window()
        cookie = {"name": "holdpoint", "value": jwt.encode(body, key, "HS256"), "url": console.url}
        browser.context.add_cookies([cookie])  # type: ignore[list-item]
        shows_sign_in(browser.tab("/admin"))


@pytest.mark.parametrize("what", ["deactivated", "new password"])
def test_an_idle_tab_empties_itself(console: Console, window: MakeWindow, what: str) -> None:
    username = console.person(f"idle-{what.split(maxsplit=1)[0]}", "admin")
    page = window().sign_in(username, "/admin")
    expect(page.get_by_role("button", name="Add a person")).to_be_visible()
    if what == "deactivated":
        console.change(username, people.set_active, active=False)
    else:
        console.change(username, people.set_password, password_hash())
    shows_sign_in(page)


def test_another_role_changes_an_open_tab(console: Console, window: MakeWindow) -> None:
    console.person("moved", "admin")
    page = window().sign_in("moved", "/admin")
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(8)
    console.change("moved", people.set_role, Role.REVIEWER)
    expect(page.get_by_text("Your role is reviewer, which does not open this page.")).to_be_visible()
    expect(page.get_by_role("button", name="Moved: open")).to_have_count(0)


def test_nobody_in_particular_is_sent_nothing(console: Console, window: MakeWindow) -> None:
    console.system("sealed-system", "olga", "dora")
    console.answers("sealed-system", "sealed-external-id")
    page = window().tab()
    frames = received(page)
    page.goto(f"{console.url}/inbox")
    shows_sign_in(page)
    assert len(frames) > 100
    for secret in (b"sealed-", b"Olga", b"olga"):
        assert secret not in frames

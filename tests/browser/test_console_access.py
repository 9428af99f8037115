"""Every page for every role, signed in, signed out, with the role just taken away, and with a copied cookie.

What is checked is what the page shows and, word for word, what the server sends to the browser.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from review.commands import people
from review.domain.actors import GRANTS, Permission, Role
from tests.browser.test_console_sign_in import shows_sign_in
from tests.support.console import PAGES, Console, Window, received
from tests.support.world import output

SECRETS = (b"guarded", b"Guarded")
TITLES = {"inbox": "Inbox", "desk": "Desk", "escalations": "Escalations", "overview": "Overview"}
TITLES |= {"corrections": "Corrections", "admin": "Admin"}
SHOWS = {
    "desk": "Take the next task", "inbox": "guarded-1", "escalations": "Nothing is waiting for a lead",
    "overview": "Overdue", "corrections": "No correction matches", "admin": "Add a person",
    "account": "Signing out ends",
}  # fmt: skip


def may(role: Role, page: str) -> bool:
    return Permission(PAGES[page]) in GRANTS[role]


class Guarded:
    """A database with one person of each role, the cookies of each, and cookies copied before a sign-out."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder, self.browser = folder, browser
        console = Console.started(folder)
        self.database = str(console.store.engine.url)
        for role in Role:
            console.person(role.value, role.value, f"{role.value.title()} Guarded")
            console.person(f"ex-{role.value}", role.value, f"Former {role.value} Guarded")
        console.person("second-admin", "admin", "Second Guarded")
        console.person("second-owner", "owner", "Deputy Guarded")
        console.system("guarded", "owner", "second-owner")
        console.send("guarded", output("guarded-1"), output("guarded-2"))
        self.cookies = {role: self._signed_in(console, role.value) for role in Role}
        self.copied = {role: self._signed_out(console, f"ex-{role.value}") for role in Role}
        console.stop()

    def _signed_in(self, console: Console, username: str) -> list[object]:
        window = Window(self.browser, console)
        window.sign_in(username, "/account")
        cookies = window.context.cookies()
        window.context.close()
        return cookies  # type: ignore[return-value]

    def _signed_out(self, console: Console, username: str) -> list[object]:
        cookies = self._signed_in(console, username)
        console.change(username, lambda session, actor, person_id, now: _sign_out(session, person_id, now))
        return cookies

    def fresh(self) -> Console:
        """The program, freshly started."""
        return Console.started(self.folder, self.database)

    def window(self, console: Console, cookies: list[object] | None = None) -> Window:
        window = Window(self.browser, console)
        if cookies:
            window.context.add_cookies(cookies)  # type: ignore[arg-type]
        return window


def _sign_out(session: object, person_id: object, now: object) -> None:
    from review.domain.actors import person_actor

    people.sign_out(session, person_actor(person_id, "", Role.REVIEWER), now=now)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Guarded]:
    yield Guarded(tmp_path_factory.mktemp("guarded"), browser)


def opened(window: Window, page: str) -> tuple[Page, bytearray]:
    tab = window.tab()
    frames = received(tab)
    tab.goto(f"{window.console.url}/{page}", wait_until="commit")
    return tab, frames


def sent_nothing(frames: bytearray) -> None:
    assert len(frames) > 100
    for secret in SECRETS:
        assert secret not in frames


@pytest.mark.parametrize("page", PAGES)
def test_on_a_fresh_server(guarded: Guarded, page: str) -> None:
    console = guarded.fresh()
    try:
        outsider, frames = opened(guarded.window(console), page)  # the very first visit of all
        shows_sign_in(outsider)
        sent_nothing(frames)
        copies = [opened(guarded.window(console, guarded.copied[role]), page) for role in Role]
        for tab, frames in copies:
            shows_sign_in(tab)
            sent_nothing(frames)
        for role in Role:
            _check(opened(guarded.window(console, guarded.cookies[role]), page), role, page)
    finally:
        console.stop()
        for context in guarded.browser.contexts:
            context.close()


def _check(visit: tuple[Page, bytearray], role: Role, page: str) -> None:
    tab, frames = visit
    links = {TITLES[name] for name in TITLES if may(role, name)}
    expect(tab.get_by_test_id("stTopNavLink")).to_have_count(len(links))
    for link in links:
        expect(tab.get_by_test_id("stTopNavLink").filter(has_text=link)).to_have_count(1)
    if may(role, page):
        expect(tab.get_by_text(SHOWS[page]).first).to_be_visible()
        return
    expect(tab.get_by_text(f"Your role is {role.value}, which does not open this page.")).to_be_visible()
    expect(tab.get_by_text(SHOWS[page])).to_have_count(0)
    assert b"guarded-" not in frames


def test_a_role_just_taken_away_closes_open_pages(guarded: Guarded) -> None:
    console = guarded.fresh()
    tabs: list[tuple[Role, str, Page, bytearray]] = []
    try:
        for role in Role:
            window = guarded.window(console, guarded.cookies[role])
            visits = [(role, page, *opened(window, page)) for page in PAGES if may(role, page)]
            for _, page, tab, _ in visits:
                expect(tab.get_by_text(SHOWS[page]).first).to_be_visible()
            tabs += visits
        for role in Role:
            lower = Role.REVIEWER if role is not Role.REVIEWER else Role.AUDITOR
            console.change(role.value, people.set_role, lower)
        for role, page, tab, _ in tabs:
            lower = Role.REVIEWER if role is not Role.REVIEWER else Role.AUDITOR
            expect(tab.get_by_test_id("stTopNavLink")).to_have_count(sum(may(lower, name) for name in TITLES))
            if not may(lower, page):
                expect(tab.get_by_text(SHOWS[page])).to_have_count(0)
        for role in Role:
            console.change(role.value, people.set_active, active=False)
        for _, _, tab, _ in tabs:
            shows_sign_in(tab)
    finally:
        console.stop()
        for context in guarded.browser.contexts:
            context.close()

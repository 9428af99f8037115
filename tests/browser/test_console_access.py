"""Every page for every role, signed in, signed out, with the role just taken away, and with a copied cookie.

What is checked is what the page shows and, word for word, what the server sends to the browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from review.commands import people
from review.domain.actors import GRANTS, Actor, Permission, Role, person_actor
from tests.browser.test_console_sign_in import shows_sign_in
from tests.support.console import PAGES, Console, Window, free_port, received
from tests.support.world import output

SECRETS = (b"guarded", b"Guarded")
TITLES = {"inbox": "Inbox", "desk": "Desk", "escalations": "Escalations", "overview": "Overview"}
TITLES |= {"queues": "Queues", "corrections": "Corrections", "admin": "Admin"}
SHOWS = {
    "desk": "Take the next task", "inbox": "guarded-1", "escalations": "Nothing is waiting for a lead",
    "queues": "Worked by", "overview": "Overdue", "corrections": "No correction matches", "admin": "Add a person",
    "account": "Signing out ends",
}  # fmt: skip


def may(role: Role, page: str) -> bool:
    return Permission(PAGES[page]) in GRANTS[role]


class Guarded:
    """A database with one person of each role, and browser windows that outlive the servers started on it."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder, self.port = folder, free_port()
        console = Console.started(folder, port=self.port)
        self.database = str(console.store.engine.url)
        for role in Role:
            console.person(role.value, role.value, f"{role.value.title()} Guarded")
            console.person(f"ex-{role.value}", role.value, f"Former {role.value} Guarded")
        console.person("second-admin", "admin", "Second Guarded")
        console.person("second-owner", "owner", "Deputy Guarded")
        console.system("guarded", "owner", "second-owner")
        console.send("guarded", output("guarded-1"), output("guarded-2"))
        self.outsider = Window(browser, console)
        self.signed_in = {role: Window(browser, console) for role in Role}
        self.copied = {role: Window(browser, console) for role in Role}
        for role in Role:
            self.signed_in[role].context.add_cookies([console.cookie(role.value)])  # type: ignore[list-item]
            self.copied[role].context.add_cookies([console.cookie(f"ex-{role.value}")])  # type: ignore[list-item]
            console.change(f"ex-{role.value}", _sign_out)
        console.stop()

    @contextmanager
    def fresh(self) -> Iterator[Console]:
        """The program, freshly started; every tab is closed at the end."""
        console = Console.started(self.folder, self.database, self.port)
        try:
            yield console
        finally:
            for window in (self.outsider, *self.signed_in.values(), *self.copied.values()):
                for tab in window.context.pages[1:]:
                    tab.close()
                for tab in window.context.pages[:1]:  # it stays, so that the browser need not start anew for it
                    tab.goto(f"{console.url}/_stcore/health")
            console.stop()

    def close(self) -> None:
        for window in (self.outsider, *self.signed_in.values(), *self.copied.values()):
            window.context.close()
            assert window.problems == []


def _sign_out(session: Session, _: Actor, person_id: UUID, *, now: datetime) -> None:
    people.sign_out(session, person_actor(person_id, "", Role.REVIEWER), now=now)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Guarded]:
    world = Guarded(tmp_path_factory.mktemp("guarded"), browser)
    yield world
    world.close()


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
    with guarded.fresh():
        first = opened(guarded.outsider, page)  # the very first visit of all
        for tab, frames in (first, *(opened(window, page) for window in guarded.copied.values())):
            shows_sign_in(tab)
            sent_nothing(frames)
        for role, visit in [(role, opened(window, page)) for role, window in guarded.signed_in.items()]:
            _check(visit, role, page)


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
    with guarded.fresh() as console:
        tabs = [
            (role, page, opened(window, page)[0])
            for role, window in guarded.signed_in.items() for page in PAGES if may(role, page)
        ]  # fmt: skip
        for _, page, tab in tabs:
            expect(tab.get_by_text(SHOWS[page]).first).to_be_visible(timeout=30_000)
        for role in Role:
            console.change(role.value, people.set_role, _other(role))
        for role, page, tab in tabs:
            links = sum(may(_other(role), name) for name in TITLES)
            expect(tab.get_by_test_id("stTopNavLink")).to_have_count(links)
            if not may(_other(role), page):
                expect(tab.get_by_text(SHOWS[page])).to_have_count(0)
        for role in Role:
            console.change(role.value, people.set_active, active=False)
        for _, _, tab in tabs:
            shows_sign_in(tab)


def _other(role: Role) -> Role:
    return Role.AUDITOR if role is Role.REVIEWER else Role.REVIEWER

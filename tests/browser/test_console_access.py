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
TITLES |= {"queues": "Queues", "corrections": "Corrections", "systems": "Systems", "policies": "Policies"}
TITLES |= {"admin": "Admin"}
SHOWS = {
    "desk": "Take the next task", "inbox": "guarded-1", "escalations": "Nothing is waiting for a lead",
    "queues": "Worked by", "overview": "Overdue", "corrections": "No correction matches",
    "systems": "All systems run normally", "policies": "No system is chosen", "admin": "Add a person",
    "account": "Signing out ends",
}  # fmt: skip


def may(role: Role, page: str) -> bool:
    return Permission(PAGES[page]) in GRANTS[role]


class Guarded:
    """A database with one person of each role, and a browser window that outlives the servers started on it."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder, self.browser, self.port = folder, browser, free_port()
        console = Console.started(folder, port=self.port)
        self.database = str(console.store.engine.url)
        for role in Role:
            console.person(role.value, role.value, f"{role.value.title()} Guarded")
            console.person(f"ex-{role.value}", role.value, f"Former {role.value} Guarded")
        console.person("second-admin", "admin", "Second Guarded")
        console.person("second-owner", "owner", "Deputy Guarded")
        console.system("guarded", "owner", "second-owner")
        console.send("guarded", output("guarded-1"), output("guarded-2"))
        self.signed_in = {role: console.cookie(role.value) for role in Role}
        self.copied = {role: console.cookie(f"ex-{role.value}") for role in Role}
        for role in Role:
            console.change(f"ex-{role.value}", _sign_out)
        self.window = Window(browser, console)
        self.tab = self.window.tab()
        self.frames = received(self.tab)
        console.stop()

    @contextmanager
    def fresh(self) -> Iterator[Console]:
        """The program, freshly started."""
        console = Console.started(self.folder, self.database, self.port)
        try:
            yield console
        finally:
            self.tab.goto(f"{console.url}/_stcore/health")  # no page: nothing looks for the server when it is gone
            console.stop()

    def visit(self, page: str, cookie: dict[str, str] | None = None, tab: Page | None = None) -> None:
        """Open a page directly, with nothing but this cookie."""
        self.window.context.clear_cookies()
        if cookie:
            self.window.context.add_cookies([cookie])  # type: ignore[list-item]
        (tab or self.tab).goto(f"{self.window.console.url}/{page}")

    @contextmanager
    def tabs(self) -> Iterator[dict[Role, Page]]:
        """A tab for everyone."""
        tabs = {role: self.window.tab() for role in Role}
        yield tabs
        for tab in tabs.values():
            tab.close()

    def sent_nothing(self) -> None:
        """The sign-in is shown, and nobody's name and no content came to the browser."""
        shows_sign_in(self.tab)
        assert len(self.frames) > 100
        for secret in SECRETS:
            assert secret not in self.frames


def _sign_out(session: Session, _: Actor, person_id: UUID, *, now: datetime) -> None:
    people.sign_out(session, person_actor(person_id, "", Role.REVIEWER), now=now)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Guarded]:
    world = Guarded(tmp_path_factory.mktemp("guarded"), browser)
    yield world
    world.window.context.close()
    gone = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET")  # the server between two tests
    assert [problem for problem in world.window.problems if not any(each in problem for each in gone)] == []


@pytest.mark.parametrize("page", PAGES)
def test_on_a_fresh_server(guarded: Guarded, page: str) -> None:
    with guarded.fresh() as console:
        guarded.visit(page)  # the very first visit of all
        guarded.sent_nothing()
        guarded.visit(page, guarded.copied[next(role for role in Role if may(role, page))])
        guarded.sent_nothing()
        with guarded.tabs() as tabs:
            for role, tab in tabs.items():
                frames = received(tab)
                guarded.visit(page, guarded.signed_in[role], tab)
                _check(tab, role, page)
                assert may(role, page) or b"guarded-" not in frames
            _take_roles_away(console, tabs, page)


def _take_roles_away(console: Console, tabs: dict[Role, Page], page: str) -> None:
    """Give everyone another role while their tab is open: it soon shows what that role may see, and nothing else."""
    for role in Role:
        console.change(role.value, people.set_role, _other(role))
    for role, tab in tabs.items():
        _check(tab, _other(role), page)
    for role in Role:
        console.change(role.value, people.set_role, role)


def _check(tab: Page, role: Role, page: str) -> None:
    """The tab shows the menu of this role, and the page where the role opens it."""
    links = {TITLES[name] for name in TITLES if may(role, name)}
    expect(tab.get_by_test_id("stTopNavLink")).to_have_count(len(links))
    for link in links:
        expect(tab.get_by_test_id("stTopNavLink").filter(has_text=link)).to_have_count(1)
    if may(role, page):
        expect(tab.get_by_text(SHOWS[page]).first).to_be_visible()
        return
    expect(tab.get_by_text(f"Your role is {role.value}, which does not open this page.")).to_be_visible()
    expect(tab.get_by_text(SHOWS[page])).to_have_count(0)


def _other(role: Role) -> Role:
    """A role that opens other pages than this one does."""
    return Role.AUDITOR if role is Role.REVIEWER else Role.REVIEWER

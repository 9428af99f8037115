"""A browser, the whole program, and windows in which people sign in to it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browser import FLAGS, chromium
from tests.support.console import Console, Window

MakeWindow = Callable[..., Window]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One real browser for the run."""
    path = chromium()
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One program for the run, with an owner, a deputy and an admin; tests add the people and systems they need."""
    running = Console.started(tmp_path_factory.mktemp("console"))
    for username, role in (("olga", "owner"), ("dora", "owner"), ("adam", "admin")):
        running.person(username, role)
    yield running
    running.stop()


@pytest.fixture
def window(browser: Browser, console: Console) -> Iterator[MakeWindow]:
    """Opens windows; fails at the end where a page said that something went wrong or asked elsewhere for anything."""
    opened: list[Window] = []

    def make(at: Console | None = None, **options: object) -> Window:
        opened.append(Window(browser, at or console, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()
        assert one.problems == []
        assert [url for url in one.requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))] == []

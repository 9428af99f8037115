"""The whole program for browser tests: a real `streamlit run app.py` on a database that the test shares."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect
from sqlalchemy import insert, select
from sqlmodel import col

from review.commands import intake, keys, people, policies, systems
from review.domain import passwords
from review.domain.actors import HOLDPOINT, Role
from review.domain.outputs import read_output
from review.queries import keys as key_queries
from review.store.engine import Store
from review.store.secrets import cookie_secret
from review.store.tables import Person, Task, TaskSkip
from tests.support.databases import sqlite_url
from tests.support.world import output

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
POLICY = """\
queue: {slug}
rules:
  - {{name: everything, when: "true", route: review, reasons: [low_confidence]}}
"""
PAGES = {
    "desk": "decide", "inbox": "read_items", "escalations": "read_escalations", "overview": "read_overview",
    "queues": "read_queues", "corrections": "export", "systems": "read_overview", "policies": "read_policies",
    "admin": "administer", "account": "read_overview",
}  # fmt: skip
_STALE = "[data-testid=stBaseButton-primary]"  # its text keeps the colour of the theme before, until a reload
_HARMLESS = re.compile(r"Unrecognized feature|escape its sandboxing|unregistered ComponentInstance")


@cache
def password_hash() -> str:
    return passwords.hashed(PASSWORD)


@dataclass
class Console:
    """A running program, and the store that it and the test share."""

    folder: Path
    url: str
    store: Store
    process: subprocess.Popen[bytes]

    @classmethod
    def started(cls, folder: Path, url: str | None = None, port: int | None = None) -> "Console":
        """Start the program on a database, a new one unless its address is given."""
        database = url or sqlite_url(folder)
        process, address = _started(folder, database, port or free_port())
        return cls(folder, address, Store(database), process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.store.close()

    def person(self, username: str, role: str = "reviewer", name: str | None = None) -> str:
        """Add someone who sees none of the tasks that wait already. Returns the username."""
        with self.store.write() as session:
            person = people.add(
                session, HOLDPOINT, username=username, name=name or username.title(),
                email=f"{username}@example.com", role=Role(role), password_hash=password_hash(), now=datetime.now(UTC),
            )  # fmt: skip
            waiting = session.execute(select(col(Task.id)).where(col(Task.state) == "open")).scalars()
            skips = [{"task_id": one, "person_id": person.id, "at": datetime.now(UTC)} for one in waiting]
            if skips:
                session.execute(insert(TaskSkip), skips)
        return username

    def system(self, slug: str, owner: str, deputy: str, name: str = "") -> None:
        """Add a system that holds everything for review in a queue of its own."""
        now = datetime.now(UTC)
        with self.store.write() as session:
            systems.add(session, HOLDPOINT, slug=slug, name=name, owner=owner, deputy=deputy, now=now)
            policies.activate(session, HOLDPOINT, slug, POLICY.format(slug=slug), now=now)

    def send(self, slug: str, *outputs: dict[str, Any]) -> list[Any]:
        """Send outputs as a system does."""
        now = datetime.now(UTC)
        checked = [read_output(json.dumps({**one, "system": slug}).encode(), now) for one in outputs]
        with self.store.write() as session:
            actor = key_queries.actor_of(session, keys.create_for_system(session, HOLDPOINT, slug, now=now))
            return intake.take(session, actor, checked, now=now)

    def answers(self, slug: str, *external_ids: str) -> list[Any]:
        """Send answers with these ids."""
        return self.send(slug, *(output(external_id) for external_id in external_ids))

    def cookie(self, username: str) -> dict[str, str]:
        """The cookie that a browser has after this person signed in just now."""
        now = datetime.now(UTC)
        claims = {
            "username": username, "exp_date": (now + timedelta(days=1)).timestamp(), "issued_at": now.isoformat(),
        }  # fmt: skip
        token = jwt.encode(claims, cookie_secret(self.folder / "data"), "HS256")
        return {"name": "holdpoint", "value": token, "url": "http://127.0.0.1"}

    def change(self, username: str, command: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run a command on somebody's id."""
        with self.store.write() as session:
            person_id = session.execute(select(col(Person.id)).where(col(Person.username) == username)).scalar_one()
            command(session, HOLDPOINT, person_id, *args, now=datetime.now(UTC), **kwargs)


def _started(folder: Path, database: str, port: int) -> tuple[subprocess.Popen[bytes], str]:
    environment = {**os.environ, "HOLDPOINT_DATABASE_URL": database, "HOLDPOINT_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    log = (folder / "console.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if _answers(f"{address}/_stcore/health"):
            return process, address
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the program did not start:\n{(folder / 'console.log').read_text()}")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=1).status == 200)
    except OSError:
        return False


class Window:
    """A browser window of its own (its own cookies), which notes what goes wrong and what the server sends."""

    def __init__(self, browser: Browser, console: Console, **options: Any) -> None:
        self.console = console
        self.context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 720}, **options)
        self.problems: list[str] = []
        self.requests: list[str] = []

    def tab(self, path: str | None = None) -> Page:
        """A new tab; `path` is opened in it."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"error of the page: {error}"))
        page.on("console", self._said)
        page.on("request", lambda request: self.requests.append(request.url))
        if path is not None:
            page.goto(self.console.url + path)
        return page

    def _said(self, message: Any) -> None:
        if message.type == "error" and not _HARMLESS.search(message.text):
            self.problems.append(message.text)

    def sign_in(self, username: str, path: str = "/", page: Page | None = None) -> Page:
        """Sign in by the form at an address; returns the tab with the page there."""
        page = page or self.tab()
        page.goto(self.console.url + path)
        fill_form(page, username, PASSWORD)
        expect(page.get_by_role("textbox", name="Password")).to_be_hidden(timeout=15_000)
        expect(page.get_by_test_id("stTopNavLink").first).to_be_visible(timeout=15_000)
        return page


def fill_form(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a field; typed first, for a long list draws only what is in sight of it."""
    page.get_by_role("combobox", name=label, exact=True).fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def violations(page: Page, within: str = "body") -> list[str]:
    """What is seriously wrong for people who see or steer otherwise; the contrast in the dark theme as well."""
    found = [f"light: {each}" for each in serious(page, within)]
    app = page.get_by_test_id("stApp")
    light = app.evaluate("(node) => getComputedStyle(node).backgroundColor")
    page.emulate_media(color_scheme="dark")
    expect(app).not_to_have_css("background-color", light)
    page.wait_for_timeout(300)  # colours change gradually
    found += [f"dark: {each}" for each in serious(page, within, but=_STALE, runOnly=["color-contrast"])]
    page.emulate_media(color_scheme="light")
    expect(app).to_have_css("background-color", light)
    return found


def serious(page: Page, within: str = "body", *, but: str = "#none", **options: Any) -> list[str]:
    """What is seriously wrong in the theme that is shown."""
    context = {"include": [[within]], "exclude": [[but]]}
    results = Axe().run(page, context=context, options=options).response["violations"]  # type: ignore[arg-type]
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in results
        if each["impact"] in ("serious", "critical")
    ]


def received(page: Page) -> bytearray:
    """Everything that the server sends to the page in this tab, over the websocket that it opened last."""
    frames = bytearray()

    def heard(payload: str | bytes) -> None:
        frames.extend(payload if isinstance(payload, bytes) else payload.encode())

    def opened(socket: WebSocket) -> None:
        frames.clear()
        socket.on("framereceived", heard)

    page.on("websocket", opened)
    return frames


def ready(page: Page) -> None:
    """Wait until the desk takes decisions."""
    page.locator(".desk[data-state=ready]").wait_for()

"""The desk in a real browser beside an empty Streamlit page, and fifty people on it at once."""

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import func, select

from bench.crowd import Crowd
from bench.figures import milliseconds, percentile, ratio
from bench.floors import PAYLOAD
from bench.program import HOLD_ALL, Program, free_port, running, wait_until_up
from bench.queue import fill
from review.store.tables import Decision
from tests.support.browser import FLAGS, chromium

N_PRESSES, ROUNDS = 40, 3
N_PEOPLE, SECONDS, THINK_SECONDS = 50, 60, 5.0
_EMPTY_PAGE = """
import streamlit as st
if st.button("Approve", shortcut="a"): st.session_state.n = st.session_state.get("n", 0) + 1
st.write("count", st.session_state.get("n", 0))
"""


def key_press_to_next_task() -> None:
    """Key press to the next task on the desk, in a browser, beside an empty page of stock Streamlit."""
    with running(policy=HOLD_ALL) as program, _empty_page() as empty, _browser() as browser:
        fill(program, (N_PRESSES + 1) * ROUNDS + 10, PAYLOAD, numbered=True)
        floor, desk = _opened(browser, empty, "count 0"), _at_the_desk(browser, program)
        ratios, first = [], 1
        for n in range(ROUNDS):
            least = [_pressed(floor, f"count {n * N_PRESSES + i}") for i in range(1, N_PRESSES + 1)]
            ours = [_decided(desk, first + i) for i in range(N_PRESSES)]
            first += N_PRESSES
            milliseconds("empty page of stock Streamlit", least)
            milliseconds("the desk: decide, and the next task drawn", ours)
            ratios.append(statistics.median(ours) / statistics.median(least))
    ratio("desk against an empty page, p50, median of rounds", percentile(ratios, 0.5), "at most 1.5")


def _opened(browser: Browser, url: str, text: str) -> Page:
    page = browser.new_page()
    page.goto(url)
    page.get_by_text(text, exact=True).wait_for()
    return page


def _pressed(page: Page, text: str) -> float:
    begun = time.perf_counter()
    page.keyboard.press("a")
    page.get_by_text(text, exact=True).wait_for()
    return time.perf_counter() - begun


def _decided(page: Page, number: int) -> float:
    page.locator(".desk[data-state=ready]").wait_for()
    begun = time.perf_counter()
    page.keyboard.press("a")
    page.get_by_text(f"Number {number:06} is Paris.").first.wait_for()
    return time.perf_counter() - begun


def _at_the_desk(browser: Browser, program: Program) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{program.url}/desk")
    page.get_by_label("Username").fill(program.usernames[0])
    page.get_by_role("textbox", name="Password").fill(program.password)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".desk[data-state=ready]").wait_for()
    page.keyboard.press("t")
    page.get_by_text("Number 000000 is Paris.").first.wait_for()
    return page


@contextmanager
def _empty_page() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp())
    (folder / "page.py").write_text(_EMPTY_PAGE)
    port = free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", "page.py", "--server.headless=true", f"--server.port={port}",
        "--server.address=127.0.0.1", "--browser.gatherUsageStats=false",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def fifty_people() -> None:
    """50 people at the desk at once who think 5 seconds: real sessions, real decisions."""
    with running(n_people=N_PEOPLE, policy=HOLD_ALL) as program:
        fill(program, int(N_PEOPLE * SECONDS / THINK_SECONDS * 2), PAYLOAD, numbered=True)
        crowd = Crowd(program, SECONDS, THINK_SECONDS)
        asyncio.run(crowd.work())
        milliseconds(f"{N_PEOPLE} people: click to the end of the run", crowd.took)
        with program.store.read() as session:
            n_decided = session.execute(select(func.count()).select_from(Decision)).scalar_one()
        twice = len(crowd.decided) - len(set(crowd.decided))
        print(f"decisions sent {len(crowd.decided)}, on record {n_decided}, twice {twice}, errors {crowd.errors[:3]}")
        if n_decided != len(crowd.decided) or twice or crowd.errors:
            raise RuntimeError("not every decision was right")
    ratio("click, p95, seconds", percentile(crowd.took, 0.95), "at most 1")

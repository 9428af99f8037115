"""Stopping a system under load in several processes: from the commit on, every answer honours it (shown 6, small)."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import httpx

from review.domain.content import content_digest
from tests.support.api_process import api_processes
from tests.support.gate import FALLBACK, gated
from tests.support.world import World, output

N_A_SECOND, N_HANDS = 200, 16
N_BEFORE, N_AFTER = 200, 400
USUAL = output()["output"]


class Asked(NamedTuple):
    """One request: when it began and ended, the mode that its answer told, and the content that it gave."""

    began: float
    ended: float
    what: str
    mode: str | None
    content: Any


class Producers:
    """Producers that send outputs and use what was released before, at a steady rate, on all processes in turn."""

    def __init__(self, world: World, urls: list[str], usable: list[str]) -> None:
        self.urls, self.usable = urls, usable
        self.headers = {"authorization": f"Bearer {world.tokens['helper']}"}
        self.asked: list[Asked] = []
        self.end = threading.Event()
        self._turns = count()

    def run(self, start: float) -> None:
        """Ask, each at its own moment, until the end."""
        with httpx.Client(headers=self.headers, timeout=30) as http:
            while not self.end.is_set():
                turn = next(self._turns)
                time.sleep(max(0.0, start + turn / N_A_SECOND - time.monotonic()))
                ask = self.use if turn % 4 == 0 else self.send
                self.asked.append(ask(http, self.urls[turn % len(self.urls)], turn))

    def send(self, http: httpx.Client, url: str, turn: int) -> Asked:
        began = time.monotonic()
        answer = http.post(f"{url}/outputs", json=output(f"load{turn}", input="whatever"))
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return Asked(began, time.monotonic(), "sent", told["mode"], told["release"]["content"])

    def use(self, http: httpx.Client, url: str, turn: int) -> Asked:
        item_id = self.usable[turn // 4]
        began = time.monotonic()
        answer = http.post(f"{url}/items/{item_id}/release/consume", json={"sha256": content_digest(USUAL)})
        assert answer.status_code == 200, answer.text
        return Asked(began, time.monotonic(), "used", None, answer.json()["content"])

    def wait_for(self, n: int) -> None:
        """Return when so many more were answered."""
        n += len(self.asked)
        deadline = time.monotonic() + 60
        while len(self.asked) < n and time.monotonic() < deadline:
            time.sleep(0.01)


def stop(world: World, url: str) -> tuple[float, float]:
    """Stop the system; gives when that was asked and when it was acknowledged."""
    began = time.monotonic()
    answer = httpx.put(
        f"{url}/systems/helper/mode", json={"mode": "stopped", "reason": "It invents dates."},
        headers={"authorization": f"Bearer {world.tokens['odo']}"}, timeout=60,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return began, time.monotonic()


def told(asked: Iterable[Asked]) -> set[tuple[str, str | None, Any]]:
    return {(one.what, one.mode, one.content) for one in asked}


def test_from_the_commit_of_a_stop_on_no_answer_says_normal(world: World) -> None:
    world.now = datetime.now(UTC)
    gated(world)
    taken = world.submit(*(output(f"before{n}", input="whatever") for n in range(5_000)))
    database_url = world.store.engine.url.render_as_string(hide_password=False)
    with api_processes(database_url, 2) as urls, ThreadPoolExecutor(N_HANDS) as pool:
        producers = Producers(world, [f"{url}/api/v1" for url in urls], [str(one.item_id) for one in taken])
        start = time.monotonic()
        hands = [pool.submit(producers.run, start) for _ in range(N_HANDS)]
        try:
            producers.wait_for(N_BEFORE)
            began, acknowledged = stop(world, f"{urls[0]}/api/v1")
            producers.wait_for(N_AFTER)
        finally:
            producers.end.set()
        for hand in hands:
            hand.result(60)
    before = told(one for one in producers.asked if one.ended < began)
    after = [one for one in producers.asked if one.began > acknowledged]
    assert before == {("sent", "normal", USUAL), ("used", None, USUAL)}
    assert told(after) == {("sent", "stopped", FALLBACK), ("used", None, FALLBACK)}
    print(f"{len(producers.asked)} in {time.monotonic() - start:.1f} s, {len(after)} of them after the stop, "
          f"which took {acknowledged - began:.3f} s")  # fmt: skip

"""The real program, started on loopback over a database of its own."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from review.commands import keys, people, policies, systems
from review.domain import passwords
from review.domain.actors import HOLDPOINT, Role
from review.store import migrate
from review.store.engine import Store

ROOT = Path(__file__).parent.parent
POLICY = """\
queue: default
rules:
  - name: action on money
    when: "kind == 'action' && flags.exists(f, f.severity >= 4)"
    route: block
    reasons: [high_risk_action]
  - {name: low confidence, when: "confidence == null || confidence < 0.35", route: review, reasons: [low_confidence]}
audit_sample: {probability: 0.05}
due: PT4H
"""
HOLD_ALL = 'queue: default\nrules: [{name: all, when: "true", route: review}]\n'


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """A running program, its keys and its reviewers' sign-ins."""

    folder: Path
    store: Store
    port: int
    system_key: str = ""
    person_keys: list[str] = field(default_factory=list)
    usernames: list[str] = field(default_factory=list)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


def prepared(folder: Path, n_people: int, policy: str) -> Program:
    """A database with a system, its policy, and reviewers; the program is not started yet."""
    store = Store(f"sqlite:///{folder / 'holdpoint.db'}")
    migrate.upgrade(store.engine)
    program = Program(folder, store, free_port())
    now, password_hash = datetime.now(UTC), passwords.hashed(program.password)
    with store.write() as session:
        for n in range(max(2, n_people)):
            username = f"reviewer{n}"
            people.add(
                session, HOLDPOINT, username=username, name=f"Reviewer {n}", email=f"r{n}@example.com",
                role=Role.REVIEWER, password_hash=password_hash, now=now,
            )  # fmt: skip
            program.usernames.append(username)
            program.person_keys.append(keys.create_for_person(session, HOLDPOINT, username, now=now))
        systems.add(session, HOLDPOINT, slug="sys", owner="reviewer0", deputy="reviewer1", now=now)
        policies.activate(session, HOLDPOINT, "sys", policy, now=now)
        program.system_key = keys.create_for_system(session, HOLDPOINT, "sys", now=now)
    return program


@contextmanager
def running(n_people: int = 2, policy: str = POLICY) -> Iterator[Program]:
    """The program, answering; it is ended and its files removed at the end."""
    with tempfile.TemporaryDirectory() as name:
        program = prepared(Path(name), n_people, policy)
        with started(program):
            yield program
        program.store.close()


@contextmanager
def started(program: Program) -> Iterator[None]:
    """The prepared program as a process of its own."""
    environment = {
        **os.environ,
        "HOLDPOINT_DATABASE_URL": f"sqlite:///{program.folder / 'holdpoint.db'}",
        "HOLDPOINT_DATA_DIR": str(program.folder),
    }
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
        f"--server.port={program.port}", "--server.address=127.0.0.1",
    ]  # fmt: skip
    with (program.folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until_up(f"{program.url}/api/v1/healthz", process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the address answers; raises RuntimeError if the process ends or nothing answers in a minute."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the program did not start: nothing answers at {url}")

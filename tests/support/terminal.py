"""The command line for tests: commands run in this process against a database of their own."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from review import cli
from review.settings import settings
from tests.support.world import World


@dataclass(frozen=True)
class Ran:
    """How a command went."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """Runs commands."""

    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def run(self, *arguments: object, stdin: str = "") -> Ran:
        """Run a command to its end."""
        self.capture.readouterr()
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.run([str(argument) for argument in arguments])
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def done(self, *arguments: object, stdin: str = "") -> str:
        """Run a command that must succeed; gives what it printed, without the line's end."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.code == 0, ran.err
        return ran.out.removesuffix("\n")

    def refused(self, *arguments: object, stdin: str = "") -> str:
        """Run a command that must be refused, in one line and with nothing printed; gives that line."""
        ran = self.run(*arguments, stdin=stdin)
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1), ran
        return ran.err

    def file(self, name: str, content: str | bytes) -> Path:
        """A file with this content."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose settings name a database that does not exist yet."""
    monkeypatch.setenv("HOLDPOINT_DATABASE_URL", f"sqlite:///{tmp_path}/fresh.db")
    monkeypatch.setenv("HOLDPOINT_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield Terminal(capsys, monkeypatch, tmp_path)
    settings.cache_clear()
    structlog.reset_defaults()


@pytest.fixture
def at_world(terminal: Terminal, world: World) -> Terminal:
    """A terminal at the world's database, once on each engine."""
    url = world.store.engine.url.render_as_string(hide_password=False)
    terminal.monkeypatch.setenv("HOLDPOINT_DATABASE_URL", url)
    settings.cache_clear()
    return terminal

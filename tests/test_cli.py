import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import pandas as pd
import pytest
from sqlalchemy import select
from sqlmodel import col

import review
from review.cli import running
from review.commands import people
from review.demo import play
from review.demo.scenario import scenario
from review.domain import passwords
from review.domain.actors import ActorKind, Role
from review.queries import keys as key_queries
from review.settings import settings
from review.store.engine import Store
from review.store.secrets import AuditKey
from review.store.tables import AuditEvent, Policy
from tests.support.databases import opened
from tests.support.tampering import Tampering
from tests.support.terminal import Terminal, at_world, terminal
from tests.support.world import POLICY, World, output

__all__ = ["at_world", "terminal"]


def events(store: Store, action: str) -> list[AuditEvent]:
    with store.read() as session:
        return list(session.execute(select(AuditEvent).where(col(AuditEvent.action) == action)).scalars())


def sign_in(store: Store, username: str, password: str) -> bool:
    now = datetime.now(UTC)
    with store.write() as session:
        _, password_hash = people.attempt_sign_in(session, username, "here", now=now)
    return passwords.matches(password, password_hash)


def test_what_is_not_understood_is_exit_code_2_in_one_line(terminal: Terminal) -> None:
    for arguments in ([], ["nonsense"], ["user", "add", "ann"], ["export", "corrections", "--system", "x"],
                      ["user", "add", "a", "--role", "king", "--email", "a@example.com"], ["serve", "--port", "0"],
                      ["policy", "activate", "x", "no-such-file.yaml"], ["key", "create"]):  # fmt: skip
        ran = terminal.run(*arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), arguments
        assert ran.err.startswith("Error: ")


def test_help_is_no_error(terminal: Terminal) -> None:
    for arguments in (["--help"], ["user", "--help"], ["import", "--help"]):
        assert "Usage: " in terminal.done(*arguments)


def test_a_database_that_is_not_migrated_says_how(terminal: Terminal) -> None:
    assert "python -m review migrate" in terminal.refused("audit", "verify")
    terminal.done("migrate")
    terminal.done("migrate")
    terminal.done("audit", "verify")


def test_a_database_that_does_not_answer_is_told_in_one_line(terminal: Terminal) -> None:
    terminal.monkeypatch.setenv("HOLDPOINT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    assert "HOLDPOINT_DATABASE_URL" in terminal.refused("migrate")
    assert "does not answer" in terminal.refused("audit", "verify")


def test_people_are_added_with_a_password_made_or_given(at_world: Terminal, world: World) -> None:
    made = at_world.done("user", "add", "zoe", "--role", "lead", "--email", "zoe@example.com", "--full-name", "Zoe Z")
    assert sign_in(world.store, "zoe", made)
    given = at_world.run(
        "user", "add", "yan", "--role", "admin", "--email", "yan@example.com", "--password-stdin", "--json",
        stdin="correct horse battery\n",
    )  # fmt: skip
    assert given.json["role"] == "admin"
    assert "password" not in given.json
    assert sign_in(world.store, "yan", "correct horse battery")
    assert [event.actor_name for event in events(world.store, "person.added")][-2:] == ["command line"] * 2


def test_people_who_cannot_be_added_are_refused(at_world: Terminal) -> None:
    add = ["user", "add", "zoe", "--role", "lead", "--email"]
    assert at_world.refused(*add, "ann@example.com").startswith("Error: email: ")
    assert at_world.refused(*add, "no address").startswith("Error: email: ")
    assert at_world.refused(*add, "z@example.com", "--password-stdin", stdin="short\n").startswith("Error: password: ")


def test_a_new_password_counts_and_the_old_does_not(at_world: Terminal, world: World) -> None:
    first = at_world.done("user", "password", "ann")
    assert sign_in(world.store, "ann", first)
    assert at_world.done("user", "password", "ann", "--password-stdin", stdin="another one 123\n") == ""
    assert sign_in(world.store, "ann", "another one 123")
    assert not sign_in(world.store, "ann", first)
    assert "nobody named" in at_world.refused("user", "password", "nobody")


def test_systems_keys_and_policies(at_world: Terminal, world: World) -> None:
    added = at_world.run("system", "add", "bot", "--owner", "odo", "--deputy", "dee", "--name", "Bot", "--json")
    assert added.json["slug"] == "bot"
    assert at_world.refused("system", "add", "other", "--owner", "odo", "--deputy", "odo").startswith("Error: deputy: ")
    key, of_person = at_world.done("key", "create", "--system", "bot"), at_world.done("key", "create", "--user", "ann")
    with world.store.read() as session:
        assert key_queries.actor_of(session, key).name == "bot"
        actor = key_queries.actor_of(session, of_person)
        assert (actor.kind, actor.role) == (ActorKind.PERSON, Role.REVIEWER)
    policy = at_world.file("policy.yaml", POLICY)
    assert at_world.run("policy", "activate", "bot", policy, "--json").json["version"] == 2
    wrong = at_world.file("wrong.yaml", POLICY.replace("confidence == null", "confidenze == null"))
    assert "rules[low confidence].when" in at_world.refused("policy", "activate", "bot", wrong)
    late = at_world.file("late.yaml", POLICY.replace("PT4H", "4 hours"))
    assert at_world.refused("policy", "activate", "bot", late).startswith("Error: due is a duration such as PT4H")
    assert "UTF-8" in at_world.refused("policy", "activate", "bot", at_world.file("latin", b"queue: caf\xe9"))
    with world.store.read() as session:
        assert session.execute(select(col(Policy.activated_by)).order_by(col(Policy.id).desc())).scalars().first() == (
            "command line"
        )


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_corrections_are_exported_whole_or_not_at_all(at_world: Terminal, world: World, form: str) -> None:
    world.submit(output("one"))
    task = world.claim()
    assert task is not None
    world.decide(task, verdict="reject", labels=["unsafe"])
    out = at_world.folder / f"out.{form}"
    told = at_world.run("export", "corrections", "--system", "helper", "-o", out, "--format", form, "--json")
    frame = pd.read_json(out, lines=True) if form == "jsonl" else pd.read_csv(out)
    assert list(frame["external_id"]) == ["one"]
    (event,) = events(world.store, "corrections.exported")
    assert json.loads(event.body)["sha256"] == told.json["sha256"]
    assert event.actor_name == "command line"
    before = out.read_bytes()
    assert "no system" in at_world.refused("export", "corrections", "--system", "nobody", "-o", out)
    assert out.read_bytes() == before
    assert not list(at_world.folder.glob(".*.part"))
    assert at_world.done("export", "corrections", "--system", "helper", "-o", out, "--since", "2026-03-03").startswith(
        "0 "
    )
    assert "No such file" in at_world.refused("export", "corrections", "--system", "helper", "-o", "/no/such/folder/x")


def test_the_audit_trail_is_verified_and_what_is_wrong_is_named(at_world: Terminal, world: World) -> None:
    key = AuditKey(settings().data_dir)
    assert running.delivery.seal_all(world.store, key, world.now) > 0
    whole = at_world.run("audit", "verify", "--json")
    assert (whole.code, whole.json["ok"], whole.json["problem"]) == (0, True, None)
    assert "sealed events" in at_world.done("audit", "verify")
    Tampering(world.store).change("audit_event", "seq = 4", actor_name="Somebody else")
    wrong = at_world.run("audit", "verify", "--json")
    assert (wrong.code, wrong.json["ok"], wrong.json["problem"]["seq"]) == (1, False, 4)
    assert "at position 4 was changed" in at_world.run("audit", "verify").err


def test_the_demo_is_loaded_once(terminal: Terminal) -> None:
    terminal.monkeypatch.setattr(play, "scenario", lambda *which: scenario(*which)[-30:])  # its last day is enough here
    quick = bcrypt.gensalt(rounds=4)
    terminal.monkeypatch.setattr(bcrypt, "gensalt", lambda rounds: quick)
    loaded = terminal.run("demo", "--port", "9000", "--json").json
    assert loaded["address"] == "http://127.0.0.1:9000"
    with opened(settings().database_url) as store:
        assert all(sign_in(store, one["username"], one["password"]) for one in loaded["sign_ins"])
        assert terminal.run("audit", "verify", "--json").json["n_unsealed"] == 0
    again = terminal.done("demo")
    assert "--new-passwords" in again
    fresh = terminal.done("demo", "--new-passwords")
    assert all(one["username"] in fresh for one in loaded["sign_ins"])
    assert not any(one["password"] in fresh for one in loaded["sign_ins"])


def test_the_demo_leaves_another_database_alone(at_world: Terminal, world: World) -> None:
    assert "not loaded" in at_world.done("demo")
    assert "not in this database" in at_world.refused("demo", "--new-passwords")
    assert not events(world.store, "person.password_changed")


def test_serving_starts_streamlit_from_the_checkout(terminal: Terminal) -> None:
    started: list[list[str]] = []
    terminal.monkeypatch.setattr(os, "execv", lambda _program, arguments: started.append(arguments))
    terminal.monkeypatch.setattr(os, "chdir", lambda folder: started.append([str(folder)]))
    terminal.monkeypatch.setenv("HOLDPOINT_DATABASE_URL", "sqlite:///here/holdpoint.db")
    terminal.monkeypatch.setenv("HOLDPOINT_DATA_DIR", "here")
    settings.cache_clear()
    terminal.done("serve", "--port", "9001")
    folder, arguments = started
    assert Path(folder[0], "app.py").is_file()
    assert arguments[1:5] == ["-m", "streamlit", "run", "app.py"]
    assert " ".join(arguments[5:]) == ("--server.headless true --server.address 127.0.0.1 --server.port 9001")
    assert os.environ["HOLDPOINT_DATABASE_URL"] == f"sqlite:///{Path.cwd()}/here/holdpoint.db"
    assert os.environ["HOLDPOINT_DATA_DIR"] == str(Path.cwd() / "here")


def test_serving_without_a_checkout_says_so(terminal: Terminal) -> None:
    terminal.monkeypatch.setattr(review, "__file__", str(terminal.folder / "review" / "__init__.py"))
    assert "app.py" in terminal.refused("serve")


def test_the_worker_seals_until_it_is_told_to_stop(world: World, database_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HOLDPOINT_DATABASE_URL": database_url,
        "HOLDPOINT_DATA_DIR": str(tmp_path / "data"),
        "HOLDPOINT_TICK_SECONDS": "0.05",
    }
    worker = subprocess.Popen([sys.executable, "-m", "review", "worker"], env=environment)
    try:
        deadline = time.monotonic() + 30
        while n_unsealed(world.store) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert n_unsealed(world.store) == 0
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    finally:
        worker.kill()


def n_unsealed(store: Store) -> int:
    with store.read() as session:
        return len(session.execute(select(col(AuditEvent.id)).where(col(AuditEvent.seq).is_(None))).all())

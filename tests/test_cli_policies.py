"""`policy …` and `system critical` from the command line."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from review.commands import systems
from tests.support.terminal import Terminal, at_world, terminal
from tests.support.world import POLICY, World, output

__all__ = ["at_world", "terminal"]

STRICTER = POLICY.replace("confidence < 0.35", "confidence < 0.7")


def test_a_policy_is_checked_without_a_database(terminal: Terminal) -> None:
    assert "can be put in force" in terminal.done("policy", "check", terminal.file("good.yaml", POLICY))
    wrong = terminal.file("wrong.yaml", "queue: q\ncolour: red\nrules:\n- {name: a, when: 'x', route: pass}\n")
    ran = terminal.run("policy", "check", wrong)
    assert (ran.code, ran.out) == (1, "")
    first, second = ran.err.splitlines()
    assert first.startswith(f"Error: {wrong}:2: colour is not a known field")
    assert second.startswith(f"Error: {wrong}:4: rules[a].when")


def test_what_a_policy_names_that_is_not_there_is_remarked_on(at_world: Terminal) -> None:
    rule = "{name: vip, when: 'metadata.tier > 1', route: review, queue: vips, skills: ['domain:vip']}"
    file = at_world.file("policy.yaml", f"queue: default\nrules:\n  - {rule}\n")
    assert "has(metadata.tier)" in at_world.run("policy", "check", file).err
    told = at_world.run("policy", "activate", "helper", file)
    assert told.code == 0
    assert [mark in told.err for mark in ("has(metadata.tier)", "no queue “vips”", "the skill “domain:vip”")] == [
        True
    ] * 3


def test_two_people_put_a_critical_systems_policy_in_force(at_world: Terminal, world: World) -> None:
    assert "a second person" in at_world.done("system", "critical", "helper")
    file = at_world.file("policy.yaml", STRICTER)
    assert "is critical" in at_world.refused("policy", "activate", "helper", file)
    at_world.monkeypatch.setenv("HOLDPOINT_KEY", world.tokens["odo"])
    draft = at_world.run("policy", "draft", "helper", file, "--json").json
    named = ("--sha256", draft["sha256"])
    assert "second person" in at_world.refused("policy", "activate", "helper", "--draft", draft["draft_id"], *named)
    assert "their own draft" in at_world.refused("policy", "approve", draft["draft_id"], *named)
    at_world.done("policy", "approve", draft["draft_id"], *named, "--key", world.tokens["dee"])
    made = at_world.done("policy", "activate", "helper", "--draft", draft["draft_id"], *named)
    assert made == "helper follows version 3 of its policy now."
    listed = at_world.done("policy", "list", "helper").splitlines()
    assert listed[0].startswith("version 3")
    assert "written by Odo, approved by Dee  in force" in listed[0]
    at_world.done("system", "critical", "helper", "--off")
    at_world.monkeypatch.delenv("HOLDPOINT_KEY")
    assert at_world.run("policy", "activate", "helper", file, "--json").json["version"] == 4


def test_a_person_is_named_where_one_is_needed(at_world: Terminal) -> None:
    ran = at_world.run("policy", "draft", "helper", at_world.file("policy.yaml", STRICTER))
    assert (ran.code, ran.out) == (2, "")
    assert "HOLDPOINT_KEY" in ran.err


def test_a_version_is_compared_and_rolled_back_to(at_world: Terminal, world: World) -> None:
    file = at_world.file("policy.yaml", STRICTER)
    differs = at_world.run("policy", "diff", "helper", file)
    assert '+  - {name: low confidence, when: "confidence == null || confidence < 0.7"' in differs.out
    assert "SHA-256" in differs.err
    at_world.done("policy", "activate", "helper", file)
    assert at_world.done("policy", "diff", "helper", file) == "It says the same as the version in force."
    assert "-  - {name: low confidence" in at_world.done("policy", "diff", "helper", "--version", "2")
    assert "version 2 again" in at_world.done("policy", "rollback", "helper", "2")
    listed = at_world.run("policy", "list", "helper", "--json").json
    assert (listed["active_version"], listed["versions"][0]["restores"]) == (4, 2)
    assert "in force already" in at_world.refused("policy", "rollback", "helper", "4")
    with world.store.write() as session:
        systems.set_critical(session, world.actors["adm"], "helper", critical=True, now=world.now)
    back = at_world.run("policy", "rollback", "helper", "3", "--key", world.tokens["odo"], "--json").json
    assert "-  - {name: low confidence" in at_world.done("policy", "diff", "helper", "--draft", back["draft_id"])


def test_a_dry_run_is_told_to_people_and_to_programs(at_world: Terminal, world: World) -> None:
    world.submit(*(output(f"x{i}", confidence=i / 10) for i in range(10)))
    file = at_world.file("policy.yaml", STRICTER)
    told = at_world.done("policy", "dry-run", "helper", file)
    assert "10 outputs" in told
    assert "passed → held" in told
    assert "x6: passed → held by low confidence" in told
    found = at_world.run("policy", "dry-run", "helper", file, "--last", "5", "--json").json
    assert (found["outputs"], found["draft"]["outcomes"]["held"], found["active"]["outcomes"]["held"]) == (5, 2, 0)
    assert "not YAML" in at_world.refused("policy", "dry-run", "helper", at_world.file("bad.yaml", "a: ["))


def test_a_dry_run_shows_its_progress_on_a_terminal(sqlite_store: object, tmp_path: Path) -> None:
    world = World(sqlite_store)  # type: ignore[arg-type]
    world.submit(*(output(f"x{i}", confidence=i / 10) for i in range(10)))
    (tmp_path / "policy.yaml").write_text(STRICTER)
    environment = {
        **os.environ, "HOLDPOINT_DATABASE_URL": str(world.store.engine.url), "HOLDPOINT_DATA_DIR": str(tmp_path),
        "TERM": "xterm", "COLUMNS": "100",
    }  # fmt: skip
    command = [sys.executable, "-m", "review", "policy", "dry-run", "helper", str(tmp_path / "policy.yaml")]
    reader, writer = pty.openpty()
    ran = subprocess.run(command, env=environment, stderr=writer, stdout=subprocess.PIPE, timeout=120, check=True)
    os.close(writer)
    shown = b""
    try:
        while more := os.read(reader, 4096):
            shown += more
    except OSError:
        pass
    os.close(reader)
    assert b"10/10" in shown
    assert b"outputs" in ran.stdout

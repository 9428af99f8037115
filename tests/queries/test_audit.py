import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from review.commands import decisions, people
from review.delivery import worker
from review.domain.actors import HOLDPOINT, Role
from review.domain.content import sha256
from review.domain.decisions import EscalationReason
from review.queries import audit
from review.queries.audit import Kind, Verification
from review.store.engine import Store
from review.store.secrets import AuditKey
from tests.support.databases import opened, sqlite_url
from tests.support.tampering import Tampering
from tests.support.world import World, output


@pytest.fixture
def key(tmp_path: Path) -> AuditKey:
    return AuditKey(tmp_path)


def seal(world: World, key: AuditKey) -> None:
    worker.tick(world.store, key, world.later(seconds=1))


def tell_a_story(world: World, key: AuditKey) -> None:
    """People who come and go, intake, decisions, one of them undone, and one handed up: sealed in four pieces."""
    with world.store.write() as session:
        for active in (False, True):
            people.set_active(session, HOLDPOINT, world.actors["dee"].person_id, active=active, now=world.now)
        people.set_role(session, HOLDPOINT, world.actors["bob"].person_id, Role.LEAD, now=world.now)
        people.set_active(session, HOLDPOINT, world.actors["aud"].person_id, active=False, now=world.now)
    seal(world, key)
    world.submit(*(output(f"b{n}") for n in range(5)))
    world.submit(output("single"), output("passed", confidence=0.9))
    seal(world, key)
    for verdict in ("approve", "reject", "correct"):
        task = world.claim()
        assert task is not None
        correction = "The capital of France is Paris." if verdict == "correct" else None
        decision = world.decide(task, verdict=verdict, correction=correction, labels=["style"], note="why")
    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], decision.id, now=world.later(seconds=2))
    task = world.claim("lea")
    assert task is not None
    with world.store.write() as session:
        reason = EscalationReason.HIGH_RISK
        decisions.escalate(session, world.actors["lea"], task.id, world.lease(task), reason, "look", now=world.now)
    seal(world, key)
    world.claim("bob")
    world.submit(output("last"))
    seal(world, key)


@pytest.fixture
def tampering(world: World, key: AuditKey) -> Tampering:
    """A hand on the database of a world that has a story."""
    tell_a_story(world, key)
    return Tampering(world.store)


def found(store: Store, key: AuditKey) -> tuple[Kind, str, int | None]:
    problem = audit.verify(store, key).problem
    assert problem is not None
    assert str(problem)
    return problem.kind, problem.what, problem.seq


def test_what_nobody_touched_verifies(world: World, key: AuditKey, tampering: Tampering) -> None:
    world.submit(output("not sealed yet"))
    verification = audit.verify(world.store, key)
    assert verification == Verification(
        seq=tampering.last, head=tampering.value("audit_event", "chain", f"seq = {tampering.last}"),
        n_unsealed=1, n_checkpoints=4, n_decisions=3, n_items=9, problem=None,
    )  # fmt: skip
    assert verification.as_dict()["ok"] is True


def test_an_empty_database_verifies(store: Store, key: AuditKey) -> None:
    assert audit.verify(store, key) == Verification(0, "0" * 64, 0, 0, 0, 0, None)


EVENT_CHANGES: dict[str, Callable[[Tampering, int], None]] = {
    "body": lambda t, seq: t.change("audit_event", f"seq = {seq}", body='{"n":1}'),
    "actor": lambda t, seq: t.change("audit_event", f"seq = {seq}", actor_name="Somebody else"),
    "action": lambda t, seq: t.change("audit_event", f"seq = {seq}", action="task.skipped"),
    "time": lambda t, seq: t.run(f"UPDATE audit_event SET at = (SELECT max(at) FROM audit_event) WHERE seq = {seq}"),
    "digest": lambda t, seq: t.change("audit_event", f"seq = {seq}", digest="0" * 64),
    "chain": lambda t, seq: t.change("audit_event", f"seq = {seq}", chain="0" * 64),
    "body and digest": lambda t, seq: t.change_with_digest(seq, body='{"n":1}'),
    "whole content for another's": lambda t, seq: t.swap(seq, seq + 3, "seq"),
    "place in the chain for another's": lambda t, seq: t.swap(seq, seq + 1, "seq", "chain"),
}


@pytest.mark.parametrize("name", EVENT_CHANGES)
def test_a_changed_event_is_named(world: World, key: AuditKey, tampering: Tampering, name: str) -> None:
    seq = tampering.last - 8
    EVENT_CHANGES[name](tampering, seq)
    assert found(world.store, key) == (Kind.CHANGED, "event", seq)


def test_its_id_is_named_too(world: World, key: AuditKey, tampering: Tampering) -> None:
    tampering.change("audit_event", "seq = 3", actor_name="Somebody else")
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert problem.id == tampering.id_of(3)
    assert str(problem) == (f"event {tampering.id_of(3)} at position 3 was changed: its fields do not give its digest")


@pytest.mark.parametrize("renumbered", [False, True])
def test_a_removed_event_is_named(world: World, key: AuditKey, tampering: Tampering, renumbered: bool) -> None:
    seq = tampering.last - 5
    tampering.remove_event(seq, renumber=renumbered)
    assert found(world.store, key) == (Kind.REMOVED, "event", seq)


def test_events_cut_off_the_end_are_missed_by_the_last_checkpoint(
    world: World, key: AuditKey, tampering: Tampering
) -> None:
    last = tampering.last
    tampering.run(f"DELETE FROM audit_event WHERE seq > {last - 2}")
    assert found(world.store, key) == (Kind.REMOVED, "event", last - 1)


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("before_the_last", [0, 6])
def test_an_event_put_in_is_named(
    world: World, key: AuditKey, tampering: Tampering, linked: bool, before_the_last: int
) -> None:
    seq = tampering.last - before_the_last
    tampering.put_in(seq, linked=linked)
    assert found(world.store, key) == (Kind.INSERTED, "event", seq)
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert problem.id == tampering.id_of(seq)


def test_an_event_put_on_the_end_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    tampering.put_in(tampering.last + 1, linked=True)
    assert found(world.store, key) == (Kind.INSERTED, "event", tampering.last)


def test_a_chain_that_was_computed_anew_does_not_lead_to_the_signed_head(
    world: World, key: AuditKey, tampering: Tampering
) -> None:
    signed = tampering.checkpoints()
    tampering.rewrite_from(signed[1] + 2, actor_name="Somebody else")
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.seq) == (Kind.CHANGED, "event", signed[1] + 1)
    assert f"from {signed[1] + 1} to {signed[2]}" in problem.detail


@pytest.mark.parametrize("change", [{"head": "0" * 64}, {"signature": "00" * 64}, {"signature": "?"}])
def test_a_changed_checkpoint_is_named(
    world: World, key: AuditKey, tampering: Tampering, change: dict[str, str]
) -> None:
    seq = tampering.checkpoints()[2]
    tampering.change("audit_checkpoint", f"seq = {seq}", **change)
    assert found(world.store, key) == (Kind.CHANGED, "checkpoint", seq)


def test_a_checkpoint_moved_or_signed_by_another_key_is_named(
    world: World, tmp_path: Path, key: AuditKey, tampering: Tampering
) -> None:
    other = AuditKey(tmp_path / "other")
    assert found(world.store, other) == (Kind.CHANGED, "checkpoint", tampering.checkpoints()[0])
    tampering.run(f"UPDATE audit_checkpoint SET seq = {tampering.last + 7} WHERE seq = {tampering.last}")
    assert found(world.store, key) == (Kind.CHANGED, "checkpoint", tampering.last + 7)


def test_without_its_last_checkpoint_the_end_is_not_believed(world: World, key: AuditKey, tampering: Tampering) -> None:
    before, last = tampering.checkpoints()[-2:]
    tampering.run(f"DELETE FROM audit_checkpoint WHERE seq = {last}")
    assert found(world.store, key) == (Kind.INSERTED, "event", before + 1)


DECISION_CHANGES: dict[str, dict[str, Any]] = {
    "verdict": {"verdict": "reject"},
    "labels": {"labels": '["unsafe"]'},
    "spans": {"spans": "not json"},
    "note": {"note": "another note"},
    "version": {"item_version": 9},
}


@pytest.mark.parametrize("name", DECISION_CHANGES)
def test_a_changed_decision_is_named(world: World, key: AuditKey, tampering: Tampering, name: str) -> None:
    seq, decision_id = tampering.decision(0)
    tampering.change("decision", f"id = {tampering.literal(decision_id)}", **DECISION_CHANGES[name])
    assert found(world.store, key) == (Kind.CHANGED, "decision", seq)


def test_a_deleted_decision_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    seq, decision_id = tampering.decision(1)
    tampering.run(f"DELETE FROM decision WHERE id = {tampering.literal(decision_id)}")
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id, problem.seq) == (Kind.REMOVED, "decision", decision_id, seq)


def test_a_decision_that_nobody_made_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    forged = tampering.forge_decision()
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id, problem.seq) == (Kind.INSERTED, "decision", forged, None)


def test_an_undo_that_was_hidden_or_made_up_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    _, made_up = tampering.decision(0)
    tampering.run(f"UPDATE decision SET superseded_at = decided_at WHERE id = {tampering.literal(made_up)}")
    assert found(world.store, key) == (Kind.CHANGED, "decision", None)
    tampering.run("UPDATE decision SET superseded_at = NULL")
    assert found(world.store, key) == (Kind.CHANGED, "decision", tampering.decision(0, "decision.undone")[0])


def test_a_changed_content_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    item_id = tampering.item("b3")
    tampering.change("item_payload", f"item_id = {tampering.literal(item_id)}", content='{"output":"nothing"}')
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id) == (Kind.CHANGED, "item", item_id)
    assert problem.seq == tampering.intake(0)


def test_a_content_changed_with_its_digest_is_found_by_its_intake(
    world: World, key: AuditKey, tampering: Tampering
) -> None:
    tampering.change_content("b3", '{"output":"nothing"}')
    assert found(world.store, key) == (Kind.CHANGED, "item", tampering.intake(0))
    assert "5 items" in str(audit.verify(world.store, key).problem)


def test_a_content_changed_with_its_digest_is_named_where_it_came_alone(
    world: World, key: AuditKey, tampering: Tampering
) -> None:
    tampering.change_content("last", '{"output":"nothing"}')
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.id, problem.seq) == (Kind.CHANGED, tampering.item("last"), tampering.intake(2))


@pytest.mark.parametrize(("external_id", "intake"), [("b2", 0), ("last", 2)])
def test_a_removed_item_is_named_by_its_intake(
    world: World, key: AuditKey, tampering: Tampering, external_id: str, intake: int
) -> None:
    tampering.remove_item(external_id)
    assert found(world.store, key) == (Kind.REMOVED, "item", tampering.intake(intake))


def test_a_removed_content_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    tampering.run(f"DELETE FROM item_payload WHERE item_id = {tampering.literal(tampering.item('b0'))}")
    assert found(world.store, key) == (Kind.REMOVED, "item", tampering.intake(0))


@pytest.mark.parametrize(("like", "seq_of"), [("b1", 0), ("last", 2)])
def test_an_item_put_in_is_found(world: World, key: AuditKey, tampering: Tampering, like: str, seq_of: int) -> None:
    tampering.forge_item(like)
    assert found(world.store, key) == (Kind.INSERTED, "item", tampering.intake(seq_of))


def test_an_item_without_an_intake_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    forged = tampering.forge_item("b1", intake_event_id=tampering.id_of(1))
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id) == (Kind.INSERTED, "item", forged)


def test_an_event_not_sealed_yet_is_checked_by_its_own_digest(
    world: World, key: AuditKey, tampering: Tampering
) -> None:
    world.submit(output("fresh"))
    tampering.change("audit_event", "seq IS NULL", actor_name="Somebody else")
    assert found(world.store, key) == (Kind.CHANGED, "event", None)


def test_the_first_of_several_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    decided, decision_id = tampering.decision(0)
    tampering.change("audit_event", f"seq = {tampering.last}", actor_name="Somebody else")
    tampering.change("decision", f"id = {tampering.literal(decision_id)}", note="another")
    assert found(world.store, key) == (Kind.CHANGED, "decision", decided)
    tampering.change_content("b0", "{}")
    assert found(world.store, key) == (Kind.CHANGED, "item", tampering.intake(0))


def test_chunks_hide_nothing(
    world: World, key: AuditKey, tampering: Tampering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.queries.audit.rows.CHUNK", 2)
    assert audit.verify(world.store, key).ok
    tampering.forge_decision()
    assert found(world.store, key) == (Kind.INSERTED, "decision", None)


def test_what_is_written_meanwhile_does_not_disturb(world: World, key: AuditKey, tampering: Tampering) -> None:
    with world.store.snapshot() as session:
        session.execute(text("SELECT count(*) FROM item"))
        world.submit(output("meanwhile"))
        assert session.execute(text("SELECT count(*) FROM item")).scalar() == 8
    assert audit.verify(world.store, key).n_items == 9


COLUMNS = {
    "audit_event": ["id", "at", "actor_kind", "actor_id", "actor_name", "action", "subject_kind", "subject_id",
                    "body", "digest", "seq", "chain"],
    "audit_checkpoint": ["seq", "head", "at", "signature"],
    "decision": ["id", "item_id", "task_id", "item_version", "verdict", "correction", "difference", "labels",
                 "spans", "note", "decided_by_kind", "decided_by_id", "claimed_at", "decided_at", "superseded_at"],
    "item": ["id", "content_digest", "intake_event_id", "status", "release_state", "release_digest", "decision_id"],
    "escalation": ["id", "item_id", "from_task_id", "to_task_id", "reason", "note", "by_id", "at"],
    "policy": ["id", "system_id", "version", "document", "digest", "activated_at", "activated_by"],
    "person": ["id", "username", "role", "active"],
    "item_payload": ["item_id", "content"],
}  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.integers(-3, 60),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5),
    st.sampled_from(["2026-03-02 09:00:00.000000", "0" * 64, "00" * 16]),
    st.sampled_from(["{}", "[]", '{"n": 1, "digest": ""}', "item.decided"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def sealed_story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AuditKey]:
    """One SQLite file with a sealed story, to be copied and tampered with."""
    folder = tmp_path_factory.mktemp("story")
    with opened(sqlite_url(folder)) as store:
        key = AuditKey(folder)
        tell_a_story(World(store), key)
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "holdpoint.db", key


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tampering_is_found(sealed_story: tuple[Path, AuditKey], data: st.DataObject) -> None:
    path, key = sealed_story
    with Tampering.of_a_copy(path) as tampering:
        table = data.draw(st.sampled_from(sorted(COLUMNS)))
        rowid = data.draw(st.sampled_from(tampering.rowids(table)))
        if data.draw(st.booleans()):
            column = data.draw(st.sampled_from(COLUMNS[table]))
            touched = tampering.set_raw(table, rowid, column, data.draw(VALUES))
        else:
            touched = tampering.delete_raw(table, rowid)
        verification = audit.verify(tampering.store, key)
        assert verification.ok is not touched
        json.dumps(verification.as_dict(), default=str)


STANDINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "a rejected one released": ("release_state = 'withheld'", {"release_state": "released"}),
    "an approved one with another digest": (
        "status = 'decided' AND release_state = 'released'",
        {"release_digest": "0" * 64},
    ),
    "an approved one withheld": ("status = 'decided' AND release_state = 'released'", {"release_state": "withheld"}),
    "a waiting one released": ("external_id = 'last'", {"release_state": "released"}),
    "a waiting one decided": ("external_id = 'last'", {"status": "decided"}),
    "a waiting one passed": ("external_id = 'last'", {"status": "passed", "release_state": "released"}),
    "one that passed, withheld": ("external_id = 'passed'", {"release_state": "withheld"}),
    "one that passed, waiting": ("external_id = 'passed'", {"status": "waiting"}),
    "a decided one without its decision": ("status = 'decided'", {"decision_id": None}),
}


@pytest.mark.parametrize("name", STANDINGS)
def test_an_item_that_stands_where_nobody_put_it_is_named(
    world: World, key: AuditKey, tampering: Tampering, name: str
) -> None:
    where, values = STANDINGS[name]
    item_id = tampering.all(f"SELECT id FROM item WHERE {where} ORDER BY id LIMIT 1")[0][0]
    tampering.change("item", f"id = {tampering.literal(item_id)}", **values)
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id) == (Kind.CHANGED, "item", str(UUID(str(item_id))))
    assert "does not follow" in str(problem)


def test_an_item_with_the_decision_of_another_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    _, decision_id = tampering.decision(0)
    tampering.run(
        "UPDATE item SET status = 'decided', release_state = 'released', "
        f"decision_id = {tampering.literal(decision_id)} WHERE external_id = 'last'"
    )
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.what, problem.id) == ("item", tampering.item("last"))


ROWS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "another reason": ("escalation", "true", {"reason": "other"}),
    "another note": ("escalation", "true", {"note": "nothing to see"}),
    "another policy text": ("policy", "version = 1", {"document": "queue: default\nrules: []\n"}),
    "a policy that somebody else activated": ("policy", "version = 2", {"activated_by": "Ann"}),
    "a reviewer made admin": ("person", "username = 'ann'", {"role": "admin"}),
    "a lead made reviewer again": ("person", "username = 'bob'", {"role": "reviewer"}),
    "one who left let in": ("person", "username = 'aud'", {"active": True}),
    "one who came back kept out": ("person", "username = 'dee'", {"active": False}),
    "another username": ("person", "username = 'ann'", {"username": "eve"}),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_not_as_its_event_says_is_named(
    world: World, key: AuditKey, tampering: Tampering, name: str
) -> None:
    table, where, values = ROWS[name]
    tampering.change(table, where, **values)
    kind, what, seq = found(world.store, key)
    assert (kind, what) == (Kind.CHANGED, table)
    assert seq is not None


def test_a_policy_changed_with_its_digest_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    document = "queue: default\nrules: []\n"
    tampering.change("policy", "version = 2", document=document, digest=sha256(document.encode()))
    assert found(world.store, key)[:2] == (Kind.CHANGED, "policy")


@pytest.mark.parametrize("table", ["escalation", "policy", "person"])
def test_a_row_that_was_deleted_is_named(world: World, key: AuditKey, tampering: Tampering, table: str) -> None:
    tampering.run(f"DELETE FROM {table}")
    kind, what, seq = found(world.store, key)
    assert (kind, what) == (Kind.REMOVED, table)
    assert seq is not None


def test_a_person_nobody_added_is_named(world: World, key: AuditKey, tampering: Tampering) -> None:
    made = tampering.literal(uuid4())
    tampering.run(
        "INSERT INTO person (id, username, name, email, role, active, sessions_valid_from, created_at) "
        f"SELECT {made}, 'eve', 'Eve', 'eve@example.com', 'admin', active, sessions_valid_from, created_at "
        "FROM person WHERE username = 'ann'"
    )
    assert found(world.store, key) == (Kind.INSERTED, "person", None)


@pytest.mark.parametrize("table", ["escalation", "policy"])
def test_a_row_that_no_event_tells_of_is_named(world: World, key: AuditKey, tampering: Tampering, table: str) -> None:
    forged = tampering.forge_copy(table, **FORGED[table])
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert (problem.kind, problem.what, problem.id, problem.seq) == (Kind.INSERTED, table, forged, None)


FORGED: dict[str, dict[str, str]] = {
    "escalation": {"from_task_id": "to_task_id", "to_task_id": "from_task_id"},  # each may be there once
    "policy": {"version": "version + 7"},
}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("external_id", "somebody else's"),
        ("route", "pass"),
        ("rule", "another rule"),
        ("reasons", '["audit_sample"]'),
        ("policy_version", 1),
        ("inclusion_probability", 0.5),
    ],
)
def test_an_item_whose_routing_was_changed_is_named(
    world: World, key: AuditKey, tampering: Tampering, column: str, value: object
) -> None:
    item_id = tampering.value("item", "id", "external_id = 'last'")
    tampering.change("item", "external_id = 'last'", **{column: value})
    assert found(world.store, key)[:2] == (Kind.CHANGED, "item")
    problem = audit.verify(world.store, key).problem
    assert problem is not None
    assert str(problem.id).replace("-", "") == str(item_id).replace("-", "")

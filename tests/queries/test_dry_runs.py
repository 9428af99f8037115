"""Dry runs: what a policy would have made of outputs on record."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from review.commands import policies
from review.domain import content
from review.domain.actors import HOLDPOINT
from review.domain.dry_runs import MAX_LISTED, DryRun, Outcome
from review.domain.estimates import wilson
from review.domain.outputs import read_output
from review.domain.rulings import CompiledPolicy
from review.errors import Forbidden, Invalid, NotFound
from review.queries import dry_runs
from review.store.tables import AuditEvent, Item
from tests.support.world import POLICY, START, World, output

STRICTER = POLICY.replace("confidence < 0.35", "confidence < 0.7")
LAXER = 'queue: default\nrules: [{name: unsure, when: "confidence < 0.1", route: review}]\n'


def run(world: World, document: str, last: int = 1_000, who: str = "odo") -> DryRun:
    with world.store.snapshot() as session:
        return dry_runs.run(session, world.actors[who], "helper", document, last=last)


def filled(world: World, n: int = 20) -> None:
    """Outputs with confidences 0, 1/n, 2/n …; those under 0.35 are held."""
    world.submit(*(output(f"x{i:03}", confidence=i / n) for i in range(n)))


def test_what_would_have_passed_and_been_held_beside_what_did(world: World) -> None:
    filled(world)
    found = run(world, STRICTER)
    assert (found.n, found.version) == (20, 2)
    assert found.active.n_by_outcome == {Outcome.HELD: 7, Outcome.PASSED: 13}
    assert found.draft.n_by_outcome == {Outcome.HELD: 14, Outcome.PASSED: 6}
    assert found.draft.n_by_rule == {("low confidence", Outcome.HELD): 14, (None, Outcome.PASSED): 6}
    assert found.n_moved == {(Outcome.PASSED, Outcome.HELD): 7}
    assert [told.external_id for told in found.changed] == [f"x{i:03}" for i in range(13, 6, -1)]
    assert (found.active.n_tasks, found.draft.n_tasks) == (7, 14)


def test_the_version_in_force_changes_nothing(world: World) -> None:
    filled(world)
    found = run(world, POLICY)
    assert (found.n_changed, found.changed, found.active) == (0, [], found.draft)


def test_every_kind_of_outcome_is_told_apart(world: World) -> None:
    world.submit(output("pay", kind="action", flags=[{"code": "amount", "severity": 5}]), output("ask", confidence=0.9))
    found = run(world, 'queue: q\nrules: [{name: all, when: "true", route: review, hold: false}]')
    assert found.n_moved == {(Outcome.BLOCKED, Outcome.REVIEWED): 1, (Outcome.PASSED, Outcome.REVIEWED): 1}


def test_known_errors_that_would_have_passed_are_counted_with_an_interval(world: World) -> None:
    filled(world)
    for verdict in ("reject", "reject", "approve", "reject", "approve"):
        task = world.claim()
        assert task is not None
        world.decide(task, verdict=verdict)
    found = run(world, LAXER)
    slipped = found.draft.slipped()
    assert (slipped.n, slipped.value) == (3, pytest.approx(len(found.slipped) / 3))
    assert slipped == wilson(len(found.slipped), 3)
    assert found.active.slipped().value == 0
    assert {told.verdict for told in found.slipped} == {"reject"}


def test_an_error_that_was_taken_back_is_none(world: World) -> None:
    world.submit(output())
    task = world.claim()
    assert task is not None
    decision = world.decide(task, verdict="reject")
    from review.commands import decisions

    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], decision.id, now=world.now)
    assert run(world, LAXER).active.slipped().n == 0


def test_only_the_last_outputs_of_this_system_are_looked_at(world: World) -> None:
    filled(world, 10)
    world.later(days=2)
    world.submit(*(output(f"y{i}", confidence=0.5) for i in range(3)))
    found = run(world, STRICTER, last=5)
    assert [told.external_id for told in found.changed] == ["y2", "y1", "y0"]
    assert (found.n, found.since, found.until) == (5, START, world.now)
    assert found.days == pytest.approx(2)
    assert found.a_day(found.draft.n_tasks) == pytest.approx(1.5)


def test_outputs_of_one_moment_are_of_one_day(world: World) -> None:
    filled(world)
    assert run(world, STRICTER).days == 1


def test_no_output_yet_is_no_failure(world: World) -> None:
    found = run(world, STRICTER)
    assert (found.n, found.changed, found.draft.slipped().value, found.days) == (0, [], None, 1)


def test_several_reviewers_are_several_tasks_for_the_share_covered(world: World) -> None:
    world.submit(*(output(f"x{i}") for i in range(400)))
    rule = '{name: all, when: "true", route: review, reviewers: 3, coverage: 0.5, queue: panel}'
    found = run(world, f"queue: q\nrules: [{rule}]")
    assert set(found.draft.n_tasks_by_queue) == {"panel"}
    assert 400 + 2 * 150 < found.draft.n_tasks < 400 + 2 * 250  # 5 standard deviations of a binomial


def test_a_sample_has_passed_and_is_a_task(world: World) -> None:
    filled(world)
    found = run(world, POLICY + "audit_sample: {probability: 1}\n")
    assert found.draft.n_by_outcome == found.active.n_by_outcome
    assert found.draft.n_tasks == 20


def test_conditions_that_fail_are_counted(world: World) -> None:
    filled(world)
    found = run(world, "queue: q\nrules: [{name: vip, when: 'metadata.tier > 1', route: pass}]")
    assert (found.draft.n_failed, found.draft.n_by_outcome) == (20, {Outcome.HELD: 20})


def test_pages_join_without_gap_and_progress_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_runs, "_PAGE", 3)
    filled(world, 10)
    told: list[tuple[int, int]] = []
    with world.store.snapshot() as session:
        found = dry_runs.run(
            session, HOLDPOINT, "helper", STRICTER, last=8, on_progress=lambda done, total: told.append((done, total))
        )
    assert told == [(0, 8), (3, 8), (6, 8), (8, 8)]
    assert found.n == 8


def test_the_list_of_changes_is_bounded_and_the_count_is_not(world: World) -> None:
    world.submit(*(output(f"x{i}", confidence=0.5) for i in range(MAX_LISTED + 5)))
    found = run(world, STRICTER)
    assert (len(found.changed), found.n_changed) == (MAX_LISTED, MAX_LISTED + 5)


def test_a_policy_that_cannot_work_is_refused_before_anything_is_read(world: World) -> None:
    with pytest.raises(Invalid):
        run(world, "queue: [")
    with pytest.raises(Forbidden):
        run(world, STRICTER, who="ann")
    with pytest.raises(NotFound), world.store.snapshot() as session:
        dry_runs.run(session, world.actors["odo"], "nothing", STRICTER, last=1)


def test_a_dry_run_changes_nothing_and_is_on_record(world: World) -> None:
    filled(world)
    with world.store.read() as session:
        before = [(item.id, item.version, item.status) for item in session.execute(select(Item)).scalars()]
    found = policies.dry_run(world.store, world.actors["aud"], "helper", STRICTER, last=10, now=world.now)
    with world.store.read() as session:
        assert [(item.id, item.version, item.status) for item in session.execute(select(Item)).scalars()] == before
        query = select(col(AuditEvent.body)).where(col(AuditEvent.action) == "policy.dry_run")
        [body] = session.execute(query).scalars()
    assert {"n": 10, "digest": found.digest, "version": 2}.items() <= content.parse(body).items()


def test_what_was_ruled_at_intake_is_ruled_again(world: World) -> None:
    """With the version in force, a dry run says of every output what is on record of it, samples too."""
    sampling = POLICY + "audit_sample: {probability: 0.5}\n"
    with world.store.write() as session:
        policies.activate(session, world.actors["odo"], "helper", sampling, now=world.now)
    taken = world.submit(*(output(f"x{i}", confidence=i / 40) for i in range(40)))
    found = run(world, sampling)
    assert found.draft.n_tasks == sum(one.status == "waiting" for one in taken)
    assert found.draft.n_by_outcome[Outcome.PASSED] == sum(one.route == "pass" for one in taken)


WHENS = (
    "confidence < 0.5", "kind == 'action' && flags.exists(f, f.severity >= 4)", "metadata.tier == 'gold'",
    "size(context) > 1 && has(context[0].text)", "model.name == 'm'", "alternatives.exists(a, a.confidence > 0.2)",
    "external_id.startsWith('x')", "size(input) > 3", "subject_id == null", "output.amount > 3.0", "group != null",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    when=st.sampled_from(WHENS),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "confidence": st.none() | st.floats(0, 1) | st.sampled_from([0, 1]),
            "kind": st.sampled_from(["answer", "action"]),
            "flags": st.lists(st.fixed_dictionaries({"code": st.just("c"), "severity": st.integers(1, 5)}), max_size=2),
            "metadata": st.sampled_from([{}, {"tier": "gold"}, {"tier": 1}]),
            "context": st.lists(st.sampled_from(["a", {"text": "b", "score": 1}]), max_size=2),
            "output": st.sampled_from(["text", {"amount": 3}, {"amount": 3.5}, 7, None]),
            "alternatives": st.lists(st.sampled_from(["a", 1, {"value": "a", "confidence": 0.5}]), max_size=2),
            "group": st.none() | st.just("g"),
        },
    ),
)
def test_an_output_on_record_is_ruled_as_it_was_when_it_came(when: str, changes: dict[str, Any]) -> None:
    policy = CompiledPolicy(json.dumps({"queue": "q", "rules": [{"name": "r", "when": when, "route": "review"}]}))
    sent, packed = read_output(json.dumps(output("x1", **changes)).encode(), START)
    key = b"k" * 32
    assert policy.ruling_on_record(content.parse(packed), "x1", key) == policy.ruling(sent, key)

"""Drafts of policies: who may write, approve and put them in force, and that exactly what was seen is."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import drafts, policies, systems
from review.commands.drafts import digest_of
from review.domain import content
from review.domain.actors import HOLDPOINT
from review.domain.policies import MAX_DOCUMENT_BYTES
from review.errors import Conflict, Forbidden, Invalid, NotFound, ReviewError, TooLarge, WrongState
from review.queries import policies as policy_queries
from review.store.tables import AuditEvent, OutboxMessage, Policy, PolicyDraft
from tests.support.world import POLICY, World, output

OTHER = POLICY.replace("0.35", "0.5")


def run(world: World, command: Any, *args: Any, who: str = "odo", **named: Any) -> Any:
    with world.store.write() as session:
        return command(session, world.actors[who], *args, **named, now=world.now)


def write(world: World, document: str = OTHER, who: str = "odo") -> PolicyDraft:
    return run(world, drafts.write, "helper", document, who=who)


def critical(world: World, is_critical: bool = True) -> None:
    run(world, systems.set_critical, "helper", critical=is_critical, who="adm")


def told(world: World, action: str) -> list[dict[str, Any]]:
    with world.store.read() as session:
        query = select(AuditEvent).where(col(AuditEvent.action) == action).order_by(col(AuditEvent.id))
        return [{"by": event.actor_name, **content.parse(event.body)} for event in session.execute(query).scalars()]


def in_force(world: World) -> Policy:
    with world.store.read() as session:
        return policy_queries.in_force(session, HOLDPOINT, "helper")[1]


def test_a_draft_changes_nothing_until_it_is_put_in_force(world: World) -> None:
    before = in_force(world).version
    draft = write(world)
    assert world.submit(output("x1", confidence=0.4))[0].route == "pass"
    made = run(world, drafts.activate, draft.id, seen=digest_of(OTHER))
    assert (made.version, made.written_by, made.approved_by, made.activated_by) == (before + 1, "Odo", None, "Odo")
    assert in_force(world).document == OTHER
    assert world.submit(output("x2", confidence=0.4))[0].route == "review"


def test_a_draft_that_is_not_finished_is_kept_and_never_put_in_force(world: World) -> None:
    draft = write(world, "queue: [")
    for command in (drafts.activate, drafts.approve):
        with pytest.raises(Invalid):
            run(world, command, draft.id, seen=digest_of("queue: ["), who="dee")
    assert run(world, drafts.change, draft.id, OTHER, seen=digest_of("queue: [")).document == OTHER


@pytest.mark.parametrize("who", ["ann", "lea", "aud", "helper"])
def test_only_who_answers_for_the_system_changes_its_policy(world: World, who: str) -> None:
    draft, seen = write(world), digest_of(OTHER)
    for command, args, named in (
        (drafts.write, ("helper", OTHER), {}),
        (drafts.change, (draft.id, POLICY), {"seen": seen}),
        (drafts.approve, (draft.id,), {"seen": seen}),
        (drafts.activate, (draft.id,), {"seen": seen}),
        (drafts.discard, (draft.id,), {}),
        (drafts.roll_back, ("helper", 1), {}),
        (policies.activate, ("helper", OTHER), {}),
        (systems.set_critical, ("helper",), {"critical": False}),
    ):
        with pytest.raises(Forbidden):
            run(world, command, *args, who=who, **named)


def test_an_owner_of_another_system_is_nobody_here(world: World) -> None:
    run(world, systems.add, slug="other", owner="dee", deputy="lea", who="adm")
    with pytest.raises(Forbidden):
        run(world, drafts.write, "other", OTHER, who="odo")
    assert run(world, drafts.write, "other", OTHER, who="lea").written_by_id == world.actors["lea"].id


def test_a_critical_system_needs_a_second_person(world: World) -> None:
    critical(world)
    draft, seen = write(world), digest_of(OTHER)
    for who in ("odo", "dee", "adm"):
        with pytest.raises(WrongState, match="a second person approves"):
            run(world, drafts.activate, draft.id, seen=seen, who=who)
    with pytest.raises(Forbidden, match="their own draft"):
        run(world, drafts.approve, draft.id, seen=seen)
    run(world, drafts.approve, draft.id, seen=seen, who="dee")
    made = run(world, drafts.activate, draft.id, seen=seen)
    assert (made.written_by, made.approved_by) == ("Odo", "Dee")
    [approved], activated = told(world, "policy.approved"), told(world, "policy.activated")[-1]
    assert (approved["by"], approved["digest"]) == ("Dee", seen)
    assert (activated["by"], activated["written_by"], activated["approved_by"]) == ("Odo", "Odo", "Dee")
    assert activated["draft_id"] == str(draft.id)


def test_no_way_leads_around_the_second_person(world: World) -> None:
    critical(world)
    for actor in (world.actors["odo"], world.actors["adm"], HOLDPOINT):
        with pytest.raises(WrongState), world.store.write() as session:
            policies.activate(session, actor, "helper", OTHER, now=world.now)
    assert isinstance(run(world, drafts.roll_back, "helper", 1), PolicyDraft)
    assert in_force(world).document == POLICY
    critical(world, is_critical=False)
    assert run(world, policies.activate, "helper", OTHER).version == 3


def test_editing_takes_an_approval_back_and_the_editor_cannot_approve(world: World) -> None:
    critical(world)
    draft, seen = write(world), digest_of(OTHER)
    run(world, drafts.approve, draft.id, seen=seen, who="dee")
    unchanged = run(world, drafts.change, draft.id, OTHER, seen=seen, who="adm")
    assert unchanged.approved_at is not None
    changed = run(world, drafts.change, draft.id, OTHER + "bulk: true\n", seen=seen, who="dee")
    assert (changed.approved_by_id, changed.approved_at) == (None, None)
    now_seen = digest_of(OTHER + "bulk: true\n")
    with pytest.raises(WrongState):
        run(world, drafts.activate, draft.id, seen=now_seen)
    with pytest.raises(Forbidden):
        run(world, drafts.approve, draft.id, seen=now_seen, who="dee")
    run(world, drafts.approve, draft.id, seen=now_seen, who="adm")
    assert run(world, drafts.activate, draft.id, seen=now_seen, who="dee").written_by == "Dee"


def test_exactly_what_was_seen_is_approved_changed_and_put_in_force(world: World) -> None:
    draft = write(world)
    run(world, drafts.change, draft.id, OTHER + "bulk: true\n", seen=digest_of(OTHER))
    for command, args in ((drafts.approve, ()), (drafts.activate, ()), (drafts.change, (POLICY,))):
        with pytest.raises(Conflict, match="Look at it again"):
            run(world, command, draft.id, *args, seen=digest_of(OTHER), who="dee")


def test_an_approval_from_before_another_version_does_not_count(world: World) -> None:
    critical(world)
    old, new = write(world), write(world, OTHER + "bulk: true\n")
    for draft in (old, new):
        run(world, drafts.approve, draft.id, seen=digest_of(draft.document), who="dee")
    world.later(minutes=1)
    run(world, drafts.activate, new.id, seen=digest_of(new.document))
    with pytest.raises(WrongState, match="Approve it again"):
        run(world, drafts.activate, old.id, seen=digest_of(OTHER))
    run(world, drafts.approve, old.id, seen=digest_of(OTHER), who="dee")
    assert run(world, drafts.activate, old.id, seen=digest_of(OTHER)).version == 4


def test_a_closed_draft_stays_closed(world: World) -> None:
    used, unwanted = write(world), write(world)
    run(world, drafts.activate, used.id, seen=digest_of(OTHER))
    run(world, drafts.discard, unwanted.id)
    for draft in (used, unwanted):
        for command, args, named in (
            (drafts.change, (POLICY,), {"seen": digest_of(OTHER)}),
            (drafts.approve, (), {"seen": digest_of(OTHER)}),
            (drafts.activate, (), {"seen": digest_of(OTHER)}),
            (drafts.discard, (), {}),
        ):
            with pytest.raises(WrongState, match="closed"):
                run(world, command, draft.id, *args, who="dee", **named)
    with world.store.read() as session:
        assert policy_queries.drafts(session, world.actors["aud"], "helper") == []
        assert policy_queries.draft(session, world.actors["aud"], used.id).closed_at == world.now
    with pytest.raises(NotFound):
        run(world, drafts.discard, uuid4())


def test_rolling_back_makes_a_new_version_of_the_earlier_document(world: World) -> None:
    draft = write(world)
    run(world, drafts.activate, draft.id, seen=digest_of(OTHER))
    back = run(world, drafts.roll_back, "helper", 2, who="dee")
    assert (back.version, back.document, back.written_by, back.restores) == (4, POLICY, "Dee", 2)
    assert told(world, "policy.activated")[-1]["restores"] == 2
    with pytest.raises(WrongState, match="in force already"):
        run(world, drafts.roll_back, "helper", 4)
    with pytest.raises(NotFound):
        run(world, drafts.roll_back, "helper", 9)


def test_rolling_back_a_critical_system_waits_for_the_second_person(world: World) -> None:
    critical(world)
    waiting = run(world, drafts.roll_back, "helper", 1)
    seen = digest_of(waiting.document)
    run(world, drafts.approve, waiting.id, seen=seen, who="adm")
    made = run(world, drafts.activate, waiting.id, seen=seen)
    assert (made.restores, made.approved_by) == (1, "Adm")


@pytest.mark.parametrize(
    ("document", "error"),
    [("queue: \x00", Invalid), ("queue: \ud800", Invalid), ("#" * (MAX_DOCUMENT_BYTES + 1), TooLarge),
     ("é" * (MAX_DOCUMENT_BYTES // 2 + 1), TooLarge)],
)  # fmt: skip
def test_a_text_that_cannot_be_kept_is_refused(world: World, document: str, error: type[ReviewError]) -> None:
    with pytest.raises(error) as refused:
        write(world, document)
    assert refused.value.field == "document"


def test_every_step_is_on_record_and_told(world: World) -> None:
    critical(world)
    draft = write(world)
    changed = OTHER + "bulk: true\n"
    run(world, drafts.change, draft.id, changed, seen=digest_of(OTHER))
    run(world, drafts.approve, draft.id, seen=digest_of(changed), who="dee")
    run(world, drafts.discard, draft.id)
    steps = ("policy.drafted", "policy.draft_changed", "policy.approved", "policy.draft_discarded")
    assert [len(told(world, step)) for step in steps] == [1, 1, 1, 1]
    with world.store.read() as session:
        query = select(OutboxMessage).where(col(OutboxMessage.topic).in_(steps)).order_by(col(OutboxMessage.id))
        sent = list(session.execute(query).scalars())
    assert [message.topic for message in sent] == list(steps)
    assert sent[0].body["needs_approval"] is True


def test_two_people_put_one_draft_in_force_once(world: World) -> None:
    draft = write(world)

    def activate(who: str) -> bool:
        try:
            run(world, drafts.activate, draft.id, seen=digest_of(OTHER), who=who)
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(activate, ["odo", "dee"])) == [False, True]
    assert in_force(world).version == 3


def test_an_edit_at_the_moment_of_approval_is_never_approved(world: World) -> None:
    critical(world)
    changed = OTHER + "bulk: true\n"
    for _ in range(5):
        draft = write(world)

        def act(what: str, draft: PolicyDraft = draft) -> None:
            try:
                if what == "approve":
                    run(world, drafts.approve, draft.id, seen=digest_of(OTHER), who="dee")
                else:
                    run(world, drafts.change, draft.id, changed, seen=digest_of(OTHER))
            except Conflict:
                pass

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, ["approve", "change"]))
        with pytest.raises(WrongState):
            run(world, drafts.activate, draft.id, seen=digest_of(changed))


def test_readers_see_versions_and_drafts_and_others_do_not(world: World) -> None:
    write(world)
    with world.store.read() as session:
        for who in ("lea", "aud", "odo", "adm"):
            standing = policy_queries.standing(session, world.actors[who], "helper")
            assert standing.may_change is (who in ("odo", "adm"))
            assert [one.version for one in policy_queries.versions(session, world.actors[who], "helper")] == [2, 1]
            assert len(policy_queries.drafts(session, world.actors[who], "helper")) == 1
        for who in ("ann", "helper"):
            with pytest.raises(Forbidden):
                policy_queries.versions(session, world.actors[who], "helper")
        with pytest.raises(NotFound):
            policy_queries.version(session, world.actors["aud"], "helper", 7)


def test_nobody_approves_what_they_wrote_because_another_changed_it_last(world: World) -> None:
    critical(world)
    draft, changed = write(world), f"{OTHER}\n"
    run(world, drafts.change, draft.id, changed, seen=digest_of(OTHER), who="dee")
    for who in ("odo", "dee"):
        with pytest.raises(Forbidden):
            run(world, drafts.approve, draft.id, seen=digest_of(changed), who=who)
    run(world, drafts.approve, draft.id, seen=digest_of(changed), who="adm")
    other = write(world)  # by Odo too, which says nothing of whether he may approve another
    mine = write(world, changed, who="dee")
    run(world, drafts.approve, mine.id, seen=digest_of(changed), who="odo")
    run(world, drafts.approve, other.id, seen=digest_of(OTHER), who="dee")

"""People, systems, policies and keys: what is accepted, what is refused, and who may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import keys, people, policies, systems
from review.domain import content, passwords
from review.domain.actors import GRANTS, Permission, Role
from review.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LeaseLost,
    NotFound,
    ReviewError,
    TooMany,
    Unauthenticated,
    WrongState,
)
from review.queries import keys as key_queries
from review.queries import people as people_queries
from review.store.tables import AuditEvent, Person, Policy, Queue, System
from tests.support.world import POLICY, World, output


def run(world: World, command: Callable[..., object], *args: object, who: str = "adm", **named: object) -> object:
    with world.store.write() as session:
        return command(session, world.actors[who], *args, **named, now=world.now)


def add_person(world: World, who: str = "adm", **changes: object) -> Person:
    fields = {
        "username": "eve",
        "name": "Eve",
        "email": "eve@example.com",
        "role": Role.REVIEWER,
        "password_hash": None,
    }
    found = run(world, people.add, who=who, **{**fields, **changes})
    assert isinstance(found, Person)
    return found


def n_events(world: World) -> int:
    with world.store.read() as session:
        return int(session.execute(select(func.count()).select_from(AuditEvent)).scalar_one())


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"username": "ann"}, Conflict, "username"),
        ({"email": "ANN@example.com"}, Conflict, "email"),
        ({"username": "no spaces"}, Invalid, "username"),
        ({"username": ""}, Invalid, "username"),
        ({"email": "nobody"}, Invalid, "email"),
        ({"name": " "}, Invalid, "name"),
    ],
)
def test_a_person_that_cannot_be_is_refused(
    world: World, changes: dict[str, object], error: type[ReviewError], field: str
) -> None:
    before = n_events(world)
    with pytest.raises(error) as refused:
        add_person(world, **changes)
    assert refused.value.field == field
    assert n_events(world) == before


def test_a_username_is_kept_in_lower_case(world: World) -> None:
    assert add_person(world, username=" Eve ").username == "eve"


def test_the_last_admin_stays_one(world: World) -> None:
    admin = world.actors["adm"].person_id
    with pytest.raises(WrongState):
        run(world, people.set_role, admin, Role.LEAD)
    with pytest.raises(WrongState):
        run(world, people.set_active, admin, active=False)
    run(world, people.set_role, world.actors["lea"].person_id, Role.ADMIN)
    run(world, people.set_role, admin, Role.LEAD)


def test_a_changed_role_counts_at_once_and_a_changed_password_signs_out(world: World) -> None:
    ann = world.actors["ann"].person_id
    signed_in_at = world.now
    world.later(seconds=1)
    run(world, people.set_role, ann, Role.AUDITOR)
    assert standing(world, signed_in_at) is Role.AUDITOR
    run(world, people.set_password, ann, passwords.hashed("another password"))
    assert standing(world, signed_in_at) is None
    assert standing(world, world.now + timedelta(seconds=1)) is Role.AUDITOR


def standing(world: World, since: object) -> Role | None:
    with world.store.read() as session:
        actor = people_queries.signed_in(session, "ann", since)  # type: ignore[arg-type]
    return actor.role if actor else None


def test_signing_out_ends_every_tab(world: World) -> None:
    signed_in_at = world.now
    world.later(seconds=1)
    run(world, people.sign_out, who="ann")
    assert standing(world, signed_in_at) is None


def test_a_deactivated_person_is_out_and_their_key_too(world: World) -> None:
    run(world, people.set_active, world.actors["ann"].person_id, active=False)
    assert standing(world, world.now + timedelta(days=1)) is None
    with pytest.raises(Unauthenticated), world.store.read() as session:
        key_queries.actor_of(session, world.tokens["ann"])


def sign_in(world: World, password: str, username: str = "eve", address: str = "10.0.0.1") -> Person | None:
    with world.store.write() as session:
        attempt, known = people.attempt_sign_in(session, username, address, now=world.now)
    right = passwords.matches(password, known)
    with world.store.write() as session:
        return people.finish_sign_in(session, attempt, right=right, now=world.now)


def test_attempts_are_limited_per_person_whatever_the_address(world: World) -> None:
    add_person(world, password_hash=passwords.hashed("right password"))
    for n in range(people.MAX_PER_PERSON):
        assert sign_in(world, "wrong password", address=f"10.0.0.{n}") is None
    with pytest.raises(TooMany):
        sign_in(world, "right password", address="10.0.0.99")
    world.later(minutes=16)
    assert sign_in(world, "right password") is not None


def test_attempts_are_limited_per_address_whoever_they_name(world: World) -> None:
    for n in range(people.MAX_PER_ADDRESS):
        with world.store.write() as session:
            people.attempt_sign_in(session, f"nobody{n}", "10.0.0.1", now=world.now)
    with pytest.raises(TooMany), world.store.write() as session:
        people.attempt_sign_in(session, "ann", "10.0.0.1", now=world.now)


def test_a_limit_that_was_reached_is_on_record_once(world: World) -> None:
    add_person(world, password_hash=passwords.hashed("right password"))
    for _ in range(people.MAX_PER_PERSON):
        assert sign_in(world, "wrong password") is None
    for _ in range(3):
        with pytest.raises(TooMany):
            sign_in(world, "right password")
    with world.store.read() as session:
        query = select(col(AuditEvent.body)).where(col(AuditEvent.action) == "sign_in.limited")
        [body] = session.execute(query).scalars()
    assert content.parse(body) == {"address": "10.0.0.1", "limit": "username", "n": 5, "username": "eve"}


def test_right_sign_ins_do_not_count_against_anyone(world: World) -> None:
    add_person(world, password_hash=passwords.hashed("right password"))
    for _ in range(people.MAX_PER_PERSON + 1):
        assert sign_in(world, "right password") is not None


def test_nobody_signs_in_without_a_password_or_when_inactive(world: World) -> None:
    assert sign_in(world, "", username="ann") is None
    eve = add_person(world, password_hash=passwords.hashed("right password"))
    run(world, people.set_active, eve.id, active=False)
    assert sign_in(world, "right password") is None


@pytest.mark.parametrize("password", ["short", "x" * 73])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.hashed(password)


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"owner": "odo", "deputy": "odo"}, Invalid, "deputy"),
        ({"owner": "nobody", "deputy": "dee"}, NotFound, "owner"),
        ({"owner": "odo", "deputy": "nobody"}, NotFound, "deputy"),
        ({"slug": "helper", "owner": "odo", "deputy": "dee"}, Conflict, "slug"),
        ({"slug": "No Slug", "owner": "odo", "deputy": "dee"}, Invalid, "slug"),
    ],
)
def test_a_system_has_an_owner_and_another_person_as_deputy(
    world: World, fields: dict[str, str], error: type[ReviewError], field: str
) -> None:
    with pytest.raises(error) as refused:
        run(world, systems.add, **{"slug": "new", **fields})
    assert refused.value.field == field


def test_a_new_system_holds_everything(world: World) -> None:
    run(world, systems.add, slug="new", owner="odo", deputy="dee")
    with world.store.read() as session:
        assert "hold everything" in active_policy(session, "new").document


def active_policy(session: Session, slug: str) -> Policy:
    return session.execute(
        select(Policy).join(System, col(System.active_policy_id) == col(Policy.id)).where(col(System.slug) == slug)
    ).scalar_one()


def test_a_policy_version_follows_the_last_and_its_queues_come_into_being(world: World) -> None:
    policy = run(world, policies.activate, "helper", POLICY.replace("queue: default", "queue: fresh"), who="odo")
    assert isinstance(policy, Policy)
    assert policy.version == 3
    with world.store.read() as session:
        fresh = session.execute(select(Queue).where(col(Queue.slug) == "fresh")).scalar_one()
        above = session.get_one(Queue, fresh.escalates_to_id)
    assert (fresh.level, above.slug, above.level) == (0, "escalations", 1)


def test_a_policy_that_does_not_hold_water_changes_nothing(world: World) -> None:
    before = n_events(world)
    with pytest.raises(Invalid):
        run(world, policies.activate, "helper", "queue: [", who="odo")
    assert n_events(world) == before


def test_a_revoked_or_unknown_key_is_nobodys(world: World) -> None:
    token = run(world, keys.create_for_system, "helper")
    assert isinstance(token, str)
    assert token.startswith("hp_")
    with world.store.read() as session:
        key_id = key_queries.actor_of(session, token).key_id
    run(world, keys.revoke, key_id)
    for wrong in (token, "hp_unknown", ""):
        with pytest.raises(Unauthenticated), world.store.read() as session:
            key_queries.actor_of(session, wrong)
    with pytest.raises(WrongState):
        run(world, keys.revoke, key_id)
    with pytest.raises(NotFound):
        run(world, keys.revoke, uuid4())


@pytest.mark.parametrize("who", ["ann", "lea", "odo", "aud", "helper"])
def test_only_admins_administer(world: World, who: str) -> None:
    for command, args, named in (
        (systems.add, (), {"slug": "new", "owner": "odo", "deputy": "dee"}),
        (keys.create_for_system, ("helper",), {}),
        (keys.create_for_person, ("ann",), {}),
        (people.set_role, (world.actors["ann"].person_id, Role.ADMIN), {}),
        (people.set_active, (world.actors["bob"].person_id,), {"active": False}),
        (people.set_password, (world.actors["adm"].person_id, "x"), {}),
    ):
        with pytest.raises(Forbidden):
            run(world, command, *args, who=who, **named)


def test_the_permission_table_is_what_the_documents_say() -> None:
    may = {role: {permission.value for permission in granted} for role, granted in GRANTS.items()}
    assert may[Role.REVIEWER] == {"decide", "read_items", "read_overview"}
    assert may[Role.LEAD] - may[Role.REVIEWER] == {
        "resolve", "read_escalations", "read_policies", "read_queues", "manage_queues", "export",
    }  # fmt: skip
    assert all(Permission.DECIDE not in GRANTS[role] for role in (Role.OWNER, Role.AUDITOR, Role.ADMIN))
    assert [role for role in Role if Permission.ADMINISTER in GRANTS[role]] == [Role.ADMIN]


def test_two_admins_cannot_take_the_role_from_each_other_at_once(world: World) -> None:
    run(world, people.set_role, world.actors["lea"].person_id, Role.ADMIN)

    def demote(pair: tuple[str, str]) -> bool:
        by, whom = pair
        try:
            run(world, people.set_role, world.actors[whom].person_id, Role.LEAD, who=by)
        except (WrongState, Forbidden):
            return False
        return True

    world.actors["lea"] = replace(world.actors["lea"], role=Role.ADMIN)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, [("adm", "lea"), ("lea", "adm")]))
    assert sorted(done) == [False, True]


def test_parallel_attempts_do_not_pass_the_limit(world: World) -> None:
    def attempt(_n: int) -> bool:
        try:
            with world.store.write() as session:
                people.attempt_sign_in(session, "ann", "10.0.0.1", now=world.now)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(20))) == people.MAX_PER_PERSON


@pytest.mark.parametrize("typed", ["a\x00b", "a\ud800", "x" * 5_000, ""])
def test_what_cannot_be_a_username_is_counted_and_never_right(world: World, typed: str) -> None:
    assert sign_in(world, "whatever it is", username=typed) is None


def test_an_old_password_that_was_being_checked_when_it_was_changed_does_not_sign_in(world: World) -> None:
    eve = add_person(world, password_hash=passwords.hashed("old password"))
    with world.store.write() as session:
        attempt, _known = people.attempt_sign_in(session, "eve", "10.0.0.1", now=world.now)
    world.later(seconds=1)
    run(world, people.set_password, eve.id, passwords.hashed("new password"))
    world.later(seconds=1)
    with world.store.write() as session:
        assert people.finish_sign_in(session, attempt, right=True, now=world.now) is None


def test_a_changed_role_lets_go_of_what_was_held(world: World) -> None:
    world.submit(output())
    task = world.claim("ann")
    assert task is not None
    lease = world.lease(task)
    run(world, people.set_role, world.actors["ann"].person_id, Role.AUDITOR)
    with pytest.raises(LeaseLost):
        world.decide(task, "ann", lease=lease)
    assert world.claim("bob") is not None

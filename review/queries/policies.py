"""The policy of a system: the version in force, the earlier ones, and the drafts of the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from review.domain import content, remarks
from review.domain.actors import Actor, Permission
from review.domain.policies import Policy as Document
from review.domain.remarks import Remark
from review.errors import NotFound
from review.store.tables import Person, PersonSkill, Policy, PolicyDraft, Queue, System


@dataclass(frozen=True, slots=True)
class Standing:
    """How a system stands with its policy, for one who looks at it; `people` are its owner and deputy."""

    slug: str
    name: str
    is_critical: bool
    active_version: int
    may_change: bool
    people: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy being written. `digest` names its text when it is changed, approved or put in force.

    `is_approved` says whether an approval counts: one from before the version in force does not.
    """

    id: UUID
    system: str
    document: str
    digest: str
    written_by: str
    written_by_id: UUID
    written_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    restores: int | None
    closed_at: datetime | None
    needs_approval: bool
    is_approved: bool


def in_force(session: Session, actor: Actor, slug: str) -> tuple[System, Policy]:
    """A system and the version of its policy in force."""
    system = _readable(session, actor, slug)
    return system, session.execute(select(Policy).where(col(Policy.id) == system.active_policy_id)).scalar_one()


def standing(session: Session, actor: Actor, slug: str) -> Standing:
    """Which version is in force, and what this person may do about it."""
    system, active = in_force(session, actor, slug)
    may_change = actor.answers_for(system.owner_id, system.deputy_id)
    people = tuple(session.get_one(Person, person_id).name for person_id in (system.owner_id, system.deputy_id))
    return Standing(slug, system.name, system.is_critical, active.version, may_change, (people[0], people[1]))


def versions(session: Session, actor: Actor, slug: str) -> Sequence[Policy]:
    """All versions, newest first."""
    system = _readable(session, actor, slug)
    query = select(Policy).where(col(Policy.system_id) == system.id).order_by(col(Policy.version).desc())
    return session.execute(query).scalars().all()


def version(session: Session, actor: Actor, slug: str, number: int) -> Policy:
    """One version."""
    system = _readable(session, actor, slug)
    query = select(Policy).where(col(Policy.system_id) == system.id, col(Policy.version) == number)
    found: Policy | None = session.execute(query).scalar()
    if found is None:
        raise NotFound(f"{slug} has no version {number} of its policy.", field="version")
    return found


def drafts(session: Session, actor: Actor, slug: str) -> list[Draft]:
    """The open drafts of a system, the one changed last first."""
    system = _readable(session, actor, slug)
    return _drafts(session, col(System.id) == system.id, col(PolicyDraft.closed_at).is_(None))


def draft(session: Session, actor: Actor, draft_id: UUID) -> Draft:
    """One draft, also after it was closed."""
    found = _drafts(session, col(PolicyDraft.id) == draft_id)
    if not found:
        raise NotFound("There is no such draft.", field="draft")
    _readable(session, actor, found[0].system)
    return found[0]


def difference(before: str, after: str, *, names: tuple[str, str] = ("in force", "draft")) -> str:
    """What differs between two documents, line by line; nothing where they are the same."""
    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


def _drafts(session: Session, *conditions: object) -> list[Draft]:
    writer, approver = aliased(Person), aliased(Person)
    rows = session.execute(
        select(PolicyDraft, System, col(writer.name), col(approver.name), col(Policy.activated_at))
        .join(System, col(System.id) == col(PolicyDraft.system_id))
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .join(writer, col(writer.id) == col(PolicyDraft.written_by_id))
        .outerjoin(approver, col(approver.id) == col(PolicyDraft.approved_by_id))
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(col(PolicyDraft.written_at).desc(), col(PolicyDraft.id).desc())
    )
    return [_draft(*row) for row in rows]


def _draft(row: PolicyDraft, system: System, written_by: str, approved_by: str | None, active_since: datetime) -> Draft:
    is_approved = row.approved_at is not None and row.approved_at >= active_since
    return Draft(
        row.id, system.slug, row.document, content.sha256(row.document.encode()), written_by, row.written_by_id,
        row.written_at, approved_by, row.approved_at, row.restores, row.closed_at, system.is_critical, is_approved,
    )  # fmt: skip


def _readable(session: Session, actor: Actor, slug: str) -> System:
    system: System | None = session.execute(select(System).where(col(System.slug) == slug)).scalar()
    if system is None or not actor.answers_for(system.owner_id, system.deputy_id):
        actor.require(Permission.READ_POLICIES)
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return system


def remarked(session: Session, document: Document) -> list[Remark]:
    """What a document may do that its author did not mean, also by what it names that is not there."""
    return [
        *remarks.of_conditions(document),
        *_new_queues(session, document),
        *_missing_skills(session, document),
    ]


def _new_queues(session: Session, document: Document) -> list[Remark]:
    named = {rule.queue: f"rules[{rule.name}].queue" for rule in document.rules if rule.queue}
    named[document.queue] = "queue"
    known = set(session.execute(select(col(Queue.slug)).where(col(Queue.slug).in_(named))).scalars())
    return [
        Remark(field, f"{field}: there is no queue “{slug}”. It is made with the policy, and everybody works it.")
        for slug, field in named.items()
        if slug not in known
    ]


def _missing_skills(session: Session, document: Document) -> list[Remark]:
    named = {skill: f"rules[{rule.name}].skills" for rule in document.rules for skill in rule.skills}
    known = set(session.execute(select(col(PersonSkill.skill)).where(col(PersonSkill.skill).in_(named))).scalars())
    return [
        Remark(field, f"{field}: nobody has the skill “{skill}”. What needs it waits until somebody does.")
        for skill, field in named.items()
        if skill not in known
    ]

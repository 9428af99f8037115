"""Drafts of policies: written, changed, approved by a second person, put in force, or discarded."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, outbox, policies
from review.commands.policies import Origin
from review.domain import content
from review.domain.actors import Actor
from review.domain.policies import MAX_DOCUMENT_BYTES, read_policy
from review.errors import Conflict, Forbidden, NotFound, TooLarge, WrongState
from review.store.tables import AuditEvent, Person, Policy, PolicyDraft, System

_WRITES = ("policy.drafted", "policy.draft_changed")


def write(
    session: Session, actor: Actor, slug: str, document: str, *, restores: int | None = None, now: datetime
) -> PolicyDraft:
    """Keep a new draft, also one that is not finished: what is wrong with it only keeps it from being activated."""
    system = policies.answered_for(session, actor, slug)
    draft = PolicyDraft(
        system_id=system.id, document=_kept(document), written_by_id=actor.person_id, written_at=now, restores=restores
    )
    session.add(draft)
    session.flush()
    _tell(session, actor, system, draft, "policy.drafted", now=now, restores=restores)
    return draft


def change(session: Session, actor: Actor, draft_id: UUID, document: str, *, seen: str, now: datetime) -> PolicyDraft:
    """Give a draft another text, which takes an approval back; `seen` is the digest of the text that was changed.

    The same text again changes nothing. Raises Conflict where somebody else changed the draft meanwhile.
    """
    system, draft = _open(session, actor, draft_id, seen)
    if document == draft.document:
        return draft
    draft.document, draft.written_by_id, draft.written_at = _kept(document), actor.person_id, now
    draft.approved_by_id = draft.approved_at = draft.restores = None
    _tell(session, actor, system, draft, "policy.draft_changed", now=now)
    return draft


def approve(session: Session, actor: Actor, draft_id: UUID, *, seen: str, now: datetime) -> PolicyDraft:
    """Say that exactly this text (its digest is `seen`) may be put in force; nobody approves what they wrote."""
    system, draft = _open(session, actor, draft_id, seen)
    if draft.written_by_id == actor.person_id or _has_written(session, actor, draft):
        raise Forbidden("Nobody approves their own draft, or one they changed: another person looks at it first.")
    read_policy(draft.document)
    draft.approved_by_id, draft.approved_at = actor.person_id, now
    _tell(session, actor, system, draft, "policy.approved", now=now)
    return draft


def activate(session: Session, actor: Actor, draft_id: UUID, *, seen: str, now: datetime) -> Policy:
    """Put exactly this text in force as the system's next version; a critical system's is approved first.

    Raises Invalid where the policy cannot work, WrongState where an approval is missing or older than the version
    in force.
    """
    system, draft = _open(session, actor, draft_id, seen)
    if system.is_critical:
        _require_approval(session, system, draft)
    draft.closed_at = now
    origin = Origin(
        _name(session, draft.written_by_id) or "", _name(session, draft.approved_by_id), draft.restores, draft.id
    )
    return policies.put_in_force(session, actor, system, draft.document, origin, now=now)


def discard(session: Session, actor: Actor, draft_id: UUID, *, now: datetime) -> None:
    """Close a draft that is not wanted; it stays on record."""
    system, draft = _open(session, actor, draft_id, None)
    draft.closed_at = now
    _tell(session, actor, system, draft, "policy.draft_discarded", now=now)


def roll_back(session: Session, actor: Actor, slug: str, version: int, *, now: datetime) -> Policy | PolicyDraft:
    """Go back to an earlier version: its document is the next one; on a critical system, a draft to be approved."""
    system = policies.answered_for(session, actor, slug)
    earlier = session.execute(
        select(Policy).where(col(Policy.system_id) == system.id, col(Policy.version) == version)
    ).scalar()
    if earlier is None:
        raise NotFound(f"{slug} has no version {version} of its policy.", field="version")
    if earlier.id == system.active_policy_id:
        raise WrongState(f"Version {version} is in force already.", field="version")
    if system.is_critical:
        return write(session, actor, slug, earlier.document, restores=version, now=now)
    origin = Origin(actor.name, restores=version)
    return policies.put_in_force(session, actor, system, earlier.document, origin, now=now)


def digest_of(document: str) -> str:
    """The SHA-256 by which a text is named when it is changed, approved or put in force."""
    return content.sha256(document.encode())


def _kept(document: str) -> str:
    """A text that can be kept; raises Invalid or TooLarge for another."""
    content.refuse_unkeepable(document, "document")
    if len(document.encode()) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"A policy has at most {MAX_DOCUMENT_BYTES // 1024} KiB.", field="document")
    return document


def _open(session: Session, actor: Actor, draft_id: UUID, seen: str | None) -> tuple[System, PolicyDraft]:
    """A draft that is open, with its system, both locked; `seen` is the digest of the text that the actor knows."""
    slug = session.execute(
        select(col(System.slug))
        .join(PolicyDraft, col(PolicyDraft.system_id) == col(System.id))
        .where(col(PolicyDraft.id) == draft_id)
    ).scalar()
    if slug is None:
        raise NotFound("There is no such draft.", field="draft")
    system = policies.answered_for(session, actor, slug)
    draft = session.execute(select(PolicyDraft).where(col(PolicyDraft.id) == draft_id).with_for_update()).scalar_one()
    if draft.closed_at is not None:
        raise WrongState("This draft is closed: it was put in force or discarded.", field="draft")
    if seen is not None and seen != digest_of(draft.document):
        raise Conflict("The draft was changed since you looked at it. Look at it again.", field="draft")
    return system, draft


def _has_written(session: Session, actor: Actor, draft: PolicyDraft) -> bool:
    """Whether the actor ever wrote or changed the text, though somebody else may have been the last to."""
    by_them = select(col(AuditEvent.id)).where(
        col(AuditEvent.subject_id) == str(draft.system_id),
        col(AuditEvent.action).in_(_WRITES),
        col(AuditEvent.actor_id) == actor.person_id,
        col(AuditEvent.body).contains(f'"draft_id":"{draft.id}"'),
    )
    return session.execute(by_them.limit(1)).first() is not None


def _require_approval(session: Session, system: System, draft: PolicyDraft) -> None:
    if draft.approved_at is None:
        raise WrongState(f"{system.slug} is critical: a second person approves this draft first.", field="draft")
    since = session.execute(select(col(Policy.activated_at)).where(col(Policy.id) == system.active_policy_id)).scalar()
    if since is not None and draft.approved_at < since:
        raise WrongState(
            "Another version came into force after this draft was approved. Approve it again.", field="draft"
        )


def _name(session: Session, person_id: UUID | None) -> str | None:
    name: str | None = session.execute(select(col(Person.name)).where(col(Person.id) == person_id)).scalar()
    return name


def _tell(
    session: Session, actor: Actor, system: System, draft: PolicyDraft, what: str, *, now: datetime, **more: Any
) -> None:
    """The event of a draft; tools hear of it too, as somebody may be waiting to approve."""
    told: dict[str, Any] = {"draft_id": draft.id, "digest": digest_of(draft.document), **more}
    audit.record(session, actor, what, ("system", system.id), now=now, **told)
    outbox.enqueue(
        session, what, None, now=now, system=system.slug, by=actor.name, needs_approval=system.is_critical, **told
    )

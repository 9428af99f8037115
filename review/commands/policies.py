"""Putting versions of a system's policy in force."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import audit, outbox, queues
from review.domain import content
from review.domain.actors import Actor
from review.domain.dry_runs import DryRun
from review.domain.policies import read_policy
from review.errors import Forbidden, NotFound, WrongState
from review.queries import dry_runs
from review.queries.dry_runs import Progress
from review.store.engine import Store
from review.store.tables import Policy, System


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from: who wrote and who approved it, and the earlier version that it restores."""

    written_by: str
    approved_by: str | None = None
    restores: int | None = None
    draft_id: UUID | None = None


def activate(session: Session, actor: Actor, slug: str, document: str, *, now: datetime) -> Policy:
    """Check a YAML policy and make it the system's next version, in force from the next output on.

    Queues that it names come into being. Raises Invalid naming the rule and the field, and WrongState where a second
    person has to approve first; nothing is written then.
    """
    system = answered_for(session, actor, slug)
    if system.is_critical:
        raise WrongState(f"{slug} is critical: a second person approves first. Write a draft.", field="system")
    return put_in_force(session, actor, system, document, Origin(actor.name), now=now)


def answered_for(session: Session, actor: Actor, slug: str) -> System:
    """The system, for those who answer for it; in this transaction nobody else puts a policy in force."""
    query = select(System).where(col(System.slug) == slug)
    system: System | None = session.execute(query.with_for_update(key_share=True)).scalar()
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    require_answering(actor, system)
    return system


def require_answering(actor: Actor, system: System) -> None:
    """Raise Forbidden unless the actor is the system's owner or deputy, or an admin."""
    if not actor.answers_for(system.owner_id, system.deputy_id):
        raise Forbidden(f"Only the owner or deputy of {system.slug}, or an admin, may change its policy.")


def put_in_force(
    session: Session, actor: Actor, system: System, document: str, origin: Origin, *, now: datetime
) -> Policy:
    """Make a document the next version of a system that is locked, and say so to all who listen."""
    parsed = read_policy(document)
    for queue in {parsed.queue, *(rule.queue for rule in parsed.rules if rule.queue)}:
        queues.ensure(session, queue, now=now)
    last = session.execute(select(func.max(col(Policy.version))).where(col(Policy.system_id) == system.id)).scalar()
    policy = Policy(
        system_id=system.id, version=(last or 0) + 1, document=document,
        digest=content.sha256(document.encode()), activated_at=now, activated_by=actor.name,
        written_by=origin.written_by, approved_by=origin.approved_by, restores=origin.restores,
    )  # fmt: skip
    session.add(policy)
    session.flush()
    system.active_policy_id = policy.id
    _tell(session, actor, system, policy, origin.draft_id, now=now)
    return policy


def _tell(
    session: Session, actor: Actor, system: System, policy: Policy, draft_id: UUID | None, *, now: datetime
) -> None:
    told: dict[str, Any] = {
        "version": policy.version, "digest": policy.digest, "written_by": policy.written_by,
        "approved_by": policy.approved_by, "restores": policy.restores,
    }  # fmt: skip
    subject = ("system", system.id)
    audit.record(session, actor, "policy.activated", subject, now=now, policy_id=policy.id, draft_id=draft_id, **told)
    outbox.enqueue(session, "policy.activated", None, now=now, system=system.slug, **told)


def dry_run(
    store: Store, actor: Actor, slug: str, document: str, *, last: int, on_progress: Progress = lambda *_: None,
    now: datetime,
) -> DryRun:  # fmt: skip
    """What a policy would have made of the last outputs of a system; that it was run goes on record.

    It opens its transactions itself: reading may take a while, and must not keep writers waiting.
    """
    with store.snapshot() as session:
        found = dry_runs.run(session, actor, slug, document, last=last, on_progress=on_progress)
    with store.write() as session:
        told: dict[str, Any] = {"n": found.n, "digest": found.digest, "version": found.version}
        audit.record(session, actor, "policy.dry_run", ("system", found.system_id), now=now, **told)
    return found

"""Activating a version of a system's policy."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.commands import audit, outbox, queues
from review.domain import content
from review.domain.actors import Actor, Permission
from review.domain.policies import read_policy
from review.errors import NotFound
from review.store.tables import Policy, System


def activate(session: Session, actor: Actor, slug: str, document: str, *, now: datetime) -> Policy:
    """Check a YAML policy and make it the system's next version, in force from the next output on.

    Queues that it names come into being. Raises Invalid naming the rule and the field; nothing is written then.
    """
    actor.require(Permission.ACTIVATE_POLICY)
    parsed = read_policy(document)
    system = session.execute(select(System).where(col(System.slug) == slug).with_for_update()).scalar()
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    for queue in {parsed.queue, *(rule.queue for rule in parsed.rules if rule.queue)}:
        queues.ensure(session, queue, now=now)
    last = session.execute(select(func.max(col(Policy.version))).where(col(Policy.system_id) == system.id)).scalar()
    policy = Policy(
        system_id=system.id, version=(last or 0) + 1, document=document,
        digest=content.sha256(document.encode()), activated_at=now, activated_by=actor.name,
    )  # fmt: skip
    session.add(policy)
    session.flush()
    system.active_policy_id = policy.id
    told: dict[str, Any] = {"version": policy.version, "digest": policy.digest}
    audit.record(session, actor, "policy.activated", ("system", system.id), now=now, policy_id=policy.id, **told)
    outbox.enqueue(session, "policy.activated", None, now=now, system=slug, **told)
    return policy

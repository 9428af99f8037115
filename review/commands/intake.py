"""Taking outputs in: each one is routed by the system's policy, recorded, and held or released."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, queues
from review.domain import content, policies
from review.domain.actors import Actor, Permission
from review.domain.audit import digest_over
from review.domain.lifecycle import ItemStatus, TaskKind, TaskState, first_release
from review.domain.outputs import Output
from review.domain.policies import Ruling
from review.errors import Conflict, Forbidden, NotFound, ReviewError
from review.store.bulk import insert_rows
from review.store.tables import Item, ItemPayload, Policy, System, Task
from review.store.types import new_id

_WAITING, _PASSED = ItemStatus.WAITING.value, ItemStatus.PASSED.value
_REVIEW, _OPEN = TaskKind.REVIEW.value, TaskState.OPEN.value
_ANSWERED: tuple[Any, ...] = (
    Item.id, Item.external_id, Item.content_digest, Item.route, Item.reasons, Item.policy_version,
    Item.inclusion_probability, Item.status, Item.due_at, Item.release_state,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one output; `replayed` where the same content was sent before."""

    item_id: UUID
    route: str
    reasons: Sequence[str]
    policy_version: int
    inclusion_probability: float
    status: str
    due_at: datetime | None
    release_state: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """An output of this system that is on record already, or was seen earlier in the same call."""

    digest: str
    taken: Taken


def take(
    session: Session, actor: Actor, outputs: Sequence[tuple[Output, bytes]], *, now: datetime
) -> list[Taken | ReviewError]:
    """Record checked outputs of one system's key, with one audit event over all new ones.

    `outputs` are what domain.outputs.read_output returned. The result has one entry an output, in order: what
    became of it, or why that one was refused. Two callers with one new external id at the same moment: the
    second's transaction fails with IntegrityError, and Store.commit runs it again.
    """
    actor.require(Permission.SUBMIT)
    batch = _Batch(session, actor, now)
    batch.know(output.external_id for output, _ in outputs)
    results = [batch.add(output, packed) for output, packed in outputs]
    batch.write()
    return results


class _Batch:
    """The new rows of one call, gathered and then written table by table."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self.session, self.actor, self.now = session, actor, now
        self.system, policy = _system_of(session, actor)
        self.policy, self.policy_version = policies.compiled(policy.document), policy.version
        self.event_id = new_id()
        self.known: dict[str, _Known] = {}
        self.items: list[dict[str, Any]] = []
        self.payloads: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.queue_ids: dict[str, UUID] = {}

    def know(self, external_ids: Iterable[str]) -> None:
        """Load what is on record under these ids."""
        wanted = list(external_ids)
        rows = self.session.execute(
            select(*_ANSWERED).where(col(Item.system_id) == self.system.id, col(Item.external_id).in_(wanted))
        )
        for row in rows:
            taken = Taken(
                row.id, row.route, row.reasons, row.policy_version, row.inclusion_probability, row.status,
                row.due_at, row.release_state, replayed=True,
            )  # fmt: skip
            self.known[row.external_id] = _Known(row.content_digest, taken)

    def add(self, output: Output, packed: bytes) -> Taken | ReviewError:
        """Route one output and gather its rows; a refused one leaves no row."""
        if output.system != self.system.slug:
            return Forbidden(f"This key belongs to {self.system.slug}, not to {output.system}.", field="system")
        digest = content.sha256(packed)
        known = self.known.get(output.external_id)
        if known is None:
            return self._add_new(output, packed, digest)
        if known.digest == digest:
            return replace(known.taken, replayed=True)
        return Conflict(
            f"external_id “{output.external_id}” was used before for other content. Use a new id for new content.",
            field="external_id",
        )

    def _add_new(self, output: Output, packed: bytes, digest: str) -> Taken:
        ruling = self.policy.ruling(output, self.system.sample_key)
        item_id = new_id()
        item = self._item(item_id, output, digest, ruling)
        self.items.append(item)
        self.payloads.append({"item_id": item_id, "content": packed.decode()})
        if ruling.reviewed:
            self.tasks.append(self._task(item_id, ruling))
        taken = Taken(
            item_id, item["route"], ruling.reasons, self.policy_version, ruling.inclusion_probability,
            item["status"], item["due_at"], item["release_state"], replayed=False,
        )  # fmt: skip
        self.known[output.external_id] = _Known(digest, taken)
        return taken

    def _item(self, item_id: UUID, output: Output, digest: str, ruling: Ruling) -> dict[str, Any]:
        return {
            "id": item_id,
            "system_id": self.system.id,
            "external_id": output.external_id,
            "kind": output.kind,
            "model_name": output.model.name,
            "model_version": output.model.version,
            "confidence": output.confidence,
            "group": output.group,
            "subject_id": output.subject_id,
            "traceparent": output.traceparent,
            "produced_at": output.produced_at or self.now,
            "received_at": self.now,
            "content_digest": digest,
            "intake_event_id": self.event_id,
            "policy_version": self.policy_version,
            "rule": ruling.rule,
            "route": ruling.route.value,
            "reasons": ruling.reasons,
            "inclusion_probability": ruling.inclusion_probability,
            "status": _WAITING if ruling.reviewed else _PASSED,
            "version": 1,
            "due_at": self.now + ruling.due if ruling.reviewed else None,
            "release_state": first_release(held=ruling.held).value,
            "release_digest": None if ruling.held else content.content_digest(output.output),
        }

    def _task(self, item_id: UUID, ruling: Ruling) -> dict[str, Any]:
        return {
            "id": new_id(),
            "item_id": item_id,
            "queue_id": self._queue_id(ruling.queue),
            "kind": _REVIEW,
            "state": _OPEN,
            "priority": ruling.priority,
            "due_at": self.now + ruling.due,
            "created_at": self.now,
        }

    def _queue_id(self, slug: str) -> UUID:
        if slug not in self.queue_ids:
            self.queue_ids[slug] = queues.ensure(self.session, slug, now=self.now)
        return self.queue_ids[slug]

    def write(self) -> None:
        """Insert what was gathered, and the one audit event over it."""
        if not self.items:
            return
        connection = self.session.connection()
        # In order of the unique key: then two batches with the same ids wait for each other and cannot deadlock.
        insert_rows(connection, Item, sorted(self.items, key=itemgetter("external_id")))
        insert_rows(connection, ItemPayload, self.payloads)
        insert_rows(connection, Task, self.tasks)
        audit.record(
            self.session, self.actor, "outputs.received", ("system", self.system.id), now=self.now,
            event_id=self.event_id, n=len(self.items), n_tasks=len(self.tasks), policy_version=self.policy_version,
            digest=digest_over((item["id"], item["content_digest"]) for item in self.items),
        )  # fmt: skip


def _system_of(session: Session, actor: Actor) -> tuple[System, Policy]:
    row = session.execute(
        select(System, Policy)
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .where(col(System.id) == actor.system_id)
    ).first()
    if row is None:
        raise NotFound("There is no such system, or it has no active policy.", field="system")
    return row[0], row[1]

"""Taking outputs in: each one is routed by the system's policy, recorded, and held or released."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, queues
from review.domain import content, policies
from review.domain.actors import Actor, Permission
from review.domain.audit import digest_over, item_line
from review.domain.lifecycle import ItemStatus, ReleaseState, TaskKind, TaskState
from review.domain.outputs import Output
from review.domain.policies import Ruling
from review.errors import Conflict, Forbidden, NotFound, ReviewError
from review.store.bulk import insert_rows
from review.store.tables import Item, ItemPayload, Policy, System, Task
from review.store.types import new_id

_WAITING, _PASSED = ItemStatus.WAITING.value, ItemStatus.PASSED.value
_PENDING, _RELEASED = ReleaseState.PENDING.value, ReleaseState.RELEASED.value
_ITEM = (
    "external_id", "id", "content_digest", "kind", "model_name", "model_version", "confidence", "group", "subject_id",
    "traceparent", "produced_at", "rule", "route", "reasons", "inclusion_probability", "status", "due_at",
    "release_state", "release_digest",
)  # fmt: skip
_TASK = ("id", "item_id", "queue_id", "priority", "due_at")
_ANSWERED: tuple[Any, ...] = (
    Item.id, Item.external_id, Item.content_digest, Item.route, Item.reasons, Item.policy_version,
    Item.inclusion_probability, Item.status, Item.due_at, Item.release_state,
)  # fmt: skip


class Taken(NamedTuple):
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


class _Known(NamedTuple):
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
        self.items: list[tuple[Any, ...]] = []
        self.lines: list[str] = []
        self.payloads: list[tuple[UUID, str]] = []
        self.tasks: list[tuple[Any, ...]] = []
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
            return known.taken._replace(replayed=True)
        return Conflict(
            f"external_id “{output.external_id}” was used before for other content. Use a new id for new content.",
            field="external_id",
        )

    def _add_new(self, output: Output, packed: bytes, digest: str) -> Taken:
        ruling = self.policy.ruling(output, self.system.sample_key)
        due_at = self.now + ruling.due if ruling.reviewed else None
        taken = Taken(
            new_id(), ruling.route.value, ruling.reasons, self.policy_version, ruling.inclusion_probability,
            _WAITING if ruling.reviewed else _PASSED, due_at, _PENDING if ruling.held else _RELEASED, replayed=False,
        )  # fmt: skip
        self.items.append(self._item(output, digest, ruling, taken))
        ruled = (taken.route, ruling.rule, ruling.reasons, self.policy_version, ruling.inclusion_probability)
        self.lines.append(item_line(taken.item_id, digest, self.system.id, output.external_id, ruled))
        self.payloads.append((taken.item_id, packed.decode()))
        if ruling.reviewed:
            queue_id = self._queue_id(ruling.queue)
            self.tasks.append((new_id(), taken.item_id, queue_id, ruling.priority, due_at))
        self.known[output.external_id] = _Known(digest, taken)
        return taken

    def _item(self, output: Output, digest: str, ruling: Ruling, taken: Taken) -> tuple[Any, ...]:
        """The row of an item, in the order of _ITEM."""
        return (
            output.external_id, taken.item_id, digest, output.kind, output.model.name, output.model.version,
            output.confidence, output.group, output.subject_id, output.traceparent, output.produced_at or self.now,
            ruling.rule, taken.route, taken.reasons, taken.inclusion_probability, taken.status, taken.due_at,
            taken.release_state, None if ruling.held else content.content_digest(output.output),
        )  # fmt: skip

    def _queue_id(self, slug: str) -> UUID:
        if slug not in self.queue_ids:
            self.queue_ids[slug] = queues.ensure(self.session, slug, now=self.now)
        return self.queue_ids[slug]

    def write(self) -> None:
        """Insert what was gathered, and the one audit event over it."""
        if not self.items:
            return
        connection = self.session.connection()
        # In one order for everyone: two calls with the same new ids then wait for each other, not both for ever.
        self.items.sort(key=itemgetter(0))
        insert_rows(connection, Item, _ITEM, self.items, same=self._same_of_items())
        insert_rows(connection, ItemPayload, ("item_id", "content"), self.payloads)
        insert_rows(connection, Task, _TASK, self.tasks, same=self._same_of_tasks())
        audit.record(
            self.session, self.actor, "outputs.received", ("system", self.system.id), now=self.now,
            event_id=self.event_id, n=len(self.items), n_tasks=len(self.tasks), policy_version=self.policy_version,
            digest=digest_over(sorted(self.lines)),  # each begins with its id
        )  # fmt: skip

    def _same_of_items(self) -> dict[str, Any]:
        return {
            "system_id": self.system.id, "received_at": self.now, "intake_event_id": self.event_id,
            "policy_version": self.policy_version, "version": 1,
        }  # fmt: skip

    def _same_of_tasks(self) -> dict[str, Any]:
        return {"kind": TaskKind.REVIEW.value, "state": TaskState.OPEN.value, "created_at": self.now}


def _system_of(session: Session, actor: Actor) -> tuple[System, Policy]:
    row = session.execute(
        select(System, Policy)
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .where(col(System.id) == actor.system_id)
    ).first()
    if row is None:
        raise NotFound("There is no such system, or it has no active policy.", field="system")
    return row[0], row[1]

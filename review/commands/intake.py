"""Taking outputs in: each one is routed by the system's policy, recorded, and held or released."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, modes, settlements
from review.commands.admission import RETRY_SECONDS, Admission
from review.commands.bundles import Bundles
from review.commands.settlements import Lapse
from review.domain import content, fail_safes, risks, rulings
from review.domain.actors import Actor, Permission
from review.domain.audit import digest_over, item_line
from review.domain.fail_safes import Cause, Settled
from review.domain.identities import identity
from review.domain.lifecycle import ItemStatus, ReleaseState, TaskKind, TaskState
from review.domain.modes import Mode, mode_at, ruling_in
from review.domain.outputs import Output
from review.domain.policies import Order, WhenFull
from review.domain.rulings import Ruling
from review.errors import Conflict, Forbidden, NotFound, ReviewError, TooMany
from review.queries import calibrations
from review.store.bulk import insert_rows
from review.store.tables import Item, ItemPayload, Person, Policy, System, Task, TaskBar, TaskSkill
from review.store.types import new_id

_ITEM = (
    "external_id", "id", "content_digest", "kind", "model_name", "model_version", "confidence", "group", "subject_id",
    "traceparent", "bundle", "bundle_position", "bundle_size", "requested_by", "produced_at", "rule", "route",
    "reasons", "inclusion_probability", "status", "due_at", "lapses_at", "release_state", "release_digest",
    "decision_id",
)  # fmt: skip
_TASK = ("id", "item_id", "queue_id", "kind", "priority", "due_at", "is_limited")
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
    mode: str
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
        self.policy, self.policy_version = rulings.compiled(policy.document), policy.version
        self.mode = mode_at(self.system.mode, self.system.mode_until, now)
        self.admission = Admission(session, self.policy.policy, now)
        by_risk = self.policy.policy.order is Order.EXPECTED_RISK
        self.curves = calibrations.curves(session, self.system.id) if by_risk else {}
        self.event_id = new_id()
        self.known: dict[str, _Known] = {}
        self.items: list[tuple[Any, ...]] = []
        self.lines: list[str] = []
        self.payloads: list[tuple[UUID, str]] = []
        self.tasks: list[tuple[Any, ...]] = []
        self.skills: list[tuple[UUID, str]] = []
        self.bars: list[tuple[UUID, UUID]] = []
        self.settled: list[Lapse] = []
        self.people: dict[str, set[UUID]] = {}
        self.bundles = Bundles(session, self.system.id)

    def know(self, external_ids: Iterable[str]) -> None:
        """Load what is on record under these ids."""
        wanted = list(external_ids)
        rows = self.session.execute(
            select(*_ANSWERED).where(col(Item.system_id) == self.system.id, col(Item.external_id).in_(wanted))
        )
        for row in rows:
            taken = Taken(
                row.id, row.route, row.reasons, row.policy_version, row.inclusion_probability, row.status,
                row.due_at, row.release_state, self.mode.value, replayed=True,
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

    def _add_new(self, output: Output, packed: bytes, digest: str) -> Taken | ReviewError:
        if (refusal := self.bundles.refusal(output)) is not None:
            return refusal
        ruling = ruling_in(self.mode, self.policy.ruling(output, self.system.sample_key))
        ruling = ruling.covered(self.system.sample_key, output.external_id)
        risk = risks.of(output, ruling, self.curves.get(output.model.version))
        is_asked = ruling.reviewed and self.mode is not Mode.STOPPED  # a stopped system fills no queue
        is_full = is_asked and self.admission.is_full(ruling, risk)
        if is_full and ruling.held and ruling.when_full is WhenFull.REFUSE:
            return TooMany(f"The queue {ruling.queue} is full. Send it again later.", retry_after=RETRY_SECONDS)
        if is_full:
            ruling = ruling._replace(reasons=(*ruling.reasons, Cause.QUEUE_FULL.value))
        row = _Row(new_id(), output, digest, ruling, self._settled(output, ruling, is_full=is_full))
        if ruling.reviewed and not is_full and row.settled is None:
            self._ask(row, risk)
        elif row.status is ItemStatus.LAPSED:
            self._bar_requester(row)  # whom a reopened item would ask
        taken = Taken(
            row.item_id, ruling.route.value, ruling.reasons, self.policy_version, ruling.inclusion_probability,
            row.status.value, row.due_at, row.release_state.value, self.mode.value, replayed=False,
        )  # fmt: skip
        self.items.append(row.values(self.now))
        self.bundles.add(output)
        ruled = (taken.route, ruling.rule, ruling.reasons, self.policy_version, ruling.inclusion_probability)
        self.lines.append(item_line(row.item_id, digest, self.system.id, output.external_id, ruled))
        self.payloads.append((row.item_id, packed.decode()))
        if row.settled and row.decision_id:
            self.settled.append(Lapse(row.item_id, output.external_id, 1, row.decision_id, row.settled))
        self.known[output.external_id] = _Known(digest, taken)
        return taken

    def _settled(self, output: Output, ruling: Ruling, *, is_full: bool) -> Settled | None:
        """What Holdpoint answers at once: where the system is stopped, or a held output finds its queue full."""
        if self.mode is Mode.STOPPED:
            return fail_safes.of_stopped(self.policy.policy)
        if is_full and ruling.held:
            rule = self.policy.rule(ruling.rule, ruling.reasons)
            return fail_safes.of_rule(output.output, self.policy.policy, rule, Cause.QUEUE_FULL)
        return None

    def _ask(self, row: "_Row", risk: float) -> None:
        """Make the tasks of an item: one for each person who is asked."""
        ruling = row.ruling
        queue_id, row.due_at = self.admission.take(ruling)
        row.lapses_at = row.due_at if ruling.held and ruling.on_lapse else None
        priority = round(100 * risk) if self.policy.policy.order is Order.EXPECTED_RISK else ruling.priority
        self._bar_requester(row)
        is_limited = row.output.requested_by is not None or ruling.n_people > 1 or bool(ruling.skills)
        for n in range(ruling.n_people):
            kind = TaskKind.SECOND_REVIEW if n else TaskKind.REVIEW
            task_id = new_id()
            self.tasks.append((task_id, row.item_id, queue_id, kind.value, priority, row.due_at, is_limited))
            self.skills += [(task_id, skill) for skill in ruling.skills]

    def _bar_requester(self, row: "_Row") -> None:
        """Keep the person here who asked for it from deciding on it; who is added later is barred as they are."""
        if row.output.requested_by is None:
            return
        if not self.people:  # by every name of theirs
            for person_id, *names in self.session.execute(select(Person.id, Person.username, Person.email)):  # type: ignore[call-overload]
                for name in names:
                    self.people.setdefault(identity(name), set()).add(person_id)
        self.bars += [(row.item_id, one) for one in self.people.get(identity(row.output.requested_by), ())]

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
        insert_rows(connection, TaskSkill, ("task_id", "skill"), self.skills)
        insert_rows(connection, TaskBar, ("item_id", "person_id"), self.bars, same={"reason": "asked for it"})
        audit.record(
            self.session, self.actor, "outputs.received", ("system", self.system.id), now=self.now,
            event_id=self.event_id, n=len(self.items), n_tasks=len(self.tasks), policy_version=self.policy_version,
            mode=self.mode.value, digest=digest_over(sorted(self.lines)),  # each line begins with its id
        )  # fmt: skip
        settlements.record(self.session, self.settled, now=self.now)

    def _same_of_items(self) -> dict[str, Any]:
        return {
            "system_id": self.system.id, "received_at": self.now, "intake_event_id": self.event_id,
            "policy_version": self.policy_version, "version": 1,
        }  # fmt: skip

    def _same_of_tasks(self) -> dict[str, Any]:
        return {"state": TaskState.OPEN.value, "created_at": self.now}


class _Row:
    """One new item on its way to the table."""

    __slots__ = ("decision_id", "digest", "due_at", "item_id", "lapses_at", "output", "ruling", "settled")

    def __init__(self, item_id: UUID, output: Output, digest: str, ruling: Ruling, settled: Settled | None) -> None:
        self.item_id, self.output, self.digest = item_id, output, digest
        self.ruling, self.settled = ruling, settled
        self.decision_id: UUID | None = new_id() if settled else None
        self.due_at: datetime | None = None
        self.lapses_at: datetime | None = None

    @property
    def status(self) -> ItemStatus:
        """Where the item begins."""
        if self.due_at is not None:
            return ItemStatus.WAITING
        return ItemStatus.LAPSED if self.settled or self.ruling.reviewed else ItemStatus.PASSED

    @property
    def release_state(self) -> ReleaseState:
        """What the producer may do with it at once."""
        if self.settled:
            return self.settled.release_state
        return ReleaseState.PENDING if self.ruling.held else ReleaseState.RELEASED

    def values(self, now: datetime) -> tuple[Any, ...]:
        """In the order of _ITEM."""
        output, ruling, state = self.output, self.ruling, self.release_state
        if self.settled:
            released = self.settled.digest
        else:
            released = None if ruling.held else content.content_digest(output.output)
        return (
            output.external_id, self.item_id, self.digest, output.kind, output.model.name, output.model.version,
            output.confidence, output.group, output.subject_id, output.traceparent, output.bundle,
            output.bundle_position, output.bundle_size, output.requested_by, output.produced_at or now, ruling.rule,
            ruling.route.value, ruling.reasons, ruling.inclusion_probability, self.status.value, self.due_at,
            self.lapses_at, state.value, released, self.decision_id,
        )  # fmt: skip


def _system_of(session: Session, actor: Actor) -> tuple[System, Policy]:
    modes.keep(session, actor.system_id)
    row = session.execute(
        select(System, Policy)
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .where(col(System.id) == actor.system_id)
    ).first()
    if row is None:
        raise NotFound("There is no such system, or it has no active policy.", field="system")
    return row[0], row[1]

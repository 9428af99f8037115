"""Running a policy over outputs on record, beside the version in force."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select
from sqlmodel import Session, col

from review.domain import content
from review.domain.actors import Actor
from review.domain.decisions import Verdict
from review.domain.dry_runs import DryRun, Told
from review.domain.rulings import CompiledPolicy, Ruling, compiled
from review.queries import policies
from review.store.tables import Decision, Item, ItemPayload

MOST = 1_000_000
_PAGE = 200  # contents have up to 1 MiB: a page of the largest still fits in memory
_ERRORS = frozenset({Verdict.CORRECT.value, Verdict.REJECT.value})

Progress = Callable[[int, int], None]  # how many outputs are done, and of how many


def run(
    session: Session, actor: Actor, slug: str, document: str, *, last: int, on_progress: Progress = lambda *_: None
) -> DryRun:
    """What a YAML policy would have made of the last outputs of a system, beside the version in force.

    Memory stays flat. Best given a Store.snapshot. Raises Invalid where the policy cannot work.
    """
    system, active = policies.in_force(session, actor, slug)
    draft = CompiledPolicy(document)
    found = DryRun(system.id, active.version, content.sha256(document.encode()))
    total = _n_outputs(session, system.id, last)
    both = _Both(found, compiled(active.document), draft, system.sample_key)
    on_progress(0, total)
    for page in _pages(session, system.id, total):
        for row in page:
            both.add(row)
        on_progress(found.n, total)
    return found


class _Both:
    """Two policies that are asked about the same outputs."""

    def __init__(self, found: DryRun, active: CompiledPolicy, draft: CompiledPolicy, sample_key: bytes) -> None:
        self._found, self._active, self._draft, self._key = found, active, draft, sample_key

    def add(self, row: Row[Any]) -> None:
        sent = content.parse(row.content)
        is_error = row.verdict in _ERRORS
        before, after = self._ruled(self._active, sent, row), self._ruled(self._draft, sent, row)
        told = Told(
            row.id, row.external_id, row.received_at, row.confidence, row.verdict,
            self._found.active.add(before, is_error=is_error), before.rule,
            self._found.draft.add(after, is_error=is_error), after.rule,
        )  # fmt: skip
        self._found.add(told)

    def _ruled(self, policy: CompiledPolicy, sent: dict[str, Any], row: Row[Any]) -> Ruling:
        ruling = policy.ruling_on_record(sent, row.external_id, self._key)
        return ruling.covered(self._key, row.external_id)


def _n_outputs(session: Session, system_id: UUID, last: int) -> int:
    some = select(col(Item.id)).where(col(Item.system_id) == system_id).limit(min(last, MOST))
    n: int = session.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return n


def _pages(session: Session, system_id: UUID, total: int) -> Iterator[list[Row[Any]]]:
    """The last outputs, newest first."""
    query, left = _outputs(system_id), total
    page = session.execute(query.limit(min(_PAGE, left))).all()
    while page:
        yield list(page)
        left -= len(page)
        page = session.execute(query.where(col(Item.id) < page[-1].id).limit(min(_PAGE, left))).all()


def _outputs(system_id: UUID) -> Select[Any]:
    by_person = and_(col(Decision.id) == col(Item.decision_id), col(Decision.decided_by_kind) == "person")
    columns: tuple[Any, ...] = (
        col(Item.id), col(Item.external_id), col(Item.received_at), col(Item.confidence), col(Decision.verdict),
        col(ItemPayload.content),
    )  # fmt: skip
    return (
        select(*columns)
        .select_from(Item)
        .join(ItemPayload, col(ItemPayload.item_id) == col(Item.id))
        .outerjoin(Decision, by_person)
        .where(col(Item.system_id) == system_id)
        .order_by(col(Item.id).desc())
    )

"""The bundles that outputs come in: how many parts each has, and how many are here."""

from typing import NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.outputs import Output
from review.errors import Invalid
from review.store.engine import advisory_lock
from review.store.tables import Item


class Bundles:
    """The bundles of one system that one intake adds to, each read once."""

    def __init__(self, session: Session, system_id: UUID) -> None:
        self._session, self._system_id = session, system_id
        self._known: dict[str, _Bundle] = {}

    def refusal(self, output: Output) -> Invalid | None:
        """Why an output is no further part of its bundle: another size was said before, or all parts are here."""
        if output.bundle is None:
            return None
        known = self._parts(output.bundle)
        if known.size is not None and output.bundle_size not in (None, known.size):
            return Invalid(f"The bundle “{output.bundle}” was said to have the size {known.size}.", field="bundle_size")
        if output.bundle_position is not None and output.bundle_position in known.positions:
            told = f"The bundle “{output.bundle}” has another output at {output.bundle_position}."
            return Invalid(told, field="bundle_position")
        most = known.size or output.bundle_size
        if most is not None and len(known.positions) >= most:
            return Invalid(f"The bundle “{output.bundle}” has all its {most} parts already.", field="bundle")
        return None

    def add(self, output: Output) -> None:
        """Count an output that is taken in."""
        if output.bundle is not None:
            known = self._parts(output.bundle)
            positions = [*known.positions, output.bundle_position]
            self._known[output.bundle] = _Bundle(known.size or output.bundle_size, positions)

    def _parts(self, name: str) -> "_Bundle":
        if name not in self._known:
            advisory_lock(
                self._session, uuid5(self._system_id, name)
            )  # two intakes at once: one sees the other's parts
            of_bundle = col(Item.system_id) == self._system_id, col(Item.bundle) == name
            rows = self._session.execute(
                select(col(Item.bundle_size), col(Item.bundle_position)).where(*of_bundle)
            ).all()
            size = max((row.bundle_size for row in rows if row.bundle_size), default=None)
            self._known[name] = _Bundle(size, [row.bundle_position for row in rows])
        return self._known[name]


class _Bundle(NamedTuple):
    """The size of a bundle, where it was said, and the places of its parts that are here."""

    size: int | None
    positions: list[int | None]

"""The bundles that outputs come in: how many parts each has, and how many are here."""

from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.domain.outputs import Output
from review.errors import Invalid
from review.store.engine import advisory_lock
from review.store.tables import Item


class Bundles:
    """The bundles of one system that one intake adds to, each read once."""

    def __init__(self, session: Session, system_id: UUID) -> None:
        self._session, self._system_id = session, system_id
        self._known: dict[str, tuple[int | None, int]] = {}

    def refusal(self, output: Output) -> Invalid | None:
        """Why an output is no further part of its bundle: another size was said before, or all parts are here."""
        if output.bundle is None:
            return None
        size, n = self._parts(output.bundle)
        if size is not None and output.bundle_size not in (None, size):
            return Invalid(f"The bundle “{output.bundle}” was said to have the size {size}.", field="bundle_size")
        most = size or output.bundle_size
        if most is not None and n >= most:
            return Invalid(f"The bundle “{output.bundle}” has all its {most} parts already.", field="bundle")
        return None

    def add(self, output: Output) -> None:
        """Count an output that is taken in."""
        if output.bundle is not None:
            size, n = self._parts(output.bundle)
            self._known[output.bundle] = (size or output.bundle_size, n + 1)

    def _parts(self, name: str) -> tuple[int | None, int]:
        """The size of a bundle, where it was said, and how many of its parts are here."""
        if name not in self._known:
            advisory_lock(
                self._session, uuid5(self._system_id, name)
            )  # two intakes at once: one sees the other's parts
            of_bundle = col(Item.system_id) == self._system_id, col(Item.bundle) == name
            parts = select(func.max(col(Item.bundle_size)), func.count()).where(*of_bundle)
            size, n = self._session.execute(parts).one()
            self._known[name] = (size, n)
        return self._known[name]

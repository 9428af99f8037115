"""Long polls: any number of requests wait for releases, and one query at a time looks for all of them."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from review.queries import releases
from review.store.engine import Store

LOOK_EVERY_SECONDS = 0.1
log = structlog.get_logger(__name__)


class Waiting:
    """The releases that are waited for; a waiting request holds neither a thread nor a connection."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._waiters: dict[UUID, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def until_settled(self, item_id: UUID, seconds: float) -> None:
        """Return when there is an answer: a decision, a fail-safe whose time has come, a stop; or the wait is over."""
        settled = asyncio.Event()
        self._waiters.setdefault(item_id, set()).add(settled)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await settled.wait()
        except TimeoutError:
            pass
        finally:
            self._leave(item_id, settled)

    def _leave(self, item_id: UUID, settled: asyncio.Event) -> None:
        waiters = self._waiters[item_id]
        waiters.remove(settled)
        if not waiters:
            del self._waiters[item_id]

    async def _look(self) -> None:
        while self._waiters:
            try:
                found = await to_thread.run_sync(self._settled, list(self._waiters))
            except SQLAlchemyError as error:
                log.warning("api.waiting_failed", error=str(error))
                found = set()
            for item_id in found:
                for settled in self._waiters.get(item_id, ()):
                    settled.set()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _settled(self, item_ids: list[UUID]) -> set[UUID]:
        with self._store.read() as session:
            return releases.settled(session, item_ids, now=self._clock())

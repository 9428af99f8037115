"""Where a request meets the store: the edge owns the transaction, the clock and the actor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlmodel import Session
from starlette.requests import Request

from review.api.waiting import Waiting
from review.domain.actors import Actor
from review.errors import Unauthenticated
from review.queries import keys
from review.store.engine import Store

T = TypeVar("T")
Work = Callable[[Session, Actor, datetime], T]


@dataclass(frozen=True)
class Edge:
    """What every route works with; work runs in a thread, as the actor whose key the request carries."""

    store: Store
    clock: Callable[[], datetime]
    waiting: Waiting
    batches: CapacityLimiter  # batches work for long: they may not take every thread
    probes: CapacityLimiter  # whether the database answers is told also while every other thread waits for it

    async def read(self, request: Request, work: Work[T]) -> T:
        """Run work in a read transaction."""
        key = key_of(request)
        return await to_thread.run_sync(self.reading, key, work)

    async def write(self, request: Request, work: Work[T]) -> T:
        """Run work in a write transaction; the key is looked up in the same one, so a revoked key changes nothing."""
        key = key_of(request)
        return await to_thread.run_sync(self.writing, key, work)

    def reading(self, key: str, work: Work[T]) -> T:
        """The same for code that is in a thread already."""
        with self.store.read() as session:
            return work(session, keys.actor_of(session, key), self.clock())

    def writing(self, key: str, work: Work[T]) -> T:
        """The same for code that is in a thread already; done once more where another was first with a unique key."""
        return self.store.commit(lambda session: work(session, keys.actor_of(session, key), self.clock()))

    def actor_of(self, key: str) -> Actor:
        """Whose key this is."""
        return self.reading(key, lambda _session, actor, _now: actor)


def edge_of(request: Request) -> Edge:
    """The edge of the application that a request came to."""
    edge: Any = request.app.state.edge
    assert isinstance(edge, Edge)  # noqa: S101 - tells the type checker what create_api put there
    return edge


def key_of(request: Request) -> str:
    """The key in the Authorization header; raises Unauthenticated where there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthenticated("This request carries no key. Send the header Authorization: Bearer hp_….")
    return key.strip()

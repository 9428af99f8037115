"""The HTTP interface over the world's store, on each engine."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.serving import Caller, in_process, served
from tests.support.world import World


@pytest.fixture
def api(world: World) -> Caller:
    """Calls in process."""
    return in_process(world)


@pytest.fixture
def live(world: World) -> Iterator[Caller]:
    """Calls over a real socket."""
    with served(world) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Caller(http, world)

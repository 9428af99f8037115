"""The HTTP interface in processes of their own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from review.api.app import create_api
from review.store.engine import Store
from tests.support.processes import started


@contextmanager
def api_processes(database_url: str, n: int) -> Iterator[list[str]]:
    """So many processes that serve one database; gives their addresses."""
    sockets = [_listening() for _ in range(n)]
    running = [started(_serve, database_url, one) for one in sockets]
    try:
        yield [f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.join(20)


def _listening() -> socket.socket:
    """Here and not in the process: a request waits for the server from now on, where it would be refused before."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(256)
    return listening


def _serve(database_url: str, listening: socket.socket) -> None:
    program = Starlette(routes=[Mount("/api/v1", create_api(Store(database_url)))])
    config = uvicorn.Config(program, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])

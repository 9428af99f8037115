"""The HTTP interface as a process of its own: `python -m tests.support.api_process DATABASE_URL` says its port."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from review.api.app import create_api
from review.store.engine import Store


@contextmanager
def api_processes(database_url: str, n: int) -> Iterator[list[str]]:
    """So many processes that serve one database; gives their addresses."""
    command = [sys.executable, "-m", "tests.support.api_process", database_url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(n)]
    try:
        yield [f"http://127.0.0.1:{_port(one)}" for one in started]
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(20)


def _port(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def main(database_url: str) -> None:
    """Serve until ended."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(256)  # from here on a request waits for the server, where it would be refused before
    print(listening.getsockname()[1], flush=True)
    program = Starlette(routes=[Mount("/api/v1", create_api(Store(database_url)))])
    config = uvicorn.Config(program, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])

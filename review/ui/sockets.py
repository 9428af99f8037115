"""Answers that leave at once."""

import gc
import socket


def send_at_once() -> None:
    """Turn Nagle's algorithm off on every listening TCP socket of this process; connections inherit it.

    asyncio does so only for sockets that were made with the protocol named, which Streamlit's are not: the second
    part of every answer then waits 40 ms for the peer's delayed acknowledgement.
    """
    for found in gc.get_objects():
        if isinstance(found, socket.socket) and _listens(found):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listens(candidate: socket.socket) -> bool:
    if candidate.fileno() < 0 or candidate.type is not socket.SOCK_STREAM:
        return False
    if candidate.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

"""Outputs as the bodies of requests."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from review.client.errors import InvalidOutput
from review.client.results import RejectedLine
from review.domain.outputs import Output

BATCH_LINES = 10_000
BATCH_BYTES = 32 * 1024**2

Sendable: TypeAlias = Mapping[str, Any] | Output


def as_json(output: Sendable) -> bytes:
    """The output as JSON; raises InvalidOutput for what JSON cannot carry, which is never changed silently."""
    if isinstance(output, Output):
        return output.model_dump_json().encode()
    try:
        return json.dumps(output, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        detail = f"This output cannot be sent as JSON: {error}."
        problem = {"type": "urn:holdpoint:invalid", "title": "Invalid value", "status": 422, "detail": detail}
        raise InvalidOutput(detail, problem) from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def batches(outputs: Iterable[Sendable], rejected: list[RejectedLine]) -> Iterator[tuple[list[int], bytes]]:
    """Gzipped bodies with the places of their lines; what cannot be sent at all goes to `rejected`."""
    lines: list[int] = []
    body = _Body()
    for place, output in enumerate(outputs, 1):
        try:
            line = as_json(output)
        except InvalidOutput as error:
            rejected.append(RejectedLine(place, error.problem))
            continue
        if lines and (len(lines) == BATCH_LINES or body.size + len(line) >= BATCH_BYTES):
            yield lines, body.finished()
            lines, body = [], _Body()
        lines.append(place)
        body.add(line)
    if lines:
        yield lines, body.finished()


class _Body:
    """The gzipped body of one batch; `size` is what it unpacks to."""

    def __init__(self) -> None:
        self.size = 0
        self._gzip = zlib.compressobj(level=1, wbits=31)
        self._packed: list[bytes] = []

    def add(self, line: bytes) -> None:
        """One more line."""
        self.size += len(line) + 1
        self._packed.append(self._gzip.compress(line + b"\n"))

    def finished(self) -> bytes:
        """The whole body."""
        return b"".join([*self._packed, self._gzip.flush()])

"""Reading a file of JSON lines, plain or gzip, a line at a time."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from review.errors import Invalid

MAX_LINE_BYTES = 4 * 1024**2
_GZIP = b"\x1f\x8b"


class Readable(Protocol):
    """What lines are read from."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or its first `size` bytes; nothing at the end."""


class Lines:
    """The lines of an open file with their numbers from 1; a line that is too long comes as None."""

    def __init__(self, file: Readable, position: Callable[[], int]) -> None:
        self._file, self.position = file, position

    def __iter__(self) -> Iterator[tuple[int, bytes | None]]:
        number = 0
        while line := self._read():
            number += 1
            if len(line) > MAX_LINE_BYTES:
                self._skip(line)
                yield number, None
            elif not line.isspace():
                yield number, line

    def _read(self) -> bytes:
        try:
            return self._file.readline(MAX_LINE_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Invalid(f"The file is damaged: {error}. Lines before that were taken in.", field="file") from error

    def _skip(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._read()


@contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """The lines of a file, which may be gzip whatever its name."""
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == _GZIP
        if packed:
            with gzip.GzipFile(fileobj=raw) as file:
                yield Lines(file, raw.tell)
        else:
            yield Lines(raw, raw.tell)

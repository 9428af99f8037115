"""A batch of outputs, one JSON document a line: read and committed in chunks while the rest still arrives."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from review.api.answers import outputs as answers
from review.api.answers.outputs import BatchAnswer, LineAnswer, RejectedLine
from review.api.problems import problem_of
from review.commands.intake import Taken
from review.domain.modes import Mode
from review.domain.outputs import Output, read_output
from review.errors import Invalid, ReviewError, TooLarge

MAX_LINES = 10_000
MAX_BYTES = 64 * 1024**2
MAX_LINE_BYTES = 4 * 1024**2
LINES_A_COMMIT = 1_000
_BLOCK = 1024**2
_SEND_AGAIN = "Lines before that may have been taken in; sending them again is safe."

Take = Callable[[list[tuple[Output, bytes]]], list[Taken | ReviewError]]


class Batch:
    """The state of one batch; `take` records checked outputs in a transaction of its own, durably.

    `mode` is the system's as the batch begins; each commit sees it anew.
    """

    def __init__(
        self, take: Take, clock: Callable[[], datetime], mode: Mode, *, gzipped: bool, with_results: bool
    ) -> None:
        self._take, self._clock = take, clock
        self._blocks = _Gunzip().blocks if gzipped else _plain
        self._with_results = with_results
        self._mode = mode
        self._n_received = self._n_unpacked = 0
        self._n_lines = 0
        self._rest = b""
        self._waiting: list[tuple[Output, bytes]] = []
        self._waiting_lines: list[int] = []
        self._n_replayed = 0
        self._routes: Counter[str] = Counter()
        self._rejected: list[RejectedLine] = []
        self._results: list[LineAnswer] = []

    def feed(self, data: bytes) -> None:
        """Take in what has arrived; raises TooLarge or Invalid where the whole body is at fault."""
        self._n_received = _counted(self._n_received, data)
        for block in self._blocks(data):
            self._n_unpacked = _counted(self._n_unpacked, block)
            *lines, rest = (self._rest + block).split(b"\n")
            self._rest = rest[: MAX_LINE_BYTES + 1]
            for line in lines:
                self._read(line)

    def finish(self) -> BatchAnswer:
        """Take in the last lines, and say what became of all of them."""
        for block in self._blocks(b""):
            self._rest += block
        if self._rest:
            self._read(self._rest)
        self._commit()
        self._rejected.sort(key=lambda one: one["line"])
        answer: BatchAnswer = {
            "accepted": self._routes.total() - self._n_replayed,
            "replayed": self._n_replayed,
            "rejected": self._rejected,
            "routes": {"pass": self._routes["pass"], "review": self._routes["review"], "block": self._routes["block"]},
            "mode": self._mode,
        }
        if self._with_results:
            answer["results"] = self._results
        return answer

    def _read(self, line: bytes) -> None:
        self._n_lines += 1
        if self._n_lines > MAX_LINES:
            raise TooLarge(f"A batch is at most {MAX_LINES:,} lines. {_SEND_AGAIN}")
        if not line or line.isspace():
            return
        try:
            if len(line) > MAX_LINE_BYTES:
                raise TooLarge(f"The line is larger than {MAX_LINE_BYTES // 1024**2} MiB. Send less context.")
            self._waiting.append(read_output(line, self._clock()))
        except ReviewError as error:
            self._reject(self._n_lines, error)
            return
        self._waiting_lines.append(self._n_lines)
        if len(self._waiting) == LINES_A_COMMIT:
            self._commit()

    def _commit(self) -> None:
        if not self._waiting:
            return
        for line, taken in zip(self._waiting_lines, self._take(self._waiting), strict=True):
            if isinstance(taken, ReviewError):
                self._reject(line, taken)
                continue
            self._mode = Mode(taken.mode)
            self._routes[taken.route] += 1
            self._n_replayed += taken.replayed
            if self._with_results:
                self._results.append(answers.line(line, taken))
        self._waiting, self._waiting_lines = [], []

    def _reject(self, line: int, error: ReviewError) -> None:
        self._rejected.append({"line": line, "problem": problem_of(error)})


def _counted(n_bytes: int, more: bytes) -> int:
    n_bytes += len(more)
    if n_bytes > MAX_BYTES:
        raise TooLarge(f"A batch is at most {MAX_BYTES // 1024**2} MiB before compression. {_SEND_AGAIN}")
    return n_bytes


def _plain(data: bytes) -> Iterator[bytes]:
    if data:
        yield data


class _Gunzip:
    """Unpacks gzip a bounded block at a time, so that a small body cannot become a large one in memory."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._started = False

    def blocks(self, data: bytes) -> Iterator[bytes]:
        """What the data unpacks to; no data means the end, where an unfinished stream raises Invalid."""
        if not data and self._started and not self._member.eof:
            raise Invalid(f"The gzip stream ends too early. {_SEND_AGAIN}", field="body")
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding, which tape and some tools put behind a member
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=31)
            yield self._unpacked(data)
            data = self._member.unconsumed_tail or self._member.unused_data

    def _unpacked(self, data: bytes) -> bytes:
        self._started = True
        try:
            return self._member.decompress(data, _BLOCK)
        except zlib.error as error:
            raise Invalid(f"The body is not gzip that can be read: {error}. {_SEND_AGAIN}", field="body") from error

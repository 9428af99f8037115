"""For producers: send outputs, and wait for what may be used of them. Light to import."""

from collections.abc import Callable, Iterable
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
import orjson
import stamina

from review.client.bodies import Sendable, as_json, batches
from review.client.errors import (
    ClientError,
    Conflict,
    Consumed,
    InvalidOutput,
    NotAllowed,
    NotKnown,
    NotReleased,
    Refused,
    StillPending,
    Unavailable,
    WrongContent,
    error_of,
)
from review.client.results import (
    Event,
    ModeNow,
    Plan,
    RejectedLine,
    Release,
    Reported,
    Submitted,
    Summary,
    mode_of,
    release_of,
    reported,
    submitted,
)

__all__ = [
    "Client",
    "ClientError",
    "Conflict",
    "Consumed",
    "InvalidOutput",
    "ModeNow",
    "NotAllowed",
    "NotKnown",
    "NotReleased",
    "Plan",
    "Refused",
    "RejectedLine",
    "Release",
    "Reported",
    "StillPending",
    "Submitted",
    "Summary",
    "Unavailable",
    "WrongContent",
]

POLL_SECONDS = 30.0
_JSON = {"content-type": "application/json"}
_LINES = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}


class Client:
    """One system's key at one server. Sending is repeated when the server cannot be reached: it is idempotent."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        attempts: int = 6,
        retry_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._attempts, self._retry_seconds = attempts, retry_seconds
        self._modes: dict[str, tuple[str, ModeNow]] = {}
        self._http = httpx.Client(
            base_url=url.rstrip("/").removesuffix("/api/v1") + "/api/v1",
            headers={"authorization": f"Bearer {key}"},
            timeout=timeout,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, output: Sendable) -> Submitted:
        """Send one output. Raises InvalidOutput, Conflict or NotAllowed where it is refused."""
        answer = self._call("POST", "/outputs", content=as_json(output), headers=_JSON)
        return submitted(orjson.loads(answer.content), replayed=answer.status_code == httpx.codes.OK)

    def submit_many(self, outputs: Iterable[Sendable], *, on_batch: Callable[[Summary], None] | None = None) -> Summary:
        """Send any number of outputs in batches; one that is refused costs that one alone.

        Memory stays flat. To resume what was interrupted send it all again: what arrived counts as replayed.
        `on_batch` is called after each batch with the summary so far.
        """
        summary = Summary()
        for lines, body in batches(outputs, summary.rejected):
            answer = self._call("POST", "/outputs/batch", content=body, headers=_LINES, timeout=600.0)
            summary.add(orjson.loads(answer.content), lines)
            if on_batch is not None:
                on_batch(summary)
        summary.rejected.sort(key=lambda one: one.line)
        return summary

    def release(self, item_id: UUID | str, *, wait: float = 0) -> Release:
        """What may be used of an item now, or as soon as it is decided within `wait` seconds (at most 60)."""
        answer = self._call(
            "GET", f"/items/{item_id}/release", params={"wait": wait}, timeout=httpx.Timeout(30.0, read=wait + 30.0)
        )
        return release_of(orjson.loads(answer.content))

    def wait_for_release(self, item_id: UUID | str, timeout: float | None = None) -> Release:
        """What may be used of an item once that is decided: `released` with its content, or `withheld`.

        Waits for ever without a timeout (seconds); raises StillPending after it. The content's digest is checked.
        """
        until = None if timeout is None else monotonic() + timeout
        while True:
            left = POLL_SECONDS if until is None else min(POLL_SECONDS, max(0.0, until - monotonic()))
            release = self.release(item_id, wait=left)
            if release.state != "pending":
                return release
            if until is not None and monotonic() >= until:
                raise StillPending(f"Nobody decided item {item_id} within {timeout:g} seconds.")

    def consume(self, item_id: UUID | str, sha256: str) -> Release:
        """Use what was released, once: its content, where `sha256` is the digest of what you are about to use.

        Raises NotReleased, Consumed, or Conflict for another digest. While the system is stopped, the answer is
        `withheld`, with the text that stands in. It is never asked twice: after Unavailable nobody can tell whether
        the release was given out, so ask your own records before you act.
        """
        request = {"content": orjson.dumps({"sha256": sha256}), "headers": _JSON}
        return release_of(orjson.loads(self._once("POST", f"/items/{item_id}/release/consume", request).content))

    def mode(self, slug: str) -> ModeNow:
        """How the system runs now. Cheap to ask before every output: what did not change is not sent again."""
        known = self._modes.get(slug)
        headers = {"if-none-match": known[0]} if known else {}
        answer = self._call("GET", f"/systems/{slug}/mode", headers=headers)
        if known is None or answer.status_code != httpx.codes.NOT_MODIFIED:
            known = (answer.headers["etag"], mode_of(orjson.loads(answer.content)))
            self._modes[slug] = known
        return known[1]

    def report(self, slug: str, event: Event, detail: str = "") -> Reported:
        """Report what happened to the model: the plan that is written for it is carried out, and announced."""
        body = orjson.dumps({"event": event, "detail": detail})
        return reported(
            orjson.loads(self._call("POST", f"/systems/{slug}/events", content=body, headers=_JSON).content)
        )

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask, and ask again while the server cannot be reached: only for what may safely be asked twice."""
        for attempt in stamina.retry_context(
            on=_pause, attempts=self._attempts, timeout=self._retry_seconds, wait_initial=0.2, wait_max=10.0
        ):
            with attempt:
                return self._once(method, path, request)
        raise AssertionError("a retry ends with an answer or an error")

    def _once(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.UnsupportedProtocol as error:
            raise ClientError(f"{self._http.base_url} is no address of a server: {error}") from error
        except httpx.TransportError as error:
            raise Unavailable(f"{self._http.base_url} could not be reached: {error!r}") from error
        if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
            return answer
        raise error_of(answer)


def _pause(error: Exception) -> bool | float:
    """Whether to ask again after an error, and where the server said so, after how many seconds."""
    if not isinstance(error, Unavailable):
        return False
    return True if error.retry_after is None else error.retry_after

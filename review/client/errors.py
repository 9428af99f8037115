"""What can go wrong for a producer."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson


class ClientError(Exception):
    """A request that failed; `problem` is the server's problem document where it sent one."""

    def __init__(self, message: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem: Mapping[str, Any] = problem or {}

    @property
    def field(self) -> str | None:
        """The field that is at fault, where the server named one."""
        return self.problem.get("field")


class Refused(ClientError):
    """The server refused the request; nothing was changed."""


class NotAllowed(Refused):
    """The key is not known, was revoked, or may not do this."""


class NotKnown(Refused):
    """There is no such item for this key."""


class Conflict(Refused):
    """The same external id was used before for other content; or a release has another digest than the one sent."""


class NotReleased(Refused):
    """Nothing is released: nobody decided yet, or it is withheld. Nothing was used up."""


class Consumed(Refused):
    """The release was given out before; it is given once. Do not act on it again."""


class InvalidOutput(Refused):
    """The output holds a value that cannot be used; the message names the field and the fix."""


class Unavailable(ClientError):
    """The server could not be reached or failed, also when asked again. Sending an output again is always safe."""

    retry_after: float | None = None


class StillPending(ClientError):
    """Nobody decided within the time given."""


class WrongContent(ClientError):
    """The content of a release does not have the digest that it came with. Do not use it."""


_REFUSALS = {401: NotAllowed, 403: NotAllowed, 404: NotKnown, 409: Conflict, 413: InvalidOutput, 422: InvalidOutput}
_BY_TYPE = {"urn:holdpoint:not-released": NotReleased, "urn:holdpoint:consumed": Consumed}


def error_of(answer: httpx.Response) -> ClientError:
    """The error that a refusing or failing answer stands for."""
    try:
        problem = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    message = f"{answer.status_code}: {problem.get('detail') or answer.reason_phrase}"
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        unavailable = Unavailable(message, problem)
        after = answer.headers.get("retry-after", "")
        unavailable.retry_after = float(after) if after.isdigit() else None
        return unavailable
    kind = _BY_TYPE.get(str(problem.get("type"))) or _REFUSALS.get(answer.status_code, Refused)
    return kind(message, problem)

"""Reading the bodies of requests: their type, their size, and their fields."""

from collections.abc import Collection
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints, ValidationError
from starlette.requests import Request

from review.api.problems import Unsupported
from review.domain import content
from review.domain.decisions import Answer, EscalationReason, Note
from review.domain.outputs import Code, Strict, invalid
from review.errors import TooLarge

MAX_BODY_BYTES = 4 * content.MAX_CONTENT_BYTES  # JSON may spell two bytes of content with six
JSON = ("application/json",)

Token = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class ClaimBody(Strict):
    """Which queue to take the next task from; without one, from all that the person may work."""

    queue: Code | None = None


class LeaseBody(Strict):
    """The hold that is meant, by the token that claiming it gave."""

    lease: Token


class DecisionBody(Answer):
    """A verdict, under the hold and on the version of the item that the person saw."""

    lease: Token
    item_version: Version


class EscalationBody(Strict):
    """Why a task is handed up. With `item_version`, only if the item is still the one that the person saw."""

    lease: Token
    item_version: Version | None = None
    reason: EscalationReason
    note: Note = ""


class DocumentBody(Strict):
    """A policy as YAML text."""

    document: str


class SeenBody(Strict):
    """The SHA-256 of the exact text that the person looked at."""

    sha256: Sha256


class DraftChangeBody(Strict):
    """Another text for a draft, and the SHA-256 of the text that was changed."""

    document: str
    sha256: Sha256


class DryRunBody(Strict):
    """A policy as YAML text, and over how many outputs it is run."""

    document: str
    last: int = Field(default=10_000, ge=1, le=100_000, strict=True)


T = TypeVar("T", bound=Strict)


async def read(request: Request, model: type[T]) -> T:
    """The JSON body of a request as a model; raises Invalid naming the field and the fix."""
    return parse(await raw_json(request), model)


async def read_if_any(request: Request, model: type[T]) -> T:
    """The same where a request may also come without a body."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return model()
    return await read(request, model)


def parse(raw: bytes, model: type[T]) -> T:
    """A JSON text as a model."""
    try:
        value = model.model_validate_json(raw)
    except ValidationError as error:
        raise invalid(error) from error
    if b"\\u0000" in raw:
        for name, field in value.model_dump().items():
            content.refuse_unkeepable(field, name)
    return value


async def raw_json(request: Request) -> bytes:
    """The bytes of a JSON body; raises Unsupported for another type, TooLarge before reading more than is accepted."""
    require_type(request, JSON)
    require_encoding(request, ("identity",))
    require_length(request, MAX_BODY_BYTES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large(MAX_BODY_BYTES)
    return bytes(body)


def require_type(request: Request, types: Collection[str]) -> None:
    """Raise Unsupported unless the body says to be of one of these types."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise Unsupported(f"The body is {given or 'of no type'}. Send Content-Type: {' or '.join(types)}.")


def require_encoding(request: Request, encodings: Collection[str]) -> str:
    """How the body is encoded; raises Unsupported unless it is one of these."""
    given = request.headers.get("content-encoding", "identity").strip().lower()
    if given not in encodings:
        raise Unsupported(f"The body is encoded as {given}. Read here: {', '.join(encodings)}.")
    return given


def require_length(request: Request, most: int) -> None:
    """Raise TooLarge if the body says to be larger, before any of it is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {most // 1024**2} MiB that are accepted here. Send less at once.")

"""What a producer sends: the one definition of an output, and all that is refused of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from review.domain import content, schemas
from review.errors import Invalid, TooLarge

CLOCK_TOLERANCE = timedelta(minutes=5)
EARLIEST_YEAR = 1990

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
Text = Annotated[str, StringConstraints(max_length=content.MAX_CONTENT_BYTES)]
Offset = Annotated[int, Field(ge=0, strict=True)]


class OutputKind(StrEnum):
    """What an AI system produced."""

    ANSWER = "answer"
    CLASSIFICATION = "classification"
    ACTION = "action"


class Strict(BaseModel):
    """A value from outside: unknown fields and infinite numbers are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class ModelVersion(Strict):
    """Which model, and which version of it."""

    name: Name
    version: Name


class Source(Strict):
    """One piece of evidence that the system had."""

    id: Name | None = None
    title: str | None = None
    text: Text
    uri: str | None = None
    score: float | None = None


class Alternative(Strict):
    """Another value the model considered."""

    value: JsonValue
    confidence: float | None = Field(default=None, ge=0, le=1)


class Range(Strict):
    """A stretch of the output, in code points, end exclusive."""

    start: Offset
    end: Offset


class Flag(Strict):
    """What an automatic check said of the output."""

    code: Code
    severity: int = Field(ge=1, le=5, strict=True)
    detail: str | None = None
    span: Range | None = None


class Output(Strict):
    """One thing a system produced, as sent to POST /outputs."""

    system: Code
    external_id: Name
    kind: Literal["answer", "classification", "action"]
    model: ModelVersion
    input: JsonValue
    context: list[Source | Text] = Field(default_factory=list, max_length=1000)
    output: JsonValue
    alternatives: list[Alternative | JsonValue] = Field(default_factory=list, max_length=1000)
    confidence: float | None = Field(default=None, ge=0, le=1)
    flags: list[Flag] = Field(default_factory=list, max_length=200)
    group: Name | None = None
    subject_id: Name | None = None
    bundle: Name | None = None
    bundle_position: int | None = Field(default=None, ge=0, le=10_000, strict=True)
    bundle_size: int | None = Field(default=None, ge=1, le=1_000, strict=True)
    requested_by: Name | None = None
    allowed_verdicts: list[Literal["approve", "correct", "reject"]] | None = Field(default=None, min_length=1)
    correction_schema: dict[str, JsonValue] | None = None
    traceparent: str | None = Field(default=None, pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    produced_at: AwareDatetime | None = None


# These are columns of an item; everything else of an output is its payload.
_COLUMNS = {"system", "external_id"}


def read_output(raw: bytes, now: datetime) -> tuple[Output, bytes]:
    """Parse and check one output; returns it with its canonical content (UTF-8 JSON).

    Raises Invalid naming the field and the fix, or TooLarge above 1 MiB of content.
    """
    try:
        output = Output.model_validate_json(raw)
    except ValidationError as error:
        raise invalid(error) from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON that can be read: {error}.", field="body") from error
    return output, _checked_content(output, raw, now)


def _checked_content(output: Output, raw: bytes, now: datetime) -> bytes:
    if output.produced_at is not None and output.produced_at.year < EARLIEST_YEAR:
        raise Invalid(f"produced_at is before {EARLIEST_YEAR}. Check the sending machine's clock.", field="produced_at")
    if output.produced_at is not None and output.produced_at > now + CLOCK_TOLERANCE:
        raise Invalid(
            f"produced_at {output.produced_at.isoformat()} is in the future. Check the sending machine's clock.",
            field="produced_at",
        )
    if _may_be_unkeepable(output, raw):
        for name, value in output.model_dump(exclude={"system"}).items():
            content.refuse_unkeepable(value, name)
    _check_spans(output)
    _check_position(output)
    if output.correction_schema is not None:
        schemas.refuse_unusable(output.correction_schema)
    packed = content.canonical({name: value for name, value in vars(output).items() if name not in _COLUMNS})
    if len(packed) > content.MAX_CONTENT_BYTES:
        raise TooLarge(
            f"The content is {len(packed):,} bytes; at most {content.MAX_CONTENT_BYTES:,} are accepted. "
            "Send less context, or a reference to it.",
            field="context",
        )
    return packed


def _may_be_unkeepable(output: Output, raw: bytes) -> bool:
    """Whether the JSON text could hold what is refused; only then is every value looked at."""
    if b"\\u0000" in raw:
        return True
    is_text = isinstance(output.input, str) and isinstance(output.output, str)
    return not (is_text and not output.metadata and not output.alternatives) and _may_be_deep_or_infinite(raw)


def _may_be_deep_or_infinite(raw: bytes) -> bool:
    if raw.count(b"[") + raw.count(b"{") > content.MAX_DEPTH:
        return True
    try:
        orjson.loads(raw)  # stricter than what read it: no NaN, no number too large to be one
    except orjson.JSONDecodeError:
        return True
    return False


def _check_spans(output: Output) -> None:
    if not output.flags:
        return
    length = len(output.output) if isinstance(output.output, str) else 0
    for index, flag in enumerate(output.flags):
        if flag.span is not None:
            check_range(flag.span.start, flag.span.end, length, f"flags[{index}].span")


def _check_position(output: Output) -> None:
    position, size = output.bundle_position, output.bundle_size
    if position is not None and size is not None and position > size:
        said = f"bundle_position {position} is past bundle_size {size}. Send the place among the bundle's outputs."
        raise Invalid(said, field="bundle_position")


def check_range(start: int, end: int, length: int, field: str) -> None:
    """Raise Invalid unless 0 <= start < end <= length (code points of a text output)."""
    if not 0 <= start < end <= length:
        raise Invalid(
            f"{field} {start}..{end} is outside the output's {length} characters. Count code points; end is exclusive.",
            field=field,
        )


def invalid(error: ValidationError) -> Invalid:
    """The first of pydantic's complaints, as our error: which field, what was wrong, and the fix."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return Invalid(f"{field}{_told(first['type'], first['msg'], first.get('ctx', {}))}", field=field)


_FORMS = {
    r"^[a-z0-9][a-z0-9_.:-]{0,63}$": "is 1 to 64 small letters, digits and _ . : -, and begins with a letter or digit.",
    r"^[a-z0-9_]+:[a-z0-9_.-]+$": "is a name and a value with a colon between, in small letters, such as language:de.",
    r"^[0-9a-f]{64}$": "is a SHA-256: 64 hexadecimal digits in small letters.",
}


def _told(kind: str, said: str, about: Mapping[str, Any]) -> str:
    """A complaint of pydantic's about a field in our words, where it has none that help."""
    if kind == "extra_forbidden":
        return " is not a known field. Remove it, or check its spelling."
    if kind == "string_pattern_mismatch":
        pattern = about["pattern"]
        return f" {_FORMS.get(pattern, f'has another form than {pattern}.')}"
    if kind == "too_short":
        return f" is too short: give {about['min_length']} or more."
    return f": {said.removeprefix('Value error, ').removesuffix('.')}."

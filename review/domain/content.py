"""Exact bytes of content: canonical JSON, digests, and what content is refused."""

import hashlib
import math
import re
from typing import Any

import orjson

from review.errors import Invalid

MAX_CONTENT_BYTES = 1024 * 1024
MAX_DEPTH = 32


def canonical(value: Any) -> bytes:
    """JSON as UTF-8 bytes with sorted keys and no spaces: the same value gives the same bytes anywhere.

    A model within the value is its fields. Raises Invalid where JSON cannot carry the value (an integer beyond
    64 bits, a lone surrogate).
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=vars)
    except (orjson.JSONEncodeError, TypeError) as error:
        raise Invalid(f"This value cannot be kept exactly: {error}. Send it as a string.") from error


def parse(text: str | bytes) -> Any:
    """The value of a canonical JSON text."""
    return orjson.loads(text)


def sha256(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def content_bytes(value: Any) -> bytes:
    """The exact bytes that a release is bound to: a text as its UTF-8, anything else as canonical JSON."""
    return value.encode() if isinstance(value, str) else canonical(value)


def content_digest(value: Any) -> str:
    """SHA-256 of the exact content, as producers compute it before they use a release."""
    return sha256(content_bytes(value))


def refuse_unkeepable(value: Any, field: str, depth: int = 0) -> None:
    """Raise Invalid, naming the field, for NUL characters, numbers that are none, and over-deep nesting."""
    if depth > MAX_DEPTH:
        top = re.split(r"[.\[]", field, maxsplit=1)[0]
        raise Invalid(f"{top} is nested deeper than {MAX_DEPTH} levels. Flatten it.", field=top)
    if isinstance(value, str):
        _refuse_text(value, field)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid(f"{field} is not a finite number. Send null or a finite number.", field=field)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_text(key, field)
            refuse_unkeepable(inner, f"{field}.{key}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            refuse_unkeepable(inner, f"{field}[{index}]", depth + 1)


def _refuse_text(value: str, field: str) -> None:
    if "\x00" in value:
        raise Invalid(f"{field} holds a NUL character. Remove it.", field=field)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Invalid(f"{field} holds half of a surrogate pair. Send whole characters.", field=field) from error

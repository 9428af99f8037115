"""Column types that mean the same on every database, and new ids."""

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
import uuid_utils.compat
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from review.domain.content import canonical


def new_id() -> uuid.UUID:
    """A UUIDv7: ids made later sort later, so that an index grows at its end."""
    return uuid_utils.compat.uuid7()


def id_of_time(at: datetime) -> uuid.UUID:
    """A UUIDv7 as it is made a few milliseconds after a moment, for what must seem to be of then."""
    at_ms = int(at.timestamp() * 1000) + 1 + secrets.randbelow(8)
    return uuid.UUID(int=at_ms << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out; SQLite alone would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; they mean nothing."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: times are aware UTC")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CanonicalJson(TypeDecorator[Any]):
    """A JSON value as canonical text, byte for byte the same on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The canonical text; None stays NULL."""
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value of the text."""
        return None if value is None else orjson.loads(value)

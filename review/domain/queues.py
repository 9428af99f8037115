"""How a queue is run, what a person is able to judge, and which tasks are meant where many are meant at once."""

import re
from typing import Annotated, Any

from pydantic import Field, ValidationError

from review.domain.calendars import Hours, Service
from review.domain.lifecycle import TaskKind
from review.domain.outputs import Code, Name, Strict, Text, invalid
from review.domain.policies import Skill
from review.errors import Invalid

_SPAN = re.compile(r"((?:[01]?\d|2[0-3])(?::[0-5]\d)?)\s*[-–]\s*((?:[01]?\d|2[0-3])(?::[0-5]\d)?|24(?::00)?)")
Username = Annotated[str, Field(min_length=1, max_length=64)]


class Settings(Strict):
    """All that leads settle for a queue. Without members it is open to everyone of its level.

    `ceiling` is how many open tasks it takes; `load_cap` how many a person is assigned at most by itself (without one,
    nothing is).
    """

    name: Name
    members: list[Username] = Field(default_factory=list, max_length=1_000)
    ceiling: int | None = Field(default=None, ge=1, le=10_000_000, strict=True)
    load_cap: int | None = Field(default=None, ge=1, le=1_000, strict=True)
    service: Service | None = None


class Skills(Strict):
    """What a person is able to judge, as name:value."""

    skills: list[Skill] = Field(default_factory=list, max_length=100)


class Chosen(Strict):
    """Which open tasks are meant; what is left out does not matter."""

    system: Code | None = None
    queue: Code | None = None
    q: Text | None = None  # as the inbox searches
    kind: TaskKind | None = None
    older_than_minutes: int | None = Field(default=None, ge=0, le=10_000_000)
    priority_from: int | None = Field(default=None, ge=0, le=100)
    assigned_to: Username | None = None
    is_assigned: bool | None = None


def read_settings(fields: dict[str, Any]) -> Settings:
    """Settings from what a person filled in; raises Invalid naming the field and the fix."""
    try:
        return Settings.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from error


def read_skills(skills: list[str]) -> Skills:
    """Skills from what a person wrote; raises Invalid for one that is no name:value."""
    try:
        return Skills(skills=skills)
    except ValidationError as error:
        raise Invalid("Write each skill as name:value in lower case, such as language:de.", field="skills") from error


def read_hours(text: str, day: str) -> list[dict[str, str]]:
    """Hours as people write them: “09:00-12:00, 13:00-17:00”; nothing means that nobody works then.

    Raises Invalid naming the day.
    """
    spans = [span.strip() for span in text.replace(";", ",").split(",") if span.strip()]
    found = [_SPAN.fullmatch(span) for span in spans]
    if not all(found):
        raise Invalid(f"{day}: write hours as 09:00-12:00, 13:00-17:00, or leave the day empty.", field=day)
    return [{"start": _clock(span[1]), "end": _clock(span[2])} for span in found if span]


def _clock(text: str) -> str:
    hour, _, minute = text.partition(":")
    hour = "0" if hour == "24" else hour  # the end of a day is the beginning of the next
    return f"{int(hour):02}:{minute or '00'}"


def say_hours(hours: list[Hours]) -> str:
    """The same the other way round."""
    return ", ".join(f"{one.start:%H:%M}-{one.end:%H:%M}" for one in hours)

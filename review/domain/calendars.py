"""Service levels in working time: when something is due that is promised in minutes of work, not of the clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from review.domain.outputs import Code, Strict

_MOST_DAYS = 4_000  # no promise reaches further; a calendar of holidays alone ends here
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Minutes = Annotated[int, Field(ge=0, le=100_000)]


class Hours(Strict):
    """From when until when people work on a day, by the wall clock of the queue's time zone."""

    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> "Hours":
        if self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class Step(Strict):
    """What happens by itself, some working minutes before (negative) or after a task is due."""

    name: Code
    after_minutes: int = Field(ge=-100_000, le=100_000)
    action: Literal["raise_priority", "notify", "hand_up", "fail_safe"]
    priority: int = Field(default=100, ge=0, le=100)
    notify: list[Code] = Field(default_factory=list, max_length=20)


class Service(Strict):
    """A queue's service level: working hours and holidays in its time zone, and the steps on the way to a breach."""

    time_zone: str = "UTC"
    hours: dict[Day, list[Hours]] = Field(default_factory=dict)  # empty: around the clock
    holidays: list[date] = Field(default_factory=list, max_length=1000)
    due_soon_minutes: Minutes = 30
    steps: list[Step] = Field(default_factory=list, max_length=10)

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {name}; write one like Europe/Berlin") from error
        return name

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The moment (UTC) when `work` has passed in working time from `start` (aware). Days may be 23 or 25 hours."""
        if not self.hours:
            return start + work
        left = work
        for begin, end in self._spans(start):
            if begin + left <= end:
                return begin + left
            left -= end - begin
        return start + work + timedelta(days=_MOST_DAYS)

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working time from `start` on, as spans in UTC."""
        zone = ZoneInfo(self.time_zone)
        first = start.astimezone(zone).date()
        for day in (first + timedelta(days=n) for n in range(_MOST_DAYS)):
            if day in self.holidays:
                continue
            for hours in sorted(self.hours.get(_named(day), []), key=lambda one: one.start):
                begin = datetime.combine(day, hours.start, zone).astimezone(UTC)
                end = datetime.combine(day, hours.end, zone).astimezone(UTC)
                if end > start:
                    yield max(begin, start), end


def _named(day: date) -> Day:
    return DAYS[day.weekday()]

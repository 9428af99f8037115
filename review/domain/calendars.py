"""Service levels in working time: when something is due that is promised in minutes of work, not of the clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from review.domain.outputs import Code, Strict

DUE_SOON, OVERDUE = "due_soon", "overdue"
_MOST_DAYS = 4_000  # no promise reaches further; a calendar of holidays alone ends here
_DAY = timedelta(days=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Minutes = Annotated[int, Field(ge=0, le=100_000)]
Action = Literal["raise_priority", "notify", "hand_up", "fail_safe"]


class Hours(Strict):
    """From when until when people work, by the wall clock of the queue's time zone; an end that is not after the start
    is on the next day."""

    start: time
    end: time

    @field_validator("start", "end", mode="before")
    @classmethod
    def _as_written(cls, at: Any) -> Any:
        if not isinstance(at, str | time):  # YAML reads 17:00 without quotes as a number
            raise ValueError('hours are written in quotes, as "09:00"')
        return at

    @field_validator("start", "end")
    @classmethod
    def _of_the_wall(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("hours are by the queue's time zone: leave out the offset, as in 09:00")
        return at

    @property
    def n_nights(self) -> int:
        """How many days after they begin the hours end: 0 or 1."""
        return int(self.end <= self.start)


class Step(Strict):
    """What happens by itself, some working minutes before (negative) or after a task is due."""

    name: Code
    after_minutes: int = Field(ge=-100_000, le=100_000)
    action: Action
    priority: int = Field(default=100, ge=0, le=100)
    notify: list[Code] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _names_whom(self) -> Self:
        if (self.action == "notify") != bool(self.notify):
            raise ValueError("the step notify names people in notify, and no other step does")
        if self.name in (DUE_SOON, OVERDUE):
            raise ValueError(f"{self.name} is what happens in any case; name the step otherwise")
        return self


class Turn(NamedTuple):
    """One point on a task's way past its due time, in working minutes after it: an event, or a step of the queue."""

    after_minutes: int
    name: str
    step: Step | None


class Service(Strict):
    """A queue's service level: working hours and holidays in its time zone, and the steps on the way to a breach.

    Hours that begin on a holiday are not worked.
    """

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
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name}; write one like Europe/Berlin") from error
        return name

    @field_validator("hours")
    @classmethod
    def _worked(cls, hours: dict[Day, list[Hours]]) -> dict[Day, list[Hours]]:
        if hours and not any(hours.values()):
            raise ValueError("no day has hours; give one some, or leave hours out for around the clock")
        week = sorted(_in_week(day, one) for day, several in hours.items() for one in several)
        again = [*week, *((begin + 7 * _DAY, end) for begin, end in week[:1])]
        if any(end > begin for (_, end), (begin, _) in pairwise(again)):
            raise ValueError("hours overlap; write each stretch of work once")
        return hours

    @field_validator("steps")
    @classmethod
    def _named_once(cls, steps: list[Step]) -> list[Step]:
        names = [step.name for step in steps]
        if len(set(names)) < len(names):
            raise ValueError("two steps have one name; give each its own")
        return steps

    @cached_property
    def turns(self) -> list[Turn]:
        """What happens to a task by itself, in order of time."""
        events = [Turn(-self.due_soon_minutes, DUE_SOON, None), Turn(0, OVERDUE, None)]
        steps = [Turn(step.after_minutes, step.name, step) for step in self.steps]
        return sorted([*events, *steps], key=lambda turn: turn.after_minutes)

    def after(self, start: datetime, work: timedelta) -> datetime:
        """The moment (UTC) when `work` has passed in working time from `start` (aware). Days may be 23 or 25 hours."""
        if not self.hours or work <= timedelta(0):
            return start + work
        left = work
        for opens, end in self._spans(start, step=1):
            begin = max(opens, start)
            if begin + left <= end:
                return begin + left
            left -= max(end - begin, timedelta(0))
        return start + _MOST_DAYS * _DAY

    def before(self, end: datetime, work: timedelta) -> datetime:
        """The latest moment (UTC) from which `work` of working time has passed at `end` (aware)."""
        if not self.hours or work <= timedelta(0):
            return end - work
        left = work
        for begin, closes in self._spans(end, step=-1):
            until = min(closes, end)
            if until - left >= begin:
                return until - left
            left -= max(until - begin, timedelta(0))
        return end - _MOST_DAYS * _DAY

    def reached(self, turn: Turn, now: datetime) -> datetime:
        """What is due until this moment is at this turn now, or past it."""
        work = timedelta(minutes=abs(turn.after_minutes))
        return self.before(now, work) if turn.after_minutes > 0 else self.after(now, work)

    def _spans(self, near: datetime, *, step: int) -> Iterator[tuple[datetime, datetime]]:
        """The hours worked (UTC), day by day, from about `near` on or back."""
        day = near.astimezone(self._zone).date() - step * _DAY
        for _ in range(_MOST_DAYS):
            yield from self._of_day(day)[::step]
            day += step * _DAY

    def _of_day(self, day: date) -> list[tuple[datetime, datetime]]:
        """The hours that begin on a day, each after those before it: where clocks go forward, two could overlap."""
        until = max((end for _, end in self._by_the_wall(day - _DAY)), default=_LONG_AGO)
        kept = []
        for begin, end in self._by_the_wall(day):
            kept.append((max(begin, until), end))
            until = max(end, until)
        return [(begin, end) for begin, end in kept if begin < end]

    def _by_the_wall(self, day: date) -> list[tuple[datetime, datetime]]:
        if day in self._closed:
            return []
        hours = self.hours.get(DAYS[day.weekday()], [])
        return sorted((self._at(day, one.start), self._at(day + one.n_nights * _DAY, one.end)) for one in hours)

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._zone).astimezone(UTC)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _closed(self) -> frozenset[date]:
        return frozenset(self.holidays)


def _in_week(day: Day, hours: Hours) -> tuple[timedelta, timedelta]:
    """When hours begin and end, from the beginning of Monday."""
    midnight = datetime.combine(date(2024, 1, 1), time())
    start, end = (datetime.combine(midnight, at) - midnight for at in (hours.start, hours.end))
    first = DAYS.index(day) * _DAY
    return first + start, first + end + hours.n_nights * _DAY

"""Working time: nights, weekends, holidays and changed clocks, against a count of minutes one by one."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from review.domain.calendars import DAYS, DUE_SOON, OVERDUE, Service

MINUTE = timedelta(minutes=1)
OFFICE = {day: [{"start": "09:00", "end": "17:00"}] for day in DAYS[:5]}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def service(**fields: Any) -> Service:
    return Service.model_validate({"hours": OFFICE, "time_zone": "Europe/Berlin", **fields})


def berlin(*of: int) -> datetime:
    return datetime(*of, tzinfo=ZoneInfo("Europe/Berlin"))  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (berlin(2026, 3, 2, 9), 60, berlin(2026, 3, 2, 10)),
        (berlin(2026, 3, 2, 16, 30), 60, berlin(2026, 3, 3, 9, 30)),  # the night does not count
        (berlin(2026, 3, 6, 16, 30), 60, berlin(2026, 3, 9, 9, 30)),  # nor does the weekend
        (berlin(2026, 3, 7, 12), 60, berlin(2026, 3, 9, 10)),
        (berlin(2026, 3, 2, 9), 8 * 60, berlin(2026, 3, 2, 17)),  # due at the end of the day, not next morning
        (berlin(2026, 3, 27, 16), 120, berlin(2026, 3, 30, 10)),  # over the Sunday whose clocks go forward
        (berlin(2026, 10, 23, 16), 120, berlin(2026, 10, 26, 10)),  # and back
        (berlin(2026, 4, 2, 16), 120, berlin(2026, 4, 7, 10)),  # Good Friday and Easter Monday below
        (berlin(2026, 3, 2, 3), 0, berlin(2026, 3, 2, 3)),
    ],
)
def test_what_is_promised_in_working_time(start: datetime, minutes: int, due: datetime) -> None:
    office = service(holidays=[date(2026, 4, 3), date(2026, 4, 6)])
    assert office.after(start, minutes * MINUTE) == due


def test_around_the_clock_without_hours() -> None:
    assert Service().after(berlin(2026, 3, 7, 23), 120 * MINUTE) == berlin(2026, 3, 8, 1)
    assert Service().before(berlin(2026, 3, 8, 1), 120 * MINUTE) == berlin(2026, 3, 7, 23)


def test_a_night_watch_counts_the_hour_that_is_there_and_not_the_one_that_is_not() -> None:
    watch = service(hours={day: [{"start": "22:00", "end": "06:00"}] for day in DAYS})
    assert watch.after(berlin(2026, 3, 3, 22), 8 * 60 * MINUTE) == berlin(2026, 3, 4, 6)
    assert watch.after(berlin(2026, 3, 28, 22), 7 * 60 * MINUTE) == berlin(2026, 3, 29, 6)  # forward: 7 hours
    assert watch.after(berlin(2026, 10, 24, 22), 9 * 60 * MINUTE) == berlin(2026, 10, 25, 6)  # back: 9 hours


def test_hours_within_the_hour_that_is_left_out_neither_vanish_nor_count_twice() -> None:
    hours = {"sun": [{"start": "02:15", "end": "02:45"}, {"start": "03:00", "end": "04:00"}]}
    early = service(hours=hours)
    assert early.after(berlin(2026, 3, 29, 0), 60 * MINUTE) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    assert early.before(datetime(2026, 3, 29, 2, 0, tzinfo=UTC), 60 * MINUTE) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_holidays_without_end_give_a_due_time_all_the_same() -> None:
    rare = service(hours={"mon": [{"start": "09:00", "end": "09:01"}]})
    assert rare.after(berlin(2026, 3, 2, 9), timedelta(days=366)).year == 2037
    assert rare.before(berlin(2026, 3, 2, 9), timedelta(days=366)).year == 2015


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"time_zone": "Mars/Base"}, "no time zone Mars/Base"),
        ({"hours": {"mon": []}}, "no day has hours"),
        ({"hours": {"mon": [{"start": "09:00+02:00", "end": "12:00"}]}}, "leave out the offset"),
        ({"hours": {"mon": [{"start": "09:00", "end": 1020}]}}, "in quotes"),
        ({"hours": {"mon": [{"start": "09:00", "end": "12:00"}, {"start": "11:00", "end": "13:00"}]}}, "overlap"),
        ({"hours": {"sun": [{"start": "22:00", "end": "06:00"}], "mon": [{"start": "05:00", "end": "09:00"}]}},
         "overlap"),
        ({"hours": {"moon": []}}, "'mon', 'tue'"),
        ({"steps": [{"name": "tell", "after_minutes": 0, "action": "notify"}]}, "names people"),
        ({"steps": [{"name": "up", "after_minutes": 0, "action": "hand_up", "notify": ["a"]}]}, "no other step"),
        ({"steps": [{"name": "overdue", "after_minutes": 0, "action": "hand_up"}]}, "name the step otherwise"),
        ({"steps": [{"name": "up", "after_minutes": n, "action": "hand_up"} for n in (1, 2)]}, "two steps"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        service(**fields)


def test_turns_come_in_order() -> None:
    steps = [
        {"name": "up", "after_minutes": 60, "action": "hand_up"},
        {"name": "first", "after_minutes": -90, "action": "raise_priority"},
    ]
    names = [turn.name for turn in service(steps=steps).turns]
    assert names == ["first", DUE_SOON, OVERDUE, "up"]


# A property is checked against the plainest definition there is: walk the minutes and look at the wall clock.
at_minute = st.integers(0, 400 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE)
clock = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def services(draw: Any) -> Service:
    """Up to two stretches a day, in any zone, with holidays."""
    hours: dict[str, list[dict[str, Any]]] = {}
    for day in draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)):
        marks = sorted(draw(st.lists(clock, min_size=2, max_size=4, unique=True)))
        hours[day] = [{"start": a, "end": b} for a, b in zip(marks[::2], marks[1::2], strict=False)]
    holidays = draw(st.lists(st.dates(date(2026, 1, 1), date(2027, 2, 1)), max_size=20))
    return service(time_zone=draw(st.sampled_from(ZONES)), hours=hours, holidays=holidays)


def works(by: Service, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(by.time_zone))
    hours = by.hours.get(DAYS[local.weekday()], [])
    return local.date() not in by.holidays and any(one.start <= local.time() < one.end for one in hours)


def counted(by: Service, start: datetime, end: datetime) -> int:
    return sum(works(by, start + n * MINUTE) for n in range(round((end - start) / MINUTE)))


@settings(max_examples=60, deadline=None)
@given(by=services(), start=at_minute, minutes=st.integers(1, 900))
def test_only_working_time_counts(by: Service, start: datetime, minutes: int) -> None:
    due = by.after(start, minutes * MINUTE)
    if due - start > timedelta(days=120) or _clocks_change(by, start, due):
        return
    assert counted(by, start, due) == minutes
    assert works(by, due - MINUTE)
    back = by.before(due, minutes * MINUTE)
    assert counted(by, back, due) == minutes
    assert start <= back


def _clocks_change(by: Service, start: datetime, end: datetime) -> bool:
    """Whether hours that begin or end where clocks change could be read in two ways; the tests above fix those."""
    zone = ZoneInfo(by.time_zone)
    offsets = {(start + timedelta(hours=n)).astimezone(zone).utcoffset() for n in range((end - start).days * 24 + 48)}
    return len(offsets) > 1


@settings(max_examples=150, deadline=None)
@given(by=services(), a=at_minute, b=at_minute, m=st.integers(0, 900), n=st.integers(0, 900))
def test_later_or_longer_is_never_due_earlier(by: Service, a: datetime, b: datetime, m: int, n: int) -> None:
    a, b, m, n = min(a, b), max(a, b), min(m, n), max(m, n)
    assert by.after(a, m * MINUTE) <= by.after(b, m * MINUTE)
    assert by.after(a, m * MINUTE) <= by.after(a, n * MINUTE)
    assert by.before(a, m * MINUTE) <= by.before(b, m * MINUTE)
    assert by.before(a, n * MINUTE) <= by.before(a, m * MINUTE)
    assert by.after(a, m * MINUTE) >= a
    assert by.before(by.after(a, m * MINUTE), m * MINUTE) >= a

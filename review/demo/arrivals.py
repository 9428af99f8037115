"""When the scenario's outputs come in: two weeks up to now, and some of them this very morning, still to be worked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from review.demo.scenario import Played

N_WAITING, N_HANDED_UP, N_PASSED = 40, 5, 12
FRESH = timedelta(minutes=130)


class Fate(StrEnum):
    """What becomes of an output by the end of the play."""

    WORKED = "worked"
    WAITING = "waiting"
    HANDED_UP = "handed_up"  # and waits for a lead


@dataclass(frozen=True)
class Arrival:
    """One output, when it comes in, and what becomes of it."""

    at: datetime
    played: Played
    fate: Fate


def first_midnight(now: datetime) -> datetime:
    """When the two weeks begin whose last day is today."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=13)


def arrivals(
    played: Sequence[Played], is_reviewed: Callable[[Played], bool], now: datetime, rng: Random
) -> list[Arrival]:
    """Every output with its time, in order; the fresh ones come in the last two hours."""
    fates = _fresh(played, is_reviewed)
    found = [
        Arrival(_fresh_time(fates[index], now, rng), one, fates[index])
        if index in fates
        else Arrival(_old_time(one, now, rng), one, Fate.WORKED)
        for index, one in enumerate(played)
    ]
    return sorted(found, key=lambda arrival: arrival.at)


def _fresh(played: Sequence[Played], is_reviewed: Callable[[Played], bool]) -> dict[int, Fate]:
    """Which outputs come last, thinned evenly out of the two weeks so that no day is missing from the past."""
    newest = {one.output["system"]: one.output["model"] for one in played}
    now_running = [i for i, one in enumerate(played) if one.output["model"] == newest[one.output["system"]]]
    reviewed = [i for i in now_running if is_reviewed(played[i])]
    to_hand_up = [i for i in reviewed if played[i].truth.escalate]
    plain = [i for i in reviewed if not played[i].truth.escalate]
    passed = [i for i in now_running if not is_reviewed(played[i])]
    return {
        **dict.fromkeys(_evenly(plain, N_WAITING), Fate.WAITING),
        **dict.fromkeys(to_hand_up[-N_HANDED_UP:], Fate.HANDED_UP),
        **dict.fromkeys(_evenly(passed, N_PASSED), Fate.WORKED),
    }


def _evenly(indices: Sequence[int], n: int) -> list[int]:
    n = min(n, len(indices))
    return [indices[(place * len(indices)) // n] for place in range(n)]


def _fresh_time(fate: Fate, now: datetime, rng: Random) -> datetime:
    since = rng.uniform(0.35, 0.8) if fate is Fate.HANDED_UP else rng.random()
    return now - FRESH * since


def _old_time(one: Played, now: datetime, rng: Random) -> datetime:
    at = first_midnight(now) + one.arrives
    while at > now - FRESH:  # it would come later today: let it have come at this hour of a day before
        at -= timedelta(days=rng.randint(1, 4))
    return at

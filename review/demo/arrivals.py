"""When the scenario's outputs come in: two weeks up to now, and some of them this very morning, still to be worked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from review.demo.scenario import Played
from review.domain.rulings import Ruling

N_WAITING, N_HANDED_UP, N_PASSED, N_LAPSED = 40, 5, 12, 4
FRESH = timedelta(minutes=130)
Rules = Callable[[Played], Ruling]


class Fate(StrEnum):
    """What becomes of an output by the end of the play."""

    WORKED = "worked"
    WAITING = "waiting"
    HANDED_UP = "handed_up"  # and waits for a lead
    SETTLED = "settled"  # two people disagree, and a lead settles it
    DISPUTED = "disputed"  # two people disagree, and a lead is waited for
    LAPSED = "lapsed"  # nobody gets to it in time


@dataclass(frozen=True)
class Arrival:
    """One output, when it comes in, and what becomes of it."""

    at: datetime
    played: Played
    fate: Fate


def first_midnight(now: datetime) -> datetime:
    """When the two weeks begin whose last day is today."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=13)


def arrivals(played: Sequence[Played], rules: Rules, now: datetime, rng: Random) -> list[Arrival]:
    """Every output with its time, in order; the fresh ones come in the last two hours."""
    firsts = [one for one in played if not one.output.get("bundle_position")]
    fresh = _fresh(firsts, rules)
    past = _past(firsts, rules, fresh)
    found = [
        Arrival(_fresh_time(fresh[index], now, rng), one, fresh[index])
        if index in fresh
        else Arrival(_old_time(one, now, rng), one, past.get(index, Fate.WORKED))
        for index, one in enumerate(firsts)
    ]
    return sorted([*found, *_followers(played, found)], key=lambda arrival: arrival.at)


def _followers(played: Sequence[Played], firsts: Sequence[Arrival]) -> list[Arrival]:
    """The other actions of a turn, right after its first, whose fate they share."""
    leading = {first.played.output.get("bundle"): first for first in firsts}
    return [
        replace(leading[one.output["bundle"]], played=one, at=leading[one.output["bundle"]].at + timedelta(seconds=1))
        for one in played
        if one.output.get("bundle_position")
    ]


def _fresh(played: Sequence[Played], rules: Rules) -> dict[int, Fate]:
    """Which outputs come last, thinned evenly out of the two weeks so that no day is missing from the past."""
    newest = {one.output["system"]: one.output["model"] for one in played}
    now_running = [i for i, one in enumerate(played) if one.output["model"] == newest[one.output["system"]]]
    reviewed = [i for i in now_running if rules(played[i]).reviewed]
    to_hand_up = [i for i in reviewed if played[i].truth.escalate]
    plain = [i for i in reviewed if not played[i].truth.escalate]
    passed = [i for i in now_running if not rules(played[i]).reviewed]
    bundled = [i for i in plain if "bundle" in played[i].output]
    return {
        **dict.fromkeys(_evenly(plain, N_WAITING), Fate.WAITING),
        **dict.fromkeys(bundled[-1:], Fate.WAITING),
        **dict.fromkeys(_by_two(plain, played, rules)[-1:], Fate.DISPUTED),
        **dict.fromkeys(to_hand_up[-N_HANDED_UP:], Fate.HANDED_UP),
        **dict.fromkeys(_evenly(passed, N_PASSED), Fate.WORKED),
    }


def _past(played: Sequence[Played], rules: Rules, fresh: dict[int, Fate]) -> dict[int, Fate]:
    """Of what came before, that on which two people disagree, and that to which nobody gets in time."""
    past = [i for i, one in enumerate(played) if i not in fresh and not one.truth.escalate]
    lapsing = [i for i in past if rules(played[i]).on_lapse]
    settled = _by_two(past, played, rules)[-2:]
    return {**dict.fromkeys(_evenly(lapsing, N_LAPSED), Fate.LAPSED), **dict.fromkeys(settled, Fate.SETTLED)}


def _by_two(indices: Sequence[int], played: Sequence[Played], rules: Rules) -> list[int]:
    """Those that two people look at: answers, or actions where there are none."""
    by_two = [i for i in indices if rules(played[i]).n_people == 2]
    return [i for i in by_two if played[i].output["kind"] == "answer"] or by_two


def _evenly(indices: Sequence[int], n: int) -> list[int]:
    n = min(n, len(indices))
    return [indices[(place * len(indices)) // n] for place in range(n)]


def _fresh_time(fate: Fate, now: datetime, rng: Random) -> datetime:
    since = rng.uniform(0.35, 0.8) if fate in (Fate.HANDED_UP, Fate.DISPUTED) else rng.random()
    return now - FRESH * since


def _old_time(one: Played, now: datetime, rng: Random) -> datetime:
    at = first_midnight(now) + one.arrives
    while at > now - FRESH:  # it would come later today: let it have come at this hour of a day before
        at -= timedelta(days=rng.randint(1, 4))
    return at

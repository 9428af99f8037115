"""The whole scenario: three systems' outputs in the order they arrive."""

from datetime import timedelta
from random import Random

from review.demo.scenario import actions, answering, routing
from review.demo.scenario.shapes import Played

DAYS = 14
_BY_HOUR = (1, 1, 1, 1, 1, 2, 5, 12, 22, 28, 30, 28, 22, 24, 27, 26, 24, 20, 15, 13, 11, 8, 4, 2)
_WEEKEND = 0.35


def scenario(seed: int = 7, first_weekday: int = 0) -> list[Played]:
    """Every output of two weeks, sorted by arrival; the same seed gives the same scenario.

    It starts at midnight of `first_weekday` (0 is Monday), so that weekends are quiet.
    """
    rng = Random(seed)  # noqa: S311 - a play is to be repeated, not to be secret
    played = [
        *answering.play(rng, _arrivals(rng, answering.count(), first_weekday)),
        *routing.play(rng, _arrivals(rng, routing.count(), first_weekday)),
        *actions.play(rng, _arrivals(rng, actions.count(), first_weekday)),
    ]
    return sorted(played, key=lambda one: (one.arrives, str(one.output["external_id"])))


def _arrivals(rng: Random, n: int, first_weekday: int) -> list[timedelta]:
    """Sorted moments within two weeks: mostly by day, fewer at weekends."""
    quiet = [_WEEKEND if (first_weekday + day) % 7 >= 5 else 1.0 for day in range(DAYS)]
    days = rng.choices(range(DAYS), quiet, k=n)
    hours = rng.choices(range(24), _BY_HOUR, k=n)
    moments = (timedelta(days=d, hours=h, seconds=rng.randrange(3600)) for d, h in zip(days, hours, strict=True))
    return sorted(moments)

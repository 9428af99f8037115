"""Texts with slots such as {first}, and wrong words between [[ and ]]."""

import re
from random import Random
from typing import Any

from review.demo.scenario.shapes import Span

_FIRST = (
    "Aoife Ben Carla Dmitri Elif Fergus Grace Hamid Isla Joost Karin Luca "
    "Mei Niamh Owen Paula Rosa Stefan Tomasz Una Viktor Wanda Yusuf Zoe"
).split()
_LAST = (
    "Adeyemi Brennan Castellano Doyle Eriksen Farrell Gallagher Haddad "
    "Ivanova Jansen Keogh Lange Moroni Nolan Petrov Quigley"
).split()
_STREETS = (
    "Tanner's Row", "Quay Street", "Alder Close", "Mill Lane", "Hawthorn Avenue", "Chapel Hill", "Station Road",
    "Linden Park", "Weaver Street", "Harbour View",
)  # fmt: skip
_TOWNS = "Ballymore Carrick Drumlin Ennisfort Glenmara Kilbrack Oranhaven Rossbeg Westcove".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday".split()
_MONTHS = "January February March April May June September October November".split()
_MONTHS_ES = "enero febrero marzo abril mayo junio septiembre octubre".split()


def slots(rng: Random, language: str = "en") -> dict[str, str]:
    """One customer's names, places, dates and amounts, by slot name."""
    reading = rng.randrange(10_240, 88_000)
    first, friend = rng.sample(_FIRST, 2)
    return {
        "first": first,
        "friend": friend,
        "last": rng.choice(_LAST),
        "street": f"{rng.randrange(1, 140)} {rng.choice(_STREETS)}",
        "town": rng.choice(_TOWNS),
        "day": _day(rng.randrange(1, 29), language),
        "weekday": rng.choice(_WEEKDAYS),
        "month": rng.choice(_MONTHS),
        "month_winter": rng.choice(("December", "January", "February")),
        "month_es": rng.choice(_MONTHS_ES),
        "eur": str(rng.randrange(96, 420)),
        "small": str(rng.choice((10, 15, 20, 30, 40))),
        "kwh": f"{rng.randrange(1_400, 3_900):,}",
        "m3": str(rng.randrange(41, 238)),
        "reading": f"{reading}",
        "reading2": f"{reading // 100}{reading % 10}{reading // 10 % 10}",
        "account": f"LF-{rng.randrange(300_000, 600_000)}",
        "other_account": f"LF-{rng.randrange(600_000, 900_000)}",
        "case": str(rng.randrange(21_000, 98_000)),
    }


def _day(number: int, language: str) -> str:
    if language != "en":
        return str(number)
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd', 21: 'st', 22: 'nd', 23: 'rd'}.get(number, 'th') }"


def filled(text: str, values: dict[str, str]) -> str:
    """The text with each slot replaced by its value; raises KeyError for a slot that nobody knows."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text)


def filled_value(value: Any, values: dict[str, str]) -> Any:
    """A tool's arguments with slots replaced; an amount that is only a slot becomes a number."""
    if isinstance(value, dict):
        return {key: filled_value(inner, values) for key, inner in value.items()}
    if value == "{eur}":
        return float(values["eur"])
    return filled(value, values) if isinstance(value, str) else value


def unmarked(text: str, label: str) -> tuple[str, tuple[Span, ...]]:
    """The text without its [[ ]] and the spans they enclosed, in code points."""
    plain, spans = "", []
    for piece in re.split(r"(\[\[.+?\]\])", text, flags=re.DOTALL):
        words = piece.removeprefix("[[").removesuffix("]]")
        if words != piece:
            spans.append(Span(start=len(plain), end=len(plain) + len(words), label=label, text=words))
        plain += words
    return plain, tuple(spans)

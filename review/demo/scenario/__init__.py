"""Two weeks of a made-up firm, Lanternfield Energy: what its three AI systems produced, and what is true of it."""

from review.demo.scenario.people import NEWCOMER, PEOPLE, SKILLS, SYSTEMS, DemoSystem, Person, policy
from review.demo.scenario.play import scenario
from review.demo.scenario.shapes import LABELS, Played, Span, Truth

__all__ = [
    "LABELS",
    "NEWCOMER",
    "PEOPLE",
    "SKILLS",
    "SYSTEMS",
    "DemoSystem",
    "Person",
    "Played",
    "Span",
    "Truth",
    "policy",
    "scenario",
]

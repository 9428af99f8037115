"""What ticket-router decided: one intent for each message, with the runners-up."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from review.demo.scenario import content, prose
from review.demo.scenario.content import Message
from review.demo.scenario.envelope import chosen, envelope, sure
from review.demo.scenario.shapes import Played, Truth

SYSTEM = "ticket-router"
_WRONG = 0.12
_RIGHT_IS_NEAR = 0.85


def _messages() -> list[tuple[str, Message]]:
    return [(name, message) for name, intent in content.intents().items() for message in intent.messages]


def count() -> int:
    """How many messages the scenario holds."""
    return len(_messages())


def play(rng: Random, arrivals: list[timedelta]) -> Iterator[Played]:
    """Every message once, in random order at the given moments."""
    messages = rng.sample(_messages(), len(arrivals))
    wrong = chosen(rng, list(range(len(messages))), _WRONG, len(messages))
    number = 210_000
    for index, ((intent, message), moment) in enumerate(zip(messages, arrivals, strict=True)):
        number += rng.randrange(11, 400)
        yield _played(rng, intent, message, moment, f"ticket-{number}", ok=index not in wrong)


def _played(rng: Random, intent: str, message: Message, moment: timedelta, name: str, *, ok: bool) -> Played:
    values = prose.slots(rng, message.language)
    said = intent if ok else message.near[0]
    confidence = sure(rng, 0.84, 0.11) if ok else sure(rng, 0.5, 0.15)
    alternatives = _alternatives(rng, _runners_up(rng, intent, message, ok=ok), confidence)
    output = envelope(rng, SYSTEM, name, language=message.language, hostile=message.hostile) | {
        "kind": "classification",
        "model": {"name": "intent-router", "version": "14"},
        "input": prose.filled(message.text, values),
        "context": [_guide(said), _guide(alternatives[0]["value"])],
        "output": said,
        "alternatives": alternatives,
        "confidence": confidence,
        "group": name,
    }
    return Played(output, _truth(intent, message, ok=ok), moment)


def _truth(intent: str, message: Message, *, ok: bool) -> Truth:
    if ok:
        return Truth(ok=True, note=message.note, escalate=message.escalate)
    urgent = intent == "gas_emergency"
    return Truth(
        ok=False,
        correction=intent,
        labels=("wrong_label", "unsafe") if urgent else ("wrong_label",),
        note=f"This is about {intent.replace('_', ' ')}. {message.note}".strip(),
        escalate="high_risk" if urgent else message.escalate,
    )


def _runners_up(rng: Random, intent: str, message: Message, *, ok: bool) -> list[str]:
    """Three other intents, likeliest first; where the first choice is wrong the right one is mostly among them."""
    if ok:
        return list(message.near)
    others = list(message.near[1:])
    if rng.random() < _RIGHT_IS_NEAR:
        return [intent, *others]
    far = [name for name in content.intents() if name not in (intent, *message.near)]
    return [*others, rng.choice(far)]


def _alternatives(rng: Random, names: list[str], confidence: float) -> list[dict[str, Any]]:
    """Each takes a part of what the first choice left, and never more than it."""
    left, most, rows = 1 - confidence, confidence, []
    for name in names:
        most = min(most * 0.97, left * rng.uniform(0.45, 0.75))
        left -= most
        rows.append({"value": name, "confidence": round(most, 3)})
    return rows


def _guide(intent: str) -> dict[str, Any]:
    title = f"Routing guide: {intent.replace('_', ' ')}"
    return {"id": f"guide-{intent}", "title": title, "text": content.intents()[intent].guide}

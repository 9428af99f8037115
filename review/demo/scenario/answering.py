"""What help-center-answers wrote: an answer to a customer's question, from pages of the help centre."""

import re
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from review.demo.scenario import content, prose
from review.demo.scenario.content import Article, Slip, Take
from review.demo.scenario.envelope import chosen, envelope, sure
from review.demo.scenario.shapes import Played, Span, Truth

SYSTEM = "help-center-answers"
NEW_VERSION_FROM = timedelta(days=8, hours=10)  # a change that its owner meant well
_WRONG_BEFORE, _WRONG_AFTER = 0.17, 0.27
_OPENINGS = {
    "en": (
        "",
        "",
        "",
        "Hi {first},\n\n",
        "Hello {first}, thanks for your message. ",
        "Thanks for asking! ",
        "Hi {first}! ",
    ),
    "de": ("", "Guten Tag {first},\n\n", "Vielen Dank für Ihre Nachricht. "),
    "es": ("", "Hola, {first}:\n\n", "Gracias por su mensaje. "),
    "ar": ("", "شكرًا لتواصلك معنا. "),
}
_GREETING = {"en": "Hello {first},\n\n", "de": "Guten Tag {first},\n\n", "es": "Hola, {first}:\n\n", "ar": ""}
_CLOSINGS = {
    "en": ("", "", "", "", "Can I help with anything else?", "Hope that helps!", "Kind regards, Lanternfield"),
    "de": ("", "Kann ich sonst noch etwas für Sie tun?", "Viele Grüße, Ihr Lanternfield-Team"),
    "es": ("", "¿Puedo ayudarle en algo más?"),
    "ar": ("", "هل يمكنني مساعدتك في شيء آخر؟"),
}  # fmt: skip
_CHECKER = {
    "unsupported": ("unsupported_claim", 3, 0.5),
    "contradicts_source": ("differs_from_source", 3, 0.45),
    "omission": ("source_not_used", 2, 0.15),
    "unsafe": ("risky_advice", 4, 0.6),
    "private_data": ("personal_data", 4, 0.85),
    "style": ("tone", 2, 0.5),
}  # the automatic checker's flag for a mistake: its code, its severity, and how often it notices


def _takes() -> list[tuple[Article, Take]]:
    return [(article, take) for article in content.articles().values() for take in article.takes]


def count() -> int:
    """How many answers the scenario holds: each take is played once."""
    return len(_takes())


def play(rng: Random, arrivals: list[timedelta]) -> Iterator[Played]:
    """Every take once, in random order at the given moments (sorted)."""
    takes = rng.sample(_takes(), len(arrivals))
    n_before = sum(moment < NEW_VERSION_FROM for moment in arrivals)
    can_slip = [i for i, (_, take) in enumerate(takes) if take.wrong]
    wrong = chosen(rng, [i for i in can_slip if i < n_before], _WRONG_BEFORE, n_before)
    wrong |= chosen(rng, [i for i in can_slip if i >= n_before], _WRONG_AFTER, len(arrivals) - n_before)
    number = 48_000
    for index, ((article, take), moment) in enumerate(zip(takes, arrivals, strict=True)):
        number += rng.randrange(3, 90)
        slip = rng.choice(take.wrong) if index in wrong else None
        yield _played(rng, article, take, slip, moment, f"answer-{number}")


def _played(rng: Random, article: Article, take: Take, slip: Slip | None, moment: timedelta, name: str) -> Played:
    values = prose.slots(rng, article.language)
    opening, closing = _frame(rng, article)
    right = prose.filled(opening + take.say + closing, values)
    said = prose.filled(opening + (slipped(take.say, slip) if slip else take.say) + closing, values)
    text, spans = prose.unmarked(said, slip.label if slip else "")
    output = envelope(rng, SYSTEM, name, language=article.language, hostile=article.hostile) | {
        "kind": "answer",
        "model": {"name": "lanternfield-answers", "version": "3.3.0" if moment >= NEW_VERSION_FROM else "3.2.1"},
        "input": prose.filled(take.ask, values),
        "context": _sources(rng, article, take),
        "output": text,
        "alternatives": [],
        "confidence": _confidence(rng, ok=slip is None),
        "group": article.id,
    }
    output["flags"] = [*output["flags"], *_flags(rng, article, slip, text, spans)]
    return Played(output, _truth(rng, take, slip, right, spans), moment)


def _truth(rng: Random, take: Take, slip: Slip | None, right: str, spans: tuple[Span, ...]) -> Truth:
    if slip is None:
        return Truth(ok=True, note=take.note, escalate=take.escalate)
    correction = None if rng.random() < 0.15 else right
    escalate = slip.escalate or take.escalate
    return Truth(ok=False, correction=correction, labels=(slip.label,), spans=spans, note=slip.note, escalate=escalate)


def slipped(say: str, slip: Slip) -> str:
    """The right answer with one mistake in it; its wrong words stand in [[ ]]."""
    before, after = say.split(slip.find)
    put = slip.put if "[[" in slip.put or not slip.put or slip.mark else f"[[{slip.put}]]"
    if slip.rest is not None:
        after = slip.rest if slip.rest[:1] in ("", ",") else f" {slip.rest}"
    text = before + put + after
    return text.replace(slip.mark, f"[[{slip.mark}]]", 1) if slip.mark else text


def _frame(rng: Random, article: Article) -> tuple[str, str]:
    if article.tone == "urgent":
        return "", ""
    if article.tone == "plain":
        return rng.choice(("", "", _GREETING[article.language])), ""
    closing = rng.choice(_CLOSINGS[article.language])
    return rng.choice(_OPENINGS[article.language]), f"\n\n{closing}" if closing else ""


def _confidence(rng: Random, *, ok: bool) -> float | None:
    if rng.random() < 0.02:
        return None
    return sure(rng, 0.76, 0.12) if ok else sure(rng, 0.69, 0.14)


def _sources(rng: Random, article: Article, take: Take) -> list[dict[str, Any]]:
    """The article itself, those that come up with it, and now and then one that does not belong."""
    pages = content.articles()
    found = [_source(article, rng.uniform(0.74, 0.96))]
    found += [_source(pages[name], rng.uniform(0.55, 0.73)) for name in (*article.also, *take.also)]
    if len(found) < 3 and rng.random() < 0.4:
        strays = [page for page in pages.values() if page.language == article.language and page.hostile is None]
        stray = rng.choice(strays)
        if all(source["id"] != stray.id for source in found):
            found.append(_source(stray, rng.uniform(0.31, 0.54)))
    return found


def _source(article: Article, score: float) -> dict[str, Any]:
    return {
        "id": article.id,
        "title": article.title,
        "text": article.text,
        "uri": f"https://help.lanternfield.example/{article.language}/{article.id}",
        "score": round(score, 3),
    }


def _flags(
    rng: Random, article: Article, slip: Slip | None, text: str, spans: tuple[Span, ...]
) -> Iterator[dict[str, Any]]:
    """What an automatic checker says: it misses mistakes, and it now and then doubts a number that is right."""
    if article.tone == "urgent":
        yield {"code": "safety_topic", "severity": 3, "detail": "Gas or carbon monoxide is mentioned."}
    if slip is not None:
        code, severity, notices = _CHECKER[slip.label]
        if rng.random() < notices:
            yield {"code": code, "severity": severity} | ({"span": _range(spans[0])} if spans else {})
    elif rng.random() < 0.12 and (number := re.search(r"\d[\d.,]*", text)):
        span = {"start": number.start(), "end": number.end()}
        yield {"code": "number_to_check", "severity": rng.choice((2, 3)), "span": span}


def _range(span: Span) -> dict[str, int]:
    return {"start": span["start"], "end": span["end"]}

"""How things are said to people: times, names of codes, and texts that must not be read as Markdown."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from review.domain.decisions import Verdict

VERDICTS = {Verdict.APPROVE: "Approved", Verdict.CORRECT: "Corrected", Verdict.REJECT: "Rejected"}
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\u2060"  # keeps what looks like an address or an emoji code from becoming one
_OPENS = re.compile(r"(?<=:)(?=\S)|(?<=@)(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)


def escaped(text: str) -> str:
    """A text for a label or a message, where Streamlit reads Markdown: shown as it is, on one line."""
    return _PUNCTUATION.sub(r"\\\1", _OPENS.sub(_JOINER, " ".join(text.split())))


def name(code: str) -> str:
    """A code as words: "needs_expertise" is "Needs expertise"."""
    return code.replace("_", " ").replace("-", " ").capitalize()


def span(length: timedelta) -> str:
    """A length of time in its one or two largest units."""
    minutes = int(abs(length).total_seconds() // 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, days = minutes // 60, minutes // 1440
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 and hours < 6 else f"{hours} h"
    return f"{days} day" if days == 1 else f"{days} days"


def ago(at: datetime, now: datetime) -> str:
    """How long ago something was."""
    return "just now" if now - at < timedelta(minutes=1) else f"{span(now - at)} ago"


def due(at: datetime, now: datetime) -> str:
    """When something is due, or for how long it has been."""
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} overdue"


def exact(at: datetime) -> str:
    """The exact time, as the reader's clock shows it."""
    return at.astimezone(zone()).strftime("%a %d %b %Y, %H:%M:%S %Z")


def zone() -> ZoneInfo:
    """The reader's time zone; UTC where the browser does not say one that exists."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(texts: list[str]) -> str:
    """Texts as a sentence lists them."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)

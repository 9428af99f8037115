"""What every output carries around its content: ids, channel, trace."""

from random import Random
from typing import Any

_CHANNELS = ("chat", "email", "app", "web form")
_N_CUSTOMERS = 260


def envelope(rng: Random, system: str, external_id: str, *, language: str, hostile: str | None) -> dict[str, Any]:
    """The fields of an output that do not depend on its kind."""
    return {
        "system": system,
        "external_id": external_id,
        "flags": [_hostile_flag(hostile)] if hostile and rng.random() < 0.8 else [],
        "subject_id": f"customer-{40_000 + 37 * rng.randrange(_N_CUSTOMERS)}",
        "metadata": {
            "channel": rng.choices(_CHANNELS, (6, 3, 3, 2))[0],
            "language": language,
            "latency_ms": round(rng.lognormvariate(7.0, 0.4)),
        },
    } | ({"traceparent": _traceparent(rng)} if rng.random() < 0.5 else {})


def sure(rng: Random, middle: float, spread: float) -> float:
    """A confidence around the middle, kept within 0.03 and 0.995."""
    return round(min(0.995, max(0.03, rng.gauss(middle, spread))), 3)


def chosen(rng: Random, candidates: list[int], share: float, n: int) -> set[int]:
    """Which of n outputs are wrong: the share of n, drawn from the candidates."""
    return set(rng.sample(candidates, min(len(candidates), round(share * n))))


def _hostile_flag(hostile: str) -> dict[str, Any]:
    if hostile == "prompt_injection":
        detail = "A source holds text that reads like an instruction to the assistant."
        return {"code": "instruction_in_source", "severity": 4, "detail": detail}
    detail = "The message holds characters that cannot be seen."
    return {"code": "invisible_characters", "severity": 3, "detail": detail}


def _traceparent(rng: Random) -> str:
    return f"00-{rng.getrandbits(128) | 1:032x}-{rng.getrandbits(64) | 1:016x}-01"

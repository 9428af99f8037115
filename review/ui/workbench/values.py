"""Values on their way to the browser and back, with the order of keys and every digit kept.

A browser's own JSON loses 35.0 (it becomes 35), integers beyond 2^53 and the order of keys that look like numbers.
So an object travels as {"o": [[key, value], …]} and a number as {"n": "35.0"}; the rest travels as it is.
"""

import json
import math

from pydantic import JsonValue

_MOST_LEVELS = 64


def packed(value: JsonValue) -> JsonValue:
    """The value as the browser gets it."""
    if isinstance(value, dict):
        return {"o": [[key, packed(each)] for key, each in value.items()]}
    if isinstance(value, list):
        return [packed(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"n": json.dumps(value)}
    return value


def unpacked(value: JsonValue, levels: int = _MOST_LEVELS) -> JsonValue:
    """The value that the browser sent back; raises ValueError where it is none."""
    if levels == 0:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [unpacked(each, levels - 1) for each in value]
    if isinstance(value, dict):
        return _number(value["n"]) if "n" in value else _object(value.get("o"), levels - 1)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("a bare number")
    return value


def _object(entries: JsonValue, levels: int) -> dict[str, JsonValue]:
    if not isinstance(entries, list):
        raise ValueError("an object without entries")
    return dict(_entry(entry, levels) for entry in entries)


def _entry(entry: JsonValue, levels: int) -> tuple[str, JsonValue]:
    match entry:
        case [str(key), value]:
            return key, unpacked(value, levels)
    raise ValueError("an entry that is no pair")


def _number(text: JsonValue) -> int | float:
    number = json.loads(text) if isinstance(text, str) else None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{text!r} is no number")
    return number

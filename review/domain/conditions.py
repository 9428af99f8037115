"""What a condition (CEL) may not do, as it could run for minutes: told by its text, before anything is executed."""

import re
from itertools import zip_longest

_MAX_NESTED = 2
_MAX_NESTED_CHARACTERS = 1_000
_MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map"})
_TOKEN = re.compile(
    r"""(?P<skipped>\s+|//[^\n]*)
    |(?P<raw>(?i:r|rb|br)(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*'))
    |(?P<text>(?i:b?)(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def why_costly(when: str) -> str | None:
    """Why a condition may not be run; None where it may."""
    nested, n_maps = _macros(when)
    if nested > _MAX_NESTED:
        return "nests three of all, exists, exists_one, filter and map; at most two. Make it two rules."
    if nested == _MAX_NESTED and len(when) > _MAX_NESTED_CHARACTERS:
        return (
            f"nests two of all, exists, exists_one, filter and map: with {_MAX_NESTED_CHARACTERS:,} characters at most."
        )
    if n_maps > 1:
        return "uses map twice; once at most. Make it two rules."
    return None


def _macros(when: str) -> tuple[int, int]:
    """How deep macros stand in one another, and how often map is used."""
    opened: list[bool] = []
    depth = deepest = n_maps = 0
    before = ""
    for token in _TOKEN.finditer(when):
        if token.lastgroup == "skipped":
            continue
        told = token.group()
        if told == "(":
            opened.append(before in _MACROS)
            n_maps += before == "map"
            depth += opened[-1]
            deepest = max(deepest, depth)
        elif told == ")" and opened:
            depth -= opened.pop()
        before = told
    return deepest, n_maps


def parts(when: str, operator: str) -> list[str]:
    """What stands on the sides of an operator of two characters (`&&`, `||`) that is in no brackets; a condition with
    a `?` of its own is one part."""
    found, begun, depth = [], 0, 0
    tokens = [token for token in _TOKEN.finditer(when) if token.lastgroup == "other"]
    for token, following in zip_longest(tokens, tokens[1:]):
        depth += token.group() in "([{"
        depth -= token.group() in ")]}"
        if depth == 0 and token.group() == "?":
            return [when]
        is_pair = following is not None and following.start() == token.end() and token.start() >= begun
        if depth == 0 and is_pair and following is not None and token.group() + following.group() == operator:
            found.append(when[begun : token.start()])
            begun = following.end()
    return [part.strip() for part in [*found, when[begun:]]]


def unwrapped(when: str) -> str | None:
    """A condition without the brackets around all of it; None where there are none."""
    text = when.strip()
    depth = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "other":
            depth += token.group() == "("
            depth -= token.group() == ")"
            if depth == 0:
                return text[1:-1] if text.startswith("(") and token.end() == len(text) else None
    return None

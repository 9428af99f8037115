"""What a condition (CEL) may not do, as it could run for minutes: told by its text, before anything is executed."""

import re

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

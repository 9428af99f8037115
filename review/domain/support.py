"""A help for the eye: which words of an answer the evidence does not contain."""

import re
from collections.abc import Iterable, Iterator

_WORD = re.compile(r"\w+(?:[.,:/'’-]\w+)*")
_MAX_OUTPUT = 50_000
# Words that carry no claim of their own; everything else is looked for in the evidence.
_COMMON = frozenset(
    """a about after all also am an and any are as at be because been before but by can could did do does each
    for from had has have how however i if in into is it its just may me might more most must my no nor not of on
    once only or other our out over own please same should so some such than that the their them then there these
    they this those to too under until up very was we were what when where which while who why will with would you
    your yes here am i'm it's you're don't based given passage passages information according provided answer""".split()
)


def unsupported(output: str, evidence: Iterable[str]) -> list[tuple[int, int]]:
    """Ranges (code points, end exclusive) of words in the output that no evidence contains; neighbours are joined.

    It compares words by their first letters, so that plain inflections count as contained. It is a hint and
    never a judgement: the absence of a mark says nothing.
    """
    known = {_stem(word) for text in evidence for word in _words(text)}
    if not known:
        return []
    ranges = [
        match.span()
        for match in _WORD.finditer(output[:_MAX_OUTPUT])
        if match[0].casefold() not in _COMMON and not _known(match[0], known)
    ]
    return list(_joined(ranges, output))


def _known(word: str, known: set[str]) -> bool:
    return _stem(word) in known or all(_stem(part) in known for part in re.findall(r"\w+", word))


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        yield match[0]
        yield from re.findall(r"\w+", match[0])


def _stem(word: str) -> str:
    word = word.casefold().removesuffix("'s").removesuffix("’s")
    return word if any(c.isdigit() for c in word) or len(word) <= 4 else word[: max(4, len(word) - 3)]


def _joined(ranges: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for low, high in ranges:
        if start >= 0 and text[end:low].strip() == "":
            end = high
            continue
        if start >= 0:
            yield start, end
        start, end = low, high
    if start >= 0:
        yield start, end

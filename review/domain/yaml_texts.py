"""YAML with the lines on which its fields stand."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

# What PyYAML raises for texts that are none: a tag with a value that is not its own comes as any of the last four.
UNREADABLE = (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, ArithmeticError)


class YamlText:
    """A YAML text: its value, where in it things stand, and what stands twice. Raises one of UNREADABLE.

    `repeated` are the keys of which YAML keeps the last alone, each with its line (from 1).
    """

    def __init__(self, text: str) -> None:
        # Not the C loader: deep nesting ends the process there.
        loader = yaml.SafeLoader(text)
        try:
            self._root = loader.get_single_node()
            _refuse_merges(self._root)
            self.repeated = list(_repeated(self._root))
            self.value: Any = loader.construct_document(self._root) if self._root else None
        finally:
            loader.dispose()

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line (from 1) of the field at a path of keys and positions; where it is missing, of what lacks it."""
        node, line = self._root, None
        for step in path:
            node, begins = _inner(node, step)
            line = begins or line
        return line


def _inner(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, int | None]:
    """What stands below a key or at a position, and the line on which it begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None, None


def _refuse_merges(root: yaml.Node | None) -> None:
    """Raise for merge keys (<<): a few, one in the other, write out to more than memory holds."""
    for mapping in _mappings(root):
        for key, _ in mapping.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not read here; write the fields out", key.start_mark
                )


def _repeated(root: yaml.Node | None) -> Iterator[tuple[str, int]]:
    for mapping in _mappings(root):
        yield from _twice([key for key, _ in mapping.value if isinstance(key, yaml.ScalarNode)])


def _mappings(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """Every mapping once, also those within keys, however often it is referred to."""
    to_see, seen = [root], set()
    while to_see:
        node = to_see.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            to_see += node.value
        elif isinstance(node, yaml.MappingNode):
            to_see += [inner for pair in node.value for inner in pair]
            yield node


def _twice(keys: list[yaml.Node]) -> Iterator[tuple[str, int]]:
    known = set()
    for key in keys:
        name = str(key.value)
        if name in known:
            yield name, key.start_mark.line + 1
        known.add(name)


def told(error: Exception) -> tuple[str, int | None]:
    """Why a text is not YAML, and the line (from 1) on which that shows."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split()), None
    return f"{getattr(error, 'problem', None) or error} on line {mark.line + 1}", mark.line + 1

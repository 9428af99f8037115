"""Which field of a line is which field of an output: a small YAML map, made into functions once."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from review.domain import content
from review.domain.outputs import Output
from review.errors import Invalid

Rule = Callable[[Any], Any]
MISSING: Any = object()
_FIELDS = frozenset(Output.model_fields) - {"system"}
_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["([^"]*)"\]')


class LineMap:
    """How a line becomes an output; without a map, a line is an output already."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self._rules = rules

    def output(self, line: Any) -> dict[str, Any]:
        """The output of a line's value; raises Invalid where the value cannot be read."""
        if not isinstance(line, dict):
            raise Invalid("The line is not a JSON object.", field="line")
        if self._rules is None:
            return dict(line)
        found = {name: rule(line) for name, rule in self._rules.items()}
        return {name: value for name, value in found.items() if value is not MISSING}


def read_map(text: str) -> LineMap:
    """Parse a map; fields that it does not name are taken from the line's fields of the same name.

    Raises Invalid naming the field and the fix.
    """
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise Invalid(f"The map is not YAML: {error}.", field="map") from error
    if not isinstance(document, dict):
        raise Invalid("The map names fields of an output, one a line, such as “input: question”.", field="map")
    unknown = sorted(str(name) for name in document if name not in _FIELDS)
    if unknown:
        raise Invalid(f"“{unknown[0]}” is no field of an output: {', '.join(sorted(_FIELDS))}.", field="map")
    rules = {name: _at([name]) for name in _FIELDS if name not in document}
    rules |= {name: _rule(spec, name) for name, spec in document.items() if spec is not None}
    return LineMap(rules)


def _rule(spec: Any, where: str) -> Rule:
    if isinstance(spec, str):
        return _at(_steps(spec, where))
    if isinstance(spec, list):
        return _list([_rule(part, f"{where}[{index}]") for index, part in enumerate(spec)])
    if not isinstance(spec, dict):
        raise Invalid(f"map: {where} is {spec!r}; for a fixed value write {{const: {spec!r}}}.", field=where)
    match sorted(map(str, spec)):
        case ["const"]:
            return _const(spec["const"], where)
        case ["json"]:
            return _json(_rule(spec["json"], where), where)
        case ["as", "each"]:
            return _each(_rule(spec["each"], where), _rule(spec["as"], f"{where}.as"))
        case _:
            return _object({str(name): _rule(part, f"{where}.{name}") for name, part in spec.items()})


def _steps(path: str, where: str) -> list[str | int]:
    if path == ".":
        return []
    steps: list[str | int] = []
    end = 0
    for found in _STEP.finditer(path):
        if found.start() != end:
            break
        name, index, quoted = found.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        end = found.end()
    if end != len(path) or not steps:
        raise Invalid(f'map: {where}: “{path}” is not a path such as a.b[0] or a["odd name"].', field=where)
    return steps


def _at(steps: Sequence[str | int]) -> Rule:
    def rule(value: Any) -> Any:
        for step in steps:
            value = _inside(value, step)
        return value

    return rule


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return value[step] if isinstance(value, list) and step < len(value) else MISSING


def _const(value: Any, where: str) -> Rule:
    content.refuse_unkeepable(value, where)
    return lambda _line: value


def _json(inner: Rule, where: str) -> Rule:
    def rule(line: Any) -> Any:
        text = inner(line)
        if not isinstance(text, str):
            return text
        return parsed(text, where)

    return rule


def _each(inner: Rule, part: Rule) -> Rule:
    def rule(line: Any) -> Any:
        found = inner(line)
        return [part(one) for one in found] if isinstance(found, list) else found

    return rule


def _list(parts: list[Rule]) -> Rule:
    def rule(line: Any) -> Any:
        return [value for part in parts if (value := part(line)) is not MISSING]

    return rule


def _object(parts: dict[str, Rule]) -> Rule:
    def rule(line: Any) -> Any:
        return {name: value for name, part in parts.items() if (value := part(line)) is not MISSING}

    return rule


def parsed(text: str | bytes, field: str) -> Any:
    """The value of a JSON text, exactly; raises Invalid where it is none."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"This is not JSON that can be read: {error}.", field=field) from error


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")

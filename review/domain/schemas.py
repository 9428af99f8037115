"""The JSON Schemas (2020-12) by which producers say what corrections they can use: which are taken, and what fits."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator
from referencing import Registry

from review.domain import content
from review.errors import Invalid

MAX_SCHEMA_BYTES = 16 * 1024
_FIELD = "correction_schema"
# References could be fetched or go round for ever; the others take time that grows faster than what they look at.
_REFUSED = {
    "$ref": "Write the schema out where it is used.",
    "$dynamicRef": "Write the schema out where it is used.",
    "pattern": "Use enum, const, minLength or maxLength.",
    "patternProperties": "Name the properties.",
    "unevaluatedItems": "Use items: false after prefixItems.",
    "unevaluatedProperties": "Use additionalProperties.",
    "uniqueItems": "Use maxItems, and drop what stands twice when you read the correction.",
}
_DATA = frozenset({"const", "enum", "default", "examples"})
_BY_NAME = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def refuse_unusable(schema: dict[str, Any]) -> None:
    """Raise Invalid, naming correction_schema and the fix, for what is no schema or could hold up who checks by it."""
    content.refuse_unkeepable(schema, _FIELD)
    why = _why_unusable(content.canonical(schema))
    if why is not None:
        raise Invalid(f"{_FIELD} {why}", field=_FIELD)


@lru_cache(maxsize=1024)
def _why_unusable(packed: bytes) -> str | None:
    """What is wrong with a schema (canonical JSON); a producer's outputs mostly come with the same one."""
    if len(packed) > MAX_SCHEMA_BYTES:
        return f"is larger than {MAX_SCHEMA_BYTES // 1024} KiB. Ask for less in it."
    schema = content.parse(packed)
    used = next((name for name in _keywords(schema) if name in _REFUSED), None)
    if used is not None:
        return f"uses {used}, which is not taken here. {_REFUSED[used]}"
    try:
        Draft202012Validator.check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        return f"is not a JSON Schema (2020-12): {error.json_path}: {error.message[:300]}."
    except RecursionError:
        return "is nested too deep. Flatten it."
    return None


def _keywords(schema: Any) -> Iterator[str]:
    """The keywords in use in a schema and all within it; names of properties and values are none."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _keywords(inner)
    if not isinstance(schema, dict):
        return
    yield from schema
    for keyword, value in schema.items():
        if keyword in _BY_NAME and isinstance(value, dict):
            yield from _keywords(list(value.values()))
        elif keyword not in _DATA:
            yield from _keywords(value)


def misfit(schema: dict[str, Any], correction: Any) -> tuple[str, str] | None:
    """Where a correction is not what the schema asks for, as a JSON path, and why; None where it is.

    Raises Invalid, naming correction_schema, where that cannot be told.
    """
    refuse_unusable(schema)
    validator = Draft202012Validator(schema, registry=Registry())
    try:
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(correction))
    except Exception as error:
        raise Invalid(f"{_FIELD} cannot be checked: {error}. Reject, or escalate.", field=_FIELD) from error
    return None if wrong is None else (wrong.json_path.removeprefix("$"), wrong.message)

"""Outputs: everything that is refused, with the field named, and the canonical content of what is accepted."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain import content
from review.domain.outputs import read_output
from review.errors import Invalid, ReviewError, TooLarge
from tests.support.world import output

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BASE = json.dumps(output())


def refused(raw: str | bytes) -> ReviewError:
    with pytest.raises(ReviewError) as error:
        read_output(raw.encode() if isinstance(raw, str) else raw, NOW)
    return error.value


def changed(**changes: object) -> str:
    return json.dumps(output(**changes))


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (BASE.replace("0.2", "NaN"), "confidence"),
        (BASE.replace("0.2", "-Infinity"), "confidence"),
        (changed(confidence=1.01), "confidence"),
        (changed(confidence="high"), "confidence"),
        (changed(metadata={"a": {"b": float("nan")}}), "metadata.a.b"),
        (changed(output="a\x00b"), "output"),
        (changed(external_id="a\x00"), "external_id"),
        (changed(group="g\x00"), "group"),
        (changed(metadata={"k\x00": 1}), "metadata"),
        (BASE.replace("Lyon", "\\ud83d"), "body"),
        (changed(flags=[{"code": "x", "severity": 6}]), "flags.0.severity"),
        (changed(flags=[{"code": "x", "severity": 3, "span": {"start": 3, "end": 3}}]), "flags[0].span"),
        (changed(flags=[{"code": "x", "severity": 3, "span": {"start": 0, "end": 999}}]), "flags[0].span"),
        (changed(flags=[{"code": "x", "severity": 3, "span": {"start": -1, "end": 2}}]), "flags.0.span.start"),
        (changed(colour="red"), "colour"),
        (changed(kind="poem"), "kind"),
        (changed(external_id=""), "external_id"),
        (changed(external_id="x" * 201), "external_id"),
        (changed(traceparent="00-nope"), "traceparent"),
        (changed(produced_at="2026-03-02T01:00:00Z"), "produced_at"),
        (changed(produced_at="2026-03-01T01:00:00"), "produced_at"),
        (changed(produced_at="0001-01-01T00:00:00+14:00"), "produced_at"),
        ("{", "body"),
        ("[]", "body"),
        ("", "body"),
        (b"\xff\xfe", "body"),
        (BASE.replace('"What is the capital of France?"', "[" * 40 + "]" * 40), "input"),
        (BASE.replace('"What is the capital of France?"', "[" * 4000 + "]" * 4000), "body"),
    ],
)
def test_what_is_refused_names_its_field(raw: str | bytes, field: str) -> None:
    error = refused(raw)
    assert isinstance(error, Invalid)
    assert error.field == field
    assert error.message


def test_a_number_that_json_readers_would_change_is_refused() -> None:
    assert "64-bit" in refused(changed(output={"account": 2**80})).message


def test_over_one_mebibyte_of_content_is_refused() -> None:
    assert isinstance(refused(changed(context=["x" * 600_000, "y" * 600_000])), TooLarge)


def test_a_backslash_before_u0000_is_text_and_accepted() -> None:
    read, _ = read_output(changed(output="\\u0000 and NaN").encode(), NOW)
    assert read.output == "\\u0000 and NaN"


def test_a_clock_that_is_a_little_fast_is_accepted() -> None:
    read_output(changed(produced_at=(NOW + timedelta(minutes=4)).isoformat()).encode(), NOW)


def test_the_canonical_content_does_not_depend_on_order_or_on_defaults() -> None:
    body = output(metadata={"b": 1, "a": 2})
    shuffled = dict(reversed(list(body.items()))) | {"metadata": {"a": 2, "b": 1}, "flags": [], "group": None}
    assert read_output(json.dumps(body).encode(), NOW)[1] == read_output(json.dumps(shuffled).encode(), NOW)[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_content_is_kept_exactly(value: object) -> None:
    _, packed = read_output(changed(output=value, metadata={"v": value}).encode(), NOW)
    kept = content.parse(packed)
    assert content.canonical(kept["output"]) == content.canonical(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"$ref": "http://127.0.0.1:9/secret"}, "$ref"),
        ({"$ref": "#"}, "$ref"),
        ({"$defs": {"a": {"$dynamicRef": "#x"}}}, "$dynamicRef"),
        ({"items": [{"anyOf": [{"pattern": "^(a|a)*$"}]}]}, "pattern"),
        ({"patternProperties": {"(": {}}}, "patternProperties"),
        ({"allOf": [{"unevaluatedProperties": False}]}, "unevaluatedProperties"),
        ({"type": "nonsense"}, "not a JSON Schema"),
        ({"multipleOf": 0}, "not a JSON Schema"),
        ({"properties": 3}, "not a JSON Schema"),
        ({"enum": ["x" * 20_000]}, "larger than 16 KiB"),
    ],
)
def test_a_schema_that_could_hold_up_who_checks_by_it_is_refused(schema: dict[str, object], says: str) -> None:
    error = refused(changed(correction_schema=schema))
    assert isinstance(error, Invalid)
    assert error.field == "correction_schema"
    assert says in error.message


def test_names_of_properties_and_values_are_no_keywords() -> None:
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}}, "const": {"$ref": "#"}}
    assert read_output(changed(correction_schema=schema).encode(), NOW)[0].correction_schema == schema

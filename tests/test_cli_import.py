import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from review.cli import lines, mapping
from review.errors import Invalid
from review.store.tables import Item, ItemPayload
from tests.support.serving import served
from tests.support.terminal import Terminal, at_world, terminal
from tests.support.world import World, output

__all__ = ["at_world", "terminal"]

MAP = """\
external_id: id
kind: {const: classification}
model: {name: engine, version: {const: "1"}}
input: question.text
output: {json: said}
alternatives: {each: scores.top, as: {value: "[0]", confidence: "[1]"}}
context: [question.page, {const: "the manual"}]
metadata: {source: origin, tags: {each: tags, as: .}}
group:
"""
LINE: dict[str, Any] = {
    "id": "a1", "engine": "m", "question": {"text": "Where is my card?", "page": "Cards ☃"}, "said": '"lost_card"',
    "scores": {"top": [["lost_card", 0.7], ["card_arrival", 0.2]]}, "confidence": 0.7, "origin": "mail",
    "tags": ["x", "y"], "group": "left out by the map", "truth": "card_arrival",
}  # fmt: skip


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def on_record(world: World) -> dict[str, dict[str, Any]]:
    with world.store.read() as session:
        rows = session.execute(
            select(col(Item.external_id), col(ItemPayload.content)).join(
                ItemPayload, col(ItemPayload.item_id) == col(Item.id)
            )
        ).all()
    return {external_id: json.loads(content) for external_id, content in rows}


def test_a_map_makes_outputs_of_any_lines(at_world: Terminal, world: World) -> None:
    file, map_file = at_world.file("rows.jsonl", jsonl(LINE)), at_world.file("map.yaml", MAP)
    assert at_world.done("import", file, "--system", "helper", "--map", map_file).startswith("1 accepted")
    sent = on_record(world)["a1"]
    assert sent["kind"] == "classification"
    assert sent["model"] == {"name": "m", "version": "1"}
    assert sent["input"] == "Where is my card?"
    assert sent["output"] == "lost_card"
    assert sent["context"] == ["Cards ☃", "the manual"]
    assert [one["value"] for one in sent["alternatives"]] == ["lost_card", "card_arrival"]
    assert sent["confidence"] == 0.7
    assert sent["metadata"] == {"source": "mail", "tags": ["x", "y"]}
    assert sent["group"] is None
    assert "card_arrival" not in json.dumps(sent["metadata"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_importing_again_goes_on_where_it_stopped(at_world: Terminal, world: World, pack: Any) -> None:
    rows = [output(f"x{number}") for number in range(1_203)]
    first = at_world.file("first.jsonl", pack(jsonl(*rows[:700])))
    whole = at_world.file("whole.jsonl", pack(jsonl(*rows)))
    assert at_world.run("import", first, "--system", "helper", "--json").json["accepted"] == 700
    told = at_world.run("import", whole, "--system", "helper", "--json")
    assert told.json == {"accepted": 503, "replayed": 700, "n_rejected": 0, "rejected": []}
    assert told.code == 0
    assert len(on_record(world)) == 1_203


BAD = {
    2: b'{"not": "an output"}',
    3: b"not json",
    4: b"[1, 2]",
    6: json.dumps(output("bad", confidence=2)).encode(),
    7: json.dumps(output("nan")).replace("0.2", "NaN").encode(),
    8: json.dumps(output("huge")).replace("0.2", "1e999").encode(),
    9: json.dumps(output("deep")).replace("0.2", "[" * 100_000).encode(),
    10: json.dumps(output("x1", input="other content")).encode(),
    11: json.dumps(output("half", input="\ud800")).encode(),
    12: b"\xff\xfe",
}


def lines_with_bad_ones() -> bytes:
    good = {1: json.dumps(output("x1")).encode(), 5: b"", 13: json.dumps(output("x2")).encode()}
    return b"\n".join(line for _, line in sorted({**good, **BAD}.items()))


@pytest.mark.parametrize("over_http", [False, True])
def test_a_bad_line_costs_that_line_alone(at_world: Terminal, world: World, over_http: bool) -> None:
    file = at_world.file("rows.jsonl", lines_with_bad_ones())
    with served(world) as url:
        through = ["--url", url, "--key", world.tokens["helper"]] if over_http else []
        told = at_world.run("import", file, "--system", "helper", "--json", *through)
    assert told.code == 1
    assert (told.json["accepted"], told.json["n_rejected"]) == (2, len(BAD))
    assert sorted(one["line"] for one in told.json["rejected"]) == sorted(BAD)
    assert all(one["problem"] for one in told.json["rejected"])
    assert set(on_record(world)) == {"x1", "x2"}
    plain = at_world.run("import", file, "--system", "helper")
    assert plain.code == 1
    assert "Error: line 3: " in plain.err


def test_importing_over_http_is_the_same(at_world: Terminal, world: World) -> None:
    rows = [output(f"x{number}", input="☃" * number) for number in range(600)]
    file = at_world.file("rows.jsonl", jsonl(*rows))
    with served(world) as url:
        at_world.monkeypatch.setenv("HOLDPOINT_KEY", world.tokens["helper"])
        first = at_world.run("import", file, "--system", "helper", "--url", url, "--json")
        assert "key: " in at_world.refused("import", file, "--system", "helper", "--url", url, "--key", "hp_wrong")
    assert first.json["accepted"] == 600
    assert at_world.run("import", file, "--system", "helper", "--json").json["replayed"] == 600


def test_importing_what_cannot_be_says_why(at_world: Terminal, world: World) -> None:
    file = at_world.file("rows.jsonl", jsonl(output()))
    assert "no system" in at_world.refused("import", file, "--system", "nobody")
    assert at_world.run("import", file, "--system", "helper", "--url", "http://127.0.0.1:1").code == 2
    assert at_world.run("import", "no-such-file", "--system", "helper").code == 2
    damaged = at_world.file("damaged.gz", gzip.compress(jsonl(output()) * 100)[:-20])
    assert "damaged" in at_world.refused("import", damaged, "--system", "helper")
    empty = at_world.file("empty.jsonl", "")
    assert at_world.done("import", empty, "--system", "helper").startswith("0 accepted")


def test_over_long_lines_are_passed_over_and_memory_stays_flat(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=1) as writing:
        writing.write(b"[1]\n")
        for _ in range(30):
            writing.write(b"x" * 4 * 1024**2)
        writing.write(b"\n\n[2]")
    tracemalloc.start()
    with lines.opened(file) as source:
        found = list(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, b"[1]\n"), (2, None), (4, b"[2]")]
    assert peak < 32 * 1024**2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n- b", "names fields"),
        ("a: [", "not YAML"),
        ("truth: human_label", "no field of an output"),
        ("system: x", "no field of an output"),
        ("confidence: 0.5", "const: 0.5"),
        ('input: "a..b"', "not a path"),
        ('input: "a[x]"', "not a path"),
        ('input: ""', "not a path"),
        ("confidence: {const: .nan}", "finite"),
    ],
)
def test_a_map_that_cannot_be_used_names_the_field(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        mapping.read_map(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"b": [10, {"c d": "x", "e.f": None}]}),
        ("a.b[0]", 10),
        ("a.b[1].c d", "x"),
        ('a.b[1]["e.f"]', None),
        ("a.b[2]", mapping.MISSING),
        ("a.b.c", mapping.MISSING),
        ("a[0]", mapping.MISSING),
        ("no.such", mapping.MISSING),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    line = {"a": {"b": [10, {"c d": "x", "e.f": None}]}}
    made = mapping.read_map(json.dumps({"input": path})).output(line)
    assert made.get("input", mapping.MISSING) == expected


def test_a_json_field_that_is_no_json_names_the_field() -> None:
    line_map = mapping.read_map("output: {json: said}")
    assert line_map.output({"said": {"kept": "as it is"}}) == {"output": {"kept": "as it is"}}
    with pytest.raises(Invalid, match="not JSON") as refused:
        line_map.output({"said": "{"})
    assert refused.value.field == "output"


def test_an_empty_map_takes_fields_of_the_same_name() -> None:
    assert mapping.read_map("").output({**output("x"), "truth": 1}) == {
        name: value for name, value in output("x").items() if name != "system"
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_values_are_taken_exactly(value: Any) -> None:
    line = mapping.parsed(json.dumps({"x": value}), "line")
    made = mapping.read_map("input: x").output(line)["input"]
    assert json.dumps(made) == json.dumps(value)

import io
import json
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select
from sqlmodel import col

from review.commands import decisions, exports
from review.domain import content
from review.domain.decisions import Verdict
from review.domain.spreadsheets import neutralised
from review.errors import Forbidden, NotFound
from review.queries import corrections
from review.queries.corrections import COLUMNS, Format, Wanted, Written
from review.store.tables import AuditEvent
from tests.support.world import World, output

EXPORTS = select(AuditEvent).where(col(AuditEvent.action) == "corrections.exported")
TEXTS = {
    "plain": "The capital of France is Lyon.",
    "emoji": "Done 👍🏽, family 👨‍👩‍👧, flag 🇫🇷",
    "astral": "𝔘𝔫𝔦 𝟘𝟙 𐍈 and then some",
    "rtl": "שלום world مرحبا \u202eabc\u202c",
    "newlines": "one\ntwo\r\nthree\rfour\u2028five",
    "formula": '=HYPERLINK("http://x.example","click")',
    "formulas": "@SUM(1) +1 -1",
    "quotes": 'a "quoted", comma; and ""two"" \\ back\tslash',
    "looks like json": '{"not": "an object"}',
    "missing to pandas": "NA",
    "apostrophe": "'= is not a formula",
    "spaces": "  kept  ",
}


def decide_one(world: World, name: str, out: Any, who: str = "ann", **answer: Any) -> dict[str, Any]:
    """Submit one output, decide it, and give what must be exported of it."""
    world.submit(output(name, output=out, kind="answer" if isinstance(out, str) else "action", group="g"))
    task = world.claim(who)
    assert task is not None
    decision = world.decide(task, who, **answer)
    return {
        "external_id": name,
        "output": out,
        "verdict": decision.verdict,
        "correction": decision.correction,
        "labels": decision.labels,
        "spans": decision.spans,
        "note": decision.note,
    }


def corrected(world: World, name: str, text: str) -> dict[str, Any]:
    span = {"start": 1, "end": len(text), "label": "unsupported", "text": text[1:]}
    return decide_one(
        world, name, text, verdict="correct", correction=text + " 🙂\n=1+1", labels=["style", "omission"],
        spans=[span], note=f"note on {text}",
    )  # fmt: skip


def exported(world: World, form: Format, who: str = "odo", **wanted: Any) -> tuple[bytes, Written]:
    file = io.BytesIO()
    written = exports.write_corrections(world.store, world.actors[who], Wanted(**wanted), form, file, now=world.now)
    return file.getvalue(), written


def test_json_lines_load_back_into_pandas_character_by_character(world: World) -> None:
    given = [corrected(world, name, text) for name, text in TEXTS.items()]
    data, written = exported(world, Format.JSONL)
    frame = pd.read_json(io.BytesIO(data), lines=True, dtype=False)
    assert list(frame.columns) == list(COLUMNS)
    assert frame[list(given[0])].to_dict("records") == given
    assert written == Written(len(TEXTS), content.sha256(data))


def test_csv_loads_back_into_pandas_with_formulas_made_text(world: World) -> None:
    given = [corrected(world, name, text) for name, text in TEXTS.items()]
    data, written = exported(world, Format.CSV)
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    assert list(frame.columns) == list(COLUMNS)
    for row, expected in zip(frame.to_dict("records"), given, strict=True):
        assert json.loads(row["spans"]) == expected["spans"]
        assert json.loads(row["labels"]) == expected["labels"]
        for name in ("external_id", "output", "correction", "note", "verdict"):
            assert row[name] == neutralised(expected[name])
        assert not any(cell.lstrip().startswith(("=", "+", "@")) for cell in row.values())
    assert written == Written(len(TEXTS), content.sha256(data))


def test_nested_json_keeps_every_type_in_both_forms(world: World) -> None:
    before = {"tool": "pay", "arguments": {"amount": 35.0, "to": ["=cmd()", None, True, 7], "deep": {"ü": "🙂"}}}
    after = {"tool": "pay", "arguments": {"amount": 0.1, "to": ["=cmd()", None, False, -7], "deep": {"ü": "\u202e"}}}
    decide_one(world, "nested", before, verdict="correct", correction=after, labels=["wrong_action"])
    line, _ = exported(world, Format.JSONL)
    row = json.loads(line)
    assert (row["output"], row["correction"]) == (before, after)
    assert isinstance(row["output"]["arguments"]["amount"], float)
    table, _ = exported(world, Format.CSV)
    cells = pd.read_csv(io.BytesIO(table), dtype=str, keep_default_na=False).iloc[0]
    assert json.loads(cells["output"]) == before
    assert json.loads(cells["correction"]) == after
    assert json.loads(cells["model"]) == {"name": "m", "version": "1"}


def test_a_row_says_where_it_comes_from(world: World) -> None:
    decide_one(world, "one", "text", verdict="reject", labels=["unsafe"])
    with world.store.read() as session:
        (row,) = corrections.rows_as_dicts(session, world.actors["lea"], Wanted(), limit=10)
    assert tuple(row) == COLUMNS
    assert row["system"] == "helper"
    assert row["kind"] == "answer"
    assert row["group"] == "g"
    assert row["input"] == "What is the capital of France?"
    assert row["context"] == ["Paris is the capital of France."]
    assert row["correction"] is None
    assert row["decided_at"] == world.now.isoformat()
    assert row["policy_version"] == 2
    assert row["inclusion_probability"] == 1.0


def test_reviewers_are_the_same_pseudonym_each_time_and_never_their_name(world: World) -> None:
    for number, who in enumerate(["ann", "bob", "ann"]):
        decide_one(world, str(number), "text", who)
    with world.store.read() as session:
        rows = corrections.rows_as_dicts(session, world.actors["odo"], Wanted(), limit=10)
    first, second, third = (row["reviewer"] for row in rows)
    assert first == third != second
    assert first.startswith("reviewer-")
    assert str(world.actors["ann"].id)[:8] not in first
    assert corrections.pseudonym(b"another system's key", world.actors["ann"].id) != first
    assert corrections.pseudonym(b"key", None) == "system"


def test_only_what_stands_is_exported(world: World) -> None:
    world.submit(output("waits"), output("passed", confidence=0.9), output("undone"))
    task = world.claim()
    assert task is not None
    decision = world.decide(task)
    with world.store.write() as session:
        decisions.undo(session, world.actors["ann"], decision.id, now=world.later(seconds=5))
    assert exported(world, Format.JSONL) == (b"", Written(0, content.sha256(b"")))


def test_filters_by_system_verdict_and_period(world: World) -> None:
    for verdict in ("approve", "reject"):
        decide_one(world, verdict, "text", verdict=verdict)
        world.later(hours=1)
    half = world.now.replace(minute=30, hour=9)
    cases: list[tuple[Wanted, list[str]]] = [
        (Wanted(), ["approve", "reject"]),
        (Wanted(system="helper", verdicts=(Verdict.REJECT,)), ["reject"]),
        (Wanted(since=half), ["reject"]),
        (Wanted(until=half), ["approve"]),
        (Wanted(verdicts=()), []),
    ]
    with world.store.read() as session:
        for wanted, expected in cases:
            rows = corrections.rows_as_dicts(session, world.actors["aud"], wanted, limit=10)
            assert [row["external_id"] for row in rows] == expected
            assert corrections.count(session, world.actors["aud"], wanted) == len(expected)
        with pytest.raises(NotFound, match="no system"):
            corrections.count(session, world.actors["aud"], Wanted(system="nobody"))


def test_pages_are_complete_without_doubles(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "_PAGE", 3)
    names = [decide_one(world, f"x{number}", "text")["external_id"] for number in range(8)]
    data, _ = exported(world, Format.JSONL)
    assert [json.loads(line)["external_id"] for line in data.splitlines()] == names
    with world.store.read() as session:
        assert len(corrections.rows_as_dicts(session, world.actors["odo"], Wanted(), limit=5)) == 5


def test_an_export_is_on_record_and_needs_the_permission(world: World) -> None:
    decide_one(world, "one", "text")
    data, written = exported(world, Format.CSV, "aud", system="helper")
    with world.store.read() as session:
        event = session.execute(EXPORTS).scalar_one()
        assert event.actor_name == "Aud"
        body = json.loads(event.body)
        assert (body["n"], body["sha256"]) == (written.n, content.sha256(data))
        assert body["filters"]["system"] == "helper"
        assert body["filters"]["format"] == "csv"
    with pytest.raises(Forbidden):
        exported(world, Format.JSONL, "ann")
    with world.store.read() as session:
        assert len(session.execute(EXPORTS).all()) == 1


def test_a_preview_is_on_record(world: World) -> None:
    decide_one(world, "a", "text", verdict="approve")
    lea = world.actors["lea"]
    n, rows = exports.preview_corrections(world.store, lea, Wanted(system="helper"), limit=5, now=world.now)
    assert (n, [row["external_id"] for row in rows]) == (1, ["a"])
    with world.store.read() as session:
        query = select(AuditEvent).where(col(AuditEvent.action) == "corrections.previewed")
        event = session.execute(query).scalar_one()
    body = content.parse(event.body)
    assert (event.actor_name, body["n"], body["n_shown"], body["filters"]["system"]) == ("Lea", 1, 1, "helper")
    with pytest.raises(Forbidden):
        exports.preview_corrections(world.store, world.actors["ann"], Wanted(), limit=5, now=world.now)

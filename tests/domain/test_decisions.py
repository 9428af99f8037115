"""Answers and corrections: what fits an output, and how a correction differs from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.content import content_digest, sha256
from review.domain.decisions import Answer, checked, difference, refuse_untakeable
from review.errors import Invalid

TAXONOMY = ["unsupported", "style"]
TEXT = "Paris 🇫🇷 is שלום in 𝔽rance."


def answer(**fields: object) -> Answer:
    return Answer(**{"verdict": "reject", **fields})


def test_spans_are_code_points_of_the_output() -> None:
    start = TEXT.index("𝔽")
    done = checked(answer(spans=[{"start": start, "end": start + 6, "label": "unsupported"}]), TEXT, TAXONOMY)
    assert done.spans[0].text == "𝔽rance"


@pytest.mark.parametrize(
    ("fields", "output", "field"),
    [
        ({"verdict": "correct"}, "a", "correction"),
        ({"verdict": "approve", "correction": "b"}, "a", "correction"),
        ({"verdict": "correct", "correction": "a"}, "a", "correction"),
        ({"verdict": "correct", "correction": {"a": 1}}, "a", "correction"),
        ({"verdict": "correct", "correction": "{}"}, {"a": 1}, "correction"),
        ({"verdict": "correct", "correction": {"a": 1}}, {"a": 1}, "correction"),
        ({"verdict": "correct", "correction": "a\x00"}, "a", "correction"),
        ({"verdict": "correct", "correction": "x" * 1_048_577}, "a", "correction"),
        ({"labels": ["nope"]}, "a", "labels"),
        ({"labels": ["style", "style"]}, "a", "labels"),
        ({"spans": [{"start": 0, "end": 1, "label": "nope"}]}, "a", "spans"),
        ({"spans": [{"start": 0, "end": 2, "label": "style"}]}, "a", "spans[0]"),
        ({"spans": [{"start": 1, "end": 1, "label": "style"}]}, "a", "spans[0]"),
        ({"spans": [{"start": 0, "end": 1, "label": "style", "text": "b"}]}, "a", "spans[0]"),
        ({"spans": [{"start": 0, "end": 1, "label": "style"}]}, {"a": 1}, "spans[0]"),
        ({"note": "a\x00"}, "a", "note"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(fields: dict[str, object], output: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(answer(**fields), output, TAXONOMY)
    assert refused.value.field == field


def test_a_schema_that_was_taken_once_and_would_not_be_now_checks_nothing() -> None:
    with pytest.raises(Invalid) as refused:
        refuse_untakeable(answer(verdict="correct", correction="x"), None, {"pattern": "^x*$"})
    assert refused.value.field == "correction_schema"


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(WORDS, WORDS)
def test_a_text_difference_holds_both_texts_whole(before: str, after: str) -> None:
    runs = difference(before, after)
    assert "".join(run["before"] for run in runs) == before
    assert "".join(run["after"] for run in runs) == after
    assert all((run["op"] == "equal") == (run["before"] == run["after"]) for run in runs)


def test_a_json_difference_names_the_changed_paths() -> None:
    before = {"tool": "credit", "arguments": {"amount": 35.0, "a/b": [1, 2]}}
    after = {"tool": "credit", "arguments": {"amount": 30.0, "a/b": [1, 3], "note": "x"}}
    assert difference(before, after) == [
        {"path": "/arguments/a~1b/1", "before": 2, "after": 3},
        {"path": "/arguments/amount", "before": 35.0, "after": 30.0},
        {"path": "/arguments/note", "before": None, "after": "x"},
    ]


def test_very_long_texts_are_compared_as_one_piece() -> None:
    before = "word " * 6_000
    assert [run["op"] for run in difference(before, before + "more")] == ["equal", "insert"]
    assert [run["op"] for run in difference(before, "other " * 6_000)] == ["replace", "equal"]


def test_a_hostile_correction_is_compared_all_the_same() -> None:
    """Without a bound on the work this takes minutes, while the transaction holds everybody else up."""
    before, after = " ".join(str(n % 97) for n in range(1_400)), " ".join(str(n % 89) for n in range(1_400))
    assert "".join(run["after"] for run in difference(before, after)) == after
    assert len(difference("a " * 20_000, "a b " * 10_000)) <= 3


def test_a_release_is_bound_to_the_exact_bytes() -> None:
    assert content_digest("é\n") == sha256("é\n".encode())
    assert content_digest({"b": 1, "a": [1.5]}) == sha256(b'{"a":[1.5],"b":1}')

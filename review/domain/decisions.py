"""What a reviewer answers, what makes an answer acceptable, and how a correction differs from its output."""

import difflib
import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from review.domain import content, schemas
from review.domain.outputs import Code, Offset, Strict, check_range
from review.errors import Invalid

UNDO_SECONDS = 10
_MAX_DIFF_WORDS = 1_500  # of the part that changed; comparing takes time with the square of it

Note = Annotated[str, StringConstraints(max_length=20_000)]


class Verdict(StrEnum):
    """What a reviewer says of an output."""

    APPROVE = "approve"
    CORRECT = "correct"
    REJECT = "reject"


class EscalationReason(StrEnum):
    """Why a task is handed up."""

    NEEDS_EXPERTISE = "needs_expertise"
    POLICY_UNCLEAR = "policy_unclear"
    HIGH_RISK = "high_risk"
    SUSPECTED_INCIDENT = "suspected_incident"
    OTHER = "other"


class Span(Strict):
    """Marked words of a text output: code points, end exclusive, with a code of the taxonomy."""

    start: Offset
    end: Offset
    label: Code
    text: str | None = None


class Answer(Strict):
    """A verdict with all that goes with it."""

    verdict: Verdict
    correction: JsonValue = None
    labels: list[Code] = Field(default_factory=list, max_length=20)
    spans: list[Span] = Field(default_factory=list, max_length=500)
    note: Note = ""


def checked(answer: Answer, output: Any, taxonomy: Collection[str]) -> Answer:
    """The answer with each span's text filled in; raises Invalid naming the field where it does not fit the output."""
    _check_correction(answer, output)
    _check_codes(answer, taxonomy)
    content.refuse_unkeepable(answer.note, "note")
    return answer.model_copy(update={"spans": [_filled(span, output, i) for i, span in enumerate(answer.spans)]})


def _check_correction(answer: Answer, output: Any) -> None:
    if answer.verdict is not Verdict.CORRECT:
        if answer.correction is not None:
            raise Invalid(f"A verdict of {answer.verdict} carries no correction. Leave it out.", field="correction")
        return
    if answer.correction is None:
        raise Invalid("A verdict of correct needs the correction.", field="correction")
    content.refuse_unkeepable(answer.correction, "correction")
    if _shape(answer.correction) != _shape(output):
        raise Invalid(
            f"The correction must be {_shape(output)}, like the output; it is {_shape(answer.correction)}.",
            field="correction",
        )
    if content.canonical(answer.correction) == content.canonical(output):
        raise Invalid("The correction equals the output: nothing was changed. Approve instead.", field="correction")
    if len(content.content_bytes(answer.correction)) > content.MAX_CONTENT_BYTES:
        raise Invalid("The correction is larger than 1 MiB. Shorten it.", field="correction")


def _shape(value: Any) -> str:
    names = {str: "a text", dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _check_codes(answer: Answer, taxonomy: Collection[str]) -> None:
    used = [("labels", code) for code in answer.labels] + [("spans", span.label) for span in answer.spans]
    for field, code in used:
        if code not in taxonomy:
            raise Invalid(f"“{code}” is not in this system's taxonomy: {', '.join(taxonomy)}.", field=field)
    if len(set(answer.labels)) != len(answer.labels):
        raise Invalid("A label is given twice.", field="labels")


def _filled(span: Span, output: Any, index: int) -> Span:
    field = f"spans[{index}]"
    if not isinstance(output, str):
        raise Invalid(f"{field}: spans mark words of a text; this output is {_shape(output)}.", field=field)
    check_range(span.start, span.end, len(output), field)
    text = output[span.start : span.end]
    if span.text is not None and span.text != text:
        raise Invalid(
            f"{field}: the output has “{text[:80]}” there, not “{span.text[:80]}”. Count code points.",
            field=field,
        )
    return span.model_copy(update={"text": text})


def refuse_untakeable(answer: Answer, verdicts: Collection[str] | None, schema: dict[str, Any] | None) -> None:
    """Raise Invalid, naming the field, for what the producer said that it could not take: a verdict that it does not
    allow, or a correction that is not valid by its JSON Schema (2020-12)."""
    if verdicts is not None and answer.verdict not in verdicts:
        raise Invalid(f"The producer takes only: {', '.join(verdicts)}.", field="verdict")
    if schema is None or answer.verdict is not Verdict.CORRECT:
        return
    wrong = schemas.misfit(schema, answer.correction)
    if wrong is not None:
        path, why = wrong
        raise Invalid(f"The producer could not take this: correction{path}: {why}.", field=f"correction{path}")


def difference(before: Any, after: Any) -> list[dict[str, Any]]:
    """How a correction differs: word runs {op, before, after} for texts, changed paths {path, before, after} else."""
    if isinstance(before, str) and isinstance(after, str):
        return _word_runs(before, after)
    return list(_changed_paths(before, after, ""))


def _word_runs(before: str, after: str) -> list[dict[str, Any]]:
    old, new = _words(before), _words(after)
    first = _n_alike(old, new)
    last = _n_alike(old[first:][::-1], new[first:][::-1])
    old_middle, new_middle = old[first : len(old) - last], new[first : len(new) - last]
    head, tail = "".join(old[:first]), "".join(old[len(old) - last :])
    runs = [_run("equal", head, head), *_compared(old_middle, new_middle), _run("equal", tail, tail)]
    return [run for run in runs if run["before"] or run["after"]]


def _n_alike(old: list[str], new: list[str]) -> int:
    """How many words the two begin with in common."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(old), len(new)))


def _compared(old: list[str], new: list[str]) -> list[dict[str, Any]]:
    if not old or not new or max(len(old), len(new)) > _MAX_DIFF_WORDS:
        op = "replace" if old and new else "delete" if old else "insert"
        return [_run(op, "".join(old), "".join(new))]
    codes = difflib.SequenceMatcher(None, old, new).get_opcodes()
    return [_run(op, "".join(old[a:b]), "".join(new[c:d])) for op, a, b, c, d in codes]


def _run(op: str, before: str, after: str) -> dict[str, Any]:
    return {"op": op, "before": before, "after": after}


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def _changed_paths(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _changed_paths(before.get(key), after.get(key), f"{path}/{_escaped(key)}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed_paths(old, new, f"{path}/{index}")
    elif content.canonical(before) != content.canonical(after):
        yield {"path": path, "before": before, "after": after}


def _escaped(key: str) -> str:
    """A key as a JSON Pointer token (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")

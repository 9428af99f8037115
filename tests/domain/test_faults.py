"""What is wrong with a policy is told all at once, each with its line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from review.domain.policies import HOLD_EVERYTHING, MAX_DOCUMENT_BYTES, check
from tests.support.world import POLICY

WRONG = """\
queue: q
due: soon
colour: red
rules:
  - {name: a, when: "confidence <", route: pass}
  - name: b
    when: ""
    route: nowhere
  - {name: c, when: "kind", route: pass, due: 4 hours}
  - name: d
    when: "true"
    route: block
    hold: false
"""
FITTING = """\
queue: q
rules:
  - name: a
    when: "true"
    route: block
    hold: false
  - name: b
    when: "true"
    route: review
    on_lapse: fallback
  - name: b
    when: "true"
    route: review
    reviewers: 4
    extra_on_disagreement: 3
"""


def lines(document: str) -> list[int | None]:
    return [fault.line for fault in check(document)[1]]


def test_each_fault_has_its_line_and_they_come_from_the_top() -> None:
    assert lines(WRONG) == [2, 3, 5, 7, 8, 9, 9]
    assert lines(FITTING) == [6, 7, 11, 15]


@pytest.mark.parametrize(
    ("document", "line", "says"),
    [
        ("queue: q\nrules: [\n", 3, "not YAML"),
        ("queue: q\nrules: []\nrules: []", 3, "rules stands twice"),
        ('queue: q\nrules:\n- {name: a, when: "true", route: pass,\n   when: "false"}', 4, "when stands twice"),
        ("rules: []", None, "queue: Field required"),
        ("", None, "valid dictionary"),
        ("!!bool maybe", None, "not YAML"),
        ("!!int ''", None, "not YAML"),
        ("!!timestamp then", None, "not YAML"),
        ("? [a]\n: b", 1, "not YAML"),
        ("queue: \x00", None, "not YAML"),
        ("[" * 130_000, None, "not YAML"),
        ("#" * (MAX_DOCUMENT_BYTES + 1), None, "larger than"),
    ],
)
def test_what_is_hardly_a_document_is_told_too(document: str, line: int | None, says: str) -> None:
    policy, faults = check(document)
    assert policy is None
    assert faults[0].line == line
    assert says in faults[0].error.message


def test_keys_that_a_merge_writes_over_do_not_stand_twice() -> None:
    document = 'queue: q\nrules:\n- &a {name: a, when: "true", route: pass}\n- {<<: *a, name: b}\n'
    policy, faults = check(document)
    assert faults == []
    assert policy is not None
    assert [(rule.name, rule.when) for rule in policy.rules] == [("a", "true"), ("b", "true")]


@pytest.mark.parametrize("document", [POLICY, HOLD_EVERYTHING])
def test_a_policy_that_can_work_has_no_fault(document: str) -> None:
    policy, faults = check(document)
    assert faults == []
    assert policy is not None


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*"[]{}:,-?&*!|>\n '\"#%@`", "a", "rules", "<<", "1"])).map("".join)
)
@example("&a [*a]")
@example("rules: &a [*a]")
def test_any_text_is_answered(document: str) -> None:
    policy, faults = check(document)
    assert (policy is None) is bool(faults)

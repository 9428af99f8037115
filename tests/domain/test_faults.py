"""What is wrong with a policy is told all at once, each with its line."""

import json

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


@pytest.mark.parametrize("key", ["<<", "!!merge m"])
def test_merge_keys_are_refused_before_they_are_written_out(key: str) -> None:
    links = [f"x{n}: &x{n} {{{key}: [{', '.join([f'*x{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    policy, faults = check("\n".join(["queue: q", "rules: []", "x0: &x0 {k: v}", *links]))
    assert policy is None
    assert len(faults) == 1
    assert faults[0].line is not None
    assert "merge keys (<<) are not read here" in faults[0].error.message


@pytest.mark.parametrize("last", ["rules: [{name: *x30, when: '('}]", "? *x30\n: 1"])
def test_what_refers_to_itself_many_times_is_not_written_out(last: str) -> None:
    links = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 31)]
    policy, faults = check("\n".join(["queue: q", "x0: &x0 [v]", *links, last]))
    assert policy is None
    assert faults


ZEROS = f"[{','.join('0' * 30)}]"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("[0].all(a, [0].exists(b, [0].filter(c, true).size() > 0))", "nests three"),
        ("[0].all(a, [0].exists_one(b, [0] . // why\n map (c, c).size() > 0))", "nests three"),
        ("[0].all(a, ')' == '(' || [0].all(b, [0].all(c, true)))", "nests three"),
        (f"[0].all(a, [0].all(b, {'+'.join([ZEROS] * 20)} != []))", "1,000 characters"),
        (r"r'\' == '' || [0].all(a, [0].all(b, [0].all(c, true))) || '\\' == ''", "nests three"),
        ("[[0]].map(a, a + a).map(a, a + a).size() > 0", "map twice"),
    ],
)
def test_a_condition_that_could_run_for_long_is_told_before_it_runs(when: str, says: str) -> None:
    policy, faults = check(json.dumps({"queue": "q", "rules": [{"name": "slow", "when": when, "route": "review"}]}))
    assert policy is None
    assert [fault.error.field for fault in faults] == ["rules[slow].when"]
    assert says in faults[0].error.message


@pytest.mark.parametrize(
    "when",
    [
        "flags.all(a, flags.exists(b, b.code == a.code)) && flags.all(a, flags.exists(b, b.severity >= a.severity))",
        "input != '.all(a, [0].all(b, [0].all(c, [0].map(d, [0].map(e,' // .all(.all(.all(",
        'flags.filter(f, f.severity > 1).map(f, f.code).exists(c, c == "it\'s .map(")',
    ],
)
def test_a_condition_that_nests_two_may_run(when: str) -> None:
    _, faults = check(json.dumps({"queue": "q", "rules": [{"name": "r", "when": when, "route": "review"}]}))
    assert faults == []


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

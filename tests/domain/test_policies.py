"""Policies: what they accept, how they route, and that an unclear case is never passed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain import remarks
from review.domain.outputs import Output
from review.domain.policies import HOLD_EVERYTHING, Route, read_policy
from review.domain.rulings import RULE_FAILED, CompiledPolicy, draw
from review.errors import Invalid
from tests.support.world import POLICY, SAMPLING, output

KEY = b"k" * 32


def ruling(policy: str = POLICY, **changes: object):  # type: ignore[no-untyped-def]
    return CompiledPolicy(policy).ruling(Output(**output(**changes)), KEY)


def test_the_first_rule_that_matches_decides() -> None:
    money = ruling(kind="action", confidence=0.1, flags=[{"code": "amount", "severity": 4}])
    assert (money.route, money.rule, money.reasons) == (Route.BLOCK, "action on money", ("high_risk_action",))
    assert (money.priority, money.inclusion_probability, money.held) == (90, 1.0, True)


@pytest.mark.parametrize("confidence", [None, 0.0, 0.3499])
def test_low_or_no_confidence_is_held(confidence: float | None) -> None:
    assert ruling(confidence=confidence).reasons == ("low_confidence",)


def test_what_matches_nothing_passes_with_the_probability_it_could_have_been_drawn_with() -> None:
    passed = ruling(SAMPLING, confidence=0.9)
    assert (passed.route, passed.inclusion_probability) == (Route.PASS, 0.05)


def test_the_policy_of_other_tests_leaves_nothing_to_chance() -> None:
    assert read_policy(POLICY).audit_sample.probability == 0


def test_a_sample_passes_and_is_reviewed() -> None:
    drawn = ruling(SAMPLING.replace("0.05", "1"), confidence=0.9)
    assert (drawn.route, drawn.reasons, drawn.held, drawn.reviewed) == (Route.PASS, ("audit_sample",), False, True)


def test_a_rule_that_passes_is_sampled_too() -> None:
    policy = "queue: q\nrules:\n  - {name: small talk, when: \"kind == 'answer'\", route: pass, reasons: [chat]}\n"
    assert ruling(policy + "audit_sample: {probability: 1}").reasons == ("chat", "audit_sample")
    assert ruling(policy).reviewed is False


def test_a_condition_that_fails_holds_the_output() -> None:
    policy = 'queue: q\nrules:\n  - {name: vip, when: "metadata.tier > 1", route: pass}\n'
    held = ruling(policy, metadata={"tier": "gold"})
    assert (held.route, held.reasons, held.held) == (Route.REVIEW, (RULE_FAILED,), True)
    assert ruling(policy, metadata={}).held


def test_where_a_condition_fails_its_people_are_asked_and_nothing_else_of_the_rule_holds() -> None:
    rule = (
        '{name: wires, when: "metadata.amount > 1", route: review, reasons: [wire], queue: money, due: PT1M, '
        "priority: 99, four_eyes: true, skills: ['domain:money'], on_lapse: release}"
    )
    policy = f"queue: q\nrules:\n  - {rule}\ndue: PT4H\n"
    sure, unclear = ruling(policy, metadata={"amount": 2}), ruling(policy)
    assert (sure.queue, sure.due, sure.priority, sure.skills) == ("money", timedelta(minutes=1), 99, ("domain:money",))
    assert (unclear.queue, unclear.due, unclear.priority, unclear.skills) == ("q", timedelta(hours=4), 50, ())
    assert (unclear.n_people, unclear.on_lapse, unclear.held) == (2, None, True)
    compiled = CompiledPolicy(policy)
    for found, on_lapse in ((sure, "release"), (unclear, None)):
        kept = compiled.rule(found.rule, found.reasons)
        assert kept is not None
        assert (kept.four_eyes, kept.on_lapse) == (True, on_lapse)


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("metadata.tier > 1", "has(metadata.tier)"),
        ("metadata['tier'] > 1", "has(metadata.tier)"),
        ("has(metadata.tier) && metadata.tier > 1", None),
        ("kind == 'answer'", None),
        ("metadata.lang == 'de' && kind == 'action'", "has(metadata.lang)"),
        ("kind == 'action' && (metadata.lang == 'de' || kind == 'answer')", "has(metadata.lang)"),
        ("'tier' in metadata && metadata.tier > 1 && kind == 'action'", None),
        ("kind == 'action' && flags.exists(f, f.severty >= 4)", "a part that fails"),
        ("kind == 'action' && flags.exists(f, f.severity >= 4)", None),
        ("confidence < 0.35", "confidence == null"),
        ("kind == 'action' && confidence < 0.35", "confidence == null"),
        ("confidence == null || confidence < 0.35", None),
        ("confidence != null && confidence < 0.35", None),
        ("kind == 'a && b' ? true : false", None),
        ("kind == 'a' || kind == 'b' ? confidence < 0.35 : (true || false) && true", None),
        ("((true))", None),
        ("true", None),
    ],
)
def test_a_condition_that_may_fail_is_remarked_on(when: str, says: str | None) -> None:
    policy = read_policy(f'queue: q\nrules:\n  - {{name: vip, when: "{when}", route: review}}\n')
    told = [remark.told for remark in remarks.of_conditions(policy)]
    assert len(told) == (says is not None)
    assert all(says is not None and says in one for one in told)


@pytest.mark.parametrize("when", ["metadata.x * metadata.x > 1", "metadata.x / 0 > 1", "metadata.x % 0 > 1"])
def test_arithmetic_that_fails_holds_the_output(when: str) -> None:
    policy = f'queue: q\nrules:\n  - {{name: sum, when: "{when}", route: pass}}\n'
    assert ruling(policy, metadata={"x": 2**62}).reasons == (RULE_FAILED,)


@pytest.mark.parametrize(
    ("document", "field", "says"),
    [
        ("queue: [", "document", "not YAML"),
        ("rules: []", "queue", "Field required"),
        ("queue: q\nrules: []\ncolour: red", "colour", "not a known field"),
        ('queue: q\nrules: [{name: a, when: "confidence <", route: pass}]', "rules[a].when", "not CEL"),
        ('queue: q\nrules: [{name: a, when: "confidense < 1", route: pass}]', "rules[a].when", "confidense"),
        ('queue: q\nrules: [{name: a, when: "confidence", route: pass}]', "rules[a].when", "true or false"),
        ('queue: q\nrules: [{name: a, when: "kind > 3", route: pass}]', "rules[a].when", "fails"),
        (
            'queue: q\nrules: [{name: a, when: "true", route: pass}, {name: a, when: "true", route: block}]',
            "rules",
            "Two rules",
        ),
        ("queue: q\nrules: []\ndue: P9999999D", "due", "a duration such as PT4H"),
        ('queue: q\nrules: [{name: a, when: "true", route: review, due: -PT4H}]', "rules.0.due", "PT4H or P1D"),
        ("[" * 3_000, "document", "not YAML"),
        ("queue: q\nrules: []\ndue: PT0S", "due", "over 0"),
        ("queue: q\nrules: []\naudit_sample: {probability: 1.5}", "audit_sample.probability", "less than or equal"),
        ("queue: q\nrules: []\naudit_sample: {probability: .nan}", "audit_sample.probability", "finite"),
        ("just text", "body", "valid dictionary"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_naming_the_field(document: str, field: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        read_policy(document)
    assert refused.value.field == field


def test_everything_that_is_wrong_with_a_policy_is_told_at_once() -> None:
    document = """
        queue: q
        due: soon
        colour: red
        rules:
          - {name: a, when: "confidence <", route: pass}
          - {name: b, when: "", route: nowhere}
          - {name: c, when: "kind", route: pass, due: 4 hours}
          - {name: c, when: "true", route: pass}
    """
    with pytest.raises(Invalid) as refused:
        read_policy(document)
    assert refused.value.field == "document"
    for field in ("due", "colour", "rules.1.when", "rules.1.route", "rules.2.due", "rules[a].when", "rules[c].when"):
        assert f") {field}" in refused.value.message, field
    assert "7 things" in refused.value.message
    assert "timedelta" not in refused.value.message


def test_the_policy_of_a_new_system_holds_everything() -> None:
    assert ruling(HOLD_EVERYTHING, confidence=1.0).held


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=50))
def test_a_draw_is_repeatable_and_in_range(key: bytes, output_id: str) -> None:
    assert draw(key, output_id) == draw(key, output_id)
    assert 0 <= draw(key, output_id) < 1


def test_draws_are_uniform_and_depend_on_the_key() -> None:
    drawn = [draw(KEY, f"x{i}") for i in range(20_000)]
    share = sum(value < 0.05 for value in drawn) / len(drawn)
    assert 0.045 < share < 0.055  # 3.2 standard deviations of a binomial
    assert draw(KEY, "x1") != draw(b"j" * 32, "x1")

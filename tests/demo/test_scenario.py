"""The demo's content: enough of it, believable, and true to what it says of itself."""

import difflib
import itertools
from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from review.demo.scenario import (
    LABELS,
    PEOPLE,
    SYSTEMS,
    Played,
    Truth,
    actions,
    answering,
    content,
    policy,
    prose,
    scenario,
)
from review.domain.actors import Role
from review.domain.content import canonical
from review.domain.decisions import Answer, EscalationReason, Span, Verdict, checked
from review.domain.outputs import Output
from review.domain.policies import DEFAULT_TAXONOMY, Route
from review.domain.rulings import compiled

SEEDS = (7, 1, 2024)
ERROR_SHARE = {"help-center-answers": (0.18, 0.25), "ticket-router": (0.10, 0.14), "billing-agent": (0.22, 0.30)}


@pytest.fixture(scope="module", params=SEEDS)
def played(request: pytest.FixtureRequest) -> list[Played]:
    return scenario(request.param)


def of(system: str, played: list[Played]) -> list[Played]:
    return [one for one in played if one.output["system"] == system]


def test_there_is_enough_of_each_system(played: list[Played]) -> None:
    counts = Counter(one.output["system"] for one in played)
    assert len(played) >= 340
    assert counts["help-center-answers"] >= 160
    assert counts["ticket-router"] >= 115
    assert counts["billing-agent"] >= 50


def test_every_output_is_one_that_intake_accepts(played: list[Played]) -> None:
    for one in played:
        read = Output.model_validate(one.output)
        assert "produced_at" not in one.output
        length = len(read.output) if isinstance(read.output, str) else 0
        assert all(flag.span.start < flag.span.end <= length for flag in read.flags if flag.span)
        assert canonical(one.output)


def test_external_ids_are_unique(played: list[Played]) -> None:
    assert len({one.output["external_id"] for one in played}) == len(played)


def test_every_truth_is_a_decision_that_the_domain_accepts(played: list[Played]) -> None:
    for one in played:
        checked(decision(one.truth), one.output["output"], DEFAULT_TAXONOMY)


def decision(truth: Truth) -> Answer:
    verdict = Verdict.CORRECT if truth.correction is not None else Verdict.REJECT
    spans = [Span.model_validate(span) for span in truth.spans]
    answer = Answer(verdict=verdict, correction=truth.correction, labels=list(truth.labels), spans=spans)
    return Answer(verdict=Verdict.APPROVE) if truth.ok else answer


def test_spans_mark_exactly_their_words(played: list[Played]) -> None:
    for one in played:
        for span in one.truth.spans:
            assert one.output["output"][span["start"] : span["end"]] == span["text"]
            assert span["text"].strip() == span["text"] != ""


def test_wrong_answers_have_marked_words_and_right_ones_have_none(played: list[Played]) -> None:
    for one in of("help-center-answers", played):
        assert bool(one.truth.spans) is not one.truth.ok
        assert "[[" not in one.output["output"]


@pytest.mark.parametrize("system", ERROR_SHARE)
def test_the_share_of_errors_is_as_told(system: str, played: list[Played]) -> None:
    low, high = ERROR_SHARE[system]
    outputs = of(system, played)
    assert low <= sum(not one.truth.ok for one in outputs) / len(outputs) <= high


def test_the_new_version_of_the_answers_is_a_little_worse(played: list[Played]) -> None:
    wrong: dict[str, list[bool]] = {}
    for one in of("help-center-answers", played):
        wrong.setdefault(one.output["model"]["version"], []).append(not one.truth.ok)
    before, after = wrong["3.2.1"], wrong["3.3.0"]
    assert sum(after) / len(after) > sum(before) / len(before)


def test_labels_and_reasons_to_hand_up_are_known_words(played: list[Played]) -> None:
    assert set(LABELS) == set(DEFAULT_TAXONOMY)
    assert {label for one in played for label in one.truth.labels} <= set(LABELS)
    assert {one.truth.escalate for one in played} - {None} <= {reason.value for reason in EscalationReason}
    assert sum(one.truth.escalate is not None for one in played) >= 8


def test_confidence_is_a_probability_and_tells_right_from_wrong(played: list[Played]) -> None:
    for system, least in {"help-center-answers": 0.5, "ticket-router": 0.85, "billing-agent": 0.65}.items():
        sure = [(one.output["confidence"], one.truth.ok) for one in of(system, played)]
        known = [(confidence, ok) for confidence, ok in sure if confidence is not None]
        assert all(0 <= confidence <= 1 for confidence, _ in known)
        pairs = [(right, wrong) for right, ok in known if ok for wrong, bad in known if not bad]
        assert sum(right > wrong for right, wrong in pairs) / len(pairs) > least


def test_the_router_offers_three_other_intents_that_are_less_likely(played: list[Played]) -> None:
    for one in of("ticket-router", played):
        values = [row["value"] for row in one.output["alternatives"]]
        shares = [one.output["confidence"], *(row["confidence"] for row in one.output["alternatives"])]
        assert len({one.output["output"], *values}) == 4
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.001


def test_truth_is_nowhere_in_the_output(played: list[Played]) -> None:
    for one in played:
        assert set(one.output) - {"traceparent", "bundle", "bundle_position", "bundle_size"} == {
            "system", "external_id", "kind", "model", "input", "context", "output", "alternatives",
            "confidence", "flags", "group", "subject_id", "metadata",
        }  # fmt: skip
        assert set(one.output["metadata"]) == {"channel", "language", "latency_ms"}
        assert "[[" not in canonical(one.output["output"]).decode()


def test_the_same_seed_gives_the_same_scenario_and_another_does_not() -> None:
    assert scenario(7) == scenario(7)
    assert scenario(7) != scenario(8)


def test_arrivals_are_sorted_within_two_weeks_by_day_and_lighter_at_weekends(played: list[Played]) -> None:
    moments = [one.arrives for one in played]
    assert moments == sorted(moments)
    assert timedelta(0) <= moments[0] <= moments[-1] < timedelta(days=14)
    by_day = [7 <= moment.seconds // 3600 < 20 for moment in moments]
    weekend = [moment.days % 7 >= 5 for moment in moments]
    assert sum(by_day) > 0.75 * len(moments)
    assert sum(weekend) / 4 < 0.6 * (len(moments) - sum(weekend)) / 10


def test_a_scenario_that_starts_on_a_saturday_has_a_quiet_start() -> None:
    days = Counter(one.arrives.days for one in scenario(7, first_weekday=5))
    assert days[0] + days[1] < days[2] + days[3]


def test_no_two_outputs_are_nearly_the_same() -> None:
    answers = [one.output["output"] for one in of("help-center-answers", scenario())]
    messages = [one.output["input"] for one in of("ticket-router", scenario())]
    for texts, most in ((answers, 0.85), (messages, 0.85)):
        for one, other in itertools.combinations(texts, 2):
            matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
            if matcher.real_quick_ratio() > most and matcher.quick_ratio() > most:
                assert matcher.ratio() < most, (one, other)


def test_languages_and_hostile_content_are_there(played: list[Played]) -> None:
    languages = Counter(one.output["metadata"]["language"] for one in played)
    everything = "".join(str(one.output["input"]) + str(one.output["context"]) for one in played)
    assert {"en", "de", "es", "ar"} <= languages.keys()
    assert sum(languages.values()) - languages["en"] >= 25
    assert "IGNORE ALL PREVIOUS INSTRUCTIONS" in everything
    assert "\\u200b" in everything or "\u200b" in everything
    assert any("\u202e" in one.output["input"] for one in played)


@pytest.mark.parametrize("article", content.articles().values(), ids=lambda article: article.id)
def test_every_written_mistake_can_happen(article: content.Article) -> None:
    values = prose.slots(Random(1), article.language)
    for take in article.takes:
        assert "[[" not in take.say
        assert set(take.also) <= content.articles().keys()
        for slip in take.wrong:
            assert take.say.count(slip.find) == 1, slip.find
            assert slip.label in LABELS
            text, spans = prose.unmarked(prose.filled(answering.slipped(take.say, slip), values), slip.label)
            assert spans, slip.find
            assert text != prose.filled(take.say, values)
            assert "[[" not in text


@pytest.mark.parametrize("case", content.cases(), ids=lambda case: case.request[:40])
def test_every_written_misstep_is_another_action(case: content.Case) -> None:
    assert case.policy in content.playbooks()
    for misstep in case.wrong:
        assert misstep.label in LABELS
        assert set(misstep.set) <= case.do.arguments.keys()
        assert actions.taken(case, misstep) != case.do.model_dump()


def test_every_intent_named_beside_a_message_exists() -> None:
    known = content.intents().keys()
    for name, intent in content.intents().items():
        for message in intent.messages:
            assert set(message.near) <= known - {name}
            assert len(set(message.near)) == 3


def test_people_and_systems_fit_together() -> None:
    names = {person.username: person.role for person in PEOPLE}
    assert len(names) == len(PEOPLE) == 7
    assert set(names.values()) == {role.value for role in Role}
    assert all(person.email.endswith("@example.com") for person in PEOPLE)
    for system in SYSTEMS:
        assert system.owner != system.deputy
        assert {system.owner, system.deputy} <= names.keys()


def test_policies_hold_a_part_of_the_outputs_and_never_fail(played: list[Played]) -> None:
    for system in SYSTEMS:
        policy = compiled(system.policy)
        rulings = [policy.ruling(Output.model_validate(one.output), b"key") for one in of(system.slug, played)]
        held = sum(ruling.held for ruling in rulings) / len(rulings)
        assert 0.05 < held < 0.75
        assert not any("rule_failed" in ruling.reasons for ruling in rulings)
        assert {Route.PASS, Route.REVIEW} <= {ruling.route for ruling in rulings}


def test_earlier_and_later_policies_can_work_too(played: list[Played]) -> None:
    for text in (*(system.first_policy for system in SYSTEMS), policy("billing-agent.draft")):
        rules = compiled(text)
        assert not any("rule_failed" in rules.ruling(Output.model_validate(one.output), b"").reasons for one in played)


def test_actions_of_one_turn_are_of_one_bundle(played: list[Played]) -> None:
    turns: dict[str, list[Played]] = {}
    for one in played:
        if "bundle" in one.output:
            turns.setdefault(one.output["bundle"], []).append(one)
    assert len(turns) >= 3
    for actions_of_turn in turns.values():
        outputs = [one.output for one in actions_of_turn]
        assert {output["bundle_position"] for output in outputs} == set(range(outputs[0]["bundle_size"]))
        assert (
            len(
                {
                    (output["group"], output["input"], one.arrives)
                    for one, output in zip(actions_of_turn, outputs, strict=True)
                }
            )
            == 1
        )

"""A system's policy: what to do with each output, by rules anyone can read and nobody can edit once active.

Conditions are CEL (https://cel.dev) over the output's fields. The first rule that matches decides.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import cel
from pydantic import Field, StringConstraints, ValidationError

from review.domain import conditions
from review.domain.outputs import Code, Name, Strict, Text, invalid
from review.domain.yaml_texts import UNREADABLE, YamlText, told
from review.errors import Invalid

FIELDS = frozenset(
    {
        "kind", "model", "input", "context", "output", "alternatives", "confidence", "flags",
        "group", "subject_id", "metadata", "external_id",
    }
)  # fmt: skip
MAX_REVIEWERS = 5
MAX_DOCUMENT_BYTES = 256 * 1024
_MAX_RULES, _MAX_CONDITION = 200, 4_000
DEFAULT_TAXONOMY = (
    "unsupported", "contradicts_source", "omission", "wrong_label",
    "wrong_action", "unsafe", "private_data", "style",
)  # fmt: skip
HOLD_EVERYTHING = """\
# The policy a system starts with: nothing passes until someone says what may.
queue: default
rules:
  - {name: hold everything, when: "true", route: review, priority: 50, reasons: [no_policy_yet]}
due: PT4H
"""


Due = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]


class Route(StrEnum):
    """What a policy says of one output."""

    PASS = "pass"  # noqa: S105 - a route, not a password
    REVIEW = "review"
    BLOCK = "block"


class OnLapse(StrEnum):
    """What Holdpoint answers by itself where nobody did in time."""

    WITHHOLD = "withhold"
    RELEASE = "release"  # with a notice
    FALLBACK = "fallback"


class WhenFull(StrEnum):
    """What becomes of an output that would wait in a queue that is full."""

    FAIL_SAFE = "fail_safe"
    REFUSE = "refuse"  # 429: the producer sends it again later


class Order(StrEnum):
    """In which order a system's tasks are taken."""

    PRIORITY = "priority"  # the rule's, then what is due first
    EXPECTED_RISK = "expected_risk"  # severity times the probability of error, then what is due first


Skill = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+:[a-z0-9_.-]+$", max_length=64)]


class Rule(Strict):
    """One condition and what follows where it holds.

    `reviewers` are asked, for a share `coverage` of the outputs (else one); `extra_on_disagreement` more where they
    disagree. `four_eyes`: two people must say the same before anything is released.
    """

    name: Name
    when: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_CONDITION)]
    route: Route
    reasons: list[Code] = Field(default_factory=list, max_length=20)
    priority: int = Field(default=50, ge=0, le=100)
    severity: int = Field(default=3, ge=1, le=5)
    hold: bool = True
    reviewers: int = Field(default=1, ge=1, le=5)
    coverage: float = Field(default=1, ge=0, le=1)
    extra_on_disagreement: int = Field(default=0, ge=0, le=4)
    four_eyes: bool = False
    skills: list[Skill] = Field(default_factory=list, max_length=10)
    on_lapse: OnLapse | None = None
    fallback: Text | None = None
    queue: Code | None = None
    due: Due | None = None
    when_full: WhenFull = WhenFull.FAIL_SAFE

    @property
    def n_people(self) -> int:
        """How many people are asked at first."""
        return max(self.reviewers, 2) if self.four_eyes else self.reviewers


class AuditSample(Strict):
    """The share of what would pass that is drawn for review."""

    probability: float = Field(ge=0, le=1)
    priority: int = Field(default=20, ge=0, le=100)


class GoldTasks(Strict):
    """How reviewers are checked: the share of their tasks whose answer is known, and the accuracy they must keep."""

    rate: float = Field(gt=0, le=0.5)
    bar: float = Field(default=0.8, gt=0, lt=1)
    min_n: int = Field(default=20, ge=5, le=1000)
    onboarding: int = Field(default=0, ge=0, le=200)  # gold tasks that come before all others


class Policy(Strict):
    """A whole policy document.

    `fallback` is what producers are given while the system is stopped. `admit_risk`: an output whose risk (0..1) is
    at least this is taken into a full queue all the same.
    """

    queue: Code
    rules: list[Rule] = Field(max_length=_MAX_RULES)
    audit_sample: AuditSample = AuditSample(probability=0)
    due: Due = timedelta(hours=4)
    order: Order = Order.PRIORITY
    fallback: Text | None = None
    admit_risk: float = Field(default=0.8, ge=0, le=1)
    gold: GoldTasks | None = None
    bulk: bool = False
    taxonomy: list[Code] = Field(default=list(DEFAULT_TAXONOMY), min_length=1, max_length=8)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document, and on which line (from 1), where that is known."""

    error: Invalid
    line: int | None


class _Wrong(NamedTuple):
    """One thing that is wrong, and the path to it in the document."""

    path: tuple[str | int, ...]
    error: Invalid


def read_policy(text: str) -> Policy:
    """Parse and check a YAML policy; raises Invalid naming every rule and field that is wrong, and the fix."""
    policy, faults = check(text)
    if policy is None:
        raise _all_of([fault.error for fault in faults])
    return policy


def check(text: str) -> tuple[Policy | None, list[Fault]]:
    """A YAML policy, or everything that is wrong with it, from the top."""
    if len(text) > MAX_DOCUMENT_BYTES:
        most = f"The policy is larger than {MAX_DOCUMENT_BYTES // 1024} KiB."
        return None, [Fault(Invalid(most, field="document"), None)]
    try:
        document = YamlText(text)
    except UNREADABLE as error:
        why, line = told(error)
        return None, [Fault(Invalid(f"The policy is not YAML: {why}.", field="document"), line)]
    policy, wrong = _checked(document.value)
    faults = [*(Fault(error, document.line(path)) for path, error in wrong), *_repeated(document)]
    return None if faults else policy, sorted(faults, key=lambda fault: fault.line or 0)


def _repeated(document: YamlText) -> list[Fault]:
    return [
        Fault(Invalid(f"{key} stands twice here: on line {line} for the second time. Remove one.", field=key), line)
        for key, line in document.repeated
    ]


def _checked(document: Any) -> tuple[Policy | None, list[_Wrong]]:
    wrong = _wrong_conditions(document)
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        return None, [*_wrong_fields(error), *wrong]
    for index, rule in enumerate(policy.rules):
        wrong += _wrong_rule(index, rule, policy)
    return policy, [*wrong, *_wrong_names(policy)]


def _all_of(wrong: list[Invalid]) -> Invalid:
    """One refusal that tells of everything that is wrong, so that it is mended in one go."""
    if len(wrong) == 1:
        return wrong[0]
    listed = " ".join(f"({n}) {one.message}" for n, one in enumerate(wrong, 1))
    return Invalid(f"{len(wrong)} things are wrong: {listed}", field="document")


def _wrong_fields(error: ValidationError) -> list[_Wrong]:
    return [_Wrong(details["loc"], _wrong_field(details)) for details in error.errors(include_url=False)]


def _wrong_field(details: Any) -> Invalid:
    found = invalid(ValidationError.from_exception_data("Policy", [details]))
    if "due" in details["loc"]:
        return Invalid(
            f"{found.field} is a duration such as PT4H or P1D, over 0 and up to 366 days.", field=found.field
        )
    return found


def _wrong_names(policy: Policy) -> list[_Wrong]:
    last = {rule.name: index for index, rule in enumerate(policy.rules)}
    n_named = Counter(rule.name for rule in policy.rules)
    return [
        _Wrong(
            ("rules", last[name], "name"),
            Invalid(f"Two rules are named “{name}”. Give each rule its own name.", field="rules"),
        )
        for name, n in n_named.items()
        if n > 1
    ]


def _wrong_rule(index: int, rule: Rule, policy: Policy) -> Iterator[_Wrong]:
    """What of a rule does not fit together."""

    def wrong(name: str, told: str) -> _Wrong:
        field = f"rules[{rule.name}]"
        return _Wrong(("rules", index, name), Invalid(f"{field} {told}", field=f"{field}.{name}"))

    if rule.on_lapse is OnLapse.FALLBACK and not (rule.fallback or policy.fallback):
        yield wrong("fallback", "falls back to a text that is not given. Add fallback.")
    if rule.route is Route.BLOCK and not rule.hold:
        yield wrong("hold", "blocks: it cannot release at once. Remove hold: false.")
    if rule.four_eyes and rule.coverage < 1:
        yield wrong("coverage", "asks for four eyes: on every output. Remove coverage.")
    if rule.n_people + rule.extra_on_disagreement > MAX_REVIEWERS:
        yield wrong("extra_on_disagreement", f"asks more than {MAX_REVIEWERS} people.")


def _wrong_conditions(document: Any) -> list[_Wrong]:
    """What is wrong with the conditions of all rules that are rules at all, also where other fields are wrong."""
    rules = document.get("rules") if isinstance(document, dict) else None
    first = enumerate(rules[:_MAX_RULES] if isinstance(rules, list) else [])
    named = [(index, rule) for index, rule in first if isinstance(rule, dict)]
    checked = [(index, _wrong_condition(rule.get("name"), rule.get("when"))) for index, rule in named]
    return [_Wrong(("rules", index, "when"), error) for index, error in checked if error is not None]


# One output with every field filled, so that a condition that cannot work fails on activation and not at night.
PROBE = {
    "kind": "answer", "model": {"name": "m", "version": "1"}, "input": "i", "context": [{"text": "c"}],
    "output": "o", "alternatives": [{"value": "a", "confidence": 0.5}], "confidence": 0.5,
    "flags": [{"code": "c", "severity": 3, "detail": None, "span": None}], "group": "g",
    "subject_id": "s", "metadata": {}, "external_id": "e",
}  # fmt: skip


SHAPED_BY_PRODUCER = frozenset({"metadata", "input", "output", "context", "alternatives"})


def _wrong_condition(name: Any, when: Any) -> Invalid | None:
    if not isinstance(when, str) or not 0 < len(when) <= _MAX_CONDITION:
        return None  # which is told as a field's fault
    field = f"rules[{name if isinstance(name, str) else '?'}].when"
    costly = conditions.why_costly(when)
    if costly is not None:
        return Invalid(f"{field} {costly}", field=field)
    return _wrong_program(field, when)


def _wrong_program(field: str, when: str) -> Invalid | None:
    try:
        program = cel.compile(when)
    except ValueError as error:
        return Invalid(f"{field} is not CEL: {error}", field=field)
    try:
        matched = program.execute(dict(PROBE))
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        if not isinstance(error, RuntimeError) and SHAPED_BY_PRODUCER & set(program.variables()):
            return None
        return Invalid(f"{field} fails: {error} Known fields: {', '.join(sorted(FIELDS))}.", field=field)
    if not isinstance(matched, bool):
        return Invalid(f"{field} gives {matched!r}; a condition must give true or false.", field=field)
    return None

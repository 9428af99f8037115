"""A system's policy: what to do with each output, by rules anyone can read and nobody can edit once active.

Conditions are CEL (https://cel.dev) over the output's fields. The first rule that matches decides.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import cel
import yaml
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from review.domain.outputs import Code, Name, Output, Strict, Text, invalid
from review.errors import Invalid

FIELDS = frozenset(
    {
        "kind", "model", "input", "context", "output", "alternatives", "confidence", "flags",
        "group", "subject_id", "metadata", "external_id",
    }
)  # fmt: skip
MAX_REVIEWERS = 5
AUDIT_SAMPLE = "audit_sample"
_MAX_RULES, _MAX_CONDITION = 200, 4_000
RULE_FAILED = "rule_failed"
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


class Ruling(NamedTuple):
    """What a policy says of one output, and why.

    `held` says whether the release waits for a decision, `reviewed` whether a task is made: held, or a sample.
    """

    route: Route
    rule: str | None
    reasons: tuple[str, ...]
    inclusion_probability: float
    held: bool
    reviewed: bool
    queue: str
    priority: int
    due: timedelta
    severity: int = 3
    n_people: int = 1
    coverage: float = 1
    skills: tuple[str, ...] = ()
    on_lapse: OnLapse | None = None
    when_full: WhenFull = WhenFull.FAIL_SAFE


def read_policy(text: str) -> Policy:
    """Parse and check a YAML policy; raises Invalid naming every rule and field that is wrong, and the fix."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"The policy is not YAML: {error}.", field="document") from error
    wrong = _wrong_conditions(document)
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        raise _all_of([*_wrong_fields(error), *wrong]) from error
    wrong += _wrong_names(policy) + [fault for rule in policy.rules for fault in _wrong_rule(rule, policy)]
    if wrong:
        raise _all_of(wrong)
    return policy


def _all_of(wrong: list[Invalid]) -> Invalid:
    """One refusal that tells of everything that is wrong, so that it is mended in one go."""
    if len(wrong) == 1:
        return wrong[0]
    told = " ".join(f"({n}) {one.message}" for n, one in enumerate(wrong, 1))
    return Invalid(f"{len(wrong)} things are wrong: {told}", field="document")


def _wrong_fields(error: ValidationError) -> list[Invalid]:
    return [_wrong_field(details) for details in error.errors(include_url=False)]


def _wrong_field(details: Any) -> Invalid:
    found = invalid(ValidationError.from_exception_data("Policy", [details]))
    if "due" in details["loc"]:
        return Invalid(
            f"{found.field} is a duration such as PT4H or P1D, over 0 and up to 366 days.", field=found.field
        )
    return found


def _wrong_names(policy: Policy) -> list[Invalid]:
    n_named = Counter(rule.name for rule in policy.rules)
    return [
        Invalid(f"Two rules are named “{name}”. Give each rule its own name.", field="rules")
        for name, n in n_named.items()
        if n > 1
    ]


def _wrong_rule(rule: Rule, policy: Policy) -> Iterator[Invalid]:
    """What of a rule does not fit together."""
    field = f"rules[{rule.name}]"
    if rule.on_lapse is OnLapse.FALLBACK and not (rule.fallback or policy.fallback):
        yield Invalid(f"{field} falls back to a text that is not given. Add fallback.", field=f"{field}.fallback")
    if rule.route is Route.BLOCK and not rule.hold:
        yield Invalid(f"{field} blocks: it cannot release at once. Remove hold: false.", field=f"{field}.hold")
    if rule.four_eyes and rule.coverage < 1:
        yield Invalid(f"{field} asks for four eyes: on every output. Remove coverage.", field=f"{field}.coverage")
    if rule.n_people + rule.extra_on_disagreement > MAX_REVIEWERS:
        yield Invalid(f"{field} asks more than {MAX_REVIEWERS} people.", field=f"{field}.extra_on_disagreement")


def _wrong_conditions(document: Any) -> list[Invalid]:
    """What is wrong with the conditions of all rules that are rules at all, also where other fields are wrong."""
    rules = document.get("rules") if isinstance(document, dict) else None
    named = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    checked = [_wrong_condition(rule.get("name"), rule.get("when")) for rule in named[:_MAX_RULES]]
    return [wrong for wrong in checked if wrong is not None]


# One output with every field filled, so that a condition that cannot work fails on activation and not at night.
_PROBE = {
    "kind": "answer", "model": {"name": "m", "version": "1"}, "input": "i", "context": [{"text": "c"}],
    "output": "o", "alternatives": [{"value": "a", "confidence": 0.5}], "confidence": 0.5,
    "flags": [{"code": "c", "severity": 3, "detail": None, "span": None}], "group": "g",
    "subject_id": "s", "metadata": {}, "external_id": "e",
}  # fmt: skip


_SHAPED_BY_PRODUCER = frozenset({"metadata", "input", "output", "context", "alternatives"})


def _wrong_condition(name: Any, when: Any) -> Invalid | None:
    if not isinstance(when, str) or not 0 < len(when) <= _MAX_CONDITION:
        return None  # which is told as a field's fault
    field = f"rules[{name}].when"
    try:
        program = cel.compile(when)
    except ValueError as error:
        return Invalid(f"{field} is not CEL: {error}", field=field)
    try:
        matched = program.execute(dict(_PROBE))
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        if not isinstance(error, RuntimeError) and _SHAPED_BY_PRODUCER & set(program.variables()):
            return None
        return Invalid(f"{field} fails: {error} Known fields: {', '.join(sorted(FIELDS))}.", field=field)
    if not isinstance(matched, bool):
        return Invalid(f"{field} gives {matched!r}; a condition must give true or false.", field=field)
    return None


class _Condition:
    """One rule's condition, compiled, with the fields it reads: only those are handed to CEL."""

    def __init__(self, rule: Rule) -> None:
        self._program = cel.compile(rule.when)
        self._fields = tuple(FIELDS.intersection(self._program.variables()))

    def holds(self, output: Output) -> bool | None:
        """Whether it holds for the output; None where it fails on it."""
        try:
            held = self._program.execute({name: _plain(getattr(output, name)) for name in self._fields})
        except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError):
            return None
        return held if isinstance(held, bool) else None


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return [_plain(one) for one in value] if isinstance(value, list) else value


class CompiledPolicy:
    """A policy whose conditions are compiled once and asked for every output; its rulings are made once too."""

    def __init__(self, text: str) -> None:
        self.policy = read_policy(text)
        self._rules = [(_Condition(rule), self._outcome(rule), self._failed(rule)) for rule in self.policy.rules]
        self._otherwise = self._passing(None)
        self._by_name = {rule.name: rule for rule in self.policy.rules}

    def rule(self, name: str | None) -> Rule | None:
        """The rule of this name; None for what passed by no rule."""
        return self._by_name.get(name) if name else None

    def ruling(self, output: Output, sample_key: bytes) -> Ruling:
        """Route one output. A condition that fails on it holds it: an unclear case is never passed."""
        for condition, outcome, failed in self._rules:
            holds = condition.holds(output)
            if holds is None:
                return failed
            if holds:
                return outcome if isinstance(outcome, Ruling) else outcome.drawn(sample_key, output.external_id)
        return self._otherwise.drawn(sample_key, output.external_id)

    def _outcome(self, rule: Rule) -> "Ruling | _Passing":
        return self._passing(rule) if rule.route is Route.PASS else self._holding(rule, rule.route, tuple(rule.reasons))

    def _failed(self, rule: Rule) -> Ruling:
        route = Route.REVIEW if rule.route is Route.PASS else rule.route
        return self._holding(rule, route, (*rule.reasons, RULE_FAILED))._replace(held=True)

    def _holding(self, rule: Rule, route: Route, reasons: tuple[str, ...]) -> Ruling:
        return Ruling(
            route, rule.name, reasons, inclusion_probability=1.0, held=rule.hold or route is Route.BLOCK, reviewed=True,
            queue=rule.queue or self.policy.queue, priority=rule.priority, due=rule.due or self.policy.due,
            severity=rule.severity, n_people=rule.n_people, coverage=rule.coverage, skills=tuple(rule.skills),
            on_lapse=rule.on_lapse, when_full=rule.when_full,
        )  # fmt: skip

    def _passing(self, rule: Rule | None) -> "_Passing":
        sample, reasons = self.policy.audit_sample, tuple(rule.reasons) if rule else ()
        passed = Ruling(
            Route.PASS, rule.name if rule else None, reasons, inclusion_probability=sample.probability,
            held=False, reviewed=False, queue=self.policy.queue, priority=sample.priority, due=self.policy.due,
        )  # fmt: skip
        return _Passing(passed, passed._replace(reasons=(*reasons, AUDIT_SAMPLE), reviewed=True))


class _Passing(NamedTuple):
    """What passes: as it is, or drawn for the audit sample."""

    passed: Ruling
    sampled: Ruling

    def drawn(self, sample_key: bytes, output_id: str) -> Ruling:
        """One of the two, by the keyed hash of the output's id."""
        is_drawn = draw(sample_key, output_id) < self.passed.inclusion_probability
        return self.sampled if is_drawn else self.passed


@lru_cache(maxsize=256)
def compiled(text: str) -> CompiledPolicy:
    """The compiled form of a policy text, kept for the outputs to come."""
    return CompiledPolicy(text)


def draw(key: bytes, output_id: str) -> float:
    """A number in [0, 1) from a keyed hash of the output's id: repeatable, and a producer cannot predict it."""
    digest = hashlib.blake2b(output_id.encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64

"""What a policy says of one output: its rules compiled, and the drawing of the audit sample."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import cel
from pydantic import BaseModel

from review.domain.outputs import Output
from review.domain.policies import FIELDS, OnLapse, Route, Rule, WhenFull, read_policy

AUDIT_SAMPLE = "audit_sample"
RULE_FAILED = "rule_failed"
# What an output keeps of a rule whose condition fails on it: who must agree. The rest is the policy's own.
_KEPT = {"name", "when", "route", "reasons", "reviewers", "coverage", "extra_on_disagreement", "four_eyes"}


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
    if_held: "Ruling | None" = None  # what its rule says of an output that would pass, where it is held all the same

    def covered(self, sample_key: bytes, output_id: str) -> "Ruling":
        """This ruling with one person instead of several, where the output is not of the share that several look at."""
        if self.coverage == 1 or draw(sample_key, f"several:{output_id}") < self.coverage:
            return self
        return self._replace(n_people=1)


class _Condition:
    """One rule's condition, compiled, with the fields it reads: only those are handed to CEL."""

    def __init__(self, rule: Rule) -> None:
        self._program = cel.compile(rule.when)
        self._fields = tuple(FIELDS.intersection(self._program.variables()))

    def holds(self, field: Callable[[str], Any]) -> bool | None:
        """Whether it holds for the output whose fields these are; None where it fails on it."""
        try:
            held = self._program.execute({name: field(name) for name in self._fields})
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
        self._by_name = {rule.name: rule for rule in self.policy.rules}
        self._unclear = {rule.name: Rule(**rule.model_dump(include=_KEPT)) for rule in self.policy.rules}
        self._rules = [(_Condition(rule), self._outcome(rule), self._failed(rule)) for rule in self.policy.rules]
        self._otherwise = self._passing(None)

    def rule(self, name: str | None, reasons: Sequence[str]) -> Rule | None:
        """What the rule of this name asks for an output that came in for these reasons; None for what passed by none.

        Where its condition failed, nobody knows whether the rule is about the output: its people are asked all the
        same, but not in its queue, by its time, for its skills, or with its fail-safe.
        """
        rule = self._by_name.get(name) if name else None
        if rule is not None and RULE_FAILED in reasons[len(rule.reasons) :]:
            return self._unclear[rule.name]
        return rule

    def ruling(self, output: Output, sample_key: bytes) -> Ruling:
        """Route one output. A condition that fails on it holds it: an unclear case is never passed."""
        return self._ruling(lambda name: _plain(getattr(output, name)), output.external_id, sample_key)

    def ruling_on_record(self, sent: Mapping[str, Any], external_id: str, sample_key: bytes) -> Ruling:
        """The same for an output on record, by the fields of its payload."""
        return self._ruling(
            lambda name: external_id if name == "external_id" else sent.get(name), external_id, sample_key
        )

    def _ruling(self, field: Callable[[str], Any], external_id: str, sample_key: bytes) -> Ruling:
        for condition, outcome, failed in self._rules:
            holds = condition.holds(field)
            if holds is None:
                return failed
            if holds:
                return outcome if isinstance(outcome, Ruling) else outcome.drawn(sample_key, external_id)
        return self._otherwise.drawn(sample_key, external_id)

    def _outcome(self, rule: Rule) -> "Ruling | _Passing":
        return self._passing(rule) if rule.route is Route.PASS else self._holding(rule, rule.route, tuple(rule.reasons))

    def _failed(self, rule: Rule) -> Ruling:
        route = Route.REVIEW if rule.route is Route.PASS else rule.route
        return self._holding(self._unclear[rule.name], route, (*rule.reasons, RULE_FAILED))

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
            if_held=self._holding(rule, Route.REVIEW, reasons)._replace(held=True) if rule else None,
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

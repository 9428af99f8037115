"""What a policy that can be put in force may do that its author did not mean."""

import re
from typing import Any, NamedTuple

import cel

from review.domain import conditions
from review.domain.policies import PROBE, SHAPED_BY_PRODUCER, Policy, Rule

_KEY = re.compile(r"\bmetadata\.([A-Za-z_]\w*)|\bmetadata\[(?:'([^']*)'|\"([^\"]*)\")\]")
_GUARD = re.compile(r"\bhas\s*\(|\bin\s+metadata\b|\bnull\b")


class Remark(NamedTuple):
    """Something to look at before a policy is put in force: the field it is about, and a sentence."""

    field: str
    told: str


def of_conditions(policy: Policy) -> list[Remark]:
    """The conditions that may fail on outputs: those outputs are held, whatever the rule's route."""
    return [_remark(rule, told) for rule in policy.rules if (told := _why_failing(rule.when)) is not None]


def _remark(rule: Rule, told: str) -> Remark:
    field = f"rules[{rule.name}].when"
    return Remark(field, f"{field} {told}")


def _why_failing(when: str) -> str | None:
    """On which outputs a condition may fail, and what to write instead; None where none is known."""
    if _may_fail(when, PROBE, None):
        return "has a part that fails whenever it is asked, and the output is then held. Check its fields and types."
    if _may_fail(when, {**PROBE, "metadata": {}}, "metadata"):
        keys = ["".join(groups) for groups in _KEY.findall(when)]
        named = " or ".join(f"metadata.{key}" for key in dict.fromkeys(keys)) or "the metadata it reads"
        asked = f"has(metadata.{keys[0]}) && …" if keys and keys[0].isidentifier() else "'key' in metadata && …"
        return f"fails on an output without {named}, which is then held. Ask for it first: {asked}"
    if _may_fail(when, {**PROBE, "confidence": None}, "confidence"):
        return (
            "fails on an output without a confidence, which is then held. Say which is meant: confidence == null || …, "
            "or confidence != null && …"
        )
    return None


def _may_fail(when: str, output: dict[str, Any], about: str | None) -> bool:
    """Whether a part of a condition that reads the field `about` may fail on an output, unless a part beside it asks
    for that first; without a field, any part that reads only what has one shape in all outputs."""
    for operator, shields in (("||", True), ("&&", False)):
        parts = conditions.parts(when, operator)
        if len(parts) > 1:
            is_asked_first = any(_GUARD.search(part) and _told(part, output) is shields for part in parts)
            return not is_asked_first and any(_may_fail(part, output, about) for part in parts)
    inner = conditions.unwrapped(when)
    if inner is not None:
        return _may_fail(inner, output, about)
    reads = set(cel.compile(when).variables())
    is_asked = about in reads if about else reads.isdisjoint(SHAPED_BY_PRODUCER)
    return is_asked and _told(when, output) is None


def _told(when: str, output: dict[str, Any]) -> bool | None:
    try:
        return bool(cel.compile(when).execute(dict(output)))
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError):
        return None

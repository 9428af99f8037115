"""What a policy that can be put in force may do that its author did not mean."""

import re
from typing import NamedTuple

import cel

from review.domain.policies import PROBE, Policy, Rule

_KEY = re.compile(r"\bmetadata\.([A-Za-z_]\w*)|\bmetadata\[(?:'([^']*)'|\"([^\"]*)\")\]")


class Remark(NamedTuple):
    """Something to look at before a policy is put in force: the field it is about, and a sentence."""

    field: str
    told: str


def of_conditions(policy: Policy) -> list[Remark]:
    """The conditions that fail on outputs without a metadata key: those outputs are held, whatever the rule's route."""
    return [_remark(rule) for rule in policy.rules if _fails_without_metadata(rule.when)]


def _fails_without_metadata(when: str) -> bool:
    program = cel.compile(when)
    if "metadata" not in program.variables():
        return False
    try:
        program.execute({**PROBE, "metadata": {}})
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError):
        return True
    return False


def _remark(rule: Rule) -> Remark:
    keys = ["".join(groups) for groups in _KEY.findall(rule.when)]
    named = " or ".join(f"metadata.{key}" for key in dict.fromkeys(keys)) or "the metadata it reads"
    asked = f"has(metadata.{keys[0]}) && …" if keys and keys[0].isidentifier() else "'key' in metadata && …"
    field = f"rules[{rule.name}].when"
    return Remark(field, f"{field} fails on an output without {named}, which is then held. Ask for it first: {asked}")

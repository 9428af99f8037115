"""What billing-agent wanted to do: a tool call on a customer's account."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from review.demo.scenario import content, prose
from review.demo.scenario.content import Case, Misstep
from review.demo.scenario.envelope import chosen, envelope, sure
from review.demo.scenario.shapes import Played, Truth

SYSTEM = "billing-agent"
_GRAVE, _OTHER = 0.09, 0.17  # shares of all actions that are wrong and must, or need not, be handed up
_FOR_GOOD = {"close_account", "update_bank_details", "cancel_cover"}
_MONEY = {"issue_credit", "refund_balance", "refund_payment", "waive_fee", "settle_plan", "transfer_credit"}


def count() -> int:
    """How many requests the scenario holds."""
    return len(content.cases())


def play(rng: Random, arrivals: list[timedelta]) -> Iterator[Played]:
    """Every request once, in random order at the given moments."""
    cases = rng.sample(content.cases(), len(arrivals))
    grave = [any(misstep.escalate for misstep in case.wrong) for case in cases]
    wrong = chosen(rng, [i for i, is_grave in enumerate(grave) if is_grave], _GRAVE, len(cases))
    wrong |= chosen(rng, [i for i, is_grave in enumerate(grave) if not is_grave], _OTHER, len(cases))
    number = 7_300
    for index, (case, moment) in enumerate(zip(cases, arrivals, strict=True)):
        number += rng.randrange(2, 40)
        misstep = rng.choice(case.wrong) if index in wrong else None
        yield from _turn(rng, case, misstep, moment, f"action-{number}")


def _turn(rng: Random, case: Case, misstep: Misstep | None, moment: timedelta, name: str) -> Iterator[Played]:
    """What the agent wants to do in one turn: of several actions, all are released together or none."""
    values = prose.slots(rng, case.language)
    first = _played(rng, case, misstep, moment, name, values)
    yield first
    if not case.also:
        return
    bundle = {"bundle": f"turn-{name}", "bundle_size": 1 + len(case.also)}
    first.output.update(bundle, bundle_position=0)
    for position, action in enumerate(case.also, 1):
        done = prose.filled_value(action.model_dump(), values)
        own = {"external_id": f"{name}-{position}", "output": done, "confidence": sure(rng, 0.95, 0.01), "flags": []}
        yield Played(first.output | own | {"bundle_position": position}, Truth(ok=True), moment)


def _played(
    rng: Random, case: Case, misstep: Misstep | None, moment: timedelta, name: str, values: dict[str, str]
) -> Played:
    right = prose.filled_value(case.do.model_dump(), values)
    done = prose.filled_value(taken(case, misstep), values) if misstep else right
    output = envelope(rng, SYSTEM, name, language=case.language, hostile=case.hostile) | {
        "kind": "action",
        "model": {"name": "billing-agent", "version": "0.9.4"},
        "input": prose.filled(case.request, values),
        "context": [_source(*entry) for entry in _entries(case, values)],
        "output": done,
        "alternatives": [],
        "confidence": sure(rng, 0.75, 0.13) if misstep else sure(rng, 0.89, 0.07),
        "group": values["account"],
    }
    output["flags"] = [*output["flags"], *_flags(done)]
    return Played(output, _truth(case, misstep, right), moment)


def _truth(case: Case, misstep: Misstep | None, right: dict[str, Any]) -> Truth:
    """What is unsafe is refused whole; other missteps have a right action in their place."""
    if misstep is None:
        return Truth(ok=True, note=case.note)
    correction = None if misstep.label == "unsafe" else right
    return Truth(ok=False, correction=correction, labels=(misstep.label,), note=misstep.note, escalate=misstep.escalate)


def taken(case: Case, misstep: Misstep) -> dict[str, Any]:
    """The wrong action that the misstep makes of the right one."""
    if misstep.do:
        return misstep.do.model_dump()
    right = case.do.model_dump()
    return right | {"arguments": right["arguments"] | misstep.set}


def _entries(case: Case, values: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """What the agent had before it, as (id, title, text)."""
    yield "conversation", "Conversation so far", prose.filled(case.talk, values)
    record = f"Account {values['account']}, {values['first']} {values['last']}, {values['town']}."
    yield "account", "Account record", f"{record} {prose.filled(case.account, values)}"
    if case.upload:
        yield "upload-1", "Customer's upload: letter.pdf", case.upload
    playbook = content.playbooks()[case.policy]
    yield f"playbook-{case.policy}", playbook.title, playbook.text


def _source(name: str, title: str, text: str) -> dict[str, Any]:
    return {"id": name, "title": title, "text": text}


def _flags(action: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the gateway in front of the tools says of any call, right or wrong."""
    tool, amount = action["tool"], action["arguments"].get("amount_eur", 0)
    if tool in _FOR_GOOD:
        yield {"code": "cannot_be_undone", "severity": 4, "detail": f"{tool} takes effect at once."}
    elif tool in _MONEY and amount > 50:
        severity = 4 if amount > 200 else 3
        yield {"code": "money_moves", "severity": severity, "detail": f"{tool} over €{amount:.2f}."}
    elif tool in _MONEY:
        yield {"code": "money_moves", "severity": 2, "detail": f"{tool} over €{amount:.2f}."}

"""What happens in the two weeks beside the daily work: policies, modes, plans for bad days, and who is away."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from review.commands import absences, assignments, calibrations, contingencies, drafts, modes
from review.demo import arrivals, threads
from review.demo.agenda import Agenda, Cast, Step
from review.demo.scenario import policy
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode

_ANSWERS, _AGENT = "help-center-answers", "billing-agent"
Happening = Callable[[Session, Cast, datetime], object]


def plan(agenda: Agenda, cast: Cast) -> None:
    """Put everything that happens on the agenda."""
    start = arrivals.first_midnight(agenda.now)
    for days, hours, happening in _BEFORE:
        agenda.plan(start + timedelta(days=days, hours=hours), _step(happening, cast))
    for ago, happening in _LAST_HOURS:
        agenda.plan(agenda.now - ago, _step(happening, cast))
    for days in range(3, 14):
        agenda.plan(start + timedelta(days=days, hours=5), _step(_learns, cast))
    threads.plan(agenda, cast)


def _step(happening: Happening, cast: Cast) -> Step:
    def step(session: Session, now: datetime) -> None:
        happening(session, cast, now)

    return step


def _learns(session: Session, _cast: Cast, now: datetime) -> None:
    calibrations.fit_due(session, now=now)


def _writes_plans(session: Session, cast: Cast, now: datetime) -> None:
    owner = cast.staff["daniel"]
    unavailable = PlanText(
        mode=Mode.STOPPED, fallback="A colleague will call you back today.",
        instructions="Stop the agent, tell the phone team to expect calls, and read what it did in the last hour.",
    )  # fmt: skip
    dearer = PlanText(
        fallback="answers-small 2.4",
        instructions="Past twice the usual price, switch to the small model and dry-run the policy on its answers.",
    )
    contingencies.write(session, owner, _AGENT, Trigger.MODEL_UNAVAILABLE, unavailable, now=now)
    contingencies.write(session, owner, _ANSWERS, Trigger.PRICE_CHANGED, dearer, now=now)


def _exercises_a_plan(session: Session, cast: Cast, now: datetime) -> None:
    contingencies.exercise(
        session, cast.staff["daniel"], _AGENT, Trigger.MODEL_UNAVAILABLE,
        detail="Exercise with the phone team: the model's address was blocked on the test system.",
        result="Stopped after 40 seconds. The phone team heard of it after 6 minutes; from now on they are told first.",
        now=now,
    )  # fmt: skip


def _reports_a_price(session: Session, cast: Cast, now: datetime) -> None:
    detail = "The provider asks 18% more for each answer from the first of next month."
    contingencies.report(session, cast.producers[_ANSWERS], _ANSWERS, Trigger.PRICE_CHANGED, detail, now=now)


def _settles_four_eyes(session: Session, cast: Cast, now: datetime) -> None:
    document = policy(_AGENT)
    draft = drafts.write(session, cast.staff["daniel"], _AGENT, document, now=now)
    drafts.approve(session, cast.staff["priya"], draft.id, seen=drafts.digest_of(document), now=now)
    drafts.activate(session, cast.staff["daniel"], draft.id, seen=drafts.digest_of(document), now=now)


def _drafts_a_stricter_policy(session: Session, cast: Cast, now: datetime) -> None:
    drafts.write(session, cast.staff["priya"], _AGENT, policy(f"{_AGENT}.draft"), now=now)


def _holds_every_answer(session: Session, cast: Cast, now: datetime) -> None:
    reason = "Answers name a price that ended yesterday. Everything is read until the article is mended."
    until = now + timedelta(hours=3)
    modes.set_mode(session, cast.staff["daniel"], _ANSWERS, Mode.REVIEW_ALL, reason=reason, until=until, now=now)


def _ends_modes(session: Session, _cast: Cast, now: datetime) -> None:
    modes.end_due(session, now=now)


def _goes_away(session: Session, cast: Cast, now: datetime) -> None:
    leaves = now.replace(hour=0) + timedelta(days=7)
    until = leaves + timedelta(days=7)
    absences.add(session, cast.staff["jonas"], from_at=leaves, until_at=until, now=now)


def _assigns(session: Session, _cast: Cast, now: datetime) -> None:
    assignments.assign_waiting(session, now=now)


_BEFORE: tuple[tuple[int, int, Happening], ...] = (
    (2, 11, _writes_plans),
    (4, 9, _settles_four_eyes),
    (6, 10, _holds_every_answer),
    (6, 13, _ends_modes),
    (8, 15, _exercises_a_plan),
    (9, 16, _reports_a_price),
    (11, 16, _goes_away),
)
_LAST_HOURS: tuple[tuple[timedelta, Happening], ...] = (
    (timedelta(minutes=100), _drafts_a_stricter_policy),
    (timedelta(seconds=1), _assigns),
)

"""What is done when a system's model fails it: the plans, when they were carried out, and exercises."""

import streamlit as st

from review.commands import contingencies as commands
from review.domain.contingencies import PlanText, Trigger
from review.domain.modes import Mode
from review.queries import contingencies
from review.queries.contingencies import Plan
from review.ui import words
from review.ui.page import Page

_WHEN = {
    Trigger.MODEL_UNAVAILABLE: "Its model is unavailable",
    Trigger.PRICE_CHANGED: "Its price passes a limit",
    Trigger.VERSION_DEPRECATED: "Its version is deprecated",
}
_MODES = {"Leave the mode as it is": None, "Hold everything": Mode.REVIEW_ALL, "Stop the system": Mode.STOPPED}


def draw(page: Page, slug: str, *, may: bool) -> None:
    """A plan for each event that its producers can report, or that there is none yet."""
    st.markdown("**Contingencies**: carried out by Holdpoint when its producer reports the event")
    with page.read() as session:
        written = {plan.contingency.trigger: plan for plan in contingencies.plans(session, page.actor, slug)}
    for trigger in Trigger:
        _plan(page, slug, trigger, written.get(trigger.value), may=may)


def _plan(page: Page, slug: str, trigger: Trigger, plan: Plan | None, *, may: bool) -> None:
    with st.container(border=True):
        st.markdown(f"**{_WHEN[trigger]}**")
        if plan is None:
            st.text("No plan yet: a report is put on record and announced, and nothing else happens.")
        else:
            _told(page, plan)
        if not may:
            return
        with st.container(horizontal=True):
            if st.button("Change the plan" if plan else "Write a plan", key=f"plan_{trigger.value}"):
                _write(page, slug, trigger, plan)
            if plan and st.button("Record an exercise", key=f"exercise_{trigger.value}"):
                _exercise(page, slug, trigger)


def _told(page: Page, plan: Plan) -> None:
    text = plan.contingency
    mode = next(name for name, value in _MODES.items() if value == (Mode(text.mode) if text.mode else None))
    for line in (f"{mode}.", f"Stands in: {text.fallback}" if text.fallback else "", text.instructions):
        if line:
            st.text(line)
    st.text(f"By {plan.written_by}, {words.ago(text.written_at, page.now)}.")
    for drill in plan.drills[:3]:
        what = "Exercise" if drill.is_exercise else "Carried out"
        st.text(f"{what} {words.ago(drill.at, page.now)} by {drill.by_name}: {drill.result}")


@st.dialog("A plan for the day")
def _write(page: Page, slug: str, trigger: Trigger, plan: Plan | None) -> None:
    page = page.again()
    before = plan.contingency if plan else None
    modes = list(_MODES.values())
    index = modes.index(Mode(before.mode) if before and before.mode else None)
    with st.form("plan", border=False):
        st.markdown(f"**{_WHEN[trigger]}**")
        mode = _MODES[st.selectbox("What Holdpoint does by itself", list(_MODES), index=index)]
        fallback = st.text_area("What stands in for it: a model, or a text", before.fallback if before else "")
        instructions = st.text_area("What people do", before.instructions if before else "")
        asked = st.form_submit_button("Keep the plan", type="primary")
    if not asked:
        return
    text = PlanText(mode=mode, fallback=fallback, instructions=instructions)
    if page.run(commands.write, slug, trigger, text, done="The plan is on record"):
        st.rerun()


@st.dialog("An exercise")
def _exercise(page: Page, slug: str, trigger: Trigger) -> None:
    page = page.again()
    with st.form("exercise", border=False):
        st.markdown(f"**{_WHEN[trigger]}**")
        detail = st.text_input("What was tried")
        result = st.text_area("How it went")
        asked = st.form_submit_button("Put it on record", type="primary")
    if not asked:
        return
    drill = page.run(commands.exercise, slug, trigger, detail=detail, result=result, done="On record")
    if drill is not None:
        st.rerun()

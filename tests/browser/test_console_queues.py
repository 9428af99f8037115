"""The page Queues in a real browser: settle one, give what waits, many at once and back, say who is away."""

import re
from datetime import UTC, datetime

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select
from sqlmodel import col

from review.store.tables import Absence, Pause, Person, PersonSkill, Queue, Task
from tests.browser.conftest import MakeWindow
from tests.browser.test_console_pages import signed_in
from tests.support.console import Console, choose


def queue_of(console: Console, slug: str) -> Queue:
    with console.store.read() as session:
        found: Queue = session.execute(select(Queue).where(col(Queue.slug) == slug)).scalar_one()
        return found


def n_assigned(console: Console, slug: str, username: str) -> int:
    with console.store.read() as session:
        query = (
            select(col(Task.id))
            .join(Person, col(Person.id) == col(Task.assigned_to_id))
            .join(Queue, col(Queue.id) == col(Task.queue_id))
            .where(col(Queue.slug) == slug, col(Person.username) == username, col(Task.state) == "open")
        )
        return len(session.execute(query).all())


def test_a_lead_settles_a_queue_and_gives_what_waits(console: Console, window: MakeWindow) -> None:
    console.person("quinn", "lead")
    console.person("ravi", "reviewer", "Ravi Reviewer")
    console.system("settled", "olga", "dora")
    console.answers("settled", *(f"settled-{n}" for n in range(3)))
    page = signed_in(window(), "quinn", "/queues")
    page.get_by_role("button", name="Settled").click()
    expect(page).to_have_url(re.compile("queue=settled"))
    expect(page.get_by_text("3 open tasks, 0 overdue")).to_be_visible()
    choose(page, "Members", "Ravi Reviewer")
    page.keyboard.press("Escape")
    page.get_by_label("Load cap: tasks a person is given").fill("2")
    page.get_by_label("Monday").fill("nine to five")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="Monday: write hours as")).to_be_visible()
    assert queue_of(console, "settled").load_cap is None
    page.get_by_label("Monday").fill("9-12, 13:00-17:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It counts from now on")).to_be_visible()
    kept = queue_of(console, "settled")
    assert kept.load_cap == 2
    assert kept.service is not None
    assert kept.service["hours"] == {
        "mon": [{"start": "09:00:00", "end": "12:00:00"}, {"start": "13:00:00", "end": "17:00:00"}]
    }
    page.reload()
    expect(page.get_by_label("Monday")).to_have_value("09:00-12:00, 13:00-17:00")
    assert [found for found in Axe().run(page).response["violations"] if found["impact"] == "critical"] == []
    page.get_by_role("button", name="Assign what waits").click()
    expect(page.get_by_text(re.compile("tasks were assigned|nothing left to assign"))).to_be_visible()  # by the worker
    assert n_assigned(console, "settled", "ravi") == 2


def test_many_at_once_with_a_look_first_and_an_undo(console: Console, window: MakeWindow) -> None:
    console.person("rolf", "lead")
    console.person("rosa", "reviewer", "Rosa Reviewer")
    console.system("moved", "olga", "dora")
    console.answers("moved", *(f"moved-{n}" for n in range(4)))
    page = signed_in(window(), "rolf", "/queues")
    page.get_by_role("tab", name="Reassign").click()
    choose(page, "Queue", "moved")
    page.get_by_role("button", name="See how many").click()
    expect(page.get_by_text("Say first to whom they are given")).to_be_visible()
    choose(page, "Give them to", "Rosa Reviewer")
    page.get_by_role("button", name="See how many").click()
    expect(page.get_by_text("4 tasks would change.")).to_be_visible()
    assert n_assigned(console, "moved", "rosa") == 0
    page.get_by_role("button", name="Give 4 tasks to Rosa Reviewer").click()
    expect(page.get_by_text("4 tasks were given to Rosa Reviewer, each on record.")).to_be_visible()
    assert n_assigned(console, "moved", "rosa") == 4
    page.get_by_role("button", name=re.compile("Undo, until")).click()
    expect(page.get_by_text("4 tasks are as before")).to_be_visible()
    assert n_assigned(console, "moved", "rosa") == 0


def test_skills_and_pauses_of_a_person(console: Console, window: MakeWindow) -> None:
    console.person("sven", "lead")
    console.person("tess", "reviewer", "Tess Reviewer")
    console.system("guarding", "olga", "dora")
    page = signed_in(window(), "sven", "/queues")
    page.get_by_role("tab", name="People").click()
    page.get_by_role("button", name="Tess Reviewer").click()
    dialog = page.get_by_role("dialog")
    skills = dialog.get_by_role("combobox", name="Skills")
    skills.fill("language:de")
    skills.press("Enter")
    skills.press("Escape")
    dialog.get_by_role("button", name="Save the skills").click()
    expect(page.get_by_text("The skills of Tess Reviewer are saved")).to_be_visible()
    dialog.get_by_role("button", name="Pause…").click()
    choose(page, "System whose tasks they take no more", "guarding")
    page.get_by_label("Why", exact=True).fill("Too fast for now")
    page.get_by_label("Why", exact=True).press("Tab")
    page.get_by_role("button", name="Pause them").click()
    expect(page.get_by_text("Tess Reviewer is paused for guarding")).to_be_visible()
    with console.store.read() as session:
        tess = session.execute(select(col(Person.id)).where(col(Person.username) == "tess")).scalar_one()
        assert session.execute(select(col(PersonSkill.skill)).where(col(PersonSkill.person_id) == tess)).scalars().all()
        assert session.execute(select(Pause).where(col(Pause.person_id) == tess)).scalar_one().reason.startswith("Too")


def test_a_reviewer_says_when_they_are_away_and_owners_read_it(console: Console, window: MakeWindow) -> None:
    console.person("uma", "reviewer", "Uma Away")
    page = signed_in(window(), "uma", "/account")
    page.get_by_role("button", name="I will be away").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    with console.store.read() as session:
        uma = session.execute(select(col(Person.id)).where(col(Person.username) == "uma")).scalar_one()
        kept = session.execute(select(Absence).where(col(Absence.person_id) == uma)).scalar_one()
    assert kept.from_at <= datetime.now(UTC) < kept.until_at
    reader = signed_in(window(), "olga", "/queues")
    expect(reader.get_by_role("tab", name="Reassign")).to_have_count(0)
    reader.get_by_role("tab", name="Absences").click()
    expect(reader.get_by_role("table", name="Absences").get_by_text("Uma Away")).to_be_visible()
    expect(reader.get_by_role("button", name="Say who is away")).to_have_count(0)

"""Two people on one item in a real browser: each blind, they disagree, and a lead settles it."""

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlmodel import col

from review.commands import keys, lapses, policies, questions
from review.domain.actors import HOLDPOINT
from review.queries import keys as key_queries
from review.store.tables import Decision, Item, Question
from tests.browser.conftest import MakeWindow
from tests.support.console import Console, ready
from tests.support.world import START, output

POLICY = 'queue: {slug}\nrules:\n  - {{name: twice, when: "true", route: review, reviewers: 2, reasons: [costly]}}\n'
PARIS = "The capital of France is Paris."


def system(console: Console, slug: str) -> None:
    """A system whose every output two people look at."""
    console.system(slug, "olga", "dora")
    with console.store.write() as session:
        policies.activate(session, HOLDPOINT, slug, POLICY.format(slug=slug), now=START)


def take(page: Page) -> None:
    """The next task, on the desk."""
    ready(page)
    page.keyboard.press("t")
    expect(page.locator(".input")).to_contain_text("What is the capital of France?")
    ready(page)


def item_of(console: Console, external_id: str) -> Item:
    with console.store.read() as session:
        return session.execute(select(Item).where(col(Item.external_id) == external_id)).scalar_one()


def test_two_are_blind_they_disagree_and_a_lead_settles_it(console: Console, window: MakeWindow) -> None:
    first, second = console.person("ria", name="Ria First"), console.person("ben", name="Ben Second")
    lead = console.person("lara", "lead", "Lara Lead")
    system(console, "twice")
    console.send("twice", output("twice-1"))
    item = item_of(console, "twice-1")

    page = window().sign_in(first)
    take(page)
    page.keyboard.press("2")
    page.keyboard.press("n")
    page.get_by_label("Note for the record").fill("Source one says otherwise.")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()

    other = window().sign_in(second)
    take(other)
    expect(other.locator(".why")).to_contain_text("each without seeing what others say")
    expect(other.locator(".answers")).to_be_hidden()
    expect(other.locator("body")).not_to_contain_text("Source one says otherwise.")
    reading = other.context.new_page()
    reading.goto(f"{console.url}/inbox?item={item.id}")
    expect(reading.locator(".input")).to_contain_text("capital of France")
    expect(reading.get_by_role("table", name="History")).to_be_visible()
    for told in ("Ria First", "rejected", "Source one"):
        expect(reading.locator("body")).not_to_contain_text(told)
    reading.close()
    other.keyboard.press("e")
    other.get_by_label("Correction", exact=True).fill(PARIS)
    other.keyboard.press("Control+Enter")
    expect(other.get_by_text("Nothing waits for you.")).to_be_visible()

    above = window().sign_in(lead, f"/inbox?item={item.id}")
    expect(above.get_by_text("3 people are asked, 2 have answered.")).to_be_visible()
    expect(above.locator("body")).not_to_contain_text("rejected")
    above.goto(f"{console.url}/escalations")
    expect(above.get_by_role("row", name="twice-1")).to_contain_text("People disagree about it")
    expect(above.get_by_role("row", name="twice-1")).not_to_contain_text("Ria")
    above.get_by_role("button", name="twice-1: Take it").click()
    expect(above.locator(".answers .answer")).to_have_count(2)
    answers = above.locator(".answers")
    expect(answers).to_contain_text("Source one says otherwise.")
    expect(answers.locator("ins")).to_contain_text("Paris")
    for name in ("Ria", "Ben"):
        expect(above.locator(".desk")).not_to_contain_text(name)
    ready(above)
    above.locator(".answer", has_text="Correct it").get_by_role("button", name=re.compile("Take the answer")).click()
    expect(above.get_by_label("Correction", exact=True)).to_have_value(PARIS)
    above.keyboard.press("Control+Enter")
    expect(above.get_by_text("Nothing waits for you.")).to_be_visible()
    above.goto(f"{console.url}/inbox?item={item.id}")
    expect(above.get_by_role("table", name="Decisions")).to_contain_text("Ria First")
    _check_record(console, item)


def _check_record(console: Console, item: Item) -> None:
    with console.store.read() as session:
        rows = session.execute(select(Decision).where(col(Decision.item_id) == item.id).order_by(col(Decision.id)))
        said = [(one.verdict, one.is_final) for one in rows.scalars()]
        standing = session.get_one(Item, item.id)
    assert said == [("reject", False), ("correct", False), ("correct", True)]
    assert (standing.status, standing.release_state) == ("decided", "released")


def test_a_task_is_put_off_and_nobody_is_offered_it(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("sam")
    console.system("later", "olga", "dora")
    console.answers("later", "later-1")
    page = window().sign_in(reviewer)
    take(page)
    page.keyboard.press("w")
    page.get_by_label("1 hour").check()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Put off later-1 until"))).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(page.get_by_text(re.compile("for others, or for later"))).to_be_visible()


def test_a_verdict_that_the_producer_does_not_take_is_not_offered(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("vic")
    console.system("picky", "olga", "dora")
    schema = {
        "type": "object",
        "properties": {"arguments": {"type": "object", "properties": {"eur": {"type": "number", "maximum": 50}}}},
    }
    console.send(
        "picky",
        output(
            "picky-1", kind="action", output={"tool": "pay", "arguments": {"eur": 80.0}},
            allowed_verdicts=["correct", "reject"], correction_schema=schema,
        ),
    )  # fmt: skip
    page = window().sign_in(reviewer)
    take(page)
    button = page.get_by_role("button", name="Approve")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", "The producer cannot take this. It takes only: correct, reject.")
    page.keyboard.press("a")
    expect(page.locator(".message")).to_contain_text("It takes only: correct, reject.")
    page.keyboard.press("e")
    page.get_by_label("eur").fill("70")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".field .trouble").filter(has_text="greater than the maximum of 50")).to_be_visible()
    expect(page.get_by_label("eur")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("eur").fill("35")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()


def test_a_task_that_was_settled_meanwhile_makes_room_for_the_next(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("moe")
    console.system("moved-on", "olga", "dora")
    console.answers("moved-on", "moved-on-1", "moved-2")
    page = window().sign_in(reviewer)
    take(page)
    expect(page.locator(".about")).to_contain_text("moved-on-1")
    with console.store.write() as session:
        assert lapses.lapse_one(session, item_of(console, "moved-on-1").id, now=datetime.now(UTC))
    page.keyboard.press("a")
    expect(page.locator(".message")).to_contain_text("Holdpoint answered moved-on-1 meanwhile")
    expect(page.locator(".about")).to_contain_text("moved-2")


def test_the_producer_is_asked_and_its_answer_is_on_the_desk(console: Console, window: MakeWindow) -> None:
    reviewer = console.person("quin", name="Quin")
    console.system("asked", "olga", "dora")
    console.answers("asked", "asked-1")
    page = window().sign_in(reviewer)
    take(page)
    page.keyboard.press("o")
    page.get_by_label("Comment", exact=True).fill("I asked them. @quin")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".thread")).to_contain_text("I asked them.")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.get_by_label("Ask the producer").fill("Which country is meant?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("asked-1 waits for its producer's answer.")).to_be_visible()
    with console.store.write() as session:
        [asked] = session.execute(select(Question).where(col(Question.text) == "Which country is meant?")).scalars()
        key = keys.create_for_system(session, HOLDPOINT, "asked", now=datetime.now(UTC))
        producer = key_queries.actor_of(session, key)
        questions.answer(session, producer, asked.item_id, asked.id, "France.", now=datetime.now(UTC))
    page.keyboard.press("t")
    expect(page.get_by_label("Asked of the producer")).to_contain_text("Its producer answered: France.")


def test_a_lead_reopens_what_was_decided(console: Console, window: MakeWindow) -> None:
    reviewer, lead = console.person("rob"), console.person("lou-second", "lead")
    console.system("again", "olga", "dora")
    console.answers("again", "again-1")
    page = window().sign_in(reviewer)
    take(page)
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    item = item_of(console, "again-1")
    above = window().sign_in(lead, f"/inbox?item={item.id}")
    above.get_by_role("button", name="Reopen").click()
    above.get_by_label("Why it is looked at again").fill("A customer wrote.")
    above.keyboard.press("Tab")
    above.get_by_role("button", name="Reopen it").click()
    expect(above.get_by_role("table", name="Decisions")).to_contain_text("taken back")
    assert item_of(console, "again-1").status == "waiting"

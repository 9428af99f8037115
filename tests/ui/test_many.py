"""What is said of many at once, and a sample of it that cannot fill the page."""

from review.commands import bulk as commands
from review.commands.bulk import Done
from review.domain.bulk import Selection
from review.domain.decisions import Verdict
from review.domain.lifecycle import TaskKind
from review.queries import tasks
from review.queries.tasks import Offered
from review.store.types import new_id
from review.ui import assignments, bulk
from review.ui.listing import Cell
from tests.support.discipline import activate
from tests.support.queues import assign, tasks_of
from tests.support.world import World, output


def test_what_became_of_them_says_what_was_left() -> None:
    assert bulk.told(Done(1, 0, 0, 0), Verdict.APPROVE, "Router") == (
        "Router: 1 item was approved, each with a decision of its own."
    )
    said = bulk.told(Done(1_200, 2, 1, 3), Verdict.REJECT, "**R**")
    assert said == (
        "\\*\\*R\\*\\*: 1,200 items were rejected, each with a decision of its own. Left as they are: "
        "2 that somebody took or decided meanwhile, 1 that changed since you looked and 3 that may not be answered so."
    )


def test_a_choice_is_said_as_a_sentence_goes_on() -> None:
    assert bulk.narrowed_by(Selection(system="router")) == ""
    chosen = Selection(system="r", rule="all", reason="low_confidence", confidence_below=0.5, older_than_minutes=60)
    said = ", by the rule “all”, for “low confidence”, with a confidence below 0.5, older than 1 hour"
    assert bulk.narrowed_by(chosen) == said


def test_a_text_in_the_sample_is_cut(world: World) -> None:
    activate(world, rest="bulk: true\n")
    world.submit(output("long", input={"q": "ü"}, output="x" * 100_000))
    with world.store.write() as session:
        found = commands.preview(session, world.actors["lea"], Selection(system="helper"), now=world.now)
    name, asked, answered, confidence = bulk.row(found.sample[0]).cells
    assert (name, confidence) == ("long", "0.20")
    assert isinstance(asked, Cell)
    assert isinstance(answered, Cell)
    assert asked.text == '{"q": "ü"}'
    assert (len(answered.text), len(answered.title)) == (401, 2_000)


def test_a_task_says_whom_it_waits_for(world: World) -> None:
    item_id = world.item_id()

    def said() -> str:
        with world.store.read() as session:
            [found] = tasks.open_of(session, world.actors["lea"], item_id, now=world.now)
        return assignments.said(found)

    assert said() == "Review in Default: offered to everyone."
    assign(world, tasks_of(world)[0], "bob")
    assert said() == "Review in Default: given to Bob."
    assert world.claim("bob") is not None
    assert said() == "Review in Default: Bob is working on it now, so it is given to nobody else."
    up = Offered(new_id(), TaskKind.SECOND_REVIEW, "Q", None, None)
    assert assignments.said(up) == "Second review in Q: offered to everyone."

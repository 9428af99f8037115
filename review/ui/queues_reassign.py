"""Many tasks of any system and queue, given to one person at once."""

from review.domain.queues import Chosen
from review.queries import systems
from review.ui import reassignments
from review.ui.page import Page


def draw(page: Page) -> None:
    """Choose among all open tasks, look, do, undo."""
    with page.read() as session:
        slugs, queue_slugs = systems.slugs(session), systems.queue_slugs(session)
    reassignments.draw(page, Chosen(), slugs=slugs, queue_slugs=queue_slugs)

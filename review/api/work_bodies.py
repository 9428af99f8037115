"""The bodies of requests about a task besides deciding it, and about what is written of an item."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from review.api.bodies import LeaseBody
from review.commands.comments import MAX_COMMENT
from review.commands.questions import MAX_TEXT
from review.domain.outputs import Strict
from review.domain.times import Moment


class SnoozeBody(LeaseBody):
    """Until when nobody is offered the task."""

    until: Moment


class AskBody(LeaseBody):
    """What the producer is asked."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class ProducerAnswerBody(Strict):
    """What the producer answers to a question."""

    question_id: UUID
    answer: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class CommentBody(Strict):
    """A remark to colleagues; @username mentions somebody."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_COMMENT)]

"""Answers about what is written of an item: questions to its producer, and comments."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.queries.comments import Remark, Thread
from review.queries.questions import Asked


@exactly
class AskedAnswer(TypedDict):
    """A question that went to the producer; until when its answer is waited for is in the item's history."""

    question_id: UUID
    item_id: UUID


@exactly
class QuestionAnswer(TypedDict):
    """One question with its answer, once there is one."""

    question_id: UUID
    question: str
    asked_by: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


@exactly
class QuestionsAnswer(TypedDict):
    """What the producer was asked about an item, oldest first."""

    questions: list[QuestionAnswer]


def questions(found: list[Asked]) -> QuestionsAnswer:
    """The answer of GET /items/{id}/questions."""
    return {
        "questions": [
            {
                "question_id": one.id,
                "question": one.text,
                "asked_by": one.by,
                "asked_at": one.asked_at,
                "answer": one.answer,
                "answered_at": one.answered_at,
            }
            for one in found
        ]
    }


@exactly
class CommentedAnswer(TypedDict):
    """A comment that is in the thread now, and the usernames that it mentions."""

    comment_id: UUID
    mentions: list[str]


@exactly
class CommentAnswer(TypedDict):
    """One comment."""

    comment_id: UUID
    by: str
    at: datetime
    text: str
    mentions: list[str]


@exactly
class CommentsAnswer(TypedDict):
    """The comments on an item, oldest first; `is_blind` while others' are kept from who may be asked about it."""

    comments: list[CommentAnswer]
    is_blind: bool


def comments(thread: Thread) -> CommentsAnswer:
    """The answer of GET /items/{id}/comments."""
    return {"comments": [_comment(one) for one in thread.remarks], "is_blind": thread.is_blind}


def _comment(one: Remark) -> CommentAnswer:
    return {"comment_id": one.id, "by": one.by, "at": one.at, "text": one.text, "mentions": one.mentions}

"""What is written of an item, over HTTP: questions to its producer with their answers, and colleagues' comments."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import threads as answers
from review.api.answers.common import reply
from review.api.edge import edge_of
from review.api.reference import gives, takes
from review.api.work_bodies import AskBody, CommentBody, ProducerAnswerBody
from review.commands import comments, questions
from review.domain.actors import Actor
from review.queries import comments as comment_queries
from review.queries import questions as question_queries

router = APIRouter()


@router.post(
    "/tasks/{task_id}/ask",
    summary="Ask the producer",
    tags=["Tasks"],
    **gives({201: ("The question is out", answers.AskedAnswer)}, 403, 404, 409, 413, 415, 422, body=takes(AskBody)),
)
async def ask(request: Request, task_id: UUID) -> Response:
    """Ask the producer about a claimed task's item. Nobody is offered the task until the answer is here, or it is due
    soon."""
    body = await bodies.read(request, AskBody)

    def send(session: Session, actor: Actor, now: datetime) -> answers.AskedAnswer:
        asked = questions.ask(session, actor, task_id, body.lease, body.question, now=now)
        return {"question_id": asked.id, "item_id": asked.item_id}

    return reply(await edge_of(request).write(request, send), 201)


@router.get(
    "/items/{item_id}/questions",
    summary="List questions to the producer",
    tags=["Items"],
    **gives({200: ("What the producer was asked", answers.QuestionsAnswer)}, 403, 404, 422),
)
async def asked(request: Request, item_id: UUID) -> Response:
    """What the producer was asked about an item, and what it answered. Producers are told no names."""
    found = await edge_of(request).read(
        request, lambda session, actor, _now: question_queries.asked(session, actor, item_id)
    )
    return reply(answers.questions(found))


@router.post(
    "/items/{item_id}/answer",
    summary="Answer a question",
    tags=["Items"],
    **gives({204: ("The answer is on record", None)}, 403, 404, 409, 413, 415, 422, body=takes(ProducerAnswerBody)),
)
async def answer(request: Request, item_id: UUID) -> Response:
    """Answer a reviewer's question, once, with the key of the item's system. The task is offered again."""
    body = await bodies.read(request, ProducerAnswerBody)

    def keep(session: Session, actor: Actor, now: datetime) -> None:
        questions.answer(session, actor, item_id, body.question_id, body.answer, now=now)

    await edge_of(request).write(request, keep)
    return Response(status_code=204)


@router.get(
    "/items/{item_id}/comments",
    summary="Read an item's comments",
    tags=["Items"],
    **gives({200: ("The thread, as far as the caller may read it", answers.CommentsAnswer)}, 403, 404, 422),
)
async def thread(request: Request, item_id: UUID) -> Response:
    """What colleagues wrote of an item. While answers are blind, those who may be asked read their own alone."""
    found = await edge_of(request).read(
        request, lambda session, actor, _now: comment_queries.thread(session, actor, item_id)
    )
    return reply(answers.comments(found))


@router.post(
    "/items/{item_id}/comments",
    summary="Write a comment",
    tags=["Items"],
    **gives({201: ("The comment is in the thread", answers.CommentedAnswer)}, 403, 404, 413, 415, 422,
            body=takes(CommentBody)),
)  # fmt: skip
async def comment(request: Request, item_id: UUID) -> Response:
    """Add a comment to an item's thread. Who is mentioned by @username is told."""
    body = await bodies.read(request, CommentBody)

    def write(session: Session, actor: Actor, now: datetime) -> answers.CommentedAnswer:
        added = comments.comment(session, actor, item_id, body.text, now=now)
        return {"comment_id": added.id, "mentions": added.mentions}

    return reply(await edge_of(request).write(request, write), 201)

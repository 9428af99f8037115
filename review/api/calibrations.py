"""What a system's confidence is worth, over HTTP."""

from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api.answers import calibrations as answers
from review.api.answers.common import reply
from review.api.edge import edge_of
from review.api.reference import gives
from review.domain.actors import Actor
from review.domain.outputs import Code
from review.queries import calibrations

router = APIRouter(tags=["Systems"])


@router.get(
    "/systems/{slug}/calibrations",
    summary="Ask what the confidence is worth",
    **gives({200: ("By model version", answers.CalibrationsAnswer)}, 403, 404, 422),
)
async def read_calibrations(request: Request, slug: Code) -> Response:
    """How well a low confidence tells errors, by what people decided; with a warning where it misleads."""

    def read(session: Session, actor: Actor, _now: datetime) -> answers.CalibrationsAnswer:
        return answers.calibrations(calibrations.known(session, actor, system=slug))

    return reply(await edge_of(request).read(request, read))

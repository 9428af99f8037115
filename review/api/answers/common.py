"""What every route's answer is made with, and the answers that are about no item."""

from typing import Any, Literal

import orjson
from pydantic import ConfigDict, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from review.domain.actors import Actor, ActorKind, Permission, Role

exactly = with_config(ConfigDict(extra="forbid"))
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def reply(answer: Any, status: int = 200) -> Response:
    """An answer as JSON, kept by no cache."""
    return Response(orjson.dumps(answer, option=orjson.OPT_UTC_Z), status, _HEADERS, "application/json")


@exactly
class StatusAnswer(TypedDict):
    """Whether the server runs, or is ready for work."""

    status: Literal["ok", "ready"]


@exactly
class Author(TypedDict):
    """Who acted; producers are not told the names of people."""

    kind: ActorKind
    name: str | None


def author(kind: str, name: str | None, *, told: Actor) -> Author:
    """Who acted, as it is told to an actor."""
    hidden = kind == ActorKind.PERSON and told.system_id is not None
    return {"kind": ActorKind(kind), "name": None if hidden else name}


@exactly
class MeAnswer(TypedDict):
    """Whom the key belongs to, and what they may do."""

    kind: ActorKind
    name: str
    role: Role | None
    system: str | None
    permissions: list[Permission]


def me(actor: Actor) -> MeAnswer:
    """The answer of GET /me."""
    return {
        "kind": actor.kind,
        "name": actor.name,
        "role": actor.role,
        "system": actor.name if actor.system_id else None,
        "permissions": [permission for permission in Permission if actor.may(permission)],
    }

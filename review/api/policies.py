"""Policies over HTTP: their versions, drafts of the next one, approval, and dry runs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from review.api import bodies
from review.api.answers import policies as answers
from review.api.answers.common import reply
from review.api.bodies import DocumentBody, DraftChangeBody, DryRunBody, SeenBody
from review.api.edge import edge_of, key_of
from review.api.reference import gives, takes
from review.commands import drafts, policies
from review.domain.actors import Actor
from review.domain.outputs import Code
from review.domain.policies import check as check_document
from review.queries import policies as policy_queries
from review.store.tables import PolicyDraft

router = APIRouter(tags=["Policies"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_BODY_REFUSALS = (413, 415, 422)


@router.get(
    "/systems/{slug}/policies",
    summary="List the versions of a policy",
    **gives({200: ("The versions, newest first", answers.PoliciesAnswer)}, 403, 404, 422),
)
async def versions(request: Request, slug: Code) -> Response:
    """All versions of a system's policy: since when, by whom, and who approved them."""

    def read(session: Session, actor: Actor, _now: datetime) -> answers.PoliciesAnswer:
        standing = policy_queries.standing(session, actor, slug)
        return answers.policies(standing, policy_queries.versions(session, actor, slug))

    return reply(await edge_of(request).read(request, read))


@router.post(
    "/systems/{slug}/policies",
    summary="Put a policy in force",
    **gives({201: ("It is in force", answers.PolicyAnswer)}, 403, 404, 409, *_BODY_REFUSALS, body=takes(DocumentBody)),
)
async def put_in_force(request: Request, slug: Code) -> Response:
    """Make a document the next version at once; a critical system's is approved as a draft first."""
    document = (await bodies.read(request, DocumentBody)).document

    def put(session: Session, actor: Actor, now: datetime) -> answers.PolicyAnswer:
        return answers.policy(policies.activate(session, actor, slug, document, now=now))

    return reply(await edge_of(request).write(request, put), 201)


@router.post(
    "/systems/{slug}/policies/check",
    summary="Check a policy",
    **gives({200: ("What is wrong with it", answers.CheckAnswer)}, 403, 404, *_BODY_REFUSALS, body=takes(DocumentBody)),
)
async def check(request: Request, slug: Code) -> Response:
    """Everything that is wrong with a document, each with its line, or what to look at in it; nothing is written."""
    document = (await bodies.read(request, DocumentBody)).document

    def read(session: Session, actor: Actor, _now: datetime) -> answers.CheckAnswer:
        policy_queries.standing(session, actor, slug)
        policy, faults = check_document(document)
        return answers.checked(faults, policy_queries.remarked(session, policy) if policy else [])

    return reply(await edge_of(request).read(request, read))


@router.post(
    "/systems/{slug}/policies/dry_run",
    summary="Dry-run a policy",
    **gives(
        {200: ("What it would have made of the last outputs", answers.DryRunAnswer)},
        403, 404, *_BODY_REFUSALS, body=takes(DryRunBody),
    ),
)  # fmt: skip
async def dry_run(request: Request, slug: Code) -> Response:
    """Run a document over the last outputs on record, beside the version in force: 100,000 take seconds."""
    edge, key = edge_of(request), key_of(request)
    body = await bodies.read(request, DryRunBody)

    def run() -> answers.DryRunAnswer:
        actor = edge.actor_of(key)
        found = policies.dry_run(edge.store, actor, slug, body.document, last=body.last, now=edge.clock())
        return answers.dry_run(found)

    return reply(await to_thread.run_sync(run, limiter=edge.batches))


@router.get(
    "/systems/{slug}/policies/{version}",
    summary="Read a version of a policy",
    **gives({200: ("The version with its text", answers.PolicyAnswer)}, 403, 404, 422),
)
async def version(request: Request, slug: Code, version: Number) -> Response:
    """One version of a system's policy, with its text."""
    found = await edge_of(request).read(
        request, lambda session, actor, _now: answers.policy(policy_queries.version(session, actor, slug, version))
    )
    return reply(found)


@router.post(
    "/systems/{slug}/policies/{version}/roll_back",
    summary="Roll back to a version",
    **gives({201: ("The new version, or its draft", answers.RolledBackAnswer)}, 403, 404, 409, 422),
)
async def roll_back(request: Request, slug: Code, version: Number) -> Response:
    """Make an earlier version's text the next version; on a critical system it waits as a draft for approval."""

    def put(session: Session, actor: Actor, now: datetime) -> answers.RolledBackAnswer:
        back = drafts.roll_back(session, actor, slug, version, now=now)
        if isinstance(back, PolicyDraft):
            return {"policy": None, "draft": _draft(session, actor, back.id)}
        return {"policy": answers.policy(back), "draft": None}

    return reply(await edge_of(request).write(request, put), 201)


@router.get(
    "/systems/{slug}/drafts",
    summary="List the drafts of a policy",
    **gives({200: ("The open drafts", answers.DraftsAnswer)}, 403, 404, 422),
)
async def drafts_of(request: Request, slug: Code) -> Response:
    """The drafts that were neither put in force nor discarded."""

    def read(session: Session, actor: Actor, _now: datetime) -> answers.DraftsAnswer:
        return {"drafts": [answers.draft(one) for one in policy_queries.drafts(session, actor, slug)]}

    return reply(await edge_of(request).read(request, read))


@router.post(
    "/systems/{slug}/drafts",
    summary="Write a draft",
    **gives({201: ("The draft", answers.DraftAnswer)}, 403, 404, *_BODY_REFUSALS, body=takes(DocumentBody)),
)
async def write(request: Request, slug: Code) -> Response:
    """Keep a draft of the next version, also one that is not finished: `faults` says what is wrong with it."""
    document = (await bodies.read(request, DocumentBody)).document

    def put(session: Session, actor: Actor, now: datetime) -> answers.DraftAnswer:
        return _draft(session, actor, drafts.write(session, actor, slug, document, now=now).id)

    return reply(await edge_of(request).write(request, put), 201)


@router.get(
    "/drafts/{draft_id}",
    summary="Read a draft",
    **gives({200: ("The draft", answers.DraftAnswer)}, 403, 404, 422),
)
async def draft(request: Request, draft_id: UUID) -> Response:
    """One draft with its text, also after it was closed."""
    return reply(await edge_of(request).read(request, lambda session, actor, _now: _draft(session, actor, draft_id)))


def _draft(session: Session, actor: Actor, draft_id: UUID) -> answers.DraftAnswer:
    return answers.draft(policy_queries.draft(session, actor, draft_id))


@router.put(
    "/drafts/{draft_id}",
    summary="Change a draft",
    **gives({200: ("The draft", answers.DraftAnswer)}, 403, 404, 409, *_BODY_REFUSALS, body=takes(DraftChangeBody)),
)
async def change(request: Request, draft_id: UUID) -> Response:
    """Give a draft another text; an approval is taken back. `sha256` is that of the text that was changed."""
    body = await bodies.read(request, DraftChangeBody)

    def put(session: Session, actor: Actor, now: datetime) -> answers.DraftAnswer:
        drafts.change(session, actor, draft_id, body.document, seen=body.sha256, now=now)
        return _draft(session, actor, draft_id)

    return reply(await edge_of(request).write(request, put))


@router.delete("/drafts/{draft_id}", summary="Discard a draft", **gives({204: ("Done", None)}, 403, 404, 409, 422))
async def discard(request: Request, draft_id: UUID) -> Response:
    """Close a draft that is not wanted; it stays on record."""
    await edge_of(request).write(request, lambda session, actor, now: drafts.discard(session, actor, draft_id, now=now))
    return Response(status_code=204)


_SEEN: dict[str, Any] = {"body": takes(SeenBody)}


@router.post(
    "/drafts/{draft_id}/approve",
    summary="Approve a draft",
    **gives({200: ("The draft", answers.DraftAnswer)}, 403, 404, 409, *_BODY_REFUSALS, **_SEEN),
)
async def approve(request: Request, draft_id: UUID) -> Response:
    """Say that exactly the text with this `sha256` may come into force; never by the person who wrote it."""
    seen = (await bodies.read(request, SeenBody)).sha256

    def put(session: Session, actor: Actor, now: datetime) -> answers.DraftAnswer:
        drafts.approve(session, actor, draft_id, seen=seen, now=now)
        return _draft(session, actor, draft_id)

    return reply(await edge_of(request).write(request, put))


@router.post(
    "/drafts/{draft_id}/activate",
    summary="Put a draft in force",
    **gives({201: ("It is in force", answers.PolicyAnswer)}, 403, 404, 409, *_BODY_REFUSALS, **_SEEN),
)
async def activate(request: Request, draft_id: UUID) -> Response:
    """Make exactly the text with this `sha256` the next version; a critical system's draft is approved first."""
    seen = (await bodies.read(request, SeenBody)).sha256

    def put(session: Session, actor: Actor, now: datetime) -> answers.PolicyAnswer:
        return answers.policy(drafts.activate(session, actor, draft_id, seen=seen, now=now))

    return reply(await edge_of(request).write(request, put), 201)

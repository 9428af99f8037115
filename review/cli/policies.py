"""`policy …`: check, dry-run, draft, approve, put in force, roll back, list and compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from review.api.answers import policies as answers
from review.cli import dry_runs
from review.cli.frame import COMMAND_LINE, AsJson, answer, complain, group, now, read_text, ready_store, remark
from review.commands import drafts, policies
from review.domain import remarks
from review.domain.actors import Actor
from review.domain.policies import check as check_document
from review.errors import Invalid
from review.queries import dry_runs as dry_run_queries
from review.queries import keys
from review.queries import policies as policy_queries
from review.store.tables import Policy, PolicyDraft

app = typer.Typer()
policy = group("policy", "What is done with each output of a system.")
app.add_typer(policy)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The system's short name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The policy, in YAML.", exists=True, dir_okay=False)]
MaybeFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The policy, in YAML.", exists=True, dir_okay=False)
]
Draft = Annotated[UUID, typer.Argument(metavar="DRAFT", help="The draft's id.")]
OfDraft = Annotated[UUID | None, typer.Option("--draft", help="This draft instead of a file.")]
Seen = Annotated[str, typer.Option(help="The SHA-256 of the text that you looked at; `policy diff` prints it.")]
Key = Annotated[str, typer.Option(envvar="HOLDPOINT_KEY", help="A person's key: acts as them.")]


@policy.command("check")
def check(file: File) -> None:
    """Say everything that is wrong with a policy, each with its line; needs no database."""
    policy, faults = check_document(read_text(file))
    for fault in faults:
        complain(f"{file}:{fault.line or 1}: {fault.error.message}")
    if policy is None:
        raise typer.Exit(1)
    for one in remarks.of_conditions(policy):
        remark(f"Look: {one.told}")
    print(f"{file} can be put in force.")


@policy.command("activate")
def activate(
    slug: Slug, file: MaybeFile = None, *, draft: OfDraft = None, sha256: Seen = "", key: Key = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Check a policy and put it in force, from the next output on; a critical system's only as an approved draft."""
    if (file is None) is (draft is None):
        raise typer.BadParameter("Give a FILE, or --draft with --sha256: one of them.")
    with ready_store() as store, store.write() as session:
        actor = _acting(session, key)
        if file is not None:
            _remark_on(session, text := read_text(file))
            made = policies.activate(session, actor, slug, text, now=now())
        else:
            found = _of_system(session, actor, draft, slug)
            _remark_on(session, found.document)
            made = drafts.activate(session, actor, found.id, seen=sha256, now=now())
    facts = {"system": slug, "version": made.version, "digest": made.digest}
    answer(f"{slug} follows version {made.version} of its policy now.", facts, as_json=as_json)


def _remark_on(session: Session, document: str) -> None:
    policy, _ = check_document(document)
    for one in policy_queries.remarked(session, policy) if policy else ():
        remark(f"Look: {one.told}")


def _of_system(session: Session, actor: Actor, draft_id: UUID | None, slug: str) -> policy_queries.Draft:
    assert draft_id is not None  # noqa: S101 - tells the type checker what the caller made sure of
    found = policy_queries.draft(session, actor, draft_id)
    if found.system != slug:
        raise Invalid(f"That is no draft of {slug}.", field="draft")
    return found


@policy.command("draft")
def write(slug: Slug, file: File, *, key: Key = "", as_json: AsJson = False) -> None:
    """Keep a policy as a draft of the next version, written by the key's person."""
    with ready_store() as store, store.write() as session:
        made = drafts.write(session, _person(session, key), slug, read_text(file), now=now())
        _tell_draft(made, "is a draft", as_json=as_json)


@policy.command("approve")
def approve(draft: Draft, sha256: Seen, *, key: Key = "", as_json: AsJson = False) -> None:
    """Say, as the key's person, that exactly this text may come into force; never of one's own draft."""
    with ready_store() as store, store.write() as session:
        found = drafts.approve(session, _person(session, key), draft, seen=sha256, now=now())
        _tell_draft(found, "is approved", as_json=as_json)


def _tell_draft(draft: PolicyDraft, said: str, *, as_json: bool) -> None:
    digest = drafts.digest_of(draft.document)
    answer(f"{draft.id} {said}. Its SHA-256 is {digest}.", {"draft_id": draft.id, "sha256": digest}, as_json=as_json)


@policy.command("rollback")
def roll_back(
    slug: Slug, version: Annotated[int, typer.Argument(metavar="VERSION", help="The earlier version.")], *,
    key: Key = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Put an earlier version's text in force again; on a critical system it waits as a draft for approval."""
    with ready_store() as store, store.write() as session:
        back = drafts.roll_back(session, _acting(session, key), slug, version, now=now())
        if isinstance(back, PolicyDraft):
            _tell_draft(back, f"holds version {version} and waits for approval", as_json=as_json)
            return
    facts = {"system": slug, "version": back.version, "restores": version, "digest": back.digest}
    answer(f"{slug} follows version {back.version} now, which is version {version} again.", facts, as_json=as_json)


@policy.command("list")
def list_(slug: Slug, *, as_json: AsJson = False) -> None:
    """The versions of a system's policy, newest first, and the open drafts."""
    with ready_store() as store, store.read() as session:
        standing = policy_queries.standing(session, COMMAND_LINE, slug)
        versions = policy_queries.versions(session, COMMAND_LINE, slug)
        waiting = policy_queries.drafts(session, COMMAND_LINE, slug)
    facts = {**answers.policies(standing, versions), "drafts": [answers.draft(one) for one in waiting]}
    lines = [_version(one, standing.active_version) for one in versions] + [_draft(one) for one in waiting]
    answer("\n".join(lines), facts, as_json=as_json)


def _version(one: Policy, active: int) -> str:
    mark = "  in force" if one.version == active else ""
    restores = f", version {one.restores} again" if one.restores else ""
    by = f"by {one.activated_by}, written by {one.written_by}{_approved(one.approved_by)}{restores}"
    return f"version {one.version:<4} {one.activated_at:%Y-%m-%d %H:%M} UTC  {by}{mark}"


def _draft(one: policy_queries.Draft) -> str:
    return f"draft {one.id}  {one.written_at:%Y-%m-%d %H:%M} UTC  by {one.written_by}{_approved(one.approved_by)}"


def _approved(by: str | None) -> str:
    return f", approved by {by}" if by else ""


@policy.command("diff")
def diff(
    slug: Slug, file: MaybeFile = None, *, draft: OfDraft = None,
    version: Annotated[int | None, typer.Option(help="This version instead of a file.")] = None,
) -> None:  # fmt: skip
    """What a file, a draft or a version differs in from the version in force."""
    if sum(each is not None for each in (file, draft, version)) != 1:
        raise typer.BadParameter("Give a FILE, --draft or --version: one of them.")
    with ready_store() as store, store.read() as session:
        _, active = policy_queries.in_force(session, COMMAND_LINE, slug)
        if file is not None:
            name, text = str(file), read_text(file)
        elif version is not None:
            name, text = f"version {version}", policy_queries.version(session, COMMAND_LINE, slug, version).document
        else:
            name, text = f"draft {draft}", _of_system(session, COMMAND_LINE, draft, slug).document
    names = (f"version {active.version}, in force", name)
    differs = policy_queries.difference(active.document, text, names=names)
    print(differs or "It says the same as the version in force.")
    remark(f"SHA-256 of {name}: {drafts.digest_of(text)}")


@policy.command("dry-run")
def dry_run(
    slug: Slug, file: File, *,
    last: Annotated[int, typer.Option(min=1, max=dry_run_queries.MOST, help="Over so many outputs.")] = 10_000,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what a policy would have made of the last outputs of a system, beside the version in force."""
    document = read_text(file)
    with ready_store() as store, _progress(slug) as show:
        found = policies.dry_run(store, COMMAND_LINE, slug, document, last=last, on_progress=show, now=now())
    answer(dry_runs.told(found), answers.dry_run(found), as_json=as_json)


@contextmanager
def _progress(name: str) -> Iterator[dry_run_queries.Progress]:
    """A bar on a terminal; nothing where a program reads."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _acting(session: Session, key: str) -> Actor:
    return keys.actor_of(session, key) if key else COMMAND_LINE


def _person(session: Session, key: str) -> Actor:
    if not key:
        raise typer.BadParameter("This is done by a person: give their key by --key or HOLDPOINT_KEY.")
    return keys.actor_of(session, key)

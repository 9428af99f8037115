"""`system add`, `key create`, `policy activate`."""

from pathlib import Path
from typing import Annotated

import typer

from review.cli.frame import COMMAND_LINE, AsJson, answer, group, now, ready_store
from review.commands import keys, policies, systems
from review.errors import Invalid

app = typer.Typer()
system = group("system", "AI systems whose outputs are reviewed.")
key = group("key", "Keys for the HTTP interface.")
policy = group("policy", "What is done with each output of a system.")
for commands in (system, key, policy):
    app.add_typer(commands)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The system's short name.")]


@system.command("add")
def add(
    slug: Slug,
    owner: Annotated[str, typer.Option(help="The person who answers for it (username).")],
    deputy: Annotated[str, typer.Option(help="Another person, for when the owner is away (username).")],
    *,
    name: Annotated[str, typer.Option(help="As people read it; SLUG where left out.")] = "",
    description: Annotated[str, typer.Option(help="What it does, in a sentence.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put a system on record. Until a policy is activated, all its outputs are held."""
    with ready_store() as store, store.write() as session:
        added = systems.add(
            session, COMMAND_LINE, slug=slug, name=name, description=description, owner=owner, deputy=deputy, now=now()
        )
    answer(f"Added {slug}. It holds everything until a policy is activated.", {"id": added.id, "slug": slug},
           as_json=as_json)  # fmt: skip


@key.command("create")
def create(
    *,
    system: Annotated[str, typer.Option(help="For this system: sends and reads its outputs.")] = "",
    user: Annotated[str, typer.Option(help="For this person: acts as them.")] = "",
) -> None:
    """Make a key and print it alone. It is not shown again."""
    if bool(system) is bool(user):
        raise typer.BadParameter("A key is for --system SLUG or for --user NAME: give one of them.")
    with ready_store() as store, store.write() as session:
        if system:
            token = keys.create_for_system(session, COMMAND_LINE, system, now=now())
        else:
            token = keys.create_for_person(session, COMMAND_LINE, user, now=now())
    print(token)


@policy.command("activate")
def activate(
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="The policy, in YAML.", exists=True, dir_okay=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Check a policy and put it in force, from the next output on."""
    with ready_store() as store, store.write() as session:
        made = policies.activate(session, COMMAND_LINE, slug, read_text(file), now=now())
    facts = {"system": slug, "version": made.version, "digest": made.digest}
    answer(f"{slug} follows version {made.version} of its policy now.", facts, as_json=as_json)


def read_text(file: Path) -> str:
    """The text of a file; raises Invalid where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8 text. Save it as UTF-8.", field="file") from error

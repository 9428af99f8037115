"""`system add`, `system critical`, `key create`."""

from typing import Annotated

import typer

from review.cli.frame import COMMAND_LINE, AsJson, answer, group, now, ready_store
from review.commands import keys, systems

app = typer.Typer()
system = group("system", "AI systems whose outputs are reviewed.")
key = group("key", "Keys for the HTTP interface.")
for commands in (system, key):
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


@system.command("critical")
def critical(
    slug: Slug,
    *,
    off: Annotated[bool, typer.Option("--off", help="Versions need no second person any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """From now on, a second person approves each version of the system's policy before it is in force."""
    with ready_store() as store, store.write() as session:
        systems.set_critical(session, COMMAND_LINE, slug, critical=not off, now=now())
    said = "is not critical any more" if off else "is critical: a second person approves its policy from now on"
    answer(f"{slug} {said}.", {"slug": slug, "is_critical": not off}, as_json=as_json)


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

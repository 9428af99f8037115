"""`user add`, `user password`."""

import secrets
import sys
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select
from sqlmodel import col

from review.cli.frame import COMMAND_LINE, AsJson, answer, group, now, ready_store, remark
from review.commands import people
from review.domain import passwords
from review.domain.actors import Role
from review.errors import NotFound
from review.store.engine import Store
from review.store.tables import Person

app = typer.Typer()
user = group("user", "People who sign in.")
app.add_typer(user)

Username = Annotated[str, typer.Argument(metavar="NAME", help="The name they sign in with.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")]


@user.command("add")
def add(
    name: Username,
    role: Annotated[Role, typer.Option(help="What they are here for.")],
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    *,
    full_name: Annotated[str, typer.Option(help="As others see it; NAME where left out.")] = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a person. Without --password-stdin a password is made and printed, for the only time."""
    password = _from_stdin() if password_stdin else new_password()
    password_hash = passwords.hashed(password)
    with ready_store() as store, store.write() as session:
        person = people.add(
            session, COMMAND_LINE, username=name, name=full_name or name, email=email, role=role,
            password_hash=password_hash, now=now(),
        )  # fmt: skip
    facts = {"id": person.id, "username": person.username, "role": role.value}
    if password_stdin:
        answer(f"Added {person.username}, {role.value}.", facts, as_json=as_json)
    else:
        remark(f"Added {person.username}, {role.value}. Their password, shown only now:")
        answer(password, {**facts, "password": password}, as_json=as_json)


@user.command("password")
def password(name: Username, *, password_stdin: FromStdin = False) -> None:
    """Give a person a new password: every tab of theirs is signed out. Without --password-stdin one is made."""
    fresh = _from_stdin() if password_stdin else new_password()
    password_hash = passwords.hashed(fresh)
    with ready_store() as store:
        person_id = _id_of(store, name)
        with store.write() as session:
            people.set_password(session, COMMAND_LINE, person_id, password_hash, now=now())
    remark(f"{name} has a new password{'' if password_stdin else ', shown only now:'}")
    if not password_stdin:
        print(fresh)


def new_password() -> str:
    """A random password."""
    return secrets.token_urlsafe(12)


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _id_of(store: Store, username: str) -> UUID:
    with store.read() as session:
        found: UUID | None = session.execute(select(col(Person.id)).where(col(Person.username) == username)).scalar()
    if found is None:
        raise NotFound(f"There is nobody named “{username}” here.", field="name")
    return found

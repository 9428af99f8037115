"""The guard that every page opens with, and the one way by which a page reads and changes things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import streamlit as st
from sqlmodel import Session

from review.domain.actors import Actor, Permission, Role
from review.errors import ReviewError, Unauthenticated
from review.queries import people
from review.ui import failures, program, sign_in, words
from review.ui.frame import PAGES

T = TypeVar("T")

_MAY_HELP = {
    Permission.DECIDE: "Reviewers and leads decide. An admin can change your role.",
    Permission.READ_ESCALATIONS: "Leads, owners and auditors read what was handed up. An admin can change your role.",
    Permission.READ_QUEUES: "Leads and admins run queues; owners and auditors read. An admin can change your role.",
    Permission.EXPORT: "Leads, owners, auditors and admins export. Ask a lead for the file, or an admin for the role.",
    Permission.READ_POLICIES: "Leads, owners, auditors and admins read policies. An admin can change your role.",
    Permission.ADMINISTER: "Only admins change people, systems and keys. Ask one of yours.",
}


@dataclass(frozen=True)
class Page:
    """An open page: the person it is drawn for, and what they may do."""

    actor: Actor
    requires: Permission

    @property
    def now(self) -> datetime:
        """The time of what is done or shown now."""
        return program.now()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session to read by."""
        with program.store().read() as session:
            yield session

    def run(self, command: Callable[..., T], *args: Any, done: str = "", **kwargs: Any) -> T | None:
        """Run a command in one transaction as the person is now; says `done`, or shows here why it was refused."""
        try:
            result = self.attempt(command, *args, **kwargs)
        except ReviewError as error:
            st.error(words.escaped(error.message), icon=":material/block:")
        except Exception as error:
            failures.show(error)
        else:
            if done:
                st.toast(words.escaped(done), icon=":material/check:")
            return result
        return None

    def show(self, part: Callable[..., T], *args: Any) -> T | None:
        """Draw a part of the page; where what it shows is gone or refused, say so in its place."""
        try:
            return part(self, *args)
        except ReviewError as error:
            st.info(words.escaped(error.message), icon=":material/search_off:")
        return None

    def attempt(self, command: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a command in one transaction as the person is now; raises what it raises, or Unauthenticated."""

        def work(session: Session) -> T:
            now = self.now
            actor = sign_in.person(session, now)
            if actor is None:
                raise Unauthenticated("You are signed out: nothing was written. Sign in again.")
            return command(session, actor, *args, now=now, **kwargs)

        return program.store().commit(work)

    def go(self, name: str, **parameters: str) -> NoReturn:
        """Go to another page, with parameters in its address."""
        st.switch_page(PAGES / f"{name}.py", query_params=parameters)

    def again(self) -> "Page":
        """The page for the person as they are now; a fragment opens with it. Starts the whole page anew if that
        is not who or what they were."""
        with self.read() as session:
            actor = sign_in.person(session, self.now)
        if actor is None or not actor.may(self.requires):
            st.rerun()
        return Page(actor, self.requires)


def open_page(title: str, *, requires: Permission) -> Page:
    """The page for the person signed in. Stops the run, with what is fit to show, for anyone else."""
    with program.store().read() as session:
        actor = sign_in.person(session, program.now())
    if actor is None:
        st.stop()
    if not actor.may(requires):
        _no_permission(title, requires, actor)
        st.stop()
    return Page(actor, requires)


def _no_permission(title: str, requires: Permission, actor: Actor) -> None:
    st.subheader(title)
    role = actor.role.value if actor.role else "none"
    st.info(f"Your role is {role}, which does not open this page.", icon=":material/lock:")
    st.text(_MAY_HELP.get(requires, "An admin can change your role."))
    with program.store().read() as session:
        admins = [person.name for person in people.everyone(session) if person.active and person.role == Role.ADMIN]
    st.text(f"Your {'admin is' if len(admins) == 1 else 'admins are'} {words.joined(admins)}.")


def nothing(title: str, hint: str) -> None:
    """The state of a page or a part of it that has nothing to show yet, with what to do first."""
    with st.container(border=True):
        st.markdown(f"**{words.escaped(title)}**")
        st.text(hint)

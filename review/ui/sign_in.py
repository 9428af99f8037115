"""Signing in and out: streamlit-authenticator draws the form and keeps the cookie; the database says who may.

On every run the person is looked up again, so that signing out, a new password, another role and deactivation
take effect at once. A cookie counts only if it was issued after the person's last sign-out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import streamlit as st
from sqlmodel import Session
from streamlit_authenticator import Authenticate
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from review.commands import people
from review.domain import passwords
from review.domain.actors import Actor
from review.errors import ReviewError
from review.queries import people as people_queries
from review.settings import settings
from review.store.secrets import cookie_secret
from review.ui import program, words

COOKIE = "holdpoint"
_SIGNED_IN, _COOKIE_READ, _WRITING, _FORGETTING = "signed_in", "cookie_read", "cookie_writing", "cookie_forgetting"
_FIELDS = {"Form name": "Holdpoint", "Username": "Username", "Password": "Password", "Login": "Sign in"}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in to this tab, and when."""

    username: str
    since: datetime

    @property
    def until(self) -> datetime:
        """When they have to sign in again."""
        return self.since + timedelta(days=settings().sign_in_days)


def person(session: Session, now: datetime) -> Actor | None:
    """The person signed in to this tab as they are now, or None where their sign-in no longer counts."""
    actor = counting(session, kept(), now)
    if actor is None:
        st.session_state.pop(_SIGNED_IN, None)
    return actor


def counting(session: Session, kept: SignedIn | None, now: datetime) -> Actor | None:
    """The person of a sign-in as they are now, or None where it no longer counts."""
    if kept is None or now >= kept.until:
        return None
    return people_queries.signed_in(session, kept.username, kept.since)


def kept() -> SignedIn | None:
    """The sign-in of this tab, for what runs outside of it."""
    return st.session_state.get(_SIGNED_IN)


def is_settled() -> bool:
    """Whether the browser has no cookie to read, write or forget any more."""
    state = st.session_state
    if state.get("set"):  # the library's component says so when the browser has the cookie
        state.pop(_WRITING, None)
    return bool(state.get(_COOKIE_READ)) and _WRITING not in state


def sign_out(session: Session, actor: Actor, *, now: datetime) -> None:
    """End this person's sign-in in every tab and browser."""
    people.sign_out(session, actor, now=now)
    st.session_state.pop(_SIGNED_IN, None)
    st.session_state[_FORGETTING] = True


def draw() -> None:
    """The sign-in form, or at once the page where this browser's cookie still counts."""
    _, middle, _ = st.columns([1, 1.4, 1])
    form, behind = middle.container(), middle.container()
    with behind:
        door = _Door()
    if st.session_state.get(_COOKIE_READ) is None:
        st.session_state[_COOKIE_READ] = True
        if door.recall():
            st.rerun()
    with behind:
        door.finish()
    with form:
        door.ask()


class _Door(Authenticate):  # type: ignore[misc]
    """The library's sign-in over people in the database; making one draws its cookie component."""

    def __init__(self) -> None:
        days = settings().sign_in_days
        secret = cookie_secret(settings().data_dir)
        super().__init__({"usernames": {}}, COOKIE, secret, days, auto_hash=False, login_sleep_time=0)
        self.authentication_controller.authentication_model = _People({"usernames": {}}, auto_hash=False)
        self.cookie_controller.cookie_model = self.cookie = _DatedCookie(self.cookie_controller.cookie_model)

    def recall(self) -> bool:
        """Sign in by the browser's cookie; False where there is none that counts."""
        found = self.cookie.read()
        with program.store().read() as session:
            if counting(session, found, program.now()) is None:
                return False
        st.session_state[_SIGNED_IN] = found
        return True

    def finish(self) -> None:
        """Let the browser do what is left to do with its cookie: it may take a few runs until it has."""
        if _FORGETTING in st.session_state:
            if st.session_state.get("delete"):
                del st.session_state[_FORGETTING]
                return
            self.authentication_controller.logout()
            self.cookie_controller.delete_cookie()
        elif _WRITING in st.session_state:
            self.cookie_controller.set_cookie()

    def ask(self) -> None:
        """The form. Where the answer is right, the run that the written cookie starts shows the page."""
        if _WRITING in st.session_state:
            st.info("Signing you in…", icon=":material/hourglass_empty:")
            _go_on()
            return
        if _SIGNED_IN not in st.session_state and st.session_state.get("authentication_status"):
            st.session_state["authentication_status"] = None  # the library still believes in a sign-in that ended
        try:
            self.login(fields=_FIELDS)
        except ReviewError as error:
            st.error(words.escaped(error.message), icon=":material/lock_clock:")
        else:
            if st.session_state.get("authentication_status") is False:
                st.error("The username or the password is not right.", icon=":material/error:")


@st.fragment(run_every=1.5)
def _go_on() -> None:
    """Show the page also where the browser never says that it wrote the cookie."""
    if st.session_state.setdefault("cookie_waits", 0) > 1:
        st.session_state.pop(_WRITING, None)
        del st.session_state["cookie_waits"]
        st.rerun()
    st.session_state["cookie_waits"] += 1


class _People(AuthenticationModel):  # type: ignore[misc]
    """Checks a password against the person's hash, with a limit on attempts, outside any transaction."""

    def check_credentials(self, username: str, password: str) -> bool:
        """Whether this is the person's password; every attempt is on record. Raises TooMany."""
        store = program.store()
        with store.write() as session:
            address = st.context.ip_address or "local"
            attempt, password_hash = people.attempt_sign_in(session, username, address, now=program.now())
        right = passwords.matches(password, password_hash)
        with store.write() as session:
            now = program.now()
            found = people.finish_sign_in(session, attempt, right=right, now=now)
        if found is None:
            return False
        self.credentials["usernames"][username] = {"name": found.name, "email": found.email, "roles": [found.role]}
        st.session_state[_SIGNED_IN] = SignedIn(found.username, now)
        st.session_state[_WRITING] = st.session_state[_COOKIE_READ] = True
        return True


class _DatedCookie(CookieModel):  # type: ignore[misc]
    """The library's cookie, which also says when it was issued."""

    def __init__(self, plain: CookieModel) -> None:
        self.__dict__.update(plain.__dict__)

    def set_cookie(self) -> None:
        """Have the browser keep the sign-in of this tab."""
        found: SignedIn = st.session_state[_SIGNED_IN]
        claims = {"username": found.username, "exp_date": found.until.timestamp(), "issued_at": found.since.isoformat()}
        token = jwt.encode(claims, self.cookie_key, algorithm="HS256")
        is_secure = (st.context.url or "").startswith("https:")
        self.cookie_manager.set(self.cookie_name, token, expires_at=found.until, secure=is_secure or None)

    def delete_cookie(self) -> None:
        """Have the browser forget the sign-in."""
        self.cookie_manager.cookies.setdefault(self.cookie_name, "")
        super().delete_cookie()

    def get_cookie(self) -> None:
        """Nothing for the library: a cookie is read, and checked against the database, before the form is drawn."""

    def read(self) -> SignedIn | None:
        """What the browser's cookie says, where it is ours and has not expired."""
        claims: dict[str, Any] | None = super().get_cookie()
        if not claims or "issued_at" not in claims:
            return None
        return SignedIn(claims["username"], datetime.fromisoformat(claims["issued_at"]).astimezone(UTC))

"""Signing in and out: streamlit-authenticator draws the form and keeps the cookie; the database says who may.

On every run the person is looked up again, so that signing out, a new password, another role and deactivation
take effect at once. A cookie counts only if it was issued after the person's last sign-out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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
_SIGNED_IN, _ERRAND, _WAITS_UNTIL = "signed_in", "cookie_errand", "cookie_waits_until"
_PATIENCE = timedelta(seconds=10)
_FIELDS = {"Form name": "Holdpoint", "Username": "Username", "Password": "Password", "Login": "Sign in"}


class _Errand(StrEnum):
    """What this tab has to do with the browser's cookie."""

    READ = "read"
    WRITE = "write"
    FORGET = "forget"
    NOTHING = "nothing"


_REPORTED = {_Errand.WRITE: "set", _Errand.FORGET: "delete"}  # the keys of the library's component


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
    if actor is None and kept() is not None:
        _forget(_errand())
    return actor


def _forget(errand: "_Errand") -> None:
    """Empty this tab of all that it kept for who was signed in."""
    st.session_state.clear()
    st.session_state[_ERRAND] = errand


def counting(session: Session, kept: SignedIn | None, now: datetime) -> Actor | None:
    """The person of a sign-in as they are now, or None where it no longer counts."""
    if kept is None or now >= kept.until:
        return None
    return people_queries.signed_in(session, kept.username, kept.since)


def kept() -> SignedIn | None:
    """The sign-in of this tab, for what runs outside of it."""
    return st.session_state.get(_SIGNED_IN)


def is_settled() -> bool:
    """Whether this tab has nothing left to do with the browser's cookie; its component says when it has done it."""
    reported = _REPORTED.get(_errand())
    if reported and st.session_state.get(reported):
        st.session_state[_ERRAND] = _Errand.NOTHING
    return _errand() is _Errand.NOTHING


def _errand() -> "_Errand":
    return _Errand(st.session_state.get(_ERRAND, _Errand.READ))


def sign_out(session: Session, actor: Actor, *, now: datetime) -> None:
    """End this person's sign-in in every tab and browser."""
    people.sign_out(session, actor, now=now)
    _forget(_Errand.FORGET)


@st.fragment  # what the cookie's component says must not interrupt the run that checks a password
def draw() -> None:
    """The sign-in form, or at once the page where this browser's cookie still counts."""
    if is_settled():
        st.session_state.pop(_WAITS_UNTIL, None)
        if kept() is not None:
            st.rerun()
    _, middle, _ = st.columns([1, 1.4, 1])
    form, behind = middle.container(), middle.container()
    with behind:
        door = _Door()
        door.see_to_cookie()
    with form:
        if is_settled():
            door.ask()
        else:
            st.info("One moment…", icon=":material/hourglass_empty:")
            _wait()


@st.fragment(run_every=_PATIENCE)
def _wait() -> None:
    """Go on also where the browser never says that it did what it should with the cookie."""
    until = st.session_state.setdefault(_WAITS_UNTIL, program.now() + _PATIENCE)
    if program.now() >= until:
        st.session_state[_ERRAND] = _Errand.NOTHING
    if is_settled():
        del st.session_state[_WAITS_UNTIL]
        st.rerun()


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

    def see_to_cookie(self) -> None:
        """Read the browser's cookie, or let the browser write or forget it: that may take a few runs."""
        if _errand() is _Errand.READ:
            st.session_state[_ERRAND] = _Errand.NOTHING
            if self.recall():
                st.rerun()
        elif _errand() is _Errand.WRITE:
            self.cookie.write()
        elif _errand() is _Errand.FORGET:
            self.authentication_controller.logout()
            self.cookie_controller.delete_cookie()

    def ask(self) -> None:
        """The form; where the answer is right, the next run has the browser keep it."""
        if st.session_state.get("authentication_status"):
            st.session_state["authentication_status"] = None  # the library still believes in a sign-in that ended
        try:
            self.login(fields=_FIELDS)
        except ReviewError as error:
            st.error(words.escaped(error.message), icon=":material/lock_clock:")
        if kept() is not None:
            st.rerun()
        if st.session_state.get("authentication_status") is False:
            st.error("The username or the password is not right.", icon=":material/error:")


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
        st.session_state[_ERRAND] = _Errand.WRITE
        return True


class _DatedCookie(CookieModel):  # type: ignore[misc]
    """The library's cookie, which also says when it was issued."""

    def __init__(self, plain: CookieModel) -> None:
        self.__dict__.update(plain.__dict__)

    def set_cookie(self) -> None:
        """Nothing yet: the run after the form's has the browser write it, and stays until it has."""

    def write(self) -> None:
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

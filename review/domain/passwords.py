"""Passwords: what is accepted, and how one is kept and checked. Checking is slow on purpose: never in a transaction."""

import bcrypt

from review.errors import Invalid

MIN_LENGTH, MAX_BYTES = 10, 72
_NOBODY = "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZBzXW0hYZ0Yl1pJr5Zf1Vx5K0m3U0a"


def hashed(password: str) -> str:
    """The bcrypt hash of a new password; raises Invalid where it is too short or too long."""
    if len(password) < MIN_LENGTH:
        raise Invalid(f"A password has at least {MIN_LENGTH} characters.", field="password")
    if len(password.encode()) > MAX_BYTES:
        raise Invalid(f"A password has at most {MAX_BYTES} bytes.", field="password")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=12)).decode()


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; takes as long for nobody's as for somebody's."""
    try:
        right = bcrypt.checkpw(password.encode()[:MAX_BYTES], (password_hash or _NOBODY).encode())
    except ValueError:
        return False
    return right and password_hash is not None

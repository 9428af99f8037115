"""What can go wrong for a caller; the message is written for the person who reads it."""


class ReviewError(Exception):
    """A request that was refused; nothing was changed."""

    status = 400
    title = "Refused"

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after


class Invalid(ReviewError):
    """The request holds a value that cannot be used; the message names the field and the fix."""

    status = 422
    title = "Invalid value"


class Unauthenticated(ReviewError):
    """Nobody is signed in, or the key is not known."""

    status = 401
    title = "Not signed in"


class Forbidden(ReviewError):
    """The actor may not do this."""

    status = 403
    title = "Not allowed"


class NotFound(ReviewError):
    """There is no such thing, or the actor may not know of it."""

    status = 404
    title = "Not found"


class Conflict(ReviewError):
    """The same name or id was used before for something else."""

    status = 409
    title = "Conflict"


class WrongState(ReviewError):
    """The thing has moved on and this can no longer be done to it."""

    status = 409
    title = "Moved on"


class NotReleased(ReviewError):
    """There is nothing to use yet, or nothing was let through."""

    status = 409
    title = "Not released"


class Consumed(ReviewError):
    """The release was given out already; it is given once."""

    status = 409
    title = "Used already"


class LeaseLost(ReviewError):
    """The hold on the task has ended; nothing was written."""

    status = 409
    title = "Hold ended"


class TooLarge(ReviewError):
    """The request is larger than what is accepted."""

    status = 413
    title = "Too large"


class Busy(ReviewError):
    """Others are changing the database for longer than one can wait."""

    status = 503
    title = "Busy"


class TooMany(ReviewError):
    """Too many attempts in a short time."""

    status = 429
    title = "Too many attempts"

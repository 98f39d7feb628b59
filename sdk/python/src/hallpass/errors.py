"""Why a request is not let in, and what its client is told: an `application/problem+json` document (RFC 9457) and the
challenge of RFC 6750 section 3. Nothing here ever holds a part of a token or of a key.
"""

from __future__ import annotations

from typing import ClassVar

PROBLEM_JSON = "application/problem+json"
"""The media type of `HallpassError.problem`."""


class HallpassError(Exception):
    """A request that is not let in; the subclasses say why.

    `reason` is for the log, never for the client: all tokens that are not valid get the same answer.
    """

    code: ClassVar[str]
    """The stable name on the wire."""
    status: ClassVar[int]
    """The HTTP status."""
    title: ClassVar[str]
    """The summary, the same for every occurrence."""
    detail: ClassVar[str]
    """What to do next."""
    challenge: ClassVar[str | None]
    """The value of `WWW-Authenticate`."""
    retry_after: ClassVar[int | None] = None
    """The value of `Retry-After` in seconds."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"{self.title}: {reason}" if reason else self.title)
        self.reason = reason

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, beside its content type `PROBLEM_JSON`."""
        headers = {}
        if self.challenge is not None:
            headers["WWW-Authenticate"] = self.challenge
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers

    def problem(self) -> dict[str, str | int]:
        """The body of the answer, to be written as JSON."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }


class TokenMissing(HallpassError):
    """401: no token was sent."""

    code = "token_missing"
    status = 401
    title = "Sign in first"
    detail = "Send an access token as `Authorization: Bearer`"
    challenge = "Bearer"  # Without a token there is no `error` in it (RFC 6750 section 3.1).


class TokenInvalid(HallpassError):
    """401: the token is malformed, forged, or for somebody else."""

    code = "token_invalid"
    status = 401
    title = "The access token is not valid"
    detail = "Sign in again"
    challenge = 'Bearer error="invalid_token", error_description="The access token is not valid"'


class TokenExpired(HallpassError):
    """401: the token was good and is over; the client refreshes."""

    code = "token_expired"
    status = 401
    title = "The access token has expired"
    detail = "Refresh and try again"
    challenge = 'Bearer error="invalid_token", error_description="The access token has expired"'


class TokenStale(HallpassError):
    """401: the token's claims are out of date while its session is fine; the client refreshes."""

    code = "token_stale"
    status = 401
    title = "The access token is out of date"
    detail = "Refresh and try again"
    challenge = 'Bearer error="invalid_token", error_description="The access token is out of date"'


class SessionEnded(HallpassError):
    """401: the session behind the token is over; the person signs in again."""

    code = "session_ended"
    status = 401
    title = "The session has ended"
    detail = "Sign in again"
    challenge = 'Bearer error="invalid_token", error_description="The session has ended"'


class Forbidden(HallpassError):
    """403: the account may not do this, and no other token of it would help."""

    code = "forbidden"
    status = 403
    title = "Not allowed"
    detail = "The account may not do this"
    challenge = 'Bearer error="insufficient_scope", error_description="The account may not do this"'


class RevocationUnknown(HallpassError):
    """503: whether the token was taken back is not known at the moment; nobody is signed out."""

    code = "revocation_unknown"
    status = 503
    title = "The access token cannot be checked now"
    detail = "Try again in a second"
    challenge = None
    retry_after = 1

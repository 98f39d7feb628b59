"""What a token says, with types: the claims of RFC 9068 section 2.2 and the few that Hallpass adds. A claim of the
wrong type is never taken for one that is absent.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard
from uuid import UUID

from .errors import Forbidden, TokenInvalid

MAX_LIFETIME = 3_600
"""The most seconds between `iat` and `exp`: it bounds how long a revocation must be remembered."""

_ACCOUNT = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_SESSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_I64 = 1 << 63
_DATE_LIMIT = 1 << 53  # The years to which a double counts seconds exactly; beyond, nothing is a date.


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one access token. Times are whole seconds since 1970 (UTC)."""

    iss: str
    """Who issued the token."""
    sub: int
    """The account; a string of digits in the token."""
    aud: tuple[str, ...]
    """For whom the token is."""
    client_id: str
    """The application that the token was issued to."""
    exp: int
    """From this moment on the token is over."""
    nbf: int | None
    """Before this moment the token is not yet good."""
    iat: int
    """When the token was issued."""
    jti: str
    """The name of this one token."""
    sid: UUID
    """The session."""
    auth_time: int
    """When the person last proved who they are."""
    amr: tuple[str, ...]
    """How they proved it (RFC 8176), such as `pwd` or `otp`."""
    roles: tuple[str, ...]
    """What the account may do."""
    account_version: int
    """Counts the changes of the account that put older tokens out of date."""
    extra: dict[str, Any] = field(hash=False)
    """All other claims by name."""

    def has_role(self, role: str) -> bool:
        """Whether the account had this role when the token was issued; a later change makes the token stale."""
        return role in self.roles

    def require_role(self, role: str) -> None:
        """Goes on if the account has this role, else raises `Forbidden`."""
        if not self.has_role(role):
            raise Forbidden("a role is missing")

    def own(self) -> Claims:
        """The same claims with an `extra` that nobody else holds."""
        return replace(self, extra=copy.deepcopy(self.extra))


def from_object(members: dict[str, Any]) -> Claims:
    """Reads the claims, and looks at them as far as that needs neither a clock nor a name to compare with.

    Raises `TokenInvalid`.
    """
    if "cnf" in members:
        # A token that is bound to a key (RFC 7800, RFC 9449) is not a bearer token.
        raise _refused("cnf")
    rest = dict(members)

    def take(name: str) -> Any:
        if name not in rest:
            raise _refused(name)
        return rest.pop(name)

    claims = Claims(
        iss=_string("iss", take("iss")),
        sub=_account(take("sub")),
        aud=_audience(take("aud")),
        client_id=_string("client_id", take("client_id")),
        exp=_date("exp", take("exp"), math.floor),
        nbf=_date("nbf", take("nbf"), math.ceil) if "nbf" in rest else None,
        iat=_date("iat", take("iat"), math.floor),
        jti=_string("jti", take("jti")),
        sid=_sid(take("sid")),
        auth_time=_date("auth_time", take("auth_time"), math.floor),
        amr=_strings("amr", take("amr")),
        roles=_strings("roles", take("roles")),
        account_version=_version(take("account_version")),
        extra=rest,
    )
    # A token that lives longer than any that is issued would outlive the memory of its revocation.
    if not 0 <= claims.exp - claims.iat <= MAX_LIFETIME:
        raise _refused("exp")
    return claims


def parse_session(text: object) -> UUID | None:
    """A session by its one canonical spelling: 36 characters, hyphenated, lower case, version 7."""
    if isinstance(text, str) and _SESSION.fullmatch(text):
        return UUID(text)
    return None


def is_integer(value: object) -> TypeGuard[int]:
    """Whether a JSON value is a signed integer of 64 bits; `true`, which Python counts as one, is not."""
    return type(value) is int and -_I64 <= value < _I64


def _refused(name: str) -> TokenInvalid:
    return TokenInvalid(f"claim `{name}`")


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _refused(name)
    return value


def _strings(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _refused(name)
    return tuple(_string(name, item) for item in value)


def _audience(value: object) -> tuple[str, ...]:
    """One string or an array of strings (RFC 7519 section 4.1.3)."""
    return (value,) if isinstance(value, str) else _strings("aud", value)


def _account(value: object) -> int:
    """Decimal digits without sign or leading zero, from 1 to 2^63 - 1."""
    text = _string("sub", value)
    if not _ACCOUNT.fullmatch(text) or int(text) >= _I64:
        raise _refused("sub")
    return int(text)


def _sid(value: object) -> UUID:
    session = parse_session(value)
    if session is None:
        raise _refused("sid")
    return session


def _version(value: object) -> int:
    if is_integer(value):
        return value
    raise _refused("account_version")


def _date(name: str, value: object, whole: Callable[[float], int]) -> int:
    """A NumericDate (RFC 7519 section 2), which may have a fraction: `whole` says to which side it is cut, so that a
    fraction never makes a token good for longer.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused(name)
    # The reader of JSON refuses numbers that are not finite.
    seconds = value if isinstance(value, int) else whole(value)
    if not -_DATE_LIMIT <= seconds <= _DATE_LIMIT:
        raise _refused(name)
    return seconds

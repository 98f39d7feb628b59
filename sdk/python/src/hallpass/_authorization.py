"""The `Authorization` header of a request. Nothing else is ever looked at for a token: no cookie, no query, no body."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import TokenInvalid, TokenMissing

# One space and one token68 (RFC 6750 section 2.1, RFC 9110 section 11.4).
_BEARER = re.compile(r"bearer ([a-z0-9\-._~+/]+=*)", re.ASCII | re.IGNORECASE)


def bearer(values: Sequence[str]) -> str:
    """The token of a request by all its `Authorization` headers: exactly one, the scheme `Bearer` in any letter case,
    exactly one space, and one token68.

    Raises `TokenMissing` without the header, else `TokenInvalid`.
    """
    if not values:
        raise TokenMissing
    matched = _BEARER.fullmatch(values[0])
    if matched is None or len(values) > 1:
        raise TokenInvalid("the `Authorization` header is not `Bearer` and one token")
    return matched[1]

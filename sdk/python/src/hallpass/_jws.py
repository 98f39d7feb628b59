"""A signed token in compact form (RFC 7515 section 7.1), taken apart as strictly as the standard allows. Nothing in the
header ever brings a key or a rule with it: it names a key that is already here, and says what it must say.
"""

from __future__ import annotations

from typing import Any

from . import _json
from ._base64url import decode
from ._keys import Key, KeySet
from .errors import TokenInvalid

# Every `typ` of an access token (RFC 9068 section 4). As media types they are compared without regard to case.
_TYPES = frozenset({"at+jwt", "application/at+jwt"})

# `crit` and `b64` change what is signed, `zip` and `cty` what the payload is, the others bring keys: none has a place in
# an access token.
_FORBIDDEN = ("crit", "b64", "zip", "cty", "jku", "jwk", "x5u", "x5c")


class UnknownKey(TokenInvalid):
    """No key goes by the token's `kid`: a reason to ask for the keys once more."""

    def __init__(self) -> None:
        super().__init__("its key is not known")


def open_token(token: str, keys: KeySet) -> dict[str, Any]:
    """Checks the form, the key, the signature and the type of `token`, in this order, and returns the members of its
    payload. The caller has made sure that it is not too long.

    Raises `TokenInvalid`, which is `UnknownKey` where another key set could help.
    """
    try:
        # Counted before it is split: a token of dots costs no memory.
        if token.count(".") != 2:
            raise ValueError("not three parts")
        signed, _, signature_part = token.encode("ascii").rpartition(b".")
        header_part, _, payload_part = signed.partition(b".")
        header_text, payload_text, signature = decode(header_part), decode(payload_part), decode(signature_part)
        header = _json.read_object(header_text)
    except ValueError:
        raise TokenInvalid("it is malformed") from None
    if not _key_for(header, keys).verifies(signed, signature):
        raise TokenInvalid("its signature is wrong")
    # Only now: what a token that nobody signed says of itself does not matter.
    if _text(header, "typ").lower() not in _TYPES:
        raise TokenInvalid("header member `typ`")
    try:
        return _json.read_object(payload_text)
    except ValueError:
        raise TokenInvalid("it is malformed") from None


def _key_for(header: dict[str, Any], keys: KeySet) -> Key:
    """The key that signed, if the header is right."""
    for name in _FORBIDDEN:
        if name in header:
            raise TokenInvalid(f"header member `{name}`")
    key = keys.get(_text(header, "kid"))
    if key is None:
        raise UnknownKey
    # The key has an algorithm; the token can only agree with it (RFC 8725 section 3.1).
    if _text(header, "alg") != key.algorithm:
        raise TokenInvalid("its algorithm is not that of its key")
    return key


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    if not isinstance(value, str):
        raise TokenInvalid(f"header member `{name}`")
    return value

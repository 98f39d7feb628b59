"""The public keys that signatures are verified with, read from a JWK Set (RFC 7517, RFC 7518 section 6, RFC 8037
section 2). A key has exactly one algorithm, its own; no shared secret is ever taken for a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.exceptions import InvalidKeyError

from . import _json
from ._base64url import decode

# The least bits of an RSA key (RFC 7518 section 3.3), and the most: beyond, one signature costs an attacker nothing
# and us a lot.
_RSA_BITS = range(2_048, 8_192 + 1)

# The private members of RSA and of the curves, and the secret (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

# By `kty` and `crv`; an RSA key must say which of its two it is for.
_ALGORITHMS: dict[tuple[object, object], dict[str, type[Algorithm]]] = {
    ("EC", "P-256"): {"ES256": ECAlgorithm},
    ("OKP", "Ed25519"): {"EdDSA": OKPAlgorithm},
    ("RSA", None): {"RS256": RSAAlgorithm, "PS256": RSAPSSAlgorithm},
}


@dataclass(frozen=True, slots=True)
class Key:
    """One public key. Two of them are equal if they are the same key by the same name."""

    kid: str
    algorithm: str
    material: tuple[bytes, ...]
    _verifier: Algorithm = field(compare=False, repr=False)
    _public: Any = field(compare=False, repr=False)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's signature of exactly these bytes, in the form of RFC 7518 section 3."""
        return bool(self._verifier.verify(message, self._public, signature))


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys by their `kid`."""

    _keys: Mapping[str, Key]

    @classmethod
    def from_jwks(cls, document: bytes) -> KeySet:
        """Reads a JWK Set. A key that cannot verify tokens is passed over, as RFC 7517 section 5 asks. Where different
        keys go by one `kid`, neither is taken: the name would not say which.

        Raises `ValueError` for what is no JWK Set, and for one that shows a private or secret part.
        """
        listed = _json.read_object(document).get("keys")
        if not isinstance(listed, list) or not all(isinstance(jwk, dict) for jwk in listed):
            raise ValueError("not a JWK Set")
        if any(not _PRIVATE.isdisjoint(jwk) for jwk in listed):
            raise ValueError("a JWK Set that holds a private or secret key")
        named: dict[str, Key | None] = {}
        for key in _usable(listed):
            named[key.kid] = key if named.get(key.kid, key) == key else None
        return cls({kid: key for kid, key in named.items() if key is not None})

    def get(self, kid: str) -> Key | None:
        """The key of exactly this name."""
        return self._keys.get(kid)

    def __len__(self) -> int:
        return len(self._keys)


def _usable(listed: list[dict[str, Any]]) -> Iterator[Key]:
    for jwk in listed:
        try:
            yield _read(jwk)
        except (ValueError, InvalidKeyError):
            continue


def _read(jwk: dict[str, Any]) -> Key:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or jwk.get("use", "sig") != "sig":
        raise ValueError("not a key for signatures")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("not a key for verifying")

    possible = _ALGORITHMS.get((_hashable(jwk.get("kty")), _hashable(jwk.get("crv"))), {})
    name = jwk["alg"] if "alg" in jwk else next(iter(possible)) if len(possible) == 1 else None
    if not isinstance(name, str) or name not in possible:
        raise ValueError("not an algorithm of ours")

    material = tuple(_member(jwk, member) for member in _material_of(name))
    if name in ("RS256", "PS256"):
        _check_rsa(*material)
    elif any(len(part) != 32 for part in material):
        raise ValueError("not 32 bytes")
    kind = possible[name]
    verifier: Algorithm = kind() if kind is OKPAlgorithm else kind(kind.SHA256)  # type: ignore[call-arg,attr-defined]
    # Reading it also proves that a point lies on its curve.
    return Key(kid, name, material, verifier, kind.from_jwk(jwk))


def _hashable(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("not a text")


def _material_of(algorithm: str) -> tuple[str, ...]:
    return {"ES256": ("x", "y"), "EdDSA": ("x",)}.get(algorithm, ("n", "e"))


def _member(jwk: dict[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if isinstance(value, str):
        return decode(value.encode("ascii"))
    raise ValueError("not a text")


def _check_rsa(n: bytes, e: bytes) -> None:
    """Modulus and exponent, big-endian, without leading zeros (RFC 7518 section 6.3.1)."""
    if n[:1] in (b"", b"\0") or e[:1] in (b"", b"\0"):
        raise ValueError("leading zeros")
    exponent = int.from_bytes(e, "big")
    # An odd exponent above 2^16 (FIPS 186-5 section A.1.1): with 1, the padding alone would be a signature.
    if int.from_bytes(n, "big").bit_length() not in _RSA_BITS or exponent < 1 << 16 or exponent % 2 == 0:
        raise ValueError("not a sound RSA key")

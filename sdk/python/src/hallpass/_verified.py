"""The tokens whose signatures were found good with one set of keys, so that each is checked once and not with every
request. It never says that a token is still good: times and revocations are checked every time.
"""

from __future__ import annotations

from .claims import Claims

# How many tokens are remembered at most.
CAPACITY = 10_000


class Verified:
    """Claims by the SHA-256 of the whole token, its signature too.

    Two generations: when the young one is full it becomes the old one, and what was not asked for since is dropped. It
    needs no lock. Two threads that change generations at once lose what is remembered, which costs time and nothing else.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._half = capacity // 2
        self._young: dict[bytes, Claims] = {}
        self._old: dict[bytes, Claims] = {}

    def get(self, name: bytes) -> Claims | None:
        """The claims of the token of this name, if it is remembered."""
        claims = self._young.get(name)
        if claims is None:
            claims = self._old.get(name)
            if claims is not None:
                self.put(name, claims)
        return claims

    def put(self, name: bytes, claims: Claims) -> None:
        """Remembers a token that was verified."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[name] = claims

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

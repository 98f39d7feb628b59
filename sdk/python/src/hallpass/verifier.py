"""Whether a token is good: the one thing between a request and a signed-in account. A check asks nobody, and a token
never says how it is to be verified.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from . import _jws
from ._authorization import bearer
from ._feed import Feed, Mode, Position
from ._jwks import Keys
from ._keys import KeySet
from ._revoked import Revoked
from ._server import Server
from ._verified import Verified
from .claims import Claims, from_object
from .errors import RevocationUnknown, TokenExpired, TokenInvalid

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_TOKEN_BYTES = 8 * 1024
"""The most bytes of a token that are looked at; a longer one is refused unread."""

MAX_LEEWAY = 60
"""The most seconds of clock difference that can be forgiven: revocations are remembered for as long."""

# The most seconds that a check waits for the first answers of a server.
_START_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class _Ring:
    """Keys, and what was verified with them: one thing, so that it is forgotten with them."""

    keys: KeySet
    verified: Verified


@dataclass(frozen=True, slots=True)
class _Following:
    """The threads of one process."""

    pid: int
    keys: Keys
    feed: Feed


class Verifier:
    """Verifies access tokens of one issuer for one audience. One for each process is enough; it is thread-safe.

    `issuer` and `audience` (by default the issuer) are compared with `iss` and `aud` byte for byte. `client_id` and
    `client_secret` come from `hallpass clients create`. `base_url` is where the server is reached, if not at the
    issuer's address. `leeway` is the clock difference that is forgiven, in seconds, at most 60.

    The verifier is *current* as long as it heard from the server within `max_staleness` seconds. When it is not,
    `when_stale="refuse"` raises `RevocationUnknown`, and `"accept"` goes on with what is known.

    It follows the server in two threads, from `start`, `with`, or the first check on. In a process that was forked it
    starts them again, with what its parent knew.
    """

    def __init__(
        self,
        issuer: str,
        audience: str | None = None,
        *,
        client_id: str,
        client_secret: str,
        base_url: str | None = None,
        when_stale: Literal["refuse", "accept"] = "refuse",
        max_staleness: float = 10,
        feed: Mode = "stream",
        leeway: int = 5,
    ) -> None:
        if when_stale not in ("refuse", "accept"):
            raise ValueError('`when_stale` is "refuse" or "accept"')
        if feed not in ("stream", "poll"):
            raise ValueError('`feed` is "stream" or "poll"')
        if not max_staleness > 0:
            raise ValueError("`max_staleness` is more than 0 seconds")
        if not 0 <= leeway <= MAX_LEEWAY:
            raise ValueError(f"`leeway` is 0 to {MAX_LEEWAY} seconds")
        self._issuer = issuer
        self._audience = issuer if audience is None else audience
        self._server = Server(issuer if base_url is None else base_url, client_id, client_secret)
        self._when_stale = when_stale
        self._max_staleness = max_staleness
        self._mode: Mode = feed
        self._leeway = leeway
        self._ring: _Ring | None = None
        self._revoked = Revoked()
        self._position = Position()
        self._following: _Following | None = None
        # By process: a lock that a fork copies while it is held is never released.
        self._starting: dict[int, threading.Lock] = {}

    def verify(self, token: str) -> Claims:
        """The claims of `token`, if it is good now.

        Raises `TokenInvalid`, `TokenExpired`, `SessionEnded`, `TokenStale` or `RevocationUnknown`. It waits only for the
        first answers of the server, and once in a while, for a second at most, when a key is not known.
        """
        following = self._follow()
        if not (following.keys.settled.is_set() and following.feed.settled.is_set()):
            self.start()
        claims = self._identify(token, following)
        now = time.time()
        for name, moment in (("iat", claims.iat), ("nbf", claims.nbf), ("auth_time", claims.auth_time)):
            if moment is not None and moment > now + self._leeway:
                raise TokenInvalid(f"claim `{name}` lies in the future")
        # "On or after" `exp` it is over (RFC 7519 section 4.1.4).
        if now >= claims.exp + self._leeway:
            raise TokenExpired
        # What is known to be taken back stays so; only "it was not" needs news.
        taken_back = self._revoked.check(claims)
        if taken_back is not None:
            raise taken_back
        if self._when_stale == "refuse" and not self._position.heard_within(self._max_staleness):
            raise RevocationUnknown(self._why_not_current())
        return claims.own()

    def authenticate(self, authorization_header: str | None) -> Claims:
        """The same for the value of a request's one `Authorization` header.

        Raises `TokenMissing` for None, and `TokenInvalid` for what is not `Bearer` and one token.
        """
        return self.verify(bearer([] if authorization_header is None else [authorization_header]))

    def start(self, wait: float = _START_WAIT) -> bool:
        """Follows the server, if that has not begun, and waits for its first answers, at most `wait` seconds.

        Returns `current`. A server that cannot be reached raises nothing: it is asked again until it answers.
        """
        following = self._follow()
        until = time.monotonic() + wait
        for follower in (following.keys, following.feed):
            follower.settled.wait(max(0.0, until - time.monotonic()))
        return self.current

    def close(self) -> None:
        """Ends the threads. A check would start them again."""
        following, self._following = self._following, None
        if following is not None and following.pid == os.getpid():
            following.keys.stop()
            following.feed.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Verifier({self._issuer!r}, {self._audience!r})"

    @property
    def current(self) -> bool:
        """Whether keys are here and the feed was heard within `max_staleness`: what a readiness check wants to know."""
        return self._ring is not None and self._position.heard_within(self._max_staleness)

    @property
    def trouble(self) -> str | None:
        """What is wrong with following the server at the moment, for a log or an operator."""
        following = self._following
        return None if following is None else following.feed.trouble or following.keys.trouble

    def _identify(self, token: str, following: _Following) -> Claims:
        """The claims of a token that was signed for us, though it may be over or taken back."""
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenInvalid("it is too long")
        ring = self._ring
        if ring is None:
            raise RevocationUnknown(self._why_not_current())
        # All of the token goes in, its signature too, and nobody can find two tokens with one digest.
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = ring.verified.get(name)
        if claims is None:
            try:
                claims = self._open(token, ring.keys)
            except _jws.UnknownKey:
                following.keys.ask()
                if self._ring is None or self._ring is ring:
                    raise
                ring = self._ring
                claims = self._open(token, ring.keys)
            ring.verified.put(name, claims)
        return claims

    def _open(self, token: str, keys: KeySet) -> Claims:
        """Everything about the token that neither time nor revocations change."""
        claims = from_object(_jws.open_token(token, keys))
        if claims.iss != self._issuer:
            raise TokenInvalid("claim `iss`")
        if self._audience not in claims.aud:
            raise TokenInvalid("claim `aud`")
        return claims

    def _why_not_current(self) -> str:
        age = self._position.age()
        if self._ring is None:
            heard = "there are no keys yet"
        else:
            heard = "revocations were not heard yet" if age is None else f"revocations were heard {age:.1f} s ago"
        trouble = self.trouble
        return heard if trouble is None else f"{heard}; {trouble}"

    def _follow(self) -> _Following:
        """The threads of this process."""
        pid = os.getpid()
        following = self._following
        if following is not None and following.pid == pid:
            return following
        with self._starting.setdefault(pid, threading.Lock()):
            following = self._following
            if following is None or following.pid != pid:
                if following is not None:
                    self._revoked.after_fork()
                keys = Keys(self._server, self._receive, settled=self._ring is not None)
                feed = Feed(self._server, self._mode, self._max_staleness, self._revoked, self._position)
                keys.start()
                feed.start()
                following = self._following = _Following(pid, keys, feed)
        return following

    def _receive(self, keys: KeySet) -> None:
        """Takes new keys, and forgets what was verified with the old ones. The same keys again change nothing."""
        ring = self._ring
        if ring is None or ring.keys != keys:
            self._ring = _Ring(keys, Verified())

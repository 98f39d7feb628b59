"""What was taken back before its time: sessions that are over, and accounts whose older tokens are out of date. It is a
set and not a cache; an entry leaves only when nothing that it could concern can still be good.
"""

from __future__ import annotations

import threading
from typing import TypeVar

from .claims import Claims, is_integer, parse_session
from .errors import HallpassError, SessionEnded, TokenStale

V = TypeVar("V")


class Revoked:
    """The set of what was taken back. A session takes about 140 bytes: `benches/revoked.py`.

    A check is one look-up in a dictionary and takes no lock; changes take one. Applying a line twice, or late, or out
    of order, does no harm: the later `forget_at` and the higher version count.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()
        # By the session's 128 bits: when to forget it.
        self._sessions: dict[int, int] = {}
        # By account: below which version its tokens are out of date, and when to forget it.
        self._accounts: dict[int, tuple[int, int]] = {}

    def apply(self, line: object) -> bool:
        """Takes back what one line of the feed names, from the next check on. False if the line is not understood."""
        if not isinstance(line, dict):
            return False
        forget_at = line.get("forget_at")
        if not is_integer(forget_at):
            return False
        if "session" in line:
            return self._end(line["session"], forget_at)
        return self._outdate(line.get("account"), line.get("below_version"), forget_at)

    def _end(self, text: object, forget_at: int) -> bool:
        session = parse_session(text)
        if session is None:
            return False
        with self._changing:
            self._sessions[session.int] = max(forget_at, self._sessions.get(session.int, forget_at))
        return True

    def _outdate(self, account: object, below: object, forget_at: int) -> bool:
        if not (is_integer(account) and is_integer(below)):
            return False
        with self._changing:
            known_below, known_forget_at = self._accounts.get(account, (below, forget_at))
            self._accounts[account] = (max(below, known_below), max(forget_at, known_forget_at))
        return True

    def check(self, claims: Claims) -> HallpassError | None:
        """What was done to the token of these claims. A session that is over outweighs claims that are out of date."""
        if claims.sid.int in self._sessions:
            return SessionEnded()
        outdated = self._accounts.get(claims.sub)
        if outdated is not None and claims.account_version < outdated[0]:
            return TokenStale()
        return None

    def forget(self, now: float) -> None:
        """Drops what has nothing left to concern at `now` (seconds since 1970, UTC)."""
        with self._changing:
            self._sessions = _without(self._sessions, [key for key, at in self._sessions.items() if at <= now])
            self._accounts = _without(self._accounts, [key for key, (_, at) in self._accounts.items() if at <= now])

    def after_fork(self) -> None:
        """Lets a child process change the set: a thread of its parent may have held the lock."""
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions) + len(self._accounts)


def _without(entries: dict[int, V], over: list[int]) -> dict[int, V]:
    for key in over:
        del entries[key]
    # A dictionary never shrinks by itself; after a wave of revocations the memory is given back.
    return dict(entries) if len(over) > len(entries) else entries

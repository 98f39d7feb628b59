"""Follows the public keys of the server. It never drops the keys that it has because the server is away, and never asks
more often than it should because somebody invents names of keys.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import httpx

from ._follower import Follower
from ._keys import KeySet
from ._server import Server, Trouble

ASK_EVERY = 10.0
"""The least seconds between two requests because of a key that is not known."""

# The most seconds that a check waits for the answer to such a request.
_ASK_WAIT = 1.0

# Seconds for which an answer is taken to be fresh, where it says nothing or something odd.
_DEFAULT_AGE, _LEAST_AGE, _MOST_AGE = 300, 10, 3_600

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])", re.ASCII | re.IGNORECASE)


class Keys(Follower):
    """Hands each answer to `receive`."""

    def __init__(self, server: Server, receive: Callable[[KeySet], None], *, settled: bool) -> None:
        super().__init__("keys", server, settled)
        self._receive = receive
        self._etag: str | None = None
        self._changed = threading.Condition()
        self._wanted = False
        self._next_ask = 0.0
        self._patience = 0.0

    def ask(self) -> None:
        """Has the keys asked for once more, if that is due, and waits a moment for the answer."""
        with self._changed:
            now = time.monotonic()
            if not self._wanted:
                if now < self._next_ask:
                    return
                self._wanted = True
                self._next_ask, self._patience = now + ASK_EVERY, now + _ASK_WAIT
                self._wake.set()
            # All who come meanwhile wait for the same answer, and none longer than the first.
            self._changed.wait_for(lambda: not self._wanted, max(0.0, self._patience - now))

    def _exchange(self, client: httpx.Client) -> float:
        # A request that was on its way before somebody asked does not count as the answer.
        wanted = self._wanted
        try:
            return self._fetch(client)
        finally:
            if wanted:
                with self._changed:
                    self._wanted = False
                    self._changed.notify_all()

    def _fetch(self, client: httpx.Client) -> float:
        headers = {"Accept": "application/json"}
        if self._etag is not None:
            headers["If-None-Match"] = self._etag
        response = client.get(self._server.keys_url, headers=headers)
        if response.status_code == 200:
            try:
                keys = KeySet.from_jwks(response.content)
            except ValueError as error:
                raise Trouble(f"answered with {error}") from None
            self._receive(keys)
            self._etag = response.headers.get("etag")
        elif response.status_code != 304 or self._etag is None:
            raise Trouble(f"answered {response.status_code}")
        self._succeeded()
        return _max_age(response.headers.get("cache-control", ""))


def _max_age(cache_control: str) -> float:
    stated = _MAX_AGE.search(cache_control)
    age = int(stated[1]) if stated else _DEFAULT_AGE
    return float(min(max(age, _LEAST_AGE), _MOST_AGE))

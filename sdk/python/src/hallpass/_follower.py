"""A thread that asks the server for one thing again and again, for as long as the process lives. It never ends by
itself, never makes a request wait, and says once, not at every try, what is wrong.
"""

from __future__ import annotations

import logging
import random
import threading

import httpx

from ._server import Server, Trouble

logger = logging.getLogger("hallpass")

# Seconds before the first try after a failure, and at most; each is twice the one before.
_FIRST_DELAY = 0.1
_LAST_DELAY = 5.0


class Follower:
    """What keys and feed have in common. A subclass says in `_exchange` what it asks for."""

    def __init__(self, what: str, server: Server, settled: bool) -> None:
        self.settled = threading.Event()
        """Set as soon as the first answer is here, or is known not to come soon."""
        if settled:
            self.settled.set()
        self.trouble: str | None = None
        """What is wrong at the moment."""
        self._what = what
        self._server = server
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._failures = 0
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"hallpass-{what}", daemon=True)

    def start(self) -> None:
        """Begins to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, soon and without waiting for it."""
        self._stopped.set()
        self._wake.set()

    def _exchange(self, client: httpx.Client) -> float:
        """Asks once, calls `_succeeded` when it was answered, and returns the seconds until the next time."""
        raise NotImplementedError

    def _run(self) -> None:
        client: httpx.Client | None = None
        while not self._stopped.is_set():
            try:
                client = client or self._server.connect()
                delay = self._exchange(client)
            except Exception as error:  # noqa: BLE001 (whatever it is, the thread goes on)
                delay = self._failed(error)
            self._pause(delay)
        if client is not None:
            client.close()

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _succeeded(self) -> None:
        if self.trouble is not None:
            logger.info("%s: `%s` answers again", self._what, self._server.base_url)
        self.trouble = None
        self._failures = 0
        self._said.clear()
        self.settled.set()

    def _failed(self, error: Exception) -> float:
        if self._stopped.is_set():
            return 0.0
        expected = isinstance(error, (Trouble, httpx.HTTPError))
        text = str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
        self.trouble = f"{self._what}: `{self._server.base_url}`: {text}"
        # A few at most: texts that differ each time would be said each time.
        if text not in self._said and len(self._said) < 8:
            self._said.add(text)
            grave = not expected or (isinstance(error, Trouble) and error.for_operator)
            level = logging.ERROR if grave else logging.WARNING
            logger.log(level, "%s; trying again", self.trouble, exc_info=None if expected else error)
        self.settled.set()
        delay = min(_LAST_DELAY, _FIRST_DELAY * float(1 << min(self._failures, 10)))
        self._failures += 1
        return delay * random.uniform(0.5, 1.0)

"""Follows what the server takes back, as a stream of events or by long polls, and resumes where it was. It never counts
as heard what it did not understand, and never forgets a line because the server is away.
"""

from __future__ import annotations

import math
import re
import socket
import time
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from . import _json
from ._follower import Follower, logger
from ._moment import Moment
from ._revoked import Revoked
from ._server import TIMEOUT, Server, Trouble
from ._sse import events

Mode = Literal["stream", "poll"]

# Seconds without a byte after which a stream is taken to be dead, and the least: heartbeats come every 2.
_SILENCE = 5.0
_LEAST_SILENCE = 2.5

# Seconds before a stream that worked and was cut is opened again.
_REOPEN = 0.1

# Seconds between two times of forgetting.
_FORGET_EVERY = 10.0

# Seconds for which a line is kept beyond its time, since clocks are set back now and then.
_KEPT = 60.0

_CURSOR = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)


@dataclass(slots=True)
class Position:
    """How far the feed was read, and when it was last heard. It outlives threads and is copied by a fork."""

    cursor: str | None = None
    heard: Moment | None = None
    """None before the first complete answer."""
    forgotten: float = -math.inf
    """Until this moment (seconds since 1970, UTC) what is over was dropped."""

    def age(self) -> float | None:
        """Seconds since the feed was last heard."""
        return None if self.heard is None else self.heard.age()

    def heard_within(self, seconds: float) -> bool:
        """Whether the feed was heard lately."""
        age = self.age()
        return age is not None and age <= seconds


class Feed(Follower):
    """Applies each line to `revoked`, then moves `position`: a line can be applied twice, and never not at all."""

    def __init__(self, server: Server, mode: Mode, max_staleness: float, revoked: Revoked, position: Position) -> None:
        super().__init__("revocations", server, settled=position.heard_within(max_staleness))
        self._mode = mode
        self._revoked = revoked
        self._position = position
        # A third of the time: an answer is as old as its question when it comes, and the next one takes as long.
        self._wait = min(25, int(max_staleness / 3))
        self._pace = min(1.0, max_staleness / 4)
        self._patience = max(_LEAST_SILENCE, min(_SILENCE, max_staleness))
        self._forget_after = 0.0
        self._socket: socket.socket | None = None

    def stop(self) -> None:
        super().stop()
        reading = self._socket
        if reading is not None:
            try:
                reading.shutdown(socket.SHUT_RDWR)  # The thread waits for it to say something.
            except OSError:
                pass  # It has ended already.

    def _exchange(self, client: httpx.Client) -> float:
        if self._mode == "stream" and self._position.heard is not None:
            return self._stream(client)
        return self._poll(client)

    def _poll(self, client: httpx.Client) -> float:
        asked, began = Moment(), time.monotonic()
        # The first time everything that is live, at once.
        wait = 0 if self._position.heard is None else self._wait
        before = self._position.cursor
        headers = {"Accept": "application/json"}
        if before is not None:
            headers["If-None-Match"] = f'"{before}"'
        response = client.get(
            self._server.feed_url,
            params=self._since() | {"wait": str(wait)},
            headers=headers,
            auth=self._server.basic,
            timeout=httpx.Timeout(TIMEOUT, read=wait + TIMEOUT),
        )
        # As of the question, however long this process stood still in between.
        if response.status_code == 304 and before is not None:
            self._heard(asked)
        elif response.status_code != 200:
            raise self._refusal(response)
        elif self._apply(response.content, asked):
            if self._position.cursor == before:
                raise Trouble("has more, and does not say from where")
            return 0.0
        # An answer that brings nothing should have taken its time; this keeps a server that is hasty from being asked
        # without a pause.
        pace = 0.0 if self._position.cursor != before else self._pace
        return max(0.0, pace - (time.monotonic() - began))

    def _stream(self, client: httpx.Client) -> float:
        heard = False
        last = Moment()
        with client.stream(
            "GET",
            self._server.feed_url,
            params=self._since(),
            headers={"Accept": "text/event-stream", "Accept-Encoding": "identity"},
            auth=self._server.basic,
            timeout=httpx.Timeout(TIMEOUT, read=_SILENCE),
        ) as response:
            if response.status_code != 200:
                response.read()
                raise self._refusal(response)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise Trouble('answered with no stream: a proxy may be in the way, `feed="poll"` does without')
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            # Whoever stops this sets the one and looks at the other; here it is the other way round.
            if self._stopped.is_set():
                return 0.0
            try:
                for event in events(response.iter_raw()):
                    arrived = Moment()
                    # What waited here while this process or the machine stood still says nothing about now: it is asked
                    # for anew.
                    if last.age() > self._patience:
                        return 0.0
                    if event.name == "lines" and self._apply(event.data, arrived):
                        continue
                    if event.name == "heartbeat":
                        self._heard(arrived)
                    last, heard = arrived, True
                    if self._stopped.is_set():
                        return 0.0
            except (httpx.ReadError, httpx.RemoteProtocolError):
                # Servers restart, proxies cut: no trouble, if the next stream works.
                if not heard:
                    raise
            finally:
                self._socket = None
        if not heard:
            raise Trouble("ends the stream at once")
        return _REOPEN

    def _since(self) -> dict[str, str]:
        return {} if self._position.cursor is None else {"since": self._position.cursor}

    def _apply(self, document: bytes, moment: Moment) -> bool:
        """Applies an answer as of `moment`; true if there is more, and the feed hence not heard to its end."""
        try:
            answer = _json.read_object(document)
        except ValueError as error:
            raise Trouble(f"answered with what is {error}") from None
        cursor, lines, more = answer.get("cursor"), answer.get("lines"), answer.get("more", False)
        if not isinstance(cursor, str) or not _CURSOR.fullmatch(cursor) or not isinstance(lines, list):
            raise Trouble("answered with something else than revocations: is `base_url` right?")
        # One that is not understood does not keep the others from taking effect.
        understood = [self._revoked.apply(line) for line in lines]
        if not all(understood):
            raise Trouble("sent a line that is not understood: this package may be too old", for_operator=True)
        # With `reset` the lines begin a new history. What is held besides stays until its time, so it is no other case.
        if answer.get("reset") is True and self._position.cursor is not None:
            logger.info("%s: `%s` begins a new history", self._what, self._server.base_url)
        self._position.cursor = cursor
        if more is False:
            self._heard(moment)
        return more is not False

    def _heard(self, moment: Moment) -> None:
        """All is known as of `moment`; unless this machine's clock was set back so far that what was dropped may live
        again. Then everything has to be read anew.
        """
        now, position = time.time(), self._position
        if now < position.forgotten:
            position.cursor, position.heard, position.forgotten = None, None, -math.inf
            raise Trouble("is read from the beginning, since the clock of this machine was set back")
        position.heard = moment
        self._succeeded()
        monotonic = time.monotonic()
        if monotonic >= self._forget_after:
            self._forget_after = monotonic + _FORGET_EVERY
            position.forgotten = now - _KEPT
            self._revoked.forget(position.forgotten)

    def _refusal(self, response: httpx.Response) -> Trouble:
        code = _code(response)
        if response.status_code in (401, 403):
            return Trouble(
                f"refuses the client `{self._server.client_id}` ({code}): check `client_id` and `client_secret`, or "
                "make a client with `hallpass clients create`",
                for_operator=True,
            )
        if response.status_code == 400:
            # It may be the cursor; without one there is an answer for everybody.
            self._position.cursor = None
        return Trouble(f"answered {code}")


def _code(response: httpx.Response) -> str:
    """The status, and the code of a problem document."""
    try:
        code: Any = _json.read_object(response.content).get("code")
    except ValueError:
        code = None
    known = isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code)
    return f"{response.status_code} `{code}`" if known else str(response.status_code)

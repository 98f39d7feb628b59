"""Machines that sleep, processes that are stopped, and clocks that are set: what was heard counts for as long as
`max_staleness` says by whichever clock says more, and nothing that a wrong clock made it forget is taken for good.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest
from support import CLIENT, FEED, ISSUER, HallpassServer, SigningKey, eventually, session_line, some_session

import hallpass._feed
import hallpass._moment
import hallpass.verifier
from hallpass import HallpassError, Verifier

Making = Callable[..., Verifier]
DAY = 86_400.0

mode = pytest.mark.parametrize("mode", ["stream", "poll"])


class Clocks:
    """The two clocks of the machine, each put forward by itself. It takes the place of the module `time`."""

    def __init__(self) -> None:
        self.ahead = self.monotonic_ahead = 0.0

    def time(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.monotonic_ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    for module in (hallpass._feed, hallpass._moment, hallpass.verifier):
        monkeypatch.setattr(module, "time", clocks)
    return clocks


def outcome(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except HallpassError as error:
        return error.code
    return "good"


def goes_away(server: HallpassServer, verifier: Verifier) -> None:
    """Nothing of the feed is on its way any more."""
    if verifier._mode == "stream":
        server.wait_for(lambda: server.open_streams == 1)
    server.change(status={FEED: 503})
    server.cut()
    eventually(lambda: verifier.trouble)


@mode
def test_what_the_machine_slept_through_counts_as_silence(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey, clock: Clocks
) -> None:
    verifier, token = verifying(feed=mode), key.token()
    assert verifier.start(10)
    goes_away(server, verifier)
    assert outcome(verifier, token) == "good"
    clock.ahead += 11  # the monotonic clock stood still
    assert (verifier.current, outcome(verifier, token)) == (False, "revocation_unknown")
    server.change(status={})
    eventually(lambda: verifier.current)
    assert outcome(verifier, token) == "good"


@mode
def test_a_clock_that_was_set_back_is_not_believed_before_the_server_is_heard_again(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey, clock: Clocks
) -> None:
    verifier, token = verifying(feed=mode), key.token()
    assert verifier.start(10)
    goes_away(server, verifier)
    clock.ahead -= 1
    assert outcome(verifier, token) == "good", "by so much it may be wrong"
    clock.ahead -= 20
    assert (verifier.current, outcome(verifier, token)) == (False, "revocation_unknown")
    server.change(status={})
    eventually(lambda: verifier.current)
    assert outcome(verifier, token) == "good"


@mode
def test_a_day_ahead_and_back_lets_no_ended_session_in_and_the_others_are_good_again(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey, clock: Clocks
) -> None:
    session = some_session()
    server.take_back(session_line(session))
    verifier = verifying(feed=mode, max_staleness=3)
    assert verifier.start(10)
    over, live = key.token(sid=session), key.token()

    def back() -> None:
        clock.ahead = 0

        def good_again() -> bool:
            assert outcome(verifier, over) != "good"
            return outcome(verifier, live) == "good"

        eventually(good_again)
        assert outcome(verifier, over) == "session_ended"

    clock.ahead = DAY
    clock.monotonic_ahead += 61  # time to forget: by this clock nothing that is held matters any more
    eventually(lambda: len(verifier._revoked) == 0)
    back()
    clock.ahead = -DAY
    clock.monotonic_ahead += 61
    eventually(lambda: verifier.current)
    back()


# A back end, which prints its port and lets in whoever has a good token.
BACK_END = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from hallpass import HallpassError, Verifier

url, client, secret, issuer, mode = sys.argv[1:]
verifier = Verifier(issuer, base_url=url, client_id=client, client_secret=secret, feed=mode, max_staleness=3)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            verifier.authenticate(self.headers["Authorization"])
            status, text = 200, "good"
        except HallpassError as error:
            status, text = error.status, error.code
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
assert verifier.start(10)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no processes")
@pytest.mark.parametrize("news", ["with the news", "without the news"])
@mode
def test_a_process_that_was_stopped_for_too_long_lets_in_nobody_who_signed_out_meanwhile(
    mode: str, news: str, server: HallpassServer, key: SigningKey
) -> None:
    arguments = [server.url, *CLIENT, ISSUER, mode]
    with subprocess.Popen([sys.executable, "-c", BACK_END, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            session = some_session()
            over, live = key.token(sid=session), key.token()

            def ask(token: str) -> str:
                return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20).text

            if mode == "stream":
                server.wait_for(lambda: server.open_streams == 1)
            eventually(lambda: ask(over) == "good")
            os.kill(process.pid, signal.SIGSTOP)
            stopped = time.monotonic()
            if news == "with the news":
                server.take_back(session_line(session))
            eventually(lambda: time.monotonic() - stopped > 3.5)
            if news == "without the news":
                # Heartbeats are all that waits there.
                server.change(status={FEED: 503})
                server.cut()
                server.take_back(session_line(session))
            os.kill(process.pid, signal.SIGCONT)
            for _ in range(20):
                assert ask(over) in ("session_ended", "revocation_unknown")
            server.change(status={})

            def good_again() -> bool:
                assert ask(over) != "good"
                return ask(live) == "good"

            eventually(good_again)
            assert ask(over) == "session_ended"
        finally:
            process.kill()

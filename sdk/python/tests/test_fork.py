"""A process that is forked after its verifier was started, as servers do that load the application first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support import CLIENT, FEED, ISSUER, HallpassServer, SigningKey, session_line, some_session

# The parent has started; its child must serve at once with what the parent knew, then learn by itself.
SCRIPT = """
import os, sys, time
from hallpass import SessionEnded, Verifier

url, client, secret, issuer, token, ended, mode = sys.argv[1:]

def wait_for_end():
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            verifier.verify(token)
        except SessionEnded:
            return
        time.sleep(0.005)
    sys.exit("the end of the session was not heard")

verifier = Verifier(issuer, base_url=url, client_id=client, client_secret=secret, feed=mode)
assert verifier.start(10)
verifier.verify(token)
verifier._revoked._changing.acquire()  # as another thread may at the moment of the fork
child = os.fork()
if child:
    verifier._revoked._changing.release()
else:
    assert verifier.current
    try:
        verifier.verify(ended)
        sys.exit("what the parent knew is forgotten")
    except SessionEnded:
        pass
verifier.verify(token)
os.write(1, b"good in the parent\\n" if child else b"good in the child\\n")  # in one piece
wait_for_end()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    verifier.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("mode", ["stream", "poll"])
def test_a_forked_process_knows_what_its_parent_knew_and_follows_by_itself(
    mode: str, server: HallpassServer, key: SigningKey
) -> None:
    session, ended = some_session(), some_session()
    server.take_back(session_line(ended))
    tokens = [key.token(sid=session), key.token(sid=ended)]
    arguments = [server.url, *CLIENT, ISSUER, *tokens, mode]
    with subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = {process.stdout.readline().strip(), process.stdout.readline().strip()}
        assert said == {"good in the child", "good in the parent"}
        if mode == "stream":
            server.wait_for(lambda: server.open_streams == 2)
        server.take_back(session_line(session))
        assert process.wait(20) == 0
    # One of the two read everything; the other began with the place that it was given.
    begun = [seen for seen in server.seen(FEED) if "since" not in seen.query]
    assert len(begun) == 1

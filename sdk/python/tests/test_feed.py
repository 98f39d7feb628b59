"""What the server takes back is refused here, and a feed that is not heard is noticed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support import (
    CLIENT,
    FEED,
    HallpassServer,
    SigningKey,
    account_line,
    eventually,
    session_line,
    some_session,
)

import hallpass._feed
from hallpass import HallpassError, RevocationUnknown, Verifier
from hallpass._feed import Feed

Making = Callable[..., Verifier]


def outcome(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except HallpassError as error:
        return error.code
    return "good"


@pytest.fixture(params=["stream", "poll"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits between tries are short, so that many of them fit into a test."""
    monkeypatch.setattr(hallpass._follower, "_LAST_DELAY", 0.02)
    yield


def test_a_session_that_ends_is_refused_at_once_and_nothing_else_is(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed=mode)
    assert verifier.start(10)
    session, other = some_session(), some_session()
    token, other_token = key.token(sid=session), key.token(sid=other)
    assert outcome(verifier, token) == outcome(verifier, other_token) == "good"
    server.wait_for(lambda: server.open_streams == 1 if mode == "stream" else len(server.requests) >= 3)
    began = time.monotonic()
    server.take_back(session_line(session))
    eventually(lambda: outcome(verifier, token) == "session_ended", "the end of the session")
    assert time.monotonic() - began < 2, "one long poll or one heartbeat would be later than this"
    assert outcome(verifier, other_token) == "good"


def test_an_account_that_changes_makes_its_older_tokens_stale(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed=mode)
    server.take_back(account_line(42, 4))
    assert verifier.start(10)
    assert outcome(verifier, key.token(account_version=3)) == "token_stale"
    assert outcome(verifier, key.token(account_version=4)) == "good"
    server.take_back(account_line(42, 3), account_line(42, 6), account_line(42, 5))
    eventually(lambda: outcome(verifier, key.token(account_version=5)) == "token_stale")
    assert outcome(verifier, key.token(account_version=6)) == "good"


def test_a_snapshot_in_pages_is_read_to_its_end_before_the_verifier_is_current(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    sessions = [some_session() for _ in range(10)]
    # Out of order, and each twice.
    server.take_back(*(session_line(session) for session in sessions + sessions[::-1]))
    server.change(page=3)
    verifier = verifying(feed=mode)
    assert verifier.start(10)
    for session in sessions:
        assert outcome(verifier, key.token(sid=session)) == "session_ended"
    pages = [seen for seen in server.seen(FEED) if not seen.streams][:7]
    assert [seen.query.get("since") for seen in pages] == [None, *(f"a.{place}" for place in range(3, 21, 3))]
    assert {seen.query["wait"] for seen in pages} == {"0"}


def test_a_verifier_is_not_current_while_there_is_more(
    server: HallpassServer, verifying: Making, key: SigningKey, hasty: None
) -> None:
    server.change(feed_body=b'{"cursor": "a.0", "more": true, "reset": false, "lines": []}')
    verifier = verifying()
    assert not verifier.start(10), "it is said to have more, and never says from where"
    assert outcome(verifier, key.token()) == "revocation_unknown"
    server.wait_for_requests(FEED, 3)
    assert not verifier.current
    server.change(feed_body=None)
    eventually(lambda: outcome(verifier, key.token()) == "good")


def test_after_a_cut_the_feed_is_resumed_with_its_cursor(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed=mode)
    session, later = some_session(), some_session()
    server.take_back(session_line(session))
    assert verifier.start(10)
    server.wait_for(lambda: server.open_streams == 1 if mode == "stream" else len(server.requests) >= 3)
    with server.changed:
        before = len(server.requests)
        server.lines.append(session_line(later))
        server.cut()
    eventually(lambda: outcome(verifier, key.token(sid=later)) == "session_ended")
    resumed = [seen for seen in server.requests[before:] if seen.path == FEED]
    assert resumed[0].query["since"] == "a.1"
    assert resumed[0].streams == (mode == "stream")
    assert outcome(verifier, key.token(sid=session)) == "session_ended"
    assert outcome(verifier, key.token()) == "good"


def test_a_server_that_comes_back_is_followed_again(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hallpass")
    verifier = verifying(feed=mode, max_staleness=1)
    assert verifier.start(10)
    session = some_session()
    server.stop()
    eventually(lambda: outcome(verifier, key.token(sid=session)) == "revocation_unknown")
    assert verifier.trouble is not None and server.url in verifier.trouble
    server.take_back(session_line(session))
    server.start()
    eventually(lambda: outcome(verifier, key.token(sid=session)) == "session_ended")
    assert outcome(verifier, key.token()) == "good"
    assert verifier.current and verifier.trouble is None
    texts = [record.getMessage() for record in caplog.records if "revocations" in record.getMessage()]
    assert len(texts) == len(set(texts)) and texts[-1].endswith("answers again"), texts


def test_a_new_history_is_applied_and_what_was_held_stays(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed=mode)
    before, after = some_session(), some_session()
    server.take_back(session_line(before))
    assert verifier.start(10)
    with server.changed:
        server.history, server.lines = "b", [session_line(after)]
        server.changed.notify_all()
    eventually(lambda: outcome(verifier, key.token(sid=after)) == "session_ended")
    assert outcome(verifier, key.token(sid=before)) == "session_ended"
    server.cut()
    server.wait_for(lambda: server.requests[-1].query.get("since") == "b.1")


def test_silence_is_refused_and_signs_nobody_out(server: HallpassServer, verifying: Making, key: SigningKey) -> None:
    verifier = verifying(max_staleness=0.3)
    session, token = some_session(), key.token()
    assert verifier.start(10)
    server.take_back(session_line(session))
    eventually(lambda: outcome(verifier, key.token(sid=session)) == "session_ended")
    eventually(lambda: outcome(verifier, token) == "good")
    server.change(heartbeats=False)
    eventually(lambda: outcome(verifier, token) == "revocation_unknown", "the silence")
    with pytest.raises(RevocationUnknown) as refused:
        verifier.verify(token)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert not verifier.current
    assert outcome(verifier, key.token(sid=session)) == "session_ended", "what is known stays known"
    assert outcome(verifier, "not.a.token") == "token_invalid"
    server.change(heartbeats=True)
    eventually(lambda: outcome(verifier, token) == "good", "the end of the silence")


def test_silence_is_accepted_where_the_operator_wants_it(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(max_staleness=0.2, when_stale="accept")
    session = some_session()
    server.take_back(session_line(session))
    assert verifier.start(10)
    server.change(heartbeats=False)
    eventually(lambda: not verifier.current)
    assert outcome(verifier, key.token()) == "good"
    assert outcome(verifier, key.token(sid=session)) == "session_ended"


def test_a_stream_that_says_nothing_for_long_is_opened_again(
    server: HallpassServer, verifying: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallpass._feed, "_SILENCE", 0.2)
    assert verifying().start(10)
    server.wait_for(lambda: server.open_streams == 1)
    server.change(heartbeats=False)
    server.wait_for(lambda: len([seen for seen in server.requests if seen.streams]) >= 3)


def test_a_poll_without_news_is_answered_304_and_keeps_the_verifier_current(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed="poll", max_staleness=0.5)
    assert verifier.start(10)
    server.wait_for_requests(FEED, 6)
    assert outcome(verifier, key.token()) == "good"
    polls = server.seen(FEED)
    assert polls[0].query == {"wait": "0"} and "if-none-match" not in polls[0].headers
    for poll in polls[1:]:
        assert poll.query["since"] == "a.0" and poll.headers["if-none-match"] == '"a.0"'


def test_a_long_poll_waits_for_a_third_of_what_is_allowed(server: HallpassServer, verifying: Making) -> None:
    assert verifying(feed="poll", max_staleness=9).start(10)
    server.wait_for_requests(FEED, 2)
    assert server.seen(FEED)[1].query["wait"] == "3"
    assert verifying(feed="poll", max_staleness=1_000).start(10)
    server.wait_for(lambda: any(seen.query.get("wait") == "25" for seen in server.requests))


def test_a_server_that_is_hasty_is_not_asked_without_a_pause(server: HallpassServer, verifying: Making) -> None:
    verifier = verifying(feed="poll", max_staleness=10)
    server.change(feed_body=b'{"cursor": "a.0", "more": false, "reset": false, "lines": []}')
    assert verifier.start(10)
    server.wait_for_requests(FEED, 2)
    began = time.monotonic()
    server.wait_for_requests(FEED, 4)
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_cannot_follow_its_own_log_is_not_heard(
    status: int, mode: str, server: HallpassServer, verifying: Making, key: SigningKey, hasty: None
) -> None:
    server.change(status={FEED: status})
    verifier = verifying(feed=mode, max_staleness=0.4)
    assert not verifier.start(10)
    assert outcome(verifier, key.token()) == "revocation_unknown"
    assert verifier.trouble is not None and verifier.trouble.endswith(f"answered {status} `unavailable`")
    server.change(status={})
    eventually(lambda: outcome(verifier, key.token()) == "good")
    if mode == "stream":
        server.wait_for(lambda: server.open_streams == 1)
    server.change(status={FEED: status})
    server.cut()
    eventually(lambda: outcome(verifier, key.token()) == "revocation_unknown")


def test_a_wrong_secret_is_said_once_and_clearly_and_tried_again(
    mode: str,
    server: HallpassServer,
    verifying: Making,
    key: SigningKey,
    caplog: pytest.LogCaptureFixture,
    hasty: None,
) -> None:
    server.change(secret="another")
    verifier = verifying(feed=mode)
    assert not verifier.start(10)
    server.wait_for_requests(FEED, 5)
    with pytest.raises(RevocationUnknown, match="refuses the client `orders`"):
        verifier.verify(key.token())
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in errors] == ["ERROR"]
    assert "401 `client_invalid`" in errors[0].getMessage() and "hallpass clients create" in errors[0].getMessage()
    assert CLIENT[1] not in caplog.text
    server.change(secret=CLIENT[1])
    eventually(lambda: outcome(verifier, key.token()) == "good")


def test_tries_come_later_and_later() -> None:
    feed = Feed.__new__(Feed)
    server = hallpass._server.Server("http://127.0.0.1", "a", "b")
    hallpass._follower.Follower.__init__(feed, "revocations", server, False)
    delays = [feed._failed(hallpass._server.Trouble("x")) for _ in range(12)]
    for number, delay in enumerate(delays):
        longest = min(5.0, 0.1 * 2**number)
        assert longest / 2 <= delay <= longest
    feed._succeeded()
    assert feed._failed(hallpass._server.Trouble("x")) <= 0.1


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b"<html>", b'{"cursor": "a.0"}', b'{"cursor": "a 0", "lines": []}'),
        *(b'{"cursor": "a.0", "lines": [], "lines": []}', b'{"cursor": "' + b"a" * 201 + b'", "lines": []}'),
        *(b'{"cursor": "a.0", "lines": [{"device": 1, "forget_at": 1}]}', b'{"cursor": "a.0", "lines": {}}'),
        *(b'{"cursor": "a.0", "lines": [], "more": null}', b'{"cursor": 1, "lines": []}'),
    ],
)
def test_an_answer_that_is_not_understood_is_not_heard(
    body: bytes, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    server.change(feed_body=body)
    verifier = verifying()
    assert not verifier.start(10)
    assert outcome(verifier, key.token()) == "revocation_unknown"


def test_a_line_that_is_not_understood_does_not_save_the_others(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    session = some_session()
    server.take_back({"device": 1, "forget_at": 1}, session_line(session))
    verifier = verifying(when_stale="accept")
    assert not verifier.start(10)
    assert outcome(verifier, key.token(sid=session)) == "session_ended"
    assert outcome(verifier, key.token()) == "good"


def test_what_is_not_understood_in_an_open_stream_is_not_heard(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier, session = verifying(max_staleness=1), some_session()
    assert verifier.start(10)
    server.wait_for(lambda: server.open_streams == 1)
    # Nothing else will be heard.
    server.change(heartbeats=False, status={FEED: 500})
    server.take_back({"device": 1, "forget_at": 1}, session_line(session))
    eventually(lambda: outcome(verifier, key.token(sid=session)) == "session_ended")
    eventually(lambda: verifier.trouble)
    eventually(lambda: outcome(verifier, key.token()) == "revocation_unknown")


def test_a_cursor_that_the_server_refuses_is_given_up(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    verifier = verifying(feed="poll", max_staleness=2)
    assert verifier.start(10)
    server.change(status={FEED: 400})
    eventually(lambda: verifier.trouble)
    server.wait_for(lambda: "since" not in server.requests[-1].query)
    server.change(status={})
    eventually(lambda: verifier.trouble is None)
    assert outcome(verifier, key.token()) == "good"


def test_what_nothing_can_concern_any_more_is_forgotten(
    server: HallpassServer, verifying: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallpass._feed, "_FORGET_EVERY", 0.0)
    server.take_back(session_line(some_session(), -61), account_line(42, 9, -61), session_line(some_session(), -50))
    verifier = verifying()
    assert verifier.start(10)
    eventually(lambda: len(verifier._revoked) == 1)


def test_a_verifier_that_is_closed_ends_its_threads_and_begins_again_when_it_is_used(
    mode: str, server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    before = set(threading.enumerate())
    with verifying(feed=mode, max_staleness=4) as verifier:
        assert outcome(verifier, key.token()) == "good"
        server.wait_for(lambda: server.open_streams == 1 if mode == "stream" else len(server.requests) >= 3)
        server.change(heartbeats=False)
        threads = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("hallpass-")]
        assert len(threads) == 2
    for thread in threads:
        thread.join(4)
        assert not thread.is_alive()
    server.change(heartbeats=True)
    assert outcome(verifier, key.token()) == "good"
    assert verifier.current

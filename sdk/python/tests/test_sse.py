"""Server-sent events, however a network cuts them up."""

from __future__ import annotations

from hallpass._sse import events

TEXT = (
    b': a remark\n\nid: a.1\r\nevent: lines\r\ndata: {"x":\ndata: 1}\r\n\r\n'
    b"event: heartbeat\ndata: {}\n\ndata:no blank\n\nevent: nothing\n\nretry: 5\ndata\n\nevent: cut\ndata: off"
)
EVENTS = [("lines", b'{"x":\n1}'), ("heartbeat", b"{}"), ("message", b"no blank"), ("message", b"")]


def test_an_event_is_the_same_in_one_piece_or_in_many() -> None:
    for size in range(1, len(TEXT) + 1):
        chunks = [TEXT[place : place + size] for place in range(0, len(TEXT), size)]
        assert list(events(chunks)) == EVENTS, size


def test_an_event_is_given_out_before_the_next_piece_comes() -> None:
    def chunks() -> object:
        yield b"event: heartbeat\ndata: {}\n\nevent: li"
        raise AssertionError("it was waited for more")

    assert next(events(chunks())) == ("heartbeat", b"{}")  # type: ignore[arg-type]

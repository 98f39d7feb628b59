"""Server-sent events (WHATWG HTML, section 9.2), read from the bytes of an answer. It never waits for more than the
blank line that ends an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerEvent(NamedTuple):
    """One event: its name, and its lines of data put together."""

    name: str
    data: bytes


def events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """The events of a stream that arrives in pieces; one that is cut off is none. Lines end with LF or CR LF."""
    name, data = "message", list[bytes]()
    for line in _lines(chunks):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                yield ServerEvent(name, b"\n".join(data))
            name, data = "message", []
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"data":
            data.append(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pieces: list[bytes] = []
    for chunk in chunks:
        *ended, begun = chunk.split(b"\n")
        for end in ended:
            yield b"".join([*pieces, end]).removesuffix(b"\r")
            pieces.clear()
        pieces.append(begun)

"""base64url without padding (RFC 7515 section 2): one text for one sequence of bytes. It never skips a character, and
never takes set bits behind the last byte.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def decode(text: bytes) -> bytes:
    """The bytes that `text` stands for. Raises `ValueError`."""
    value = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    # The library overlooks what does not belong there; what is written the one right way comes out as it went in.
    if urlsafe_b64encode(value).rstrip(b"=") != text:
        raise ValueError("not base64url")
    return value

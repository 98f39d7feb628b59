"""Verifies Hallpass access tokens in a resource server, and refuses what was taken back before its time.

Checking a token never asks the Hallpass server: its keys and its revocations are followed in the background.
"""

from .claims import Claims
from .errors import (
    Forbidden,
    HallpassError,
    RevocationUnknown,
    SessionEnded,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenStale,
)
from .verifier import Verifier

__all__ = [
    "Claims",
    "Forbidden",
    "HallpassError",
    "RevocationUnknown",
    "SessionEnded",
    "TokenExpired",
    "TokenInvalid",
    "TokenMissing",
    "TokenStale",
    "Verifier",
]

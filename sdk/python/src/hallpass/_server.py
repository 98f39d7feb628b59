"""The Hallpass server as seen from here: where it is, and who we are to it. The secret never reaches a log."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

TIMEOUT = 5.0
"""Seconds for a connection, and for an answer that has nothing to wait for."""


class Trouble(Exception):
    """The server answered, and not as it should. The text is for the log.

    `for_operator` says that it will not go away by itself.
    """

    def __init__(self, text: str, *, for_operator: bool = False) -> None:
        super().__init__(text)
        self.for_operator = for_operator


@dataclass(frozen=True, slots=True)
class Server:
    """An address, and the client that the operator made for this resource server."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        url = httpx.URL(self.base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError("`base_url` is not `https://` and the address of the Hallpass server")
        if not self.client_id or ":" in self.client_id or not self.client_secret:
            raise ValueError("`client_id` and `client_secret` are missing: see `hallpass clients create`")

    @property
    def keys_url(self) -> str:
        """Where the keys are."""
        return f"{self.base_url.rstrip('/')}/.well-known/jwks.json"

    @property
    def feed_url(self) -> str:
        """Where the feed is."""
        return f"{self.base_url.rstrip('/')}/api/v1/revocations"

    @property
    def basic(self) -> httpx.BasicAuth:
        """What the feed asks for; the keys are public."""
        return httpx.BasicAuth(self.client_id, self.client_secret)

    def connect(self) -> httpx.Client:
        """A client that follows no redirect, so that the secret goes nowhere else."""
        return httpx.Client(timeout=TIMEOUT, follow_redirects=False, headers={"User-Agent": "hallpass-python"})

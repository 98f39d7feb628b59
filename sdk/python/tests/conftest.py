"""A server, keys, and verifiers that are closed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import CLIENT, ISSUER, HallpassServer, SigningKey

from hallpass import Verifier

os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """All takes place on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey("ES256")


@pytest.fixture
def server(key: SigningKey) -> Iterator[HallpassServer]:
    playing = HallpassServer(keys=[key.jwk()])
    yield playing
    playing.stop()


@pytest.fixture
def verifying(server: HallpassServer) -> Iterator[Callable[..., Verifier]]:
    """Makes verifiers that follow `server`."""
    made: list[Verifier] = []

    def make(**options: Any) -> Verifier:
        arguments = {"base_url": server.url, "client_id": CLIENT[0], "client_secret": CLIENT[1]} | options
        made.append(Verifier(arguments.pop("issuer", ISSUER), **arguments))
        return made[-1]

    yield make
    for verifier in made:
        verifier.close()


@pytest.fixture
def verifier(verifying: Callable[..., Verifier]) -> Verifier:
    """One that is current."""
    made = verifying()
    assert made.start(10), made.trouble
    return made

"""The dependency of FastAPI, and what a client of the application gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import fastapi
import httpx
from support import HallpassServer, SigningKey, account_line, eventually, session_line, some_session

from hallpass import Claims, HallpassError, Verifier
from hallpass.fastapi import current_user, problem_response


class Client:
    """Asks an application without a network."""

    def __init__(self, app: fastapi.FastAPI) -> None:
        self._app = app

    def get(self, path: str, headers: dict[str, str] | list[tuple[str, str]] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://orders.example") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


def client_of(verifier: Verifier) -> Client:
    app = fastapi.FastAPI()
    app.add_exception_handler(HallpassError, problem_response)
    user_of = fastapi.Depends(current_user(verifier))

    def orders(user: Claims = user_of) -> dict[str, object]:
        return {"account": user.sub}

    async def refunds(user: Claims = user_of) -> None:
        user.require_role("admin")

    app.get("/orders")(orders)
    app.get("/refunds")(refunds)
    return Client(app)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_lets_its_owner_in(verifier: Verifier, key: SigningKey) -> None:
    answer = client_of(verifier).get("/orders", headers=bearer(key.token()))
    assert (answer.status_code, answer.json()) == (200, {"account": 42})


def test_what_is_not_a_good_token_is_refused_as_the_standards_say(
    server: HallpassServer, verifier: Verifier, key: SigningKey
) -> None:
    client, session = client_of(verifier), some_session()
    server.take_back(session_line(session), account_line(7, 9))
    eventually(lambda: len(verifier._revoked) == 2)

    def refused(headers: dict[str, str] | list[tuple[str, str]], path: str = "/orders") -> tuple[int, str, str]:
        answer = client.get(path, headers=headers)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        return answer.status_code, answer.json()["code"], answer.headers["www-authenticate"]

    def invalid(text: str) -> str:
        return f'Bearer error="invalid_token", error_description="{text}"'

    token = key.token()
    assert refused({}) == (401, "token_missing", "Bearer")
    assert client.get(f"/orders?access_token={token}").status_code == 401
    not_valid = (401, "token_invalid", invalid("The access token is not valid"))
    assert refused({"Authorization": f"Basic {token}"}) == not_valid
    assert refused({"Authorization": ""}) == not_valid
    assert refused([("Authorization", f"Bearer {token}")] * 2) == not_valid
    assert refused(bearer(token[:-6])) == not_valid
    assert refused(bearer(key.token(exp=1_000, iat=900))) == (
        *(401, "token_expired"),
        invalid("The access token has expired"),
    )
    assert refused(bearer(key.token(sub="7"))) == (401, "token_stale", invalid("The access token is out of date"))
    assert refused(bearer(key.token(sid=session))) == (401, "session_ended", invalid("The session has ended"))
    assert refused(bearer(token), "/refunds")[:2] == (403, "forbidden")


def test_what_is_not_known_is_503(server: HallpassServer, verifying: Callable[..., Verifier], key: SigningKey) -> None:
    server.change(secret="another")
    answer = client_of(verifying()).get("/orders", headers=bearer(key.token()))
    assert (answer.status_code, answer.json()["code"]) == (503, "revocation_unknown")
    assert answer.headers["retry-after"] == "1"
    assert "www-authenticate" not in answer.headers


def test_the_description_says_that_a_token_is_needed(verifier: Verifier) -> None:
    described = client_of(verifier).get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["hallpass"]["scheme"] == "bearer"
    assert described["paths"]["/orders"]["get"]["security"] == [{"hallpass": []}]

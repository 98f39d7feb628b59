"""The `Authorization` header, and what a client is told."""

from __future__ import annotations

import json

import pytest
from support import SigningKey

import hallpass
from hallpass import HallpassError, TokenInvalid, TokenMissing, Verifier
from hallpass._authorization import bearer


def test_the_scheme_is_bearer_in_any_letter_case() -> None:
    for scheme in ("Bearer", "bearer", "BEARER", "bEARER"):
        assert bearer([f"{scheme} a.b-c_d~e+f/g=="]) == "a.b-c_d~e+f/g=="


@pytest.mark.parametrize(
    "value",
    [
        *("Bearer", "Bearer ", "Bearer  x", " Bearer x", "Bearer x ", "Bearer\tx", "Bearer x y", "Bearer x,Bearer y"),
        *("Bearer x, y", "Bearer =", "Bearer a=b", 'Bearer "x"', "Bearer x;", "Bearer Bearer x", "Bearer token=x"),
        *("Bearer {x}", "Bearer x\u00a0", "Bearer é", "Basic x", "JWT x", "Token x", "DPoP x", "Bearerx", "x", ""),
        *("Bearer x\n", "Bearer x\r\nX: y", "Bearer x\0", "Bearer １"),
    ],
)
def test_only_one_token_after_one_space_is_a_header_of_ours(value: str) -> None:
    with pytest.raises(TokenInvalid):
        bearer([value])


def test_two_headers_are_refused_even_if_they_agree() -> None:
    for other in ("Bearer x", "Basic y", ""):
        with pytest.raises(TokenInvalid):
            bearer(["Bearer x", other])


def test_no_header_is_no_token(verifier: Verifier, key: SigningKey) -> None:
    with pytest.raises(TokenMissing):
        verifier.authenticate(None)
    with pytest.raises(TokenInvalid):
        verifier.authenticate("")
    assert verifier.authenticate(f"bearer {key.token()}").sub == 42


@pytest.mark.parametrize(
    ("name", "code", "status", "headers"),
    [
        ("TokenMissing", "token_missing", 401, {"WWW-Authenticate": "Bearer"}),
        ("TokenInvalid", "token_invalid", 401, "The access token is not valid"),
        ("TokenExpired", "token_expired", 401, "The access token has expired"),
        ("TokenStale", "token_stale", 401, "The access token is out of date"),
        ("SessionEnded", "session_ended", 401, "The session has ended"),
        (
            *("Forbidden", "forbidden", 403),
            {"WWW-Authenticate": 'Bearer error="insufficient_scope", error_description="The account may not do this"'},
        ),
        ("RevocationUnknown", "revocation_unknown", 503, {"Retry-After": "1"}),
    ],
)
def test_a_refusal_is_a_problem_document_with_a_challenge(
    name: str, code: str, status: int, headers: dict[str, str] | str
) -> None:
    error = getattr(hallpass, name)("for the log alone")
    assert isinstance(error, HallpassError)
    if isinstance(headers, str):
        assert error.title == headers
        headers = {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{headers}"'}
    assert (error.code, error.status, error.headers) == (code, status, headers)
    assert error.problem() == {
        "type": "about:blank",
        "title": error.title,
        "status": status,
        "detail": error.detail,
        "code": code,
    }
    assert "log" not in json.dumps([error.problem(), error.headers])
    assert str(error) == f"{error.title}: for the log alone"


@pytest.mark.parametrize(
    "wrong",
    [
        {"when_stale": "maybe"},
        {"feed": "push"},
        {"max_staleness": 0},
        {"leeway": 61},
        {"leeway": -1},
        {"client_id": ""},
        {"client_id": "a:b"},
        {"client_secret": ""},
        {"base_url": "login.example.org"},
        {"base_url": "ftp://login.example.org"},
        {"base_url": "https://user:word@login.example.org"},
        {"base_url": "https://login.example.org?x=y"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="`"):
        Verifier("https://login.example.org", **({"client_id": "orders", "client_secret": "secret"} | wrong))  # type: ignore[arg-type]


def test_the_secret_is_not_shown() -> None:
    verifier = Verifier("https://login.example.org", client_id="orders", client_secret="hidden")
    assert "hidden" not in f"{verifier!r} {verifier._server!r}"

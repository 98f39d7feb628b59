"""The authentication class of Django REST framework, and what a client of the application gets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import path
from rest_framework import views
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from support import CLIENT, ISSUER, HallpassServer, SigningKey, account_line, eventually, session_line, some_session

from hallpass import Claims, drf

django.setup()


class Orders(views.APIView):
    def get(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, drf.User) and isinstance(request.auth, Claims)
        assert user.is_authenticated and not user.is_anonymous and user.pk == user.id and str(user) == str(user.id)
        return Response({"account": user.id, "roles": user.roles, "support": user.has_role("support")})


class Refunds(Orders):
    def get(self, request: Request) -> Response:
        request.auth.require_role("admin")
        raise AssertionError("it is not reached")


class Plain(Orders):
    """With the framework's own handler of exceptions."""

    def get_exception_handler(self) -> Any:
        return views.exception_handler


class Open(Orders):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({"anonymous": request.user.is_anonymous})


class Staff(Orders):
    permission_classes = (IsAdminUser,)


urlpatterns = [path(view.__name__.lower(), view.as_view()) for view in (Orders, Refunds, Plain, Open, Staff)]


@pytest.fixture
def made_of_settings(server: HallpassServer) -> Iterator[None]:
    stated = {"ISSUER": ISSUER, "BASE_URL": server.url, "CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1]}
    with override_settings(HALLPASS=stated):
        yield


@pytest.fixture
def client(made_of_settings: None) -> APIClient:
    return APIClient()


def get(client: APIClient, view: str, token: str | None = None, **headers: str) -> Any:
    if token is not None:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client.get(f"/{view}", **headers)


def test_a_good_token_makes_the_user(client: APIClient, key: SigningKey) -> None:
    answer = get(client, "orders", key.token())
    assert (answer.status_code, answer.json()) == (200, {"account": 42, "roles": ["support"], "support": True})


def test_what_is_not_a_good_token_is_refused_as_the_standards_say(
    server: HallpassServer, client: APIClient, key: SigningKey
) -> None:
    session = some_session()
    server.take_back(session_line(session), account_line(7, 9))
    assert get(client, "orders", key.token()).status_code == 200
    eventually(lambda: len(drf.verifier()._revoked) == 2)

    def refused(view: str, token: str | None, **headers: str) -> tuple[int, str, str]:
        answer = get(client, view, token, **headers)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        return answer.status_code, answer.json()["code"], answer.headers["www-authenticate"]

    def invalid(text: str) -> str:
        return f'Bearer error="invalid_token", error_description="{text}"'

    token = key.token()
    assert refused("orders", None) == (401, "token_missing", "Bearer")
    not_valid = (401, "token_invalid", invalid("The access token is not valid"))
    assert refused("orders", token[:-6]) == not_valid
    assert refused("orders", f"{token},Bearer {token}") == not_valid
    for header in ("", f"Basic {token}", f"Token {token}"):
        assert refused("orders", None, HTTP_AUTHORIZATION=header) == not_valid
    expired = key.token(exp=1_000, iat=900)
    assert refused("orders", expired) == (401, "token_expired", invalid("The access token has expired"))
    assert refused("orders", key.token(sub="7")) == (401, "token_stale", invalid("The access token is out of date"))
    assert refused("orders", key.token(sid=session)) == (401, "session_ended", invalid("The session has ended"))
    code = 'Bearer error="insufficient_scope", error_description="The account may not do this"'
    assert refused("refunds", token) == (403, "forbidden", code)


def test_the_frameworks_own_handler_says_the_same(client: APIClient, key: SigningKey) -> None:
    answer = get(client, "plain", "x")
    challenge = 'Bearer error="invalid_token", error_description="The access token is not valid"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert answer.json()["code"] == "token_invalid" and answer.json()["status"] == 401
    answer = get(client, "plain")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_view_that_is_open_lets_in_who_brings_no_token_and_none_that_is_wrong(
    client: APIClient, key: SigningKey
) -> None:
    assert get(client, "open").json() == {"anonymous": True}
    assert get(client, "open", key.token()).json() == {"anonymous": False}
    assert get(client, "open", "x").status_code == 401


def test_nobody_is_staff_here_by_a_token(client: APIClient, key: SigningKey) -> None:
    assert get(client, "staff", key.token(roles=["admin"])).status_code == 403


def test_a_page_of_the_browsable_api_stays_a_page(client: APIClient) -> None:
    answer = get(client, "orders", "x", HTTP_ACCEPT="text/html")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")


def test_what_is_not_known_is_503(server: HallpassServer, client: APIClient, key: SigningKey) -> None:
    server.change(secret="another")
    for view in ("orders", "plain"):
        answer = get(client, view, key.token())
        assert (answer.status_code, answer.json()["code"]) == (503, "revocation_unknown")
        assert answer.headers["retry-after"] == "1"
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (None, "`HALLPASS` is missing"),
        ({"ISUER": ISSUER}, "no `ISUER`; it has ISSUER, AUDIENCE"),
        ({"ISSUER": ISSUER}, "client_id"),
        ({"ISSUER": ISSUER, "CLIENT_ID": "a", "CLIENT_SECRET": "b", "FEED": "x"}, "`feed`"),
    ],
)
def test_settings_that_cannot_work_are_named(stated: object, said: str) -> None:
    with override_settings(HALLPASS=stated), pytest.raises(ImproperlyConfigured, match=said):
        drf.verifier()


def test_it_can_be_imported_before_the_views_of_the_framework_which_read_the_setting_that_names_it() -> None:
    script = "import django; django.setup(); import hallpass.drf; import rest_framework.views"
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent, check=True)

"""Lets a request into a Django REST framework view only with a good token. It reads the `Authorization` header and
nothing else, and asks no database: `request.user` is what the token says, not a row of yours.

    HALLPASS = {"ISSUER": "https://login.example.org", "CLIENT_ID": "orders", "CLIENT_SECRET": "…"}
    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["hallpass.drf.HallpassAuthentication"],
        "EXCEPTION_HANDLER": "hallpass.drf.exception_handler",
    }
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .claims import Claims
from .errors import PROBLEM_JSON, HallpassError, TokenMissing
from .verifier import Verifier


@dataclass(frozen=True, slots=True)
class User:
    """Whoever sent the request, by their token. It has what Django and its permissions look at."""

    id: int
    roles: tuple[str, ...]
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False

    @property
    def pk(self) -> int:
        """The same as `id`, by which throttling tells users apart."""
        return self.id

    def has_role(self, role: str) -> bool:
        """Whether the account had this role when the token was issued; a later change makes the token stale."""
        return role in self.roles

    def __str__(self) -> str:
        return str(self.id)


class Refused(APIException):
    """A `HallpassError` as an exception of the framework, which answers with the same headers and body."""

    def __init__(self, error: HallpassError) -> None:
        super().__init__(error.detail, error.code)
        self.error = error
        self.status_code = error.status
        # Under these names the framework's own handler of exceptions looks for two headers and the body.
        self.auth_header = error.challenge
        self.wait = error.retry_after
        self.detail: Any = error.problem()

    def get_codes(self) -> str:
        """The stable name on the wire."""
        return self.error.code


class HallpassAuthentication(BaseAuthentication):
    """`request.user` is a `User` and `request.auth` the `Claims`; a request without the header is anonymous."""

    def authenticate(self, request: Request) -> tuple[User, Claims] | None:
        """Raises `Refused` for a header that is not `Bearer` and a good token."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        try:
            claims = verifier().authenticate(header)
        except HallpassError as error:
            raise Refused(error) from error
        return User(claims.sub, claims.roles), claims

    def authenticate_header(self, request: Request) -> str | None:
        """The challenge for a request without a token."""
        return TokenMissing.challenge


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's own, but for what is about tokens, which becomes `application/problem+json`. A view may
    raise a `HallpassError` of its own, such as by `request.auth.require_role`.
    """
    # That module reads the setting that names our class, so it is not imported before we are.
    from rest_framework import views

    if isinstance(error, HallpassError):
        error = Refused(error)
    elif isinstance(error, NotAuthenticated) and getattr(error, "auth_header", None) == TokenMissing.challenge:
        error = Refused(TokenMissing())
    response = views.exception_handler(error, context)
    renderer = getattr(context.get("request"), "accepted_renderer", None)
    # A page of the browsable API stays a page.
    if response is not None and isinstance(error, Refused) and getattr(renderer, "format", "json") == "json":
        response.content_type = PROBLEM_JSON
    return response


def verifier() -> Verifier:
    """The verifier of this process, made of the setting `HALLPASS`: the arguments of `Verifier` in capitals."""
    # Of two threads that come first one wins; what the other made has not begun to follow anything.
    return _VERIFIER.get("HALLPASS") or _VERIFIER.setdefault("HALLPASS", _made_of_settings())


_VERIFIER: dict[str, Verifier] = {}


def _made_of_settings() -> Verifier:
    stated = getattr(settings, "HALLPASS", None)
    if not isinstance(stated, dict):
        raise ImproperlyConfigured("The setting `HALLPASS` is missing")
    known = {name.upper(): name for name in inspect.signature(Verifier).parameters}
    unknown = sorted(str(name) for name in stated if name not in known)
    if unknown:
        raise ImproperlyConfigured(f"`HALLPASS` has no `{unknown[0]}`; it has {', '.join(known)}")
    try:
        return Verifier(**{known[name]: value for name, value in stated.items()})
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"`HALLPASS`: {error}") from error


def _forget_verifier(*, setting: str, **_: object) -> None:
    forgotten = _VERIFIER.pop(setting, None)
    if forgotten is not None:
        forgotten.close()


# Tests override settings.
setting_changed.connect(_forget_verifier)

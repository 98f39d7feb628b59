"""What there is to ask, the same for all three ways, and who may have refunds, which each way knows from elsewhere."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hallpass.drf import verifier


def index(_: HttpRequest) -> HttpResponse:
    """Open to everybody."""
    return HttpResponse("open to everybody", content_type="text/plain")


def ready(_: HttpRequest) -> JsonResponse:
    """For whoever runs it: whether it is known what was taken back."""
    current = verifier().start()
    return JsonResponse({"current": current}, status=200 if current else 503)


class Orders(APIView):
    """For whoever is signed in."""

    def get(self, request: Request) -> Response:
        """The orders of whoever asks."""
        return Response({"account": int(request.user.pk), "orders": []})


class Refunds(APIView):
    """For the support."""

    def get(self, _: Request) -> Response:
        """The refunds."""
        return Response({"refunds": []})


class RoleInToken(BasePermission):
    """The role as it was when the token was issued; a later change is not seen before the next token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token names the role."""
        return "support" in request.auth["roles"]


class InGroup(BasePermission):
    """The role as it is now: in an adopted database roles are Django's groups."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user is in the group."""
        return request.user.groups.filter(name="support").exists()


class CurrentRole(BasePermission):
    """The role as it is now: a token from before a change is refused."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Goes on if the account has the role, else the answer is 403 with the code `forbidden`."""
        request.auth.require_role("support")
        return True

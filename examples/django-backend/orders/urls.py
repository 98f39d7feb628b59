"""The three ways, side by side: the same views, each with its own authentication."""

from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework_simplejwt.authentication import JWTAuthentication, JWTStatelessUserAuthentication

from hallpass.drf import HallpassAuthentication

from .views import CurrentRole, InGroup, Orders, Refunds, RoleInToken, index, ready

WAYS = {
    # The token is believed: no database, and no word of what was taken back.
    "stateless": ([JWTStatelessUserAuthentication], RoleInToken),
    # The user is read from the database that Hallpass was put in front of.
    "database": ([JWTAuthentication], InGroup),
    # What was taken back is known a moment later.
    "hallpass": ([HallpassAuthentication], CurrentRole),
}

urlpatterns = [path("", index), path("ready", ready)]
for way, (authentication, support) in WAYS.items():
    urlpatterns += [
        path(f"{way}/orders/", Orders.as_view(authentication_classes=authentication)),
        path(
            f"{way}/refunds/",
            Refunds.as_view(authentication_classes=authentication, permission_classes=[IsAuthenticated, support]),
        ),
    ]

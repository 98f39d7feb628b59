"""The peer's views: sign-up, sign-in, refresh, one request checked from the token alone, one from the database."""

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.urls import path
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView


class NewAccount(serializers.Serializer):
    email = serializers.EmailField(max_length=150)
    password = serializers.CharField(min_length=8, max_length=128)


class SignUp(APIView):
    """Creates an account and signs in. The unique index on the name decides who was first."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request):
        new = NewAccount(data=request.data)
        new.is_valid(raise_exception=True)
        email = new.validated_data["email"]
        try:
            user = User.objects.create_user(email, email, new.validated_data["password"])
        except IntegrityError:
            return Response({"detail": "This address is taken."}, status=409)
        refresh = RefreshToken.for_user(user)
        return Response({"refresh": str(refresh), "access": str(refresh.access_token)}, status=201)


class Checked(APIView):
    """Answers from the token alone: no database."""

    authentication_classes = (JWTStatelessUserAuthentication,)

    def get(self, request):
        return Response({"id": request.user.id, "expires_at": request.auth["exp"]})


class Me(APIView):
    """Reads the account from the database, which `JWTAuthentication` does."""

    def get(self, request):
        user = request.user
        return Response({"id": user.id, "email": user.email, "created_at": user.date_joined})


urlpatterns = [
    path("signup/", SignUp.as_view()),
    path("token/", TokenObtainPairView.as_view()),
    path("token/refresh/", TokenRefreshView.as_view()),
    path("checked/", Checked.as_view()),
    path("me/", Me.as_view()),
]

"""The addresses of the project, as its packages document them."""

from django.contrib import admin
from django.urls import include, path
from rest_framework_simplejwt import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("auth/", include("dj_rest_auth.urls")),
    path("auth/registration/", include("dj_rest_auth.registration.urls")),
]

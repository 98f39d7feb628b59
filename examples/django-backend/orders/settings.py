"""The settings: `SIMPLE_JWT` for the first two ways, `HALLPASS` for the third."""

import os
import secrets
import sys
from pathlib import Path


def of_client(name: str) -> str:
    """A variable that the server has to be told; other commands go without."""
    if "manage.py" in sys.argv[0]:
        return os.environ.get(name, "")
    return os.environ.get(name) or sys.exit(f"`{name}` is not set: `hallpass clients create orders` prints it")


ISSUER = os.environ.get("HALLPASS_ISSUER") or "http://localhost:8000"
BASE_URL = os.environ.get("HALLPASS_BASE_URL") or ISSUER

SIMPLE_JWT = {
    "ALGORITHM": "ES256",
    "JWK_URL": f"{BASE_URL}/.well-known/jwks.json",
    "ISSUER": ISSUER,
    # Without it a token that was issued for another service would be taken.
    "AUDIENCE": ISSUER,
    "LEEWAY": 5,
    "USER_ID_CLAIM": "sub",
    # Our tokens say what they are in the header, as `typ`; SimpleJWT looks for a claim.
    "TOKEN_TYPE_CLAIM": None,
}

HALLPASS = {
    "ISSUER": ISSUER,
    "BASE_URL": BASE_URL,
    "CLIENT_ID": of_client("HALLPASS_CLIENT_ID"),
    "CLIENT_SECRET": of_client("HALLPASS_CLIENT_SECRET"),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["hallpass.drf.HallpassAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "hallpass.drf.exception_handler",
}

# The database that Hallpass was put in front of.
DATABASE_FILE = os.environ.get("DATABASE_FILE") or Path(__file__).parent.parent / "db.sqlite3"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE_FILE}}

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "orders.urls"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

# Nothing here is signed with it: whoever signs in does so at Hallpass.
SECRET_KEY = secrets.token_urlsafe(50)

"""Users as projects make them. Only the table of the one that the settings name is made."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, PermissionsMixin
from django.db import models
from django.utils import timezone


class UuidUser(AbstractUser):
    """With a key that is no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        swappable = "AUTH_USER_MODEL"


class DepartmentUser(AbstractUser):
    """With a column that has to be filled, which the database does by no default."""

    department = models.CharField(max_length=50)

    class Meta:
        swappable = "AUTH_USER_MODEL"


class EmailUserManager(BaseUserManager):
    """Makes users by their address."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "EmailUser":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user


class EmailUser(AbstractBaseUser, PermissionsMixin):
    """With an address for a name."""

    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = EmailUserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        swappable = "AUTH_USER_MODEL"

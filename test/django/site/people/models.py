import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class MemberManager(BaseUserManager):
    def get_queryset(self):
        return super().get_queryset().filter(left_at__isnull=True)

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class Member(AbstractBaseUser, PermissionsMixin):
    """Has no is_staff, and an is_active under another name."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True, db_column="enabled")
    left_at = models.DateTimeField(null=True)

    objects = MemberManager()

    USERNAME_FIELD = "email"

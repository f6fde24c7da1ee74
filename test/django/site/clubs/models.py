"""User models that are asked about and never made: in a schema of their own, or found by a rule of their own."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q


class Person(AbstractUser):
    groups = models.ManyToManyField("auth.Group", related_name="+")
    user_permissions = models.ManyToManyField("auth.Permission", related_name="+")

    class Meta:
        abstract = True


class Client(Person):
    class Meta:
        db_table = '"site"."client"'


class EitherManager(UserManager):
    def get_by_natural_key(self, name):
        return self.get(Q(username__iexact=name) | Q(email__iexact=name))


class Either(Person):
    objects = EitherManager()


class LowerManager(UserManager):
    def get_by_natural_key(self, name):
        return self.get(username=name.lower())


class Lower(Person):
    objects = LowerManager()


class StaffManager(UserManager):
    def get_by_natural_key(self, name):
        return self.get(username=name, is_staff=True)


class Staff(Person):
    objects = StaffManager()


class FixedManager(UserManager):
    def get_by_natural_key(self, name):
        return Fixed(username=name)


class Fixed(Person):
    objects = FixedManager()


class Phone(AbstractBaseUser):
    phone = models.BigIntegerField(unique=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "phone"

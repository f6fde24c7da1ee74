"""The same with a user model of its own: uuid key, e-mail address as the name, a manager that filters."""

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "people"]
AUTH_USER_MODEL = "people.Member"
PASSWORD_HASHERS = [
    "people.hashers.QuickArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

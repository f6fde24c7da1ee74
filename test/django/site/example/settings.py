"""A project with Django's own user model, and every hasher that this Django has."""

import os
from urllib.parse import unquote, urlsplit

import django

address = urlsplit(os.environ.get("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:1/none"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.path[1:],
        "USER": address.username,
        "PASSWORD": unquote(address.password or ""),
        "HOST": address.hostname,
        "PORT": address.port,
    }
}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "example.urls"
SECRET_KEY = "the key of a project in a test"
SECRET_KEY_FALLBACKS = ["the key it had before"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ALLOWED_HOSTS = ["testserver"]

PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{name}PasswordHasher"
    for name in [
        *["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt", "MD5"],
        *(["SHA1", "UnsaltedMD5", "UnsaltedSHA1"] if django.VERSION < (5, 1) else []),
    ]
]

# Hundreds of logins in a test: PBKDF2 with few iterations, unless the test is about the settings.
if os.environ.get("QUICK_HASHERS"):
    PASSWORD_HASHERS = [
        path.replace("django.contrib.auth.hashers.PBKDF2", "people.hashers.QuickPBKDF2")
        for path in PASSWORD_HASHERS
    ]

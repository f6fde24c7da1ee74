"""The same with session settings that are not Django's defaults; the engine is the test's."""

import os

from .settings import *  # noqa: F403

SESSION_ENGINE = os.environ["SESSION_ENGINE"]
SESSION_SERIALIZER = os.environ.get("SESSION_SERIALIZER", "django.contrib.sessions.serializers.JSONSerializer")
SESSION_COOKIE_NAME = "clubcard"
SESSION_COOKIE_AGE = 3600
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "people.backends.TokenBackend",
    "people.backends.PaidBackend",
    *filter(None, [os.environ.get("ONE_MORE_BACKEND")]),
]

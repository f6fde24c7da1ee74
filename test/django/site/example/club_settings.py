"""The same with the user model that the test names."""

import os

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "clubs"]
AUTH_USER_MODEL = f"clubs.{os.environ['USER_MODEL']}"

"""Answers questions about this project's users, one JSON object a line, as Django itself would.

Without it the tests would compare this package with what somebody believes of Django.
"""

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.contrib.auth.forms import AuthenticationForm  # noqa: E402
from django.contrib.auth.hashers import check_password, make_password  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.contrib.sessions.backends import signed_cookies  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

import browsers  # noqa: E402

User = get_user_model()
everybody = User._base_manager


def find(name):
    return everybody.get(**{User.USERNAME_FIELD: name})


def migrate():
    call_command("migrate", verbosity=0)
    return django.get_version()


def create(name, password, hasher="default", **fields):
    user = User(**{User.USERNAME_FIELD: name}, **fields)
    user.password = make_password(password, hasher=hasher)
    user.save()
    return {"id": str(user.pk), "password": user.password}


def change(name, **fields):
    user = find(name)
    for field, value in fields.items():
        setattr(user, field, value)
    user.save()


def set_password(name, password):
    user = find(name)
    user.set_password(password)
    user.save()


def log_in(name, password):
    """What the login form says: the name of the user, or null."""
    form = AuthenticationForm(None, {"username": name, "password": password})
    try:
        return form.get_user().get_username() if form.is_valid() else None
    except Exception as error:
        return {"raises": type(error).__name__}


def authenticates(name, password):
    user = authenticate(username=name, password=password)
    return None if user is None else user.get_username()


def check_all(pairs):
    """check_password for each (password, encoded): true, false, or the name of what was raised."""
    answers = []
    # The preferred hasher runs for whatever is refused: a cheap one, or thousands of answers take hours.
    with override_settings(PASSWORD_HASHERS=settings.PASSWORD_HASHERS[::-1]):
        for password, encoded in pairs:
            try:
                answers.append(check_password(password, encoded))
            except Exception as error:
                answers.append(type(error).__name__)
    return answers


def make_all(triples):
    return [make_password(password, salt, hasher) for password, salt, hasher in triples]


def check_stored(name, password, preferred):
    """What check_password says of the stored value where `preferred` is the first hasher, and whether it would write it anew."""
    hashers = sorted(settings.PASSWORD_HASHERS, key=lambda path: import_string(path).algorithm != preferred)
    anew = []
    with override_settings(PASSWORD_HASHERS=hashers):
        right = check_password(password, find(name).password, anew.append)
    return {"right": right, "must_update": len(anew) > 0}


def grant(name, permission, group=None):
    label, codename = permission.split(".", 1)
    found = Permission.objects.get(content_type__app_label=label, codename=codename)
    if group is None:
        find(name).user_permissions.add(found)
        return
    made, _ = Group.objects.get_or_create(name=group)
    made.permissions.add(found)
    find(name).groups.add(made)


def permissions(name, labels=()):
    user = find(name)
    return {
        "all": sorted(user.get_all_permissions()),
        "groups": list(user.groups.order_by("id").values_list("name", flat=True)),
        "modules": {label: user.has_module_perms(label) for label in labels},
    }


def describe(name):
    user = find(name)
    return {
        "id": str(user.pk),
        "username": user.get_username(),
        "isActive": user.is_active,
        "isStaff": getattr(user, "is_staff", False),
        "isSuperuser": user.is_superuser,
        "lastLogin": None if user.last_login is None else user.last_login.timestamp() * 1000,
    }


def session(name, values):
    """Logs in as a browser does; what is then in the table, and what Django reads from it."""
    client = Client()
    client.force_login(find(name), "django.contrib.auth.backends.ModelBackend")
    store = client.session
    store.update(values)
    store.save()
    row = Session.objects.get(session_key=store.session_key)
    return {
        "data": row.session_data,
        "decoded": row.get_decoded(),
        "hash": find(name).get_session_auth_hash(),
    }


def signed_cookie(values):
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        store = signed_cookies.SessionStore()
        store.update(values)
        store.save()
        return store.session_key


QUESTIONS = {
    function.__name__: function
    for function in (
        *(migrate, create, change, set_password, log_in, authenticates, check_all, make_all),
        check_stored,
        *(grant, permissions, describe, session, signed_cookie),
        *browsers.QUESTIONS,
    )
}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": QUESTIONS[question["name"]](**question["arguments"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

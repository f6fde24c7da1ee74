"""Browsers on the project's own site: they log in, log out and change a password by its views, and keep cookies."""

from contextlib import contextmanager

from django.conf import settings
from django.test import Client
from django.test.utils import override_settings

browsers = {}


@contextmanager
def site(engine, secret_key, fallbacks):
    """`engine`: one of Django's own; None: the project's."""
    changes = {} if engine is None else {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    if secret_key is not None:
        changes |= {"SECRET_KEY": secret_key, "SECRET_KEY_FALLBACKS": fallbacks}
    with override_settings(**changes):
        yield


def cookie(client):
    morsel = client.cookies.get(settings.SESSION_COOKIE_NAME)
    return None if morsel is None else morsel.value


def site_log_in(browser, name, password, engine="db", secret_key=None):
    """Sends the login form from a new browser; the session cookie that it then has."""
    client = Client()
    browsers[browser] = (client, engine)
    with site(engine, secret_key, []):
        response = client.post("/login/", {"username": name, "password": password})
    assert response.status_code == 302, f"the login form was refused: {response.status_code}"
    return cookie(client)


def site_who(browser, secret_key=None, fallbacks=()):
    """Whom the site takes the browser for: str(pk), or null."""
    client, engine = browsers[browser]
    with site(engine, secret_key, list(fallbacks)):
        return client.get("/who/").json()["id"]


def site_log_out(browser):
    client, engine = browsers[browser]
    with site(engine, None, []):
        assert client.post("/logout/").status_code == 302


def site_change_password(browser, old, new):
    """The browser stays logged in, by a new session; every other one of the user is logged out. The new cookie."""
    client, engine = browsers[browser]
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    with site(engine, None, []):
        response = client.post("/password/", form)
    assert response.status_code == 302, f"the form was refused: {response.status_code}"
    return cookie(client)


QUESTIONS = (site_log_in, site_who, site_log_out, site_change_password)

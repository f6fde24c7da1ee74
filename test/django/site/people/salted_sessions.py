from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    @property
    def key_salt(self):
        return "people.sessions"


class Pickle:
    """A serializer that is not JSON."""

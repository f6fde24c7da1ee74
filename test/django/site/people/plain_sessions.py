from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """As Django's documentation has it; signed as its own."""

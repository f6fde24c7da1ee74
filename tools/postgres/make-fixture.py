"""Makes django-5.2.sql, accounts.sql and accounts.ts in this directory with a real Django.

Without it nothing shows that the tables and the password hashes of the demo and the tests are Django's own.
Run it by hand, with an empty PostgreSQL database, when an account or the Django version changes:

    pip install 'Django==5.2.*' 'psycopg[binary]'
    python make-fixture.py postgres://user:password@127.0.0.1:5432/empty
"""

import json
import pathlib
import sys
from datetime import datetime, timezone
from urllib.parse import urlsplit

import django
from django.conf import settings

address = urlsplit(sys.argv[1])
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.path[1:],
            "USER": address.username,
            "PASSWORD": address.password,
            "HOST": address.hostname,
            "PORT": address.port,
        }
    },
    SECRET_KEY="only for making the fixture",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from psycopg import ClientCursor  # noqa: E402

HERE = pathlib.Path(__file__).parent
BY = f"Made by make-fixture.py with Django {django.get_version()}; do not edit."
JOINED = datetime(2025, 4, 2, 12, 0, tzinfo=timezone.utc)

# Cheap hashes, for tests that need a login and not its cost.
FAST_ITERATIONS = 1000

ACCOUNTS = [
    {"username": "ada", "password": "difference engine", "note": "superuser", "superuser": True},
    {"username": "grace", "password": "nanoseconds of wire", "note": "moderator: chat.delete_line", "group": "moderators"},
    {"username": "linus", "password": "just for fun", "note": "plain user"},
    {"username": "mallory", "password": "man in the middle", "note": "deactivated: cannot log in", "inactive": True},
    {"username": "nopass", "password": None, "note": "unusable password: cannot log in"},
    {"username": "fast1", "password": "fast password 1", "note": "plain user with a cheap hash, for tests", "fast": True},
    {"username": "fast2", "password": "fast password 2", "note": "plain user with a cheap hash, for tests", "fast": True},
    {"username": "fast3", "password": "fast password 3", "note": "plain user with a cheap hash, for tests", "fast": True},
]

TABLES = [
    ContentType,
    Permission,
    Group,
    Group.permissions.through,
    User,
    User.groups.through,
    User.user_permissions.through,
]


def write_schema():
    parts = [f"-- The tables of django.contrib.contenttypes, auth and sessions, as sqlmigrate prints them.\n-- {BY}\n"]
    loader = MigrationLoader(connection)
    labels = ("contenttypes", "auth", "sessions")
    wanted = [node for node in loader.graph.leaf_nodes() if node[0] in labels]
    done = []
    for leaf in wanted:
        for app, name in loader.graph.forwards_plan(leaf):
            if (app, name) in done:
                continue
            done.append((app, name))
            sql = call_command("sqlmigrate", app, name, stdout=open("/dev/null", "w"), no_color=True)
            parts.append(f"-- {app}.{name}\n{sql.strip()}\n")
    (HERE / "django-5.2.sql").write_text("\n".join(parts))


def fill_tables():
    call_command("migrate", verbosity=0)
    line = ContentType.objects.create(app_label="chat", model="line")
    for action in ("add", "change", "delete", "view"):
        Permission.objects.create(content_type=line, codename=f"{action}_line", name=f"Can {action} line")
    moderators = Group.objects.create(name="moderators")
    moderators.permissions.add(Permission.objects.get(codename="delete_line"))
    for account in ACCOUNTS:
        user = User(
            username=account["username"],
            is_active=not account.get("inactive", False),
            is_staff=account.get("superuser", False),
            is_superuser=account.get("superuser", False),
            date_joined=JOINED,
        )
        if account.get("fast"):
            hasher = PBKDF2PasswordHasher()
            user.password = hasher.encode(account["password"], hasher.salt(), FAST_ITERATIONS)
        else:
            user.set_password(account["password"])
        user.save()
        if "group" in account:
            user.groups.add(Group.objects.get(name=account["group"]))


def write_accounts():
    parts = [f"-- Content types, permissions, a group and users.\n-- {BY}\n"]
    cursor = ClientCursor(connection.connection)
    for model in TABLES:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        columns = ", ".join(connection.ops.quote_name(column.name) for column in cursor.description)
        for row in cursor.fetchall():
            marks = ", ".join(["%s"] * len(row))
            parts.append(cursor.mogrify(f"INSERT INTO {table} ({columns}) VALUES ({marks});", row))
    parts += connection.ops.sequence_reset_sql(no_style(), TABLES)
    (HERE / "accounts.sql").write_text("\n".join(parts) + "\n")


def write_constants():
    def literal(value):
        if value is None:
            return "null"
        return json.dumps(value).replace('"', "'")

    rows = "\n".join(
        f"  {{\n    username: {literal(account['username'])},\n    password: {literal(account['password'])},\n"
        f"    note: {literal(account['note'])},\n  }},"
        for account in ACCOUNTS
    )
    names = " | ".join(literal(account["username"]) for account in ACCOUNTS)
    (HERE / "accounts.ts").write_text(
        f"// {BY}\n\n"
        "export interface Account {\n"
        "  readonly username: string\n"
        "  /** Null where no password fits. */\n"
        "  readonly password: string | null\n"
        "  readonly note: string\n"
        "}\n\n"
        "/** The users of accounts.sql; those named `fast` have hashes of 1,000 iterations, the others of 1,000,000. */\n"
        f"export const ACCOUNTS: readonly Account[] = [\n{rows}\n]\n"
    )


write_schema()
fill_tables()
write_accounts()
write_constants()

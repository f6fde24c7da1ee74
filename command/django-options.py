"""Describes the user model, the password and the session settings of the Django project it runs in, as one line of JSON.

Run through `manage.py shell`, so that the project is set up as it sets itself up. Reads the models and settings and
asks no database. Of the secret keys it says how many there are.
"""

import json

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import AllowAllUsersModelBackend, ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import get_hashers
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections, router
from django.db.models.sql.compiler import SQLCompiler
from django.utils.module_loading import import_string

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
ALLOW_ALL_BACKEND = "django.contrib.auth.backends.AllowAllUsersModelBackend"


class Caught(Exception):
    pass


def describe_project():
    notes = []
    model = get_user_model()
    connection = connections[router.db_for_read(model)]
    if connection.vendor != "postgresql":
        notes.append(f"the database is {connection.vendor}; only PostgreSQL is read")
    return {
        "django": django.get_version(),
        "settings": settings.SETTINGS_MODULE,
        "users": describe_users(model, connection, notes),
        **describe_hashers(notes),
        "notes": notes + describe_backends(),
        "sessions": describe_sessions(model),
    }


def describe_users(model, connection, notes):
    meta = model._meta

    def find(name):
        try:
            return meta.get_field(name)
        except FieldDoesNotExist:
            return None

    def column(name):
        field = find(name)
        if field is None:
            if name == "is_active" and getattr(model, name, None) is not True:
                notes.append("is_active is no column: every user counts as active")
            return None
        if field.model._meta.db_table != meta.db_table:
            notes.append(f"{name} is in {field.model._meta.db_table}: make a view of both tables, and name it in table")
        return field.column

    username = find(model.USERNAME_FIELD)
    users = {
        "table": name_table(meta.db_table),
        "idColumn": meta.pk.column,
        "usernameColumn": column(model.USERNAME_FIELD),
        # The form's own rule where the field has none.
        "usernameMaxLength": username.max_length or 254,
        "iexact": False,
        "passwordColumn": column("password"),
        "isActiveColumn": column("is_active"),
        "isStaffColumn": column("is_staff"),
        "isSuperuserColumn": column("is_superuser"),
        "lastLoginColumn": column("last_login"),
        "groupsTable": None,
        "permissionsTable": None,
    }
    if "." in users["table"]:
        # The tables of django.contrib.auth have no schema in their names.
        users["authSchema"] = None
    if ALLOW_ALL_BACKEND in settings.AUTHENTICATION_BACKENDS:
        users["isActiveColumn"] = None
    describe_grants(find, users, notes)
    describe_lookup(model, connection, users, notes)
    if username.db_type(connection) == "citext":
        users["iexact"] = True
    if getattr(username, "db_collation", None):
        notes.append(f"{model.USERNAME_FIELD} has a collation: where it ignores case, set iexact")
    return users


def name_table(db_table):
    # A schema is written into db_table with the quotes between the names.
    return db_table.strip('"').replace('"."', ".")


def describe_grants(find, users, notes):
    for name, key in (("groups", "groupsTable"), ("user_permissions", "permissionsTable")):
        field = find(name)
        if field is None or not field.many_to_many:
            continue
        users[key] = name_table(field.m2m_db_table())
        owner = field.m2m_column_name()
        if users.setdefault("ownerColumn", owner) != owner:
            notes.append(f"{name} has another owner column, {owner}: make a view of {users[key]}")
        if field.related_model._meta.app_label != "auth":
            notes.append(f"{name} are of {field.related_model._meta.label}, not of django.contrib.auth")


def describe_lookup(model, connection, users, notes):
    """How the manager finds a name: what it would ask the database, caught on the way there."""
    manager = model._default_manager
    field = model.USERNAME_FIELD
    # Of both cases, so that a manager that changes them is seen; or a number, for a column of numbers.
    for name in ("Name", "7"):
        try:
            asked = catch_condition(lambda: manager.get_by_natural_key(name))
            rules = [catch_condition(lambda: manager.get(**{f"{field}{rule}": name})) for rule in ("", "__iexact")]
        except (ValueError, TypeError, ValidationError):
            continue
        users["iexact"] = asked == rules[1] and asked != rules[0]
        if asked not in rules:
            notes.append(f"get_by_natural_key finds users in a way of its own, and this package does not: {asked}")
        break
    else:
        notes.append("get_by_natural_key takes no name: look at how it finds a user")
    query = model._default_manager.get_queryset().query
    compiler = query.get_compiler(connection=connection)
    # Names the tables, which must come before the conditions on them.
    compiler.pre_sql_setup()
    if not query.where:
        return
    where, params = compiler.compile(query.where)
    if params or len([alias for alias in query.alias_refcount if query.alias_refcount[alias]]) > 1:
        notes.append(f"the default manager filters; write it into where: {where} {list(params)}")
    else:
        # Django writes a percent sign twice, for a driver that would take it for a parameter.
        users["where"] = where.replace("%%", "%")


def catch_condition(ask):
    """The condition and parameters of the first SELECT; None where the database is not asked."""
    caught = []

    def catch(compiler, *args, **kwargs):
        caught.append(compiler)
        raise Caught

    execute = SQLCompiler.execute_sql
    SQLCompiler.execute_sql = catch
    try:
        ask()
    except Caught:
        pass
    finally:
        SQLCompiler.execute_sql = execute
    if not caught:
        return None
    sql, params = caught[0].as_sql()
    condition = sql.partition(" WHERE ")[2].partition(" ORDER BY ")[0]
    return f"{condition} {list(params)}"


def describe_hashers(notes):
    costs = {}
    iterations = None
    names = []
    for hasher in get_hashers():
        names.append(hasher.algorithm)
        if not type(hasher).__module__.startswith("django."):
            notes.append(f"{hasher.algorithm} is {type(hasher).__module__}.{type(hasher).__name__}: a class of the site's own")
        if hasher.algorithm.startswith("pbkdf2") and iterations is None:
            iterations = hasher.iterations
        elif hasher.algorithm == "argon2":
            costs["argon2"] = {
                "timeCost": hasher.time_cost,
                "memoryCost": hasher.memory_cost,
                "parallelism": hasher.parallelism,
            }
        elif hasher.algorithm.startswith("bcrypt"):
            costs.setdefault("bcrypt", {"rounds": hasher.rounds})
        elif hasher.algorithm == "scrypt":
            costs["scrypt"] = {
                "workFactor": hasher.work_factor,
                "blockSize": hasher.block_size,
                "parallelism": hasher.parallelism,
            }
    return {
        "hashers": names,
        "passwordIterations": iterations,
        "passwordCosts": costs,
        "bcryptTruncate": "bcrypt" in names and truncates(),
    }


def truncates():
    try:
        import bcrypt
    except ImportError:
        return False
    return int(bcrypt.__version__.split(".")[0]) < 5


def describe_backends():
    return [
        f"{backend} is not asked: only a password in Django's own table counts"
        for backend in settings.AUTHENTICATION_BACKENDS
        if backend not in (MODEL_BACKEND, ALLOW_ALL_BACKEND)
    ]


def describe_sessions(model):
    """How the sessions of the site are kept; in `problems`, why they cannot be read from outside."""
    problems = []
    if getattr(model, "get_session_auth_hash", None) is not AbstractBaseUser.get_session_auth_hash:
        problems.append(f"{model._meta.label} has a get_session_auth_hash of its own")
    if settings.SESSION_SERIALIZER != "django.contrib.sessions.serializers.JSONSerializer":
        problems.append(f"SESSION_SERIALIZER is {settings.SESSION_SERIALIZER}; only JSON is read")
    engine = describe_engine(model, problems)
    backends, notes = describe_session_backends()
    return {
        **engine,
        "cookieName": settings.SESSION_COOKIE_NAME,
        "backends": backends,
        "keys": 1 + len(getattr(settings, "SECRET_KEY_FALLBACKS", [])),
        "problems": problems,
        "notes": notes,
    }


def describe_engine(model, problems):
    path = settings.SESSION_ENGINE
    try:
        store = import_string(f"{path}.SessionStore")
        bases = [base.__module__ for base in store.__mro__]
        if path == "django.contrib.sessions.backends.signed_cookies":
            return {"engine": "signed_cookies", "maxAgeSeconds": settings.SESSION_COOKIE_AGE}
        if "django.contrib.sessions.backends.db" not in bases:
            problems.append(f"SESSION_ENGINE is {path}; only sessions in a table or in signed cookies can be read")
            return {}
        row = store.get_model_class()
        own = (store.__qualname__, store.key_salt, store.decode)
        if own != ("SessionStore", SessionBase.key_salt, SessionBase.decode):
            problems.append(f"{path}.{store.__qualname__} signs sessions in a way of its own")
        if router.db_for_read(row) != router.db_for_read(model):
            problems.append(f"{row._meta.label} is in another database than {model._meta.label}")
    except Exception as error:
        problems.append(f"SESSION_ENGINE {path} cannot be used: {type(error).__name__}: {error}")
        return {}
    is_cached = "django.contrib.sessions.backends.cached_db" in bases
    return {"engine": "cached_db" if is_cached else "db", "table": name_table(row._meta.db_table)}


def describe_session_backends():
    """Those whose users are found as Django's own backend finds them, and why the others are not among them."""
    backends = []
    notes = []
    for path in settings.AUTHENTICATION_BACKENDS:
        try:
            backend = import_string(path)
        except ImportError as error:
            notes.append(f"{path} cannot be imported: {error}")
            continue
        rules = (getattr(backend, "get_user", None), getattr(backend, "user_can_authenticate", None))
        if rules in [(own.get_user, own.user_can_authenticate) for own in (ModelBackend, AllowAllUsersModelBackend)]:
            backends.append(path)
        else:
            notes.append(f"{path} has rules of its own for whose session counts: it is not in backends, and its sessions are nobody's")
    return backends, notes


print("\nperspective:" + json.dumps(describe_project()))

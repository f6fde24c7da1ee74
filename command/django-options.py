"""Describes the user model and the password settings of the Django project it runs in, as one line of JSON.

Run through `manage.py shell`, so that the project is set up as it sets itself up. Reads the models and settings and
asks no database.
"""

import json

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hashers
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router
from django.db.models.sql.compiler import SQLCompiler

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
        # A schema is written into db_table with the quotes between the names.
        "table": meta.db_table.strip('"').replace('"."', "."),
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
    if ALLOW_ALL_BACKEND in settings.AUTHENTICATION_BACKENDS:
        users["isActiveColumn"] = None
    describe_grants(find, users, notes)
    describe_lookup(model, connection, users, notes)
    if username.db_type(connection) == "citext":
        users["iexact"] = True
    if getattr(username, "db_collation", None):
        notes.append(f"{model.USERNAME_FIELD} has a collation: where it ignores case, set iexact")
    return users


def describe_grants(find, users, notes):
    for name, key in (("groups", "groupsTable"), ("user_permissions", "permissionsTable")):
        field = find(name)
        if field is None or not field.many_to_many:
            continue
        users[key] = field.m2m_db_table()
        owner = field.m2m_column_name()
        if users.setdefault("ownerColumn", owner) != owner:
            notes.append(f"{name} has another owner column, {owner}: make a view of {users[key]}")
        if field.related_model._meta.app_label != "auth":
            notes.append(f"{name} are of {field.related_model._meta.label}, not of django.contrib.auth")


def describe_lookup(model, connection, users, notes):
    """How the manager finds a name: what it would ask the database, caught on the way there."""
    caught = []

    def catch(compiler, *args, **kwargs):
        caught.append(compiler)
        raise Caught

    execute = SQLCompiler.execute_sql
    SQLCompiler.execute_sql = catch
    try:
        model._default_manager.get_by_natural_key("name")
    except Caught:
        pass
    finally:
        SQLCompiler.execute_sql = execute
    if not caught:
        notes.append("get_by_natural_key asks no database: look at how it finds a user")
        return
    sql, _ = caught[0].as_sql()
    users["iexact"] = "UPPER(" in sql
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


print("\nperspective:" + json.dumps(describe_project()))

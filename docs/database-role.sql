-- The least that fastify-perspective needs of a Django database, for a role of its own. Run it as the owner of the tables,
-- then set a password (ALTER ROLE perspective PASSWORD '…') and use the role in the plugin's option database.
--
-- Names are those of django.contrib.auth. A user model of its own has other tables and columns: what is in the option
-- users, which `npx fastify-perspective django-options manage.py` prints, replaces auth_user, its columns, auth_user_groups,
-- auth_user_user_permissions and user_id. Columns that users.columns and users.where name are to be granted, too.

CREATE ROLE perspective LOGIN;
GRANT USAGE ON SCHEMA public TO perspective;

-- Logins, tickets, sessions: never a name, an address or anything else of a user.
GRANT SELECT (id, username, password, is_active, is_staff, is_superuser, last_login) ON auth_user TO perspective;

-- Groups and permissions.
GRANT SELECT (id, name) ON auth_group TO perspective;
GRANT SELECT (user_id, group_id) ON auth_user_groups TO perspective;
GRANT SELECT (user_id, permission_id) ON auth_user_user_permissions TO perspective;
GRANT SELECT (group_id, permission_id) ON auth_group_permissions TO perspective;
GRANT SELECT (id, content_type_id, codename) ON auth_permission TO perspective;
GRANT SELECT (id, app_label) ON django_content_type TO perspective;

-- updateLastLogin, which is on unless said otherwise. Without it logins work, and the log says once what is missing.
GRANT UPDATE (last_login) ON auth_user TO perspective;

-- Only with upgradePasswords. With it, whoever has this role can set anybody's password.
-- GRANT UPDATE (password) ON auth_user TO perspective;

-- Only for logins with Django's session cookie. With it, whoever has this role can read everybody's sessions.
-- GRANT SELECT (session_key, session_data, expire_date) ON django_session TO perspective;

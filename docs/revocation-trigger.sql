-- Tells fastify-perspective at once when a user of Django is deactivated, deleted or gets another password, for the
-- option sessions.listen. Without it the same is found within sessions.revalidateSeconds.
--
-- Run it once as the owner of the table; a migration of Django can, with migrations.RunSQL. Change auth_user where the
-- user model has another table, and OLD.id where it has another key. What is told is an id, and only a hint: whoever may
-- connect may send one, and nobody loses a session by it who still belongs here.

CREATE OR REPLACE FUNCTION fastify_perspective_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('fastify_perspective_revocation', OLD.id::text);
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS fastify_perspective_changed ON auth_user;
CREATE TRIGGER fastify_perspective_changed
  AFTER UPDATE ON auth_user FOR EACH ROW
  -- Every login writes last_login: that is none.
  WHEN (OLD.password IS DISTINCT FROM NEW.password OR OLD.is_active IS DISTINCT FROM NEW.is_active)
  EXECUTE FUNCTION fastify_perspective_revocation();

DROP TRIGGER IF EXISTS fastify_perspective_deleted ON auth_user;
CREATE TRIGGER fastify_perspective_deleted
  AFTER DELETE ON auth_user FOR EACH ROW
  EXECUTE FUNCTION fastify_perspective_revocation();

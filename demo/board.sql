-- What Django's migrate would add to the tables of tools/postgres/ for an app "board" whose model says
--   class Note(Model):
--       class Meta: permissions = [("clear_board", "Can clear the board")]
-- and an administrator then gives to the group of the moderators. The accounts that only tests need go.

WITH note AS (
  INSERT INTO django_content_type (app_label, model) VALUES ('board', 'note') RETURNING id
), clear_board AS (
  INSERT INTO auth_permission (name, content_type_id, codename)
  SELECT 'Can clear the board', id, 'clear_board' FROM note RETURNING id
)
INSERT INTO auth_group_permissions (group_id, permission_id)
SELECT auth_group.id, clear_board.id FROM auth_group, clear_board WHERE auth_group.name = 'moderators';

DELETE FROM auth_user WHERE username LIKE 'fast%' OR username = 'nopass';

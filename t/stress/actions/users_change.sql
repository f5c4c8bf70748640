\set user random(1, 20)
\set avatar random(0, 8)
\set pause random(0, 3)
BEGIN;
UPDATE users SET avatar_id = NULL WHERE id IN (:user, :user + 1);
\sleep :pause ms
SELECT attempt('UPDATE users SET avatar_id = :avatar WHERE id = :user');
END;

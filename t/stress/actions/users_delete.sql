\set user random(1, 20)
\set pause random(0, 3)
BEGIN;
DELETE FROM users WHERE id BETWEEN :user AND :user + 2;
\sleep :pause ms
END;

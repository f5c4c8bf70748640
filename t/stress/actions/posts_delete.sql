\set post random(1, 9)
\set other random(1, 9)
\set pause random(0, 3)
BEGIN;
DELETE FROM posts WHERE id IN (:post, :other);
\sleep :pause ms
END;

\set author random(1, 9)
\set other random(1, 9)
\set pause random(0, 3)
BEGIN;
DELETE FROM authors WHERE id IN (:author, :other);
\sleep :pause ms
END;

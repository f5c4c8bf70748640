\set book random(1, 40)
\set last :book + random(0, 3)
\set pause random(0, 3)
BEGIN;
UPDATE books SET author_id = NULL WHERE id BETWEEN :book AND :last;
\sleep :pause ms
END;

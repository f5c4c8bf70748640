\set author random(1, 8)
\set book random(1, 40)
\set pause random(0, 3)
BEGIN;
DELETE FROM authors WHERE id = :author;
\sleep :pause ms
INSERT INTO authors VALUES (:author) ON CONFLICT DO NOTHING;
SELECT attempt('INSERT INTO books VALUES (:book, :author) ON CONFLICT DO NOTHING');
END;

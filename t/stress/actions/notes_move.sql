\set note random(1, 40)
\set book random(0, 40)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE notes SET book_id = :book WHERE id = :note');
\sleep :pause ms
UPDATE notes SET book_id = NULL WHERE id = :note + 1;
END;

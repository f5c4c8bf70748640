\set author random(1, 8)
\set book random(1, 40)
BEGIN;
UPDATE books SET author_id = NULL WHERE id = :book;
SAVEPOINT s;
DELETE FROM authors WHERE id = :author;
UPDATE books SET author_id = NULL WHERE id = :book + 1;
ROLLBACK TO s;
UPDATE books SET author_id = 0 WHERE id = :book;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE books SET author_id = NULL WHERE id = :book + 2;
END;

-- those that find no author are orphans at COMMIT
\set author random(0, 9)
\set book random(1, 40)
\set last :book + random(0, 3)
\set pause random(0, 3)
BEGIN;
UPDATE books SET author_id = NULL WHERE id BETWEEN :book AND :last;
\sleep :pause ms
UPDATE desks SET author_id = NULL WHERE id = :book;
SELECT attempt('UPDATE books SET author_id = :author WHERE id BETWEEN :book AND :last AND author_id IS NULL');
END;

\set author random(0, 9)
\set book random(1, 40)
\set last :book + random(0, 5)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE books SET author_id = :author WHERE id BETWEEN :book AND :last');
\sleep :pause ms
END;

\set post random(1, 9)
\set new random(1, 9)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE posts SET id = :new WHERE id = :post');
\sleep :pause ms
END;

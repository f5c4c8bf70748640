\set author random(1, 9)
\set new random(1, 9)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE authors SET id = :new WHERE id = :author');
\sleep :pause ms
END;

\set tag random(1, 8)
\set new random(1, 8)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE tags SET id = :new WHERE id = :tag');
\sleep :pause ms
END;

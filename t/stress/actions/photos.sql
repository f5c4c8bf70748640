\set photo random(1, 9)
\set new random(1, 9)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE photos SET id = :new WHERE id = :photo');
\sleep :pause ms
DELETE FROM photos WHERE id = 1 + :photo % 9;
END;

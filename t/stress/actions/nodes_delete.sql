\set node random(1, 25)
\set pause random(0, 3)
BEGIN;
DELETE FROM nodes WHERE id = :node;
\sleep :pause ms
END;

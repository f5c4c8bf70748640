\set node random(1, 25)
\set parent random(-1, 25)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    INSERT INTO nodes
    SELECT i, CASE WHEN i % 9 > 0 THEN :parent END FROM generate_series(:node, :node + 4) i
    ON CONFLICT DO NOTHING $$);
\sleep :pause ms
END;

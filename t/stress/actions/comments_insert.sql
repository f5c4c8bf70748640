\set comment random(1, 40)
\set subject random(0, 9)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    INSERT INTO comments
    SELECT i, CASE i % 2 WHEN 0 THEN 'post' ELSE 'photo' END, :subject FROM generate_series(:comment, :comment + 4) i
    ON CONFLICT DO NOTHING $$);
\sleep :pause ms
END;

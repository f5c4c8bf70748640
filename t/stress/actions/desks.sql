\set author random(0, 9)
\set desk random(1, 12)
SELECT attempt($$
    INSERT INTO desks VALUES (:desk, :author)
    ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id $$);

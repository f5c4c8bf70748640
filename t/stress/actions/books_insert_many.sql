\set author random(1, 8)
\set book random(1, 40)
SELECT attempt($$
    INSERT INTO books SELECT i, 1 + (i + :author) % 8 FROM generate_series(:book, :book + 9) i
    ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id $$);

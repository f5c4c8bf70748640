-- its parent cannot go, so that no refusal is to be expected
\set author random(1, 8)
\set book random(1, 40)
INSERT INTO books SELECT :book, id FROM authors WHERE id = :author FOR KEY SHARE ON CONFLICT DO NOTHING;

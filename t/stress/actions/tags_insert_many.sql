\set tag random(1, 5)
SELECT attempt($$
    INSERT INTO tags SELECT generate_series(:tag, :tag + 3) ON CONFLICT DO NOTHING;
    INSERT INTO post_tags SELECT 1 + (i + :tag) % 8, i FROM generate_series(:tag, :tag + 3) i
    ON CONFLICT DO NOTHING $$);

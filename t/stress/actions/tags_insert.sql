-- the tag before its link: a link that is there already has a tag
\set post random(0, 9)
\set tag random(0, 8)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    INSERT INTO tags VALUES (:tag) ON CONFLICT DO NOTHING;
    INSERT INTO post_tags VALUES (:post, :tag) ON CONFLICT DO NOTHING $$);
\sleep :pause ms
END;

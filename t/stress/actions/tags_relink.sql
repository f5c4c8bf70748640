-- what an ORM does to replace a collection
\set post random(1, 8)
\set tag random(0, 8)
\set pause random(0, 3)
BEGIN;
DELETE FROM post_tags WHERE post_id = :post;
\sleep :pause ms
SELECT attempt('INSERT INTO post_tags VALUES (:post, :tag) ON CONFLICT DO NOTHING');
END;

\set post random(1, 8)
\set tag random(0, 8)
\set pause random(0, 3)
BEGIN;
DELETE FROM post_tags WHERE post_id IN (:post, 1 + :post % 8) AND tag_id = :tag;
\sleep :pause ms
END;

\set post random(1, 8)
\set tag random(1, 8)
\set other random(0, 8)
SELECT attempt('UPDATE post_tags SET tag_id = :other WHERE post_id = :post AND tag_id = :tag');

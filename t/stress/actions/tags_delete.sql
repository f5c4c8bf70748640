\set tag random(1, 8)
DELETE FROM tags WHERE id = :tag;

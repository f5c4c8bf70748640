--
-- partitioned_many: many-to-one and many-to-many with partitioned tables as
-- source, target and secondary.  A row that moves to another partition is
-- neither a lost reference nor a new one.
--
CREATE SCHEMA partitioned_many_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = partitioned_many_test, helper;

CREATE FUNCTION nothing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;

CREATE PROCEDURE drop_foreign_keys(relation regclass)
LANGUAGE plpgsql
AS $$
DECLARE
    name name;
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = relation AND contype = 'f' AND conparentid = 0 LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', relation, name);
    END LOOP;
END
$$;

--
-- many-to-many: all three tables are partitioned, the links on two levels,
-- with another order of columns and with a dropped column
--
CREATE TABLE posts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE posts_low PARTITION OF posts FOR VALUES FROM (0) TO (100);
CREATE TABLE posts_high PARTITION OF posts FOR VALUES FROM (100) TO (1000);
CREATE TABLE tags (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id);
CREATE TABLE tags_low (name text, gone text, id integer NOT NULL PRIMARY KEY);
ALTER TABLE tags_low DROP COLUMN gone;
ALTER TABLE tags ATTACH PARTITION tags_low FOR VALUES FROM (0) TO (100);
CREATE TABLE tags_high PARTITION OF tags FOR VALUES FROM (100) TO (1000);
CREATE TABLE post_tags (post_id integer REFERENCES posts, tag_id integer REFERENCES tags, kind text, note text)
    PARTITION BY LIST (kind);
CREATE TABLE post_tags_a PARTITION OF post_tags FOR VALUES IN ('a');
CREATE TABLE post_tags_b (note text, gone integer, kind text, tag_id integer, post_id integer) PARTITION BY RANGE (tag_id);
ALTER TABLE post_tags_b DROP COLUMN gone;
CREATE TABLE post_tags_b_low PARTITION OF post_tags_b FOR VALUES FROM (0) TO (100);
CREATE TABLE post_tags_b_high (tag_id integer, post_id integer, kind text, note text);
ALTER TABLE post_tags_b ATTACH PARTITION post_tags_b_high FOR VALUES FROM (100) TO (1000);
ALTER TABLE post_tags ATTACH PARTITION post_tags_b FOR VALUES IN ('b');
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
SELECT direction, secondary, secondary_source_columns, secondary_target_columns
  FROM cascade.relationship
 WHERE source = 'posts'::regclass;
-- tag 7 has never had a link
CREATE PROCEDURE fill()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM post_tags;
    DELETE FROM tags;
    DELETE FROM posts;
    -- so that what is inserted again is not taken for what has lost its links
    COMMIT;
    INSERT INTO posts VALUES (1), (2), (3), (101);
    INSERT INTO tags SELECT generate_series(1, 7);
    INSERT INTO tags SELECT generate_series(101, 104);
    INSERT INTO post_tags VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, 'a'), (2, 3, 'b'), (2, 4, 'a'), (2, 5, 'b'), (3, 6, 'a'),
        (1, 101, 'b'), (2, 102, 'b'), (101, 102, 'a'), (3, 103, 'b'), (101, 104, 'b');
END
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags,
           (SELECT string_agg(coalesce(post_id::text, 'NULL') || '-' || coalesce(tag_id::text, 'NULL') || kind, ' ' ORDER BY tag_id, post_id)
              FROM post_tags) AS links;
CALL fill();
TABLE state;
-- a source row: its links in all partitions go, and the tags that no other
-- post holds
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM posts WHERE id = 1;
SET cascade.trace = off;
\set VERBOSITY default
TABLE state;
-- through partitions
CALL fill();
DELETE FROM posts_low WHERE id = 2;
DELETE FROM posts_high;
TABLE state;
-- a target row takes its links
CALL fill();
DELETE FROM tags WHERE id IN (3, 102);
DELETE FROM tags_low WHERE id = 6;
DELETE FROM tags_high WHERE id = 101;
TABLE state;
-- the last link of a tag, deleted through the root, a partition, a partition
-- of a partition
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE (tag_id IN (1, 3) AND kind = 'a') OR (post_id, tag_id) = (2, 102);
DELETE FROM post_tags_a WHERE tag_id = 4;
DELETE FROM post_tags_b WHERE tag_id = 2;
DELETE FROM post_tags_b_high WHERE tag_id = 101;
DELETE FROM post_tags_b_low WHERE tag_id = 3;
INSERT INTO post_tags VALUES (3, 2, 'a');
INSERT INTO post_tags_b_high VALUES (101, 3, 'b');
TABLE state;
COMMIT;
TABLE state;
-- links that move to another partition
CALL fill();
BEGIN;
UPDATE post_tags SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END;
UPDATE post_tags SET kind = 'a' WHERE tag_id <= 3;
COMMIT;
TABLE state;
-- ... and point to another tag by that
CALL fill();
UPDATE post_tags SET kind = 'b', tag_id = 103 WHERE tag_id = 1;
UPDATE post_tags_b SET tag_id = 7 WHERE tag_id = 101;
UPDATE post_tags SET kind = 'a', tag_id = 3 WHERE tag_id = 2;
TABLE state;
-- ... and to nothing; attached again after or before the move
BEGIN;
UPDATE post_tags SET kind = 'a', tag_id = NULL WHERE tag_id IN (5, 103) AND post_id > 1;
UPDATE post_tags SET kind = 'b', tag_id = 4 WHERE tag_id IS NULL AND post_id = 3;
UPDATE post_tags SET kind = 'b', tag_id = 5 WHERE tag_id IS NULL AND post_id = 2;
TABLE state;
COMMIT;
TABLE state;
-- by MERGE
CALL fill();
MERGE INTO post_tags l
USING (VALUES (1, 1, 'b', 1), (1, 2, 'x', 2), (2, 4, 'b', 7), (1, 3, 'b', 3), (2, 3, 'x', 3), (101, 104, 'a', 104)) AS s (post_id, tag_id, kind, new_tag)
   ON l.post_id = s.post_id AND l.tag_id = s.tag_id
 WHEN MATCHED AND s.kind = 'x' THEN DELETE
 WHEN MATCHED THEN UPDATE SET kind = s.kind, tag_id = s.new_tag;
TABLE state;
-- a link that is swallowed on its way is gone
CREATE TRIGGER swallow BEFORE INSERT ON post_tags_a
    FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE post_tags SET kind = 'a' WHERE tag_id IN (5, 102);
TABLE state;
DROP TRIGGER swallow ON post_tags_a;
-- the keys of both ends change, within their partition and to another one; the
-- links follow, and move with what they are divided by
CALL fill();
UPDATE posts SET id = id + 200 WHERE id IN (1, 101);
UPDATE tags SET id = CASE WHEN id > 100 THEN id - 50 ELSE id + 110 END WHERE id IN (2, 5, 7, 101, 102);
UPDATE tags_low SET id = 60 WHERE id = 6;
TABLE state;
-- a tag that waits for the check moves meanwhile
BEGIN;
DELETE FROM post_tags WHERE tag_id IN (1, 112);
UPDATE tags SET id = 501 WHERE id = 1;
UPDATE tags SET id = 12 WHERE id = 112;
TABLE state;
COMMIT;
TABLE state;
-- "delete" alone does not count
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
DELETE FROM post_tags WHERE tag_id = 6;
TABLE state;
COMMIT;
TABLE state;
-- deferred => false
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan', deferred => false);
CALL fill();
BEGIN;
UPDATE post_tags SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END;
TABLE state;
DELETE FROM post_tags_b WHERE tag_id IN (1, 3);
UPDATE post_tags SET kind = 'a', tag_id = 7 WHERE tag_id IN (5, 104);
DELETE FROM posts_low WHERE id = 1;
TABLE state;
COMMIT;
-- partitions of all three come and go
SELECT cascade.alter_relationship('posts', 'tags', deferred => true);
CALL fill();
CREATE TABLE posts_top PARTITION OF posts FOR VALUES FROM (1000) TO (2000);
CREATE TABLE tags_top (name text, id integer NOT NULL);
INSERT INTO tags_top VALUES ('one', 1001), ('two', 1002);
ALTER TABLE tags ATTACH PARTITION tags_top FOR VALUES FROM (1000) TO (2000);
CREATE TABLE post_tags_c (kind text, note text, tag_id integer, post_id integer);
INSERT INTO posts VALUES (1001), (1002);
INSERT INTO post_tags_c VALUES ('c', NULL, 1001, 1001), ('c', NULL, 1002, 1002), ('c', NULL, 1, 1002), ('c', NULL, 6, 1002);
ALTER TABLE post_tags ATTACH PARTITION post_tags_c FOR VALUES IN ('c');
DELETE FROM posts_top WHERE id = 1001;
DELETE FROM posts WHERE id IN (1, 1002);
TABLE state;
INSERT INTO posts VALUES (1003);
INSERT INTO post_tags_c VALUES ('c', NULL, 6, 1003), ('c', NULL, 3, 2), ('c', NULL, 7, 1003);
ALTER TABLE post_tags DETACH PARTITION post_tags_c;
-- what is detached does not hold a tag, and is not deleted with it
CALL drop_foreign_keys('post_tags_c');
DELETE FROM post_tags WHERE tag_id IN (3, 6);
DELETE FROM post_tags_c WHERE tag_id = 7;
DELETE FROM posts WHERE id = 1003;
TABLE state;
SELECT post_id, tag_id FROM post_tags_c ORDER BY tag_id;
DROP TABLE post_tags_c;
-- a second link to a tag
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'save-update');
CALL fill();
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', single_parent => true)$$);
DELETE FROM post_tags WHERE kind = 'b' AND tag_id IN (3, 102);
SELECT cascade.alter_relationship('posts', 'tags', single_parent => true);
SELECT try($$INSERT INTO post_tags VALUES (2, 1, 'b'); SET CONSTRAINTS ALL IMMEDIATE$$);
SELECT try($$INSERT INTO post_tags_b_high VALUES (103, 2, 'b'); SET CONSTRAINTS ALL IMMEDIATE$$);
SELECT try($$UPDATE post_tags SET tag_id = 103, kind = 'b' WHERE tag_id = 1; SET CONSTRAINTS ALL IMMEDIATE$$);
-- moves are none
UPDATE post_tags SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END;
-- an exchange is legal
BEGIN;
UPDATE post_tags SET tag_id = 102 WHERE tag_id = 1;
UPDATE post_tags SET tag_id = 1 WHERE tag_id = 102 AND post_id = 101;
COMMIT;
TABLE state;
-- a partition is no secondary, nor is it a target or a source
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags_a')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags_low', name => 'x', secondary => 'post_tags')$$);
SELECT try($$SELECT cascade.add_relationship('posts_low', 'tags', name => 'x', secondary => 'post_tags')$$);
-- nor does a secondary become one
CREATE TABLE plain_posts (id integer PRIMARY KEY);
CREATE TABLE plain_tags (id integer PRIMARY KEY);
CREATE TABLE plain_links (post_id integer REFERENCES plain_posts, tag_id integer REFERENCES plain_tags, kind text, note text);
SELECT cascade.add_relationship('plain_posts', 'plain_tags', secondary => 'plain_links');
SELECT try($$ALTER TABLE post_tags ATTACH PARTITION plain_links FOR VALUES IN ('plain')$$);
DROP TABLE plain_links, plain_tags, plain_posts;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE post_tags, tags, posts;

--
-- A plain secondary table between partitioned ones, whose rows move without
-- their key; no foreign keys
--
CREATE TABLE posts (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE posts_a PARTITION OF posts FOR VALUES IN ('a');
CREATE TABLE posts_b PARTITION OF posts FOR VALUES IN ('b');
CREATE TABLE tags (id integer, kind text) PARTITION BY LIST (kind);
CREATE TABLE tags_a (kind text, id integer);
ALTER TABLE tags ATTACH PARTITION tags_a FOR VALUES IN ('a');
CREATE TABLE tags_b PARTITION OF tags FOR VALUES IN ('b');
CREATE TABLE links (post_id integer, tag_id integer);
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'links',
    source_columns => '{id}', secondary_source_columns => '{post_id}',
    target_columns => '{id}', secondary_target_columns => '{tag_id}');
INSERT INTO posts VALUES (1, 'a'), (2, 'a'), (3, 'a'), (4, 'b');
INSERT INTO tags VALUES (1, 'a'), (2, 'a'), (3, 'a'), (4, 'b'), (5, 'b');
INSERT INTO links VALUES (1, 1), (2, 2), (3, 3), (4, 4), (4, 5), (3, 5);
CREATE VIEW state AS
    SELECT (SELECT string_agg(id || kind, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(id || kind, ' ' ORDER BY id) FROM tags) AS tags,
           (SELECT string_agg(post_id || '-' || tag_id, ' ' ORDER BY tag_id, post_id) FROM links) AS links;
UPDATE posts SET kind = 'b' WHERE id IN (1, 2);
UPDATE tags SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END WHERE id IN (1, 4);
TABLE state;
UPDATE posts SET kind = 'b', id = 30 WHERE id = 3;
UPDATE tags SET kind = 'a', id = 50 WHERE id = 5;
TABLE state;
-- a tag that waits moves, in place of its key
BEGIN;
DELETE FROM links WHERE tag_id IN (1, 3);
UPDATE tags SET kind = 'a' WHERE id = 1;
UPDATE tags SET kind = 'b', id = 33 WHERE id = 3;
INSERT INTO links VALUES (30, 33);
COMMIT;
TABLE state;
-- swallowed on their way
CREATE TRIGGER swallow BEFORE INSERT ON posts_a
    FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER swallow BEFORE INSERT ON tags_b
    FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE posts SET kind = 'a' WHERE id = 4;
UPDATE tags SET kind = 'b' WHERE id = 2;
TABLE state;
DROP VIEW state;
DROP TABLE links, tags, posts;

--
-- many-to-one from a partitioned source
--
CREATE TABLE addresses (id integer PRIMARY KEY);
CREATE TABLE orders (id integer, address_id integer REFERENCES addresses, year integer) PARTITION BY RANGE (year);
CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (1900) TO (2000);
CREATE TABLE orders_new (gone text, year integer, address_id integer, id integer) PARTITION BY LIST (address_id);
ALTER TABLE orders_new DROP COLUMN gone;
CREATE TABLE orders_new_null PARTITION OF orders_new FOR VALUES IN (NULL);
CREATE TABLE orders_new_rest PARTITION OF orders_new DEFAULT;
ALTER TABLE orders ATTACH PARTITION orders_new FOR VALUES FROM (2000) TO (2100);
SELECT cascade.add_relationship('orders', 'addresses', 'all, delete-orphan', name => 'address');
CREATE PROCEDURE fill()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM orders;
    DELETE FROM addresses;
    -- so that what is inserted again is not taken for what has lost its links
    COMMIT;
    INSERT INTO addresses SELECT generate_series(1, 8);
    INSERT INTO orders VALUES (1, 1, 1990), (2, 1, 2010), (3, 2, 1990), (4, 3, 2010), (5, 4, 1990), (6, 5, 2010), (7, 6, 1990);
END
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM addresses) AS addresses,
           (SELECT string_agg(id || '-' || coalesce(address_id::text, 'NULL') || '/' || year, ' ' ORDER BY id) FROM orders) AS orders;
CALL fill();
TABLE state;
-- deleted through the root and through partitions; addresses 7 and 8 have
-- never been referenced
DELETE FROM orders WHERE id IN (1, 3);
DELETE FROM orders_new WHERE id = 4;
DELETE FROM orders_old WHERE id = 5;
TABLE state;
DELETE FROM orders_new_rest WHERE id = 2;
TABLE state;
-- moved
CALL fill();
BEGIN;
UPDATE orders SET year = 4000 - year;
UPDATE orders SET year = 4000 - year WHERE id IN (3, 4);
COMMIT;
TABLE state;
-- moved and pointed elsewhere, by one statement and by two
UPDATE orders SET year = 4000 - year, address_id = 7 WHERE id = 3;
UPDATE orders SET address_id = 8 WHERE id = 4;
UPDATE orders SET address_id = NULL, year = 2000 WHERE id = 1;
BEGIN;
UPDATE orders SET address_id = NULL WHERE id IN (5, 6);
UPDATE orders SET year = 2010 WHERE id IN (5, 6);
UPDATE orders SET address_id = 4 WHERE id = 5;
TABLE state;
COMMIT;
TABLE state;
-- the key that is referenced changes: the rows follow, and stay where they are
UPDATE addresses SET id = 70 WHERE id = 7;
TABLE state;
-- deferred => false
SELECT cascade.alter_relationship('orders', 'address', deferred => false);
CALL fill();
BEGIN;
UPDATE orders SET year = 4000 - year;
UPDATE orders SET address_id = NULL, year = 1980 WHERE id = 3;
UPDATE orders SET address_id = 7, year = 1980 WHERE id = 4;
DELETE FROM orders WHERE id = 5;
TABLE state;
COMMIT;
-- swallowed on its way
CREATE TRIGGER swallow BEFORE INSERT ON orders_old
    FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE orders SET year = 1990 WHERE id = 7;
TABLE state;
DROP TRIGGER swallow ON orders_old;
-- a partition that comes with rows, and goes with them
CALL fill();
CREATE TABLE orders_future (LIKE orders);
INSERT INTO orders_future VALUES (11, 1, 2110), (12, 7, 2110), (13, 6, 2110);
ALTER TABLE orders ATTACH PARTITION orders_future FOR VALUES FROM (2100) TO (2200);
DELETE FROM orders WHERE id IN (1, 2, 7);
DELETE FROM orders_future WHERE id = 12;
TABLE state;
ALTER TABLE orders DETACH PARTITION orders_future;
CALL drop_foreign_keys('orders_future');
DELETE FROM orders_future WHERE id = 11;
UPDATE orders SET address_id = 6 WHERE id = 3;
DELETE FROM orders WHERE id = 3;
TABLE state;
SELECT * FROM orders_future;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE orders, orders_future, addresses;

--
-- many-to-one to a partitioned target, and a source that must have one
--
CREATE TABLE addresses (town text, id integer, PRIMARY KEY (town, id)) PARTITION BY LIST (town);
CREATE TABLE addresses_a PARTITION OF addresses FOR VALUES IN ('a');
CREATE TABLE addresses_b (id integer NOT NULL, town text NOT NULL);
ALTER TABLE addresses ATTACH PARTITION addresses_b FOR VALUES IN ('b');
CREATE TABLE orders (id integer PRIMARY KEY, town text NOT NULL, address_id integer NOT NULL, FOREIGN KEY (town, address_id) REFERENCES addresses);
SELECT cascade.add_relationship('orders', 'addresses', 'all, delete-orphan', name => 'address');
INSERT INTO addresses SELECT town, i FROM unnest('{a,b}'::text[]) AS town, generate_series(1, 4) i;
INSERT INTO orders VALUES (1, 'a', 1), (2, 'a', 2), (3, 'a', 2), (4, 'b', 1), (5, 'b', 2), (6, 'a', 3);
CREATE VIEW state AS
    SELECT (SELECT string_agg(town || id, ' ' ORDER BY town, id) FROM addresses) AS addresses,
           (SELECT string_agg(id || '-' || town || address_id, ' ' ORDER BY id) FROM orders) AS orders;
-- the target moves: its sources follow, by the key that changes with it
UPDATE addresses SET town = 'b', id = 10 WHERE (town, id) = ('a', 2);
UPDATE addresses SET town = CASE town WHEN 'a' THEN 'b' ELSE 'a' END, id = id + 20 WHERE (town, id) IN (('a', 1), ('b', 1));
TABLE state;
DELETE FROM orders WHERE id IN (1, 2, 4);
TABLE state;
DELETE FROM orders WHERE id = 3;
UPDATE orders SET town = 'b', address_id = 3 WHERE id = 5;
TABLE state;
-- a target that waits for the check moves
BEGIN;
UPDATE orders SET address_id = 4 WHERE id IN (5, 6);
UPDATE addresses SET town = 'b', id = 33 WHERE (town, id) = ('a', 3);
UPDATE addresses SET town = 'a', id = 34 WHERE (town, id) = ('b', 3);
UPDATE orders SET town = 'a', address_id = 34 WHERE id = 6;
TABLE state;
COMMIT;
TABLE state;
-- the target is deleted: the foreign key decides
\set VERBOSITY sqlstate
DELETE FROM addresses_b WHERE id = 4;  -- fails
\set VERBOSITY default
TABLE state;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA partitioned_many_test CASCADE;

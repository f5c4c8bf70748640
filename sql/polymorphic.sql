--
-- polymorphic: several sources share one table that holds the key, and a
-- discriminator on that table tells whose row it is
--
CREATE SCHEMA polymorphic_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = polymorphic_test, helper;

--
-- posts.comments and photos.comments: each touches its own rows only.  The
-- keys of the two are the same numbers.
--
CREATE TABLE posts (id integer PRIMARY KEY DEFERRABLE, hidden boolean NOT NULL DEFAULT false);
CREATE TABLE photos (id integer PRIMARY KEY DEFERRABLE, hidden boolean NOT NULL DEFAULT false);
CREATE TABLE comments (
    id integer PRIMARY KEY,
    commentable_type text,
    commentable_id integer,
    hidden boolean NOT NULL DEFAULT false
);
CREATE INDEX ON comments (commentable_type, commentable_id);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM comments;
    DELETE FROM posts;
    DELETE FROM photos;
    INSERT INTO posts SELECT generate_series(1, 4);
    INSERT INTO photos SELECT generate_series(1, 4);
    -- 'Post' and 'video' are nobody's
    INSERT INTO comments VALUES
        (1, 'post', 1), (2, 'post', 1), (3, 'post', 2), (4, 'post', 3),
        (11, 'photo', 1), (12, 'photo', 1), (13, 'photo', 2), (14, 'photo', 3),
        (21, 'video', 1), (22, 'Post', 1), (23, NULL, 1), (24, 'post', NULL), (25, NULL, NULL);
$$;
CALL fill();
SELECT cascade.add_relationship('posts', 'comments', 'all',
    source_columns => '{id}', target_columns => '{commentable_id}',
    discriminator => '{"commentable_type": "post"}');
SELECT cascade.add_relationship('photos', 'comments', 'all',
    source_columns => '{id}', target_columns => '{commentable_id}',
    discriminator => '{"commentable_type": "photo"}');
SELECT source, name, target, direction, source_columns, target_columns, discriminator_columns, discriminator_values
  FROM cascade.relationship
 WHERE target = 'comments'::regclass
 ORDER BY source::text;
CREATE VIEW state AS
    SELECT coalesce(commentable_type, 'NULL') AS type, coalesce(commentable_id::text, 'NULL') AS key,
           array_agg(id ORDER BY id) AS comments
      FROM comments
     GROUP BY 1, 2
     ORDER BY min(id);
TABLE state;

-- delete
\set QUIET off
DELETE FROM posts WHERE id = 1;
\set QUIET on
TABLE state;
DELETE FROM photos WHERE id IN (1, 2);
TABLE state;
-- both by one statement; one action for each relationship
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
WITH gone AS (DELETE FROM posts WHERE id <= 2) DELETE FROM photos WHERE id = 3;
SET cascade.trace = off;
\set VERBOSITY default
TABLE state;
-- a row that none of the two has
CALL fill();
DELETE FROM posts WHERE id = 4;
SELECT count(*) FROM comments;

-- nullify: the key goes, the type stays
SELECT cascade.alter_relationship('posts', 'comments', cascade => 'save-update');
DELETE FROM posts WHERE id = 1;
TABLE state;
-- one of the two nullifies, the other one deletes
DELETE FROM photos WHERE id = 1;
TABLE state;
-- nullify => false
SELECT cascade.alter_relationship('posts', 'comments', nullify => false);
DELETE FROM posts WHERE id = 2;
TABLE state;

-- save-update: the key follows
CALL fill();
UPDATE posts SET id = 10 WHERE id = 1;
TABLE state;
-- no matter where to: 2 is a photo's key, too
UPDATE photos SET id = id + 1;
TABLE state;
-- two keys are exchanged
UPDATE posts SET id = CASE id WHEN 2 THEN 3 ELSE 2 END WHERE id IN (2, 3);
TABLE state;
SELECT cascade.alter_relationship('photos', 'comments', follow_keys => false);
UPDATE photos SET id = 30 WHERE id = 3;
SELECT cascade.alter_relationship('photos', 'comments', follow_keys => true);
TABLE state;

-- propagate
SELECT cascade.alter_relationship('posts', 'comments', propagate => '{"hidden": "hidden"}', nullify => true);
CALL fill();
UPDATE posts SET hidden = true WHERE id = 1;
UPDATE photos SET hidden = true WHERE id = 2;
SELECT id, commentable_type, commentable_id FROM comments WHERE hidden ORDER BY id;
-- with the key that follows
UPDATE posts SET hidden = true, id = 20 WHERE id = 2;
SELECT id, commentable_type, commentable_id FROM comments WHERE hidden ORDER BY id;

--
-- Orphans.  A comment that goes from a post to a photo has a parent all the
-- time.
--
SELECT cascade.alter_relationship('posts', 'comments', cascade => 'all, delete-orphan');
SELECT cascade.alter_relationship('photos', 'comments', cascade => 'all, delete-orphan');
-- the key, the type or both become NULL
CALL fill();
BEGIN;
UPDATE comments SET commentable_id = NULL WHERE id = 1;
UPDATE comments SET commentable_type = NULL WHERE id = 2;
UPDATE comments SET commentable_type = NULL, commentable_id = NULL WHERE id = 3;
UPDATE comments SET commentable_id = NULL WHERE id = 11;
TABLE state;
COMMIT;
TABLE state;
-- a type that no relationship has
CALL fill();
UPDATE comments SET commentable_type = 'video' WHERE id IN (1, 11);
UPDATE comments SET commentable_type = 'Post' WHERE id = 2;
TABLE state;
-- to another parent: of the same type, of the other one with the same key, of
-- the other one with another key.  A key is a parent, whether a row stands
-- behind it or not.
CALL fill();
UPDATE comments SET commentable_id = 2 WHERE id = 1;
UPDATE comments SET commentable_type = 'photo' WHERE id = 2;
UPDATE comments SET commentable_type = 'post', commentable_id = 4 WHERE id = 11;
UPDATE comments SET commentable_type = 'photo', commentable_id = 99 WHERE id = 3;
TABLE state;
-- and it belongs to the new parent from then on
DELETE FROM posts WHERE id = 1;
DELETE FROM photos WHERE id = 1;
DELETE FROM posts WHERE id = 4;
TABLE state;
-- in several steps, before the check
CALL fill();
BEGIN;
UPDATE comments SET commentable_id = NULL WHERE id IN (1, 2, 3);
UPDATE comments SET commentable_type = 'photo' WHERE id IN (1, 2, 3, 4);
UPDATE comments SET commentable_id = 2 WHERE id IN (1, 2);
UPDATE comments SET commentable_type = 'video' WHERE id = 4;
UPDATE comments SET commentable_type = 'post' WHERE id IN (2, 4);
COMMIT;
TABLE state;
-- moved, then detached
CALL fill();
BEGIN;
UPDATE comments SET commentable_type = 'photo' WHERE id = 1;
UPDATE comments SET commentable_id = NULL WHERE id = 1;
COMMIT;
SELECT count(*) FROM comments WHERE id = 1;
-- never had one: the row had a key without a type, a type without a key, a
-- type of nobody's
UPDATE comments SET commentable_id = NULL, commentable_type = NULL WHERE id > 20;
SELECT id FROM comments WHERE id > 20 ORDER BY id;
-- and has had one from when on both fit
UPDATE comments SET commentable_id = 2 WHERE id IN (21, 22);
UPDATE comments SET commentable_type = 'photo' WHERE id IN (21, 23);
UPDATE comments SET commentable_id = NULL WHERE id IN (21, 22, 23);
SELECT id, commentable_type FROM comments WHERE id > 20 ORDER BY id;

-- detached by the parent's deletion, and attached to one of the other kind
SELECT cascade.alter_relationship('posts', 'comments', cascade => 'save-update, delete-orphan');
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
UPDATE comments SET commentable_type = 'photo', commentable_id = 4 WHERE id = 2;
TABLE state;
COMMIT;
TABLE state;

-- only one of the two relationships deletes its orphans, but both are parents
SELECT cascade.alter_relationship('posts', 'comments', cascade => 'all, delete-orphan');
SELECT cascade.alter_relationship('photos', 'comments', cascade => 'none');
CALL fill();
UPDATE comments SET commentable_type = 'photo' WHERE id = 1;
UPDATE comments SET commentable_type = 'video' WHERE id IN (2, 11);
UPDATE comments SET commentable_id = NULL WHERE id = 12;
UPDATE comments SET commentable_id = NULL WHERE id = 3;
TABLE state;
-- without the other relationship, its type is one of nobody's
SELECT cascade.drop_relationship('photos', 'comments');
UPDATE comments SET commentable_type = 'photo' WHERE id = 4;
TABLE state;

-- deferred => false: what a statement leaves without a parent goes with it
SELECT cascade.alter_relationship('posts', 'comments', deferred => false);
SELECT cascade.add_relationship('photos', 'comments', 'all, delete-orphan', deferred => false,
    source_columns => '{id}', target_columns => '{commentable_id}',
    discriminator => '{"commentable_type": "photo"}');
CALL fill();
BEGIN;
UPDATE comments SET commentable_type = CASE id WHEN 1 THEN 'photo' WHEN 2 THEN 'video' WHEN 11 THEN 'post' END
 WHERE id IN (1, 2, 11, 12);
TABLE state;
UPDATE comments SET commentable_id = NULL WHERE id = 3;
UPDATE comments SET commentable_type = 'photo', commentable_id = 3 WHERE id = 3;
TABLE state;
COMMIT;

-- a key that must not be NULL
CALL fill();
DELETE FROM comments WHERE commentable_id IS NULL OR commentable_type IS NULL;
SELECT cascade.alter_relationship('posts', 'comments', deferred => true);
SELECT cascade.alter_relationship('photos', 'comments', cascade => 'all');
ALTER TABLE comments ALTER commentable_id SET NOT NULL;
BEGIN;
\set QUIET off
UPDATE comments SET commentable_id = NULL WHERE id = 1;
\set QUIET on
TABLE state;
-- the photo's comments are no orphans by any rule, and neither is one that is
-- a photo's from now on; nobody's comment has no parent to lose
SELECT try('UPDATE comments SET commentable_id = NULL WHERE id = 11');
SELECT try($$UPDATE comments SET commentable_id = NULL, commentable_type = 'photo' WHERE id = 12$$);
SELECT try('UPDATE comments SET commentable_id = NULL WHERE id = 21');
COMMIT;
TABLE state;
-- neither must the type
ALTER TABLE comments ALTER commentable_type SET NOT NULL;
\set QUIET off
UPDATE comments SET commentable_id = NULL, commentable_type = NULL WHERE id = 2;
\set QUIET on
TABLE state;
-- a type of nobody's can wait for commit
BEGIN;
UPDATE comments SET commentable_type = 'video' WHERE id IN (3, 4);
TABLE state;
UPDATE comments SET commentable_type = 'photo' WHERE id = 4;
COMMIT;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE comments, posts, photos;

--
-- The discriminator may have any type
--
CREATE TYPE kind AS ENUM ('post', 'photo');
CREATE DOMAIN short AS varchar(5);
CREATE FUNCTION outcome(type text, one text, two text, discriminator_one jsonb, discriminator_two jsonb)
RETURNS TABLE (declared text, deleted text, followed text, orphaned text)
LANGUAGE plpgsql
AS $$
DECLARE
    rows text := 'SELECT string_agg(id || '':'' || parent_id, '' '' ORDER BY id) FROM child';
BEGIN
    CREATE TABLE one (id integer PRIMARY KEY);
    CREATE TABLE two (id integer PRIMARY KEY);
    EXECUTE format('CREATE TABLE child (id integer, kind %s, parent_id integer)', type);
    PERFORM cascade.add_relationship('one', 'child', 'all, delete-orphan', deferred => false,
        source_columns => '{id}', target_columns => '{parent_id}', discriminator => discriminator_one);
    PERFORM cascade.add_relationship('two', 'child', 'all, delete-orphan', deferred => false,
        source_columns => '{id}', target_columns => '{parent_id}', discriminator => discriminator_two);
    SELECT string_agg(discriminator_values::text, ' ' ORDER BY source::text) INTO declared
      FROM cascade.relationship
     WHERE target = 'child'::regclass;
    INSERT INTO one VALUES (1), (2);
    INSERT INTO two VALUES (1), (2);
    EXECUTE format('INSERT INTO child VALUES (1, %1$L, 1), (2, %2$L, 1), (3, %1$L, 2), (4, %2$L, 2)', one, two);
    DELETE FROM one WHERE id = 1;
    EXECUTE rows INTO deleted;
    UPDATE two SET id = 20 WHERE id = 2;
    EXECUTE rows INTO followed;
    -- 3 from the first to the second, 2 to nobody
    EXECUTE format('UPDATE child SET kind = CASE id WHEN 3 THEN %L::%s END WHERE id IN (2, 3)', two, type);
    EXECUTE rows INTO orphaned;
    RETURN NEXT;
    DROP TABLE child, one, two;
END
$$;
SELECT * FROM outcome('text', 'it''s', 'new "one"', '{"kind": "it''s"}', '{"kind": "new \"one\""}');
SELECT * FROM outcome('varchar(10)', 'post', 'photo', '{"kind": "post"}', '{"kind": "photo"}');
SELECT * FROM outcome('char(10)', 'post', 'photo', '{"kind": "post"}', '{"kind": "photo"}');
SELECT * FROM outcome('bit(3)', '101', '100', '{"kind": "101"}', '{"kind": "100"}');
SELECT * FROM outcome('name', 'post', 'photo', '{"kind": "post"}', '{"kind": "photo"}');
SELECT * FROM outcome('kind', 'post', 'photo', '{"kind": "post"}', '{"kind": "photo"}');
SELECT * FROM outcome('short', 'post', 'photo', '{"kind": "post"}', '{"kind": "photo"}');
SELECT * FROM outcome('integer', '1', '2', '{"kind": 1}', '{"kind": "2"}');
SELECT * FROM outcome('bigint', '1', '5000000000', '{"kind": 1}', '{"kind": 5000000000}');
SELECT * FROM outcome('smallint', '-1', '1', '{"kind": -1}', '{"kind": 1}');
SELECT * FROM outcome('boolean', 'true', 'false', '{"kind": true}', '{"kind": "f"}');
SELECT * FROM outcome('uuid', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b',
                      '{"kind": "00000000-0000-0000-0000-00000000000A"}',
                      '{"kind": "00000000-0000-0000-0000-00000000000b"}');
DROP FUNCTION outcome;

--
-- Two discriminator columns; the relationships have one of them in common
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE notes (id integer PRIMARY KEY, app text, owner_type text, owner_id integer);
SELECT cascade.add_relationship('posts', 'notes', 'all, delete-orphan', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{owner_id}',
    discriminator => '{"app": "blog", "owner_type": "post"}');
SELECT cascade.add_relationship('photos', 'notes', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{owner_id}',
    discriminator => '{"owner_type": "photo", "app": "blog"}');
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO photos VALUES (1), (2), (3);
INSERT INTO notes VALUES (1, 'blog', 'post', 1), (2, 'shop', 'post', 1), (3, 'blog', 'photo', 1), (4, NULL, 'post', 1),
    (5, 'blog', NULL, 1), (6, 'blog', 'post', 2), (7, 'blog', 'post', 2), (8, 'blog', 'post', 2), (9, 'blog', 'post', 3);
DELETE FROM posts WHERE id = 1;
TABLE notes ORDER BY id;
UPDATE notes SET app = 'shop' WHERE id = 6;
UPDATE notes SET owner_type = 'photo' WHERE id = 7;
UPDATE notes SET app = 'shop', owner_type = 'photo' WHERE id = 8;
TABLE notes ORDER BY id;
UPDATE posts SET id = 30 WHERE id = 3;
DELETE FROM photos WHERE id = 2;
TABLE notes ORDER BY id;
DROP TABLE notes, posts, photos;

--
-- Two relationships of the same two tables, told apart by the discriminator
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE texts (id integer PRIMARY KEY, kind text, post_id integer REFERENCES posts);
SELECT cascade.add_relationship('posts', 'texts', 'all, delete-orphan', name => 'comments',
    discriminator => '{"kind": "comment"}');
SELECT cascade.add_relationship('posts', 'texts', 'save-update', name => 'reviews',
    discriminator => '{"kind": "review"}');
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO texts VALUES (1, 'comment', 1), (2, 'review', 1), (3, 'comment', 2), (4, 'review', 2), (5, 'draft', 3);
DELETE FROM posts WHERE id = 1;
TABLE texts ORDER BY id;
UPDATE texts SET post_id = NULL WHERE id >= 3;
TABLE texts ORDER BY id;
INSERT INTO texts VALUES (6, 'comment', 2), (7, 'comment', 2);
UPDATE texts SET kind = 'review' WHERE id = 6;
UPDATE texts SET kind = 'draft' WHERE id = 7;
TABLE texts ORDER BY id;
-- rows of neither are left to the foreign key
UPDATE texts SET post_id = 3 WHERE id = 5;
SELECT try('DELETE FROM posts WHERE id = 3');
DROP TABLE texts, posts;

--
-- The index on (type, key) is used, both columns of it: what is read from it
-- are the rows in question and not the other 19 types' rows of the same keys.
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, type text, key integer, note text);
CREATE INDEX comments_type_key ON comments (type, key);
SELECT cascade.add_relationship('posts', 'comments', 'all, delete-orphan',
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "post"}');
INSERT INTO posts SELECT generate_series(1, 1000);
INSERT INTO comments SELECT i, CASE i % 20 WHEN 0 THEN 'post' ELSE 't' || i % 20 END, i / 20 FROM generate_series(20, 20019) i;
ANALYZE posts, comments;
-- the scans of the table, and the entries read from the index per scan
CREATE FUNCTION reads(command text, OUT seq_scans bigint, OUT used_index boolean, OUT entries bigint)
LANGUAGE plpgsql
AS $$
DECLARE
    entries_before bigint := pg_stat_get_xact_tuples_returned('comments_type_key'::regclass);
    scans_before bigint := pg_stat_get_xact_numscans('comments_type_key'::regclass);
BEGIN
    seq_scans := - pg_stat_get_xact_numscans('comments'::regclass);
    EXECUTE command;
    seq_scans := seq_scans + pg_stat_get_xact_numscans('comments'::regclass);
    entries := pg_stat_get_xact_tuples_returned('comments_type_key'::regclass) - entries_before;
    used_index := pg_stat_get_xact_numscans('comments_type_key'::regclass) > scans_before;
END
$$;
SELECT seq_scans, used_index, entries BETWEEN 1 AND 10 AS few FROM reads('DELETE FROM posts WHERE id = 500');
SELECT seq_scans, used_index, entries BETWEEN 1 AND 10 AS few FROM reads('UPDATE posts SET id = -1 WHERE id = 501');
SELECT seq_scans, used_index, entries BETWEEN 10 AND 100 AS few FROM reads('DELETE FROM posts WHERE id <= 10');
SELECT count(*) FROM comments;
DROP FUNCTION reads;
DROP TABLE comments, posts;

--
-- many-to-one back from the comment: its discriminator is on the source
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, commentable_type text, commentable_id integer);
SELECT cascade.add_relationship('comments', 'posts', 'all, delete-orphan', name => 'post',
    source_columns => '{commentable_id}', target_columns => '{id}', discriminator => '{"commentable_type": "post"}');
SELECT cascade.add_relationship('comments', 'photos', 'save-update', name => 'photo',
    source_columns => '{commentable_id}', target_columns => '{id}', discriminator => '{"commentable_type": "photo"}');
SELECT source, name, target, direction, source_columns, target_columns, discriminator_columns, discriminator_values
  FROM cascade.relationship
 WHERE source = 'comments'::regclass
 ORDER BY name;
INSERT INTO posts SELECT generate_series(1, 9);
INSERT INTO photos SELECT generate_series(1, 9);
INSERT INTO comments VALUES (1, 'post', 1), (2, 'post', 1), (3, 'post', 2), (4, 'post', 3), (5, 'post', 4),
    (6, 'photo', 1), (7, 'photo', 8), (8, 'photo', 3), (9, 'video', 5), (10, 'post', 6);
CREATE VIEW state AS
    SELECT (SELECT array_agg(id ORDER BY id) FROM posts) AS posts,
           (SELECT array_agg(id ORDER BY id) FROM photos) AS photos,
           (SELECT string_agg(id || ':' || coalesce(commentable_type, '-') || coalesce(commentable_id::text, '-'), ' ' ORDER BY id)
              FROM comments) AS comments;
-- the last reference of post 2 goes, but one of post 1's stays
DELETE FROM comments WHERE id IN (1, 3);
TABLE state;
-- the type changes: post 3 has lost its last reference; photo 8, too, but
-- photos do not go
UPDATE comments SET commentable_type = 'photo' WHERE id = 4;
UPDATE comments SET commentable_type = 'post' WHERE id = 7;
TABLE state;
-- to nobody's type, and back before the check; to NULL
BEGIN;
UPDATE comments SET commentable_type = 'video' WHERE id IN (2, 5);
UPDATE comments SET commentable_type = 'post' WHERE id = 5;
TABLE state;
COMMIT;
TABLE state;
UPDATE comments SET commentable_type = NULL WHERE id = 5;
TABLE state;
-- what another type's row refers to has the same number only
DELETE FROM comments WHERE id IN (9, 8);
TABLE state;
-- the referenced key changes: the sources of its type follow
INSERT INTO comments VALUES (11, 'post', 7), (12, 'photo', 7), (13, 'video', 7);
UPDATE posts SET id = 70 WHERE id = 7;
UPDATE photos SET id = 71 WHERE id = 7;
TABLE state;
-- the target is deleted: nothing, and no foreign key to say anything else
DELETE FROM posts WHERE id = 70;
TABLE state;
-- "delete" alone does not count: post 6 goes with one of its two comments,
-- and photo 6 does not
SELECT cascade.alter_relationship('comments', 'post', cascade => 'all');
INSERT INTO comments VALUES (20, 'post', 6), (21, 'photo', 6), (22, 'post', 9);
DELETE FROM comments WHERE id IN (10, 21);
TABLE state;
UPDATE comments SET commentable_id = NULL WHERE id = 22;
TABLE state;
-- one comment only; those of other types are none
SELECT cascade.alter_relationship('comments', 'post', cascade => 'none', single_parent => true);
INSERT INTO comments VALUES (30, 'post', 9), (31, 'photo', 9), (32, 'video', 9);
SELECT try($$UPDATE comments SET commentable_type = 'post' WHERE id = 31; SET CONSTRAINTS ALL IMMEDIATE$$);
BEGIN;
UPDATE comments SET commentable_type = 'post' WHERE id IN (31, 32);
UPDATE comments SET commentable_type = 'video' WHERE id IN (30, 31);
COMMIT;
TABLE state;
DROP VIEW state;
DROP TABLE comments, posts, photos;

--
-- Both sides are declared
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, type text, key integer);
SELECT cascade.add_relationship('posts', 'comments', 'all, delete-orphan',
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "post"}');
SELECT cascade.add_relationship('comments', 'posts', 'save-update, merge', name => 'post',
    source_columns => '{key}', target_columns => '{id}', discriminator => '{"type": "post"}');
SELECT cascade.add_relationship('photos', 'comments', 'all',
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "photo"}');
SELECT cascade.add_relationship('comments', 'photos', 'all, delete-orphan', name => 'photo',
    source_columns => '{key}', target_columns => '{id}', discriminator => '{"type": "photo"}');
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO photos VALUES (1), (2), (3);
INSERT INTO comments VALUES (1, 'post', 1), (2, 'post', 2), (3, 'photo', 1), (4, 'photo', 2), (5, 'photo', 2), (6, 'photo', 3);
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE posts SET id = id + 10;
SET cascade.trace = off;
\set VERBOSITY default
UPDATE photos SET id = id + 20;
TABLE comments ORDER BY id;
-- from a photo to a post: the photo has lost its only comment
UPDATE comments SET type = 'post', key = 13 WHERE id = 3;
-- a photo and its comments go together, whichever is deleted
DELETE FROM comments WHERE id IN (4, 6);
DELETE FROM photos WHERE id = 22;
DELETE FROM posts WHERE id = 13;
TABLE posts ORDER BY id;
TABLE photos;
TABLE comments ORDER BY id;
DROP TABLE comments, posts, photos;

--
-- many-to-many: posts.tags and photos.tags through one taggings table.  It has
-- a foreign key to tags only.
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE taggings (
    tag_id integer REFERENCES tags,
    taggable_type text,
    taggable_id integer,
    PRIMARY KEY (tag_id, taggable_type, taggable_id)
);
SELECT cascade.add_relationship('posts', 'tags', 'save-update, delete-orphan, delete', secondary => 'taggings',
    secondary_source_columns => '{taggable_id}', discriminator => '{"taggable_type": "post"}');
SELECT cascade.add_relationship('photos', 'tags', 'save-update', secondary => 'taggings',
    secondary_source_columns => '{taggable_id}', discriminator => '{"taggable_type": "photo"}');
SELECT source, name, target, direction, secondary, secondary_source_columns, secondary_target_columns,
       discriminator_columns, discriminator_values
  FROM cascade.relationship
 WHERE secondary = 'taggings'::regclass
 ORDER BY source::text;
CREATE PROCEDURE fill()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM taggings;
    DELETE FROM tags;
    DELETE FROM posts;
    DELETE FROM photos;
    -- so that what is inserted again is not taken for what has lost its links
    COMMIT;
    INSERT INTO posts SELECT generate_series(1, 3);
    INSERT INTO photos SELECT generate_series(1, 3);
    INSERT INTO tags SELECT generate_series(1, 6);
    INSERT INTO taggings VALUES (1, 'post', 1), (2, 'post', 1), (2, 'post', 2), (3, 'post', 1), (3, 'photo', 1),
        (4, 'photo', 1), (4, 'photo', 2), (5, 'post', 3);
END
$$;
CREATE VIEW state AS
    SELECT (SELECT array_agg(id ORDER BY id) FROM tags) AS tags,
           (SELECT string_agg(tag_id || '-' || taggable_type || taggable_id, ' ' ORDER BY tag_id, taggable_type DESC, taggable_id)
              FROM taggings) AS taggings;
CALL fill();
TABLE state;
-- the links of a post go with it, and the tags that nothing else holds: not a
-- photo either
DELETE FROM posts WHERE id = 1;
TABLE state;
-- the links of a photo go with it; its tags stay, as photos do not delete
DELETE FROM photos WHERE id = 1;
TABLE state;
-- a tag takes all its links
DELETE FROM tags WHERE id IN (2, 4);
TABLE state;
-- link rows that are deleted; and one whose type changes
CALL fill();
DELETE FROM taggings WHERE tag_id = 1;
DELETE FROM taggings WHERE tag_id = 2 AND taggable_id = 2;
DELETE FROM taggings WHERE tag_id = 4;
UPDATE taggings SET taggable_type = 'photo' WHERE tag_id = 5;
TABLE state;
-- a photo's link that becomes a post's, and goes
UPDATE taggings SET taggable_type = 'post' WHERE tag_id = 5;
DELETE FROM taggings WHERE tag_id = 5;
TABLE state;
-- a link of nobody's does not hold the tag, nor does anybody delete it: the
-- foreign key has the last word
SELECT try($$UPDATE taggings SET taggable_type = 'video' WHERE tag_id = 2;
             SET CONSTRAINTS ALL IMMEDIATE$$);
TABLE state;
-- both ends follow
CALL fill();
UPDATE posts SET id = 10 WHERE id = 1;
UPDATE photos SET id = 20 WHERE id = 2;
TABLE state;
UPDATE tags SET id = 30 WHERE id = 3;
TABLE state;
DROP PROCEDURE fill;
DROP VIEW state;
DROP TABLE taggings, tags, posts, photos;

--
-- The discriminator column is renamed, and dropped
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, type text, key integer);
SELECT cascade.add_relationship('posts', 'comments', 'all, delete-orphan',
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "post"}');
SELECT cascade.add_relationship('photos', 'comments', 'all',
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "photo"}');
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO photos VALUES (1), (2), (3);
INSERT INTO comments VALUES (1, 'post', 1), (2, 'photo', 1), (3, 'post', 2), (4, 'post', 2), (5, 'photo', 2), (6, 'post', 3);
DELETE FROM posts WHERE id = 3;
ALTER TABLE comments RENAME type TO "Commentable ""type""";
SELECT source, discriminator_columns, discriminator_values
  FROM cascade.relationship
 WHERE target = 'comments'::regclass
 ORDER BY source::text;
DELETE FROM posts WHERE id = 1;
UPDATE comments SET "Commentable ""type""" = 'photo' WHERE id = 3;
UPDATE comments SET "Commentable ""type""" = NULL WHERE id = 4;
TABLE comments ORDER BY id;
ALTER TABLE comments RENAME "Commentable ""type""" TO kind;
-- a column that has the old name is another one
ALTER TABLE comments ADD COLUMN type text DEFAULT 'post';
DELETE FROM posts WHERE id = 2;
DELETE FROM photos WHERE id = 1;
TABLE comments ORDER BY id;
\set VERBOSITY sqlstate
ALTER TABLE comments DROP COLUMN kind;  -- fails
\set VERBOSITY default
DELETE FROM photos WHERE id = 2;
TABLE comments;
SET client_min_messages = warning;
ALTER TABLE comments DROP COLUMN kind CASCADE;
RESET client_min_messages;
SELECT count(*) FROM cascade.relationship WHERE target = 'comments'::regclass;
INSERT INTO comments VALUES (1, 3, 'post');
DELETE FROM photos;
TABLE comments;
DROP TABLE comments, posts, photos;

--
-- Discriminators that are none
--
CREATE TYPE color AS ENUM ('red', 'green');
CREATE TABLE posts (id integer PRIMARY KEY, type text);
CREATE TABLE comments (id integer PRIMARY KEY, type text, number integer, color color, key integer, place point);
CREATE PROCEDURE declare(discriminator jsonb)
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM cascade.add_relationship('posts', 'comments', 'all', source_columns => '{id}', target_columns => '{key}',
                                     discriminator => discriminator);
END
$$;
-- not an object of column names and values
SELECT try($$CALL declare('[]')$$);
SELECT try($$CALL declare('"type"')$$);
SELECT try($$CALL declare('null')$$);
SELECT try($$CALL declare('{"type": null}')$$);
SELECT try($$CALL declare('{"type": ["post"]}')$$);
SELECT try($$CALL declare('{"type": {"post": "post"}}')$$);
-- columns that are not there, or not on the table that holds the key
SELECT try($$CALL declare('{"kind": "post"}')$$);
SELECT try($$CALL declare('{"": "post"}')$$);
SELECT try($$CALL declare('{"Type": "post"}')$$);
SELECT try($$CALL declare('{"ctid": "(0,1)"}')$$);
-- values that are none of the column's type
SELECT try($$CALL declare('{"number": "post"}')$$);
SELECT try($$CALL declare('{"number": 1.5}')$$);
SELECT try($$CALL declare('{"color": "blue"}')$$);
-- a type without an equality
SELECT try($$CALL declare('{"place": "(1,1)"}')$$);
SELECT count(*) FROM cascade.relationship WHERE source = 'posts'::regclass;
-- a relationship that has one is not altered to a bad one
CALL declare('{"type": "post"}');
SELECT try($$SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{"kind": "post"}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{"type": null}')$$);
SELECT discriminator_columns, discriminator_values FROM cascade.relationship WHERE source = 'posts'::regclass;
-- but to another one it is
INSERT INTO posts VALUES (1), (2);
INSERT INTO comments (id, type, color, key) VALUES (1, 'post', 'red', 1), (2, 'post', 'green', 1), (3, 'post', 'red', 2), (4, NULL, 'green', 2);
SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{"color": "green"}');
DELETE FROM posts WHERE id = 1;
SELECT id, type, color, key FROM comments ORDER BY id;
SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{"type": "post", "color": "red"}');
DELETE FROM posts WHERE id = 2;
SELECT id, type, color, key FROM comments ORDER BY id;
-- and {} takes it away
SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{}');
INSERT INTO posts VALUES (1), (2);
DELETE FROM posts WHERE id = 2;
SELECT id, type, color, key FROM comments ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA polymorphic_test CASCADE;

--
-- many_to_many: the keys are on a third table, the secondary, whose rows are
-- the links.  They go with either end; targets go with their source, or with
-- their last link.  single_parent and self-referential tables have files of
-- their own.
--
CREATE SCHEMA many_to_many_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = many_to_many_test, helper;

CREATE TABLE posts (id integer PRIMARY KEY, title text);
CREATE TABLE tags (id integer PRIMARY KEY, name text);
CREATE TABLE post_tags (
    post_id integer REFERENCES posts,
    tag_id integer REFERENCES tags,
    weight integer,
    PRIMARY KEY (post_id, tag_id)
);
-- tag 2 is shared by posts 1 and 2, tag 3 by 2 and 3; tag 5 and post 4 have no
-- links
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, post_tags;
    INSERT INTO posts VALUES (1), (2), (3), (4);
    INSERT INTO tags VALUES (1), (2), (3), (4), (5);
    INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(post_id || '-' || tag_id, ' ' ORDER BY post_id, tag_id) FROM post_tags) AS links,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags;

--
-- Both foreign keys of the secondary are found
--
SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags');
SELECT name, target, direction, r.cascade, foreign_key, source_columns, target_columns,
       secondary, secondary_source_columns, secondary_target_columns
  FROM cascade.relationship r
 WHERE source = 'posts'::regclass \gx

SELECT tie, on_delete, orphans, on_key_change FROM cascade.relationships WHERE source = 'posts'::regclass;

--
-- The default: link rows go with either end, and follow both; the rows at the
-- other end stay
--
CALL fill();
TABLE state;
\set QUIET off
DELETE FROM posts WHERE id = 1;
\set QUIET on
TABLE state;
\set QUIET off
DELETE FROM tags WHERE id = 3;
\set QUIET on
TABLE state;
-- links removed by hand, by their deletion or by moving them
DELETE FROM post_tags WHERE post_id = 2;
UPDATE post_tags SET post_id = 2;
TABLE state;
-- both ends of some links, in one statement
CALL fill();
WITH t AS (DELETE FROM tags WHERE id IN (2, 4))
DELETE FROM posts WHERE id IN (1, 2);
TABLE state;
-- keys of the source, of the target, of both
CALL fill();
UPDATE post_tags SET weight = 10 * post_id + tag_id;
\set QUIET off
UPDATE posts SET id = 10 WHERE id = 1;
\set QUIET on
TABLE state;
UPDATE tags SET id = id + 20 WHERE id > 1;
TABLE state;
WITH p AS (UPDATE posts SET id = id + 100)
UPDATE tags SET id = id + 100;
TABLE state;
-- and the links still carry what they did
TABLE post_tags ORDER BY post_id, tag_id;

-- none: links go with either end all the same, but follow nothing
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'none');
CALL fill();
SELECT try('UPDATE posts SET id = 10 WHERE id = 1');
SELECT try('UPDATE tags SET id = 10 WHERE id = 1');
DELETE FROM posts WHERE id = 1;
DELETE FROM tags WHERE id = 4;
TABLE state;
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'save-update', follow_keys => false);
SELECT try('UPDATE posts SET id = 10 WHERE id = 2');
SELECT try('UPDATE tags SET id = 10 WHERE id = 2');
-- nullify => false: nothing is done on either side, the foreign keys decide
SELECT cascade.alter_relationship('posts', 'tags', follow_keys => true, nullify => false);
CALL fill();
SELECT try('DELETE FROM posts WHERE id = 1');
SELECT try('DELETE FROM tags WHERE id = 1');
UPDATE posts SET id = 10 WHERE id = 1;
TABLE state;
-- with delete it says nothing
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
DELETE FROM tags WHERE id = 1;
DELETE FROM posts WHERE id = 10;
TABLE state;
SELECT cascade.alter_relationship('posts', 'tags', nullify => true);

--
-- delete: with a source row go its links, at once, and at commit the target
-- rows behind them with all the links that these have
--
CALL fill();
BEGIN;
\set QUIET off
DELETE FROM posts WHERE id = 1;
\set QUIET on
TABLE state;
COMMIT;
TABLE state;
-- a link that goes by itself takes nothing
DELETE FROM post_tags WHERE post_id = 3 AND tag_id = 4;
TABLE state;
-- links that went in an earlier transaction are forgotten ...
DELETE FROM posts WHERE id = 3;
TABLE state;
-- ... and those that went in this one are not
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 2 AND tag_id = 3;
DELETE FROM post_tags WHERE post_id = 3 AND tag_id = 4;
DELETE FROM posts WHERE id = 2;
TABLE state;
COMMIT;
TABLE state;
-- as an ORM does it: links, source, targets, each counted
CALL fill();
\set QUIET off
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
DELETE FROM posts WHERE id = 1;
DELETE FROM post_tags WHERE tag_id IN (1, 2);
DELETE FROM tags WHERE id IN (1, 2);
COMMIT;
\set QUIET on
TABLE state;
-- replaced by the client: the new one is not what was linked
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
DELETE FROM tags WHERE id = 1;
INSERT INTO tags VALUES (1);
COMMIT;
TABLE state;
-- attached again, after the link went or after the source did: it stays
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
INSERT INTO post_tags VALUES (4, 1);
DELETE FROM posts WHERE id = 1;
INSERT INTO post_tags VALUES (4, 2);
COMMIT;
TABLE state;
-- or by pointing another link to it, by moving the link itself
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
UPDATE post_tags SET tag_id = 1 WHERE post_id = 2 AND tag_id = 3;
COMMIT;
TABLE state;
CALL fill();
BEGIN;
UPDATE post_tags SET post_id = 4 WHERE post_id = 1;
DELETE FROM posts WHERE id = 1;
COMMIT;
TABLE state;
-- pointed elsewhere, a link has gone as well: tag 1, and 5 which it leads to now
CALL fill();
BEGIN;
UPDATE post_tags SET tag_id = 5 WHERE tag_id = 1;
DELETE FROM posts WHERE id = 1;
COMMIT;
TABLE state;
-- attached to a post that goes, too
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
INSERT INTO post_tags VALUES (4, 1);
DELETE FROM posts WHERE id = 4;
COMMIT;
TABLE state;
-- keys that change in between: the source's, the target's; tag 2 is attached
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
UPDATE posts SET id = 10 WHERE id = 1;
UPDATE tags SET id = id + 10;
DELETE FROM posts WHERE id = 10;
INSERT INTO post_tags VALUES (4, 12);
UPDATE tags SET id = id + 10;
COMMIT;
TABLE state;
-- a post that comes to have the key is not the one that had the link
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
UPDATE posts SET id = 10 WHERE id = 1;
INSERT INTO posts VALUES (1);
DELETE FROM posts WHERE id = 1;
COMMIT;
TABLE state;
-- attached before its link went: it goes, with the other link
CALL fill();
BEGIN;
INSERT INTO post_tags VALUES (4, 1);
DELETE FROM posts WHERE id = 1;
TABLE state;
COMMIT;
TABLE state;
-- SET CONSTRAINTS in between forgets nothing; by name, and of all
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1 AND tag_id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
DELETE FROM posts WHERE id = 1;
TABLE state;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM posts WHERE id = 3;
TABLE state;
SET CONSTRAINTS "CASCADE_verify_delete" IMMEDIATE;
TABLE state;
COMMIT;
-- savepoints: a removal that is rolled back, an attachment that is, the
-- source's deletion
CALL fill();
BEGIN;
SAVEPOINT s;
DELETE FROM post_tags WHERE post_id = 1;
ROLLBACK TO s;
UPDATE post_tags SET post_id = 4 WHERE post_id = 1 AND tag_id = 1;
DELETE FROM post_tags WHERE post_id = 2;
SAVEPOINT s;
INSERT INTO post_tags VALUES (4, 3);
ROLLBACK TO s;
SAVEPOINT s;
DELETE FROM posts WHERE id = 3;
ROLLBACK TO s;
DELETE FROM posts WHERE id IN (1, 2);
TABLE state;
COMMIT;
TABLE state;
-- the whole transaction, of which the next knows nothing
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
ROLLBACK;
DELETE FROM post_tags WHERE post_id = 1 AND tag_id = 1;
DELETE FROM posts WHERE id = 1;
TABLE state;

-- at the end of the statement
SELECT cascade.alter_relationship('posts', 'tags', deferred => false);
CALL fill();
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
\set QUIET off
DELETE FROM posts WHERE id = 1;
\set QUIET on
TABLE state;
DELETE FROM post_tags WHERE post_id = 3 AND tag_id = 4;
TABLE state;
DELETE FROM posts WHERE id = 3;
TABLE state;
COMMIT;
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
INSERT INTO post_tags VALUES (4, 1);
DELETE FROM posts WHERE id = 1;
TABLE state;
SELECT try('INSERT INTO post_tags VALUES (4, 2)');
COMMIT;

--
-- delete-orphan: the target goes with its last link
--
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan', deferred => true);
-- by the deletion of the source: what others are linked to stays
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
TABLE state;
COMMIT;
TABLE state;
DELETE FROM posts WHERE id = 2;
TABLE state;
-- all of them
CALL fill();
\set QUIET off
DELETE FROM posts;
\set QUIET on
TABLE state;
-- by the deletion of the links
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
TABLE state;
COMMIT;
TABLE state;
DELETE FROM post_tags WHERE tag_id IN (2, 3) AND post_id = 2;
TABLE state;
-- by pointing a link to another target; moving it to another source is no loss
CALL fill();
BEGIN;
UPDATE post_tags SET tag_id = 5 WHERE tag_id IN (1, 4);
UPDATE post_tags SET tag_id = 4 WHERE post_id = 2 AND tag_id = 3;
TABLE state;
COMMIT;
TABLE state;
UPDATE post_tags SET post_id = 4 WHERE tag_id = 2 AND post_id = 1;
UPDATE post_tags SET weight = 1;
TABLE state;
-- removed and put back, the whole collection at once, as an ORM's flush does
CALL fill();
BEGIN;
DELETE FROM post_tags;
TABLE state;
INSERT INTO post_tags VALUES (1, 1), (2, 1), (4, 3), (4, 5);
COMMIT;
TABLE state;
-- put back and removed again
BEGIN;
DELETE FROM post_tags WHERE tag_id = 3;
INSERT INTO post_tags VALUES (2, 3);
DELETE FROM post_tags WHERE tag_id = 3;
COMMIT;
TABLE state;
-- a target that has never had a link stays; one that had it for a moment goes
BEGIN;
INSERT INTO tags VALUES (6), (7);
INSERT INTO post_tags VALUES (1, 7);
DELETE FROM post_tags WHERE tag_id = 7;
COMMIT;
TABLE state;
-- a target deleted by hand, in the same transaction and on its own
CALL fill();
\set QUIET off
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
DELETE FROM tags WHERE id = 1;
COMMIT;
DELETE FROM tags WHERE id = 2;
\set QUIET on
TABLE state;
-- and others put in their place, which have lost no link
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1 OR tag_id = 4;
DELETE FROM tags WHERE id IN (1, 2);
INSERT INTO tags VALUES (1), (2);
COMMIT;
TABLE state;
-- a key that changes while the target waits
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1 OR tag_id = 4;
UPDATE tags SET id = id + 10;
INSERT INTO post_tags VALUES (4, 14);
COMMIT;
TABLE state;
-- in the statement that removes the link, in either order
CALL fill();
WITH unlinked AS (DELETE FROM post_tags WHERE tag_id = 1)
UPDATE tags SET id = 10 WHERE id = 1;
WITH renumbered AS (UPDATE tags SET id = 40 WHERE id = 4)
DELETE FROM post_tags WHERE tag_id = 4;
TABLE state;
-- in a savepoint that is rolled back, and in one that is not; the old key is
-- taken by another tag
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE tag_id IN (1, 4);
SAVEPOINT s;
UPDATE tags SET id = id + 10;
ROLLBACK TO s;
UPDATE tags SET id = 10 WHERE id = 1;
SAVEPOINT s;
UPDATE tags SET id = id + 20;
INSERT INTO tags VALUES (1), (10);
RELEASE s;
TABLE state;
COMMIT;
TABLE state;
-- TRUNCATE deletes no rows that anybody is told of
TRUNCATE post_tags;
TABLE state;
-- every way to write links
CALL fill();
INSERT INTO post_tags VALUES (1, 1) ON CONFLICT (post_id, tag_id) DO UPDATE SET tag_id = 5;
MERGE INTO post_tags pt
USING (VALUES (3, 4, NULL), (3, 3, 2), (4, 3, 3)) AS v (post_id, tag_id, new_tag)
   ON (pt.post_id, pt.tag_id) = (v.post_id, v.tag_id)
 WHEN MATCHED AND new_tag IS NULL THEN DELETE
 WHEN MATCHED THEN UPDATE SET tag_id = new_tag
 WHEN NOT MATCHED THEN INSERT VALUES (v.post_id, v.tag_id);
TABLE state;
BEGIN;
DELETE FROM post_tags WHERE tag_id IN (3, 5);
COPY post_tags (post_id, tag_id) FROM stdin;
4	5
\.
COMMIT;
TABLE state;
-- a source deleted and inserted again by one statement keeps its links, and
-- so does a target
CALL fill();
WITH p AS (DELETE FROM posts WHERE id = 1 RETURNING *),
     t AS (DELETE FROM tags WHERE id = 4 RETURNING *),
     u AS (INSERT INTO tags SELECT * FROM t)
INSERT INTO posts SELECT * FROM p;
TABLE state;

-- SET CONSTRAINTS
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE tag_id = 1;
SET CONSTRAINTS "CASCADE_verify_delete" IMMEDIATE;
TABLE state;
DELETE FROM posts WHERE id = 3;
TABLE state;
SET CONSTRAINTS ALL DEFERRED;
UPDATE post_tags SET tag_id = 5 WHERE post_id = 2 AND tag_id = 3;
TABLE state;
SET CONSTRAINTS "CASCADE_verify_update" IMMEDIATE;
TABLE state;
COMMIT;
-- savepoints
CALL fill();
BEGIN;
SAVEPOINT s;
DELETE FROM post_tags WHERE tag_id = 1;
ROLLBACK TO s;
DELETE FROM post_tags WHERE tag_id = 4;
SAVEPOINT s;
INSERT INTO post_tags VALUES (1, 4);
ROLLBACK TO s;
DELETE FROM post_tags WHERE tag_id = 3;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
ROLLBACK TO s;
INSERT INTO post_tags VALUES (1, 3);
TABLE state;
COMMIT;
TABLE state;

-- many savepoints, of which every second one is rolled back
CALL fill();
DO $$
BEGIN
    FOR tag IN 1 .. 4 LOOP
        BEGIN
            DELETE FROM post_tags WHERE tag_id = tag;
            IF tag % 2 = 0 THEN
                RAISE EXCEPTION 'back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END
$$;
TABLE state;
-- what other deferred triggers do at commit is seen, too
CREATE FUNCTION unlink_previous() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM post_tags WHERE tag_id = OLD.id - 1;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER unlink_previous AFTER DELETE ON tags DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION unlink_previous();
CALL fill();
DELETE FROM post_tags WHERE tag_id = 4;
TABLE state;
DROP TRIGGER unlink_previous ON tags;
DROP FUNCTION unlink_previous;

-- at the end of the statement
SELECT cascade.alter_relationship('posts', 'tags', deferred => false);
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
TABLE state;
UPDATE post_tags SET tag_id = 6 - tag_id WHERE tag_id IN (2, 4);
TABLE state;
UPDATE post_tags SET tag_id = 5 WHERE tag_id = 4;
TABLE state;
DELETE FROM posts WHERE id = 2;
TABLE state;
COMMIT;
WITH gone AS (DELETE FROM post_tags WHERE post_id = 3 RETURNING *)
INSERT INTO post_tags SELECT 4, tag_id FROM gone WHERE tag_id = 3;
TABLE state;

-- delete-orphan without delete: the source's deletion deletes links, and the
-- orphan rule takes the targets that have none left
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'delete-orphan', deferred => true);
CALL fill();
DELETE FROM posts WHERE id IN (1, 4);
TABLE state;
DELETE FROM post_tags WHERE tag_id = 4;
TABLE state;
-- nullify => false: the source's deletion touches no links
SELECT cascade.alter_relationship('posts', 'tags', nullify => false);
SELECT try('DELETE FROM posts WHERE id = 3');
DELETE FROM post_tags WHERE post_id = 3;
DELETE FROM posts WHERE id = 3;
TABLE state;
SELECT cascade.alter_relationship('posts', 'tags', nullify => true);

--
-- Keys that must not be NULL, and those that are
--
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan');
CALL fill();
SELECT try('UPDATE post_tags SET tag_id = NULL WHERE tag_id = 1');
ALTER TABLE post_tags DROP CONSTRAINT post_tags_pkey,
    ALTER post_id DROP NOT NULL,
    ALTER tag_id DROP NOT NULL;
UPDATE post_tags SET tag_id = NULL WHERE tag_id IN (1, 2);
TABLE post_tags ORDER BY post_id, tag_id;
SELECT id FROM tags ORDER BY id;
-- a row that has no source is no link
INSERT INTO post_tags VALUES (NULL, 4), (NULL, 5);
DELETE FROM post_tags WHERE tag_id = 5;
DELETE FROM post_tags WHERE post_id = 3;
TABLE post_tags ORDER BY post_id, tag_id;
SELECT id FROM tags ORDER BY id;
UPDATE post_tags SET post_id = NULL WHERE tag_id = 3;
TABLE post_tags ORDER BY post_id, tag_id;
SELECT id FROM tags ORDER BY id;
-- but goes with its target
DELETE FROM tags WHERE id = 5;
INSERT INTO tags VALUES (6);
INSERT INTO post_tags VALUES (NULL, 6), (4, NULL);
DELETE FROM tags WHERE id = 6;
DELETE FROM posts WHERE id = 4;
TABLE post_tags ORDER BY post_id, tag_id;

-- the same link twice counts twice
CALL fill();
INSERT INTO post_tags VALUES (1, 1, 2), (1, 1, 3);
DELETE FROM post_tags WHERE tag_id = 1 AND weight = 2;
DELETE FROM post_tags WHERE tag_id = 1 AND weight IS NULL;
TABLE state;
DELETE FROM post_tags WHERE tag_id = 1;
TABLE state;
INSERT INTO post_tags VALUES (3, 4, 2);
DELETE FROM posts WHERE id = 3;
TABLE state;
INSERT INTO post_tags VALUES (2, 5), (2, 5);
UPDATE tags SET id = 50 WHERE id = 5;
DELETE FROM tags WHERE id = 50;
TABLE state;

--
-- DDL with checks pending is refused, on all three tables' relationships
--
CALL fill();
SET client_min_messages = warning;
\set VERBOSITY sqlstate
BEGIN;
DELETE FROM post_tags WHERE tag_id = 1;
SAVEPOINT s;
ALTER TABLE post_tags ADD COLUMN note text;  -- fails
ROLLBACK TO s;
TRUNCATE post_tags;  -- fails
ROLLBACK TO s;
DROP TABLE post_tags CASCADE;  -- fails
ROLLBACK TO s;
DROP TABLE tags CASCADE;  -- fails
ROLLBACK TO s;
DROP TABLE posts CASCADE;  -- fails
ROLLBACK TO s;
SELECT cascade.drop_relationship('posts', 'tags');  -- fails
ROLLBACK TO s;
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'none');  -- fails
ROLLBACK TO s;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE post_tags ADD COLUMN note text;
COMMIT;
\set VERBOSITY default
RESET client_min_messages;
TABLE state;
-- links that are only added leave nothing to be checked
BEGIN;
INSERT INTO post_tags VALUES (4, 4);
UPDATE post_tags SET weight = 4;
ALTER TABLE post_tags DROP COLUMN note;
COMMIT;
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
BEGIN;
INSERT INTO post_tags VALUES (4, 5);
ALTER TABLE post_tags ADD COLUMN note text;
COMMIT;
ALTER TABLE post_tags DROP COLUMN note;
TABLE state;

--
-- An alteration acts from the next statement on
--
CALL fill();
BEGIN;
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'save-update');
DELETE FROM posts WHERE id = 3;
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
DELETE FROM posts WHERE id = 1;
COMMIT;
TABLE state;
-- another secondary
CREATE TABLE other_tags (a integer REFERENCES tags, b integer REFERENCES posts);
SELECT cascade.alter_relationship('posts', 'tags', secondary => 'other_tags');
SELECT secondary, secondary_source_columns, secondary_target_columns
  FROM cascade.relationship
 WHERE source = 'posts'::regclass;
INSERT INTO other_tags VALUES (4, 4), (5, 4);
SELECT try('DELETE FROM posts WHERE id = 2');
DELETE FROM posts WHERE id = 4;
TABLE other_tags;
SELECT id FROM tags ORDER BY id;
SELECT DISTINCT "table" FROM triggers WHERE schema = 'many_to_many_test'::regnamespace ORDER BY 1;
SELECT cascade.drop_relationship('posts', 'tags');
SELECT count(*) FROM triggers WHERE schema = 'many_to_many_test'::regnamespace;
SELECT try('DELETE FROM posts WHERE id = 2');
DROP TABLE other_tags;

--
-- Declaring in a transaction that has written, with the locks of ADD FOREIGN
-- KEY on all three tables
--
BEGIN;
CALL fill();
DELETE FROM post_tags WHERE tag_id = 1;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
DELETE FROM post_tags WHERE tag_id = 4;
SELECT relation::regclass AS "table", mode
  FROM pg_locks
 WHERE pid = pg_backend_pid() AND mode = 'ShareRowExclusiveLock'
   AND relation IN ('posts'::regclass, 'tags'::regclass, 'post_tags'::regclass)
 ORDER BY relation::regclass::text COLLATE "C";
COMMIT;
TABLE state;

-- what switches foreign keys off switches it off
RESET ROLE;
CALL fill();
SET session_replication_role = replica;
DELETE FROM post_tags WHERE tag_id = 1;
DELETE FROM posts WHERE id = 3;
UPDATE tags SET id = 20 WHERE id = 2;
RESET session_replication_role;
TABLE state;
CALL fill();
SET cascade.enabled = off;
DELETE FROM post_tags WHERE tag_id = 1;
SELECT try('DELETE FROM posts WHERE id = 3');
RESET cascade.enabled;
TABLE state;
SET ROLE regress_cascade_user;
SELECT cascade.drop_relationship('posts', 'tags');

--
-- Renamed tables and columns are followed; a dropped column takes the
-- relationship, and so does the secondary
--
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
CALL fill();
ALTER TABLE post_tags RENAME post_id TO post;
ALTER TABLE post_tags RENAME tag_id TO tag;
ALTER TABLE post_tags RENAME TO taggings;
ALTER TABLE posts RENAME id TO nr;
ALTER TABLE posts RENAME TO articles;
ALTER TABLE tags RENAME TO labels;
SELECT source, name, target, source_columns, target_columns, secondary, secondary_source_columns, secondary_target_columns
  FROM cascade.relationship \gx
UPDATE articles SET nr = nr + 10;
UPDATE labels SET id = id + 10;
TABLE state;
DELETE FROM articles WHERE nr = 11;
DELETE FROM taggings WHERE tag = 14;
TABLE state;
-- another schema, in the session whose plans name it
RESET ROLE;
CREATE SCHEMA many_to_many_other AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
ALTER TABLE taggings SET SCHEMA many_to_many_other;
UPDATE labels SET id = 50 WHERE id = 15;
INSERT INTO many_to_many_other.taggings VALUES (14, 50);
UPDATE articles SET nr = 24 WHERE nr = 14;
TABLE state;
DELETE FROM many_to_many_other.taggings WHERE tag = 50;
TABLE state;
ALTER TABLE many_to_many_other.taggings SET SCHEMA many_to_many_test;
DROP SCHEMA many_to_many_other;
DROP VIEW state;
\set VERBOSITY sqlstate
-- a key's type may change
ALTER TABLE taggings ALTER tag TYPE bigint;
ALTER TABLE labels ALTER id TYPE bigint;
ALTER TABLE articles ALTER nr TYPE bigint;
ALTER TABLE taggings DROP COLUMN tag;  -- fails
ALTER TABLE taggings DROP COLUMN post;  -- fails
\set VERBOSITY default
SET client_min_messages = warning;
ALTER TABLE taggings DROP COLUMN tag CASCADE;
RESET client_min_messages;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_many_test'::regnamespace;
ALTER TABLE taggings ADD COLUMN tag integer REFERENCES labels;
SELECT cascade.add_relationship('articles', 'labels', 'all, delete-orphan', secondary => 'taggings');
DROP TABLE taggings;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_many_test'::regnamespace;
DELETE FROM articles;
SELECT id FROM labels ORDER BY id;
CREATE TABLE taggings (post integer REFERENCES articles, tag integer REFERENCES labels);
SELECT cascade.add_relationship('articles', 'labels', 'all, delete-orphan', secondary => 'taggings');
SET client_min_messages = warning;
DROP TABLE labels CASCADE;
RESET client_min_messages;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_many_test'::regnamespace;
DROP PROCEDURE fill;
DROP TABLE taggings, articles;

--
-- Beside foreign keys of any action and timing, and beside none.  Rows are
-- shown as posts: links: tags.
--
CREATE FUNCTION outcome(actions text, options text, command text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    answer text;
BEGIN
    CREATE TABLE posts (id integer PRIMARY KEY);
    CREATE TABLE tags (id integer PRIMARY KEY);
    CREATE TABLE post_tags (post_id integer, tag_id integer);
    IF actions <> 'none' THEN
        EXECUTE 'ALTER TABLE post_tags ADD FOREIGN KEY (post_id) REFERENCES posts ' || actions
                || ', ADD FOREIGN KEY (tag_id) REFERENCES tags ' || actions;
    END IF;
    EXECUTE 'SELECT cascade.add_relationship(''posts'', ''tags'', secondary => ''post_tags'', '
            || 'secondary_source_columns => ''{post_id}'', secondary_target_columns => ''{tag_id}'', '
            || options || ')';
    INSERT INTO posts VALUES (1), (2);
    INSERT INTO tags VALUES (1), (2), (3);
    INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (2, 3);
    EXECUTE command;
    SET CONSTRAINTS ALL IMMEDIATE;
    answer := (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) || ': '
           || (SELECT string_agg(coalesce(post_id::text, '') || '-' || coalesce(tag_id::text, ''), ' '
                                 ORDER BY post_id, tag_id)
                 FROM post_tags) || ': '
           || (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags);
    -- undo it all
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN answer;
    WHEN foreign_key_violation OR restrict_violation THEN
        RETURN 'refused';
END
$$;
CREATE TEMP TABLE keys (nr integer, actions text);
INSERT INTO keys
SELECT row_number() OVER (), k
  FROM unnest(ARRAY[
      'none',
      '',
      'DEFERRABLE',
      'DEFERRABLE INITIALLY DEFERRED',
      'ON DELETE RESTRICT ON UPDATE RESTRICT',
      'ON DELETE CASCADE ON UPDATE CASCADE',
      'ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'ON DELETE SET NULL ON UPDATE SET NULL',
      'ON DELETE SET NULL ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED'
  ]) AS k;
-- the source goes
SELECT actions,
       outcome(actions, $$cascade => 'none'$$, 'DELETE FROM posts WHERE id = 1') AS "none",
       outcome(actions, $$cascade => 'none', nullify => false$$, 'DELETE FROM posts WHERE id = 1') AS passive,
       outcome(actions, $$cascade => 'delete'$$, 'DELETE FROM posts WHERE id = 1') AS "delete",
       outcome(actions, $$cascade => 'delete', deferred => false$$, 'DELETE FROM posts WHERE id = 1') AS delete_at_once,
       outcome(actions, $$cascade => 'all, delete-orphan'$$, 'DELETE FROM posts WHERE id = 1') AS counted,
       outcome(actions, $$cascade => 'all, delete-orphan', deferred => false$$, 'DELETE FROM posts WHERE id = 1') AS counted_at_once
  FROM keys
 ORDER BY nr;
-- a target goes, a link goes, a key changes
SELECT actions,
       outcome(actions, $$cascade => 'none'$$, 'DELETE FROM tags WHERE id = 2') AS target_gone,
       outcome(actions, $$cascade => 'none', nullify => false$$, 'DELETE FROM tags WHERE id = 2') AS passive,
       outcome(actions, $$cascade => 'all, delete-orphan'$$, 'DELETE FROM post_tags WHERE post_id = 1') AS links_gone,
       outcome(actions, $$cascade => 'save-update'$$, 'UPDATE posts SET id = 10 WHERE id = 1') AS source_rekeyed,
       outcome(actions, $$cascade => 'all, delete-orphan'$$, 'UPDATE tags SET id = 20 WHERE id = 2') AS target_rekeyed,
       outcome(actions, $$cascade => 'delete'$$, 'UPDATE tags SET id = 20 WHERE id = 2') AS not_followed
  FROM keys
 ORDER BY nr;
DROP FUNCTION outcome;
DROP TABLE pg_temp.keys;

--
-- With no foreign keys a link counts whether its ends are there or not.
-- Columns that were dropped do not shift the keys.
--
CREATE TABLE posts (gone text, id integer UNIQUE DEFERRABLE);
CREATE TABLE tags (gone text, id integer UNIQUE DEFERRABLE, name text);
CREATE TABLE post_tags (gone text, post_id integer, gone2 text, tag_id integer);
ALTER TABLE posts DROP gone;
ALTER TABLE tags DROP gone;
ALTER TABLE post_tags DROP gone;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(post_id || '-' || tag_id, ' ' ORDER BY post_id, tag_id) FROM post_tags) AS links,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags',
    source_columns => '{id}', secondary_source_columns => '{post_id}',
    target_columns => '{id}', secondary_target_columns => '{tag_id}');
ALTER TABLE post_tags DROP gone2;
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO tags VALUES (1), (2), (3);
INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (3, 3), (9, 1), (1, 9);
DELETE FROM posts WHERE id = 1;
TABLE state;
DELETE FROM post_tags WHERE post_id = 9;
TABLE state;
-- keys that change places
INSERT INTO post_tags VALUES (2, 3);
UPDATE posts SET id = 5 - id;
TABLE state;
UPDATE tags SET id = 5 - id;
TABLE state;
WITH p AS (UPDATE posts SET id = 5 - id)
UPDATE tags SET id = 5 - id;
TABLE state;
-- and so does that of a tag that waits for its check
INSERT INTO tags VALUES (4, 'waits'), (5, 'stays');
INSERT INTO post_tags VALUES (2, 4), (2, 5);
BEGIN;
DELETE FROM post_tags WHERE tag_id = 4;
UPDATE tags SET id = 9 - id WHERE id >= 4;
TABLE tags ORDER BY id;
COMMIT;
TABLE tags ORDER BY id;
DELETE FROM tags WHERE name = 'stays';
TABLE state;
-- a source's key that becomes NULL takes its links along, which are links no
-- more; rows that nothing ties to a source go with their target all the same
UPDATE posts SET id = NULL WHERE id = 3;
TABLE post_tags ORDER BY post_id, tag_id;
TABLE tags ORDER BY id;
UPDATE posts SET id = NULL WHERE id = 2;
TABLE post_tags ORDER BY post_id, tag_id;
TABLE tags ORDER BY id;
-- nullify => false, without delete: links stay when their ends go
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'none', nullify => false);
INSERT INTO posts VALUES (2);
INSERT INTO tags VALUES (3), (4);
INSERT INTO post_tags VALUES (2, 3), (2, 4);
DELETE FROM posts WHERE id = 2;
DELETE FROM tags WHERE id = 4;
UPDATE tags SET id = 30 WHERE id = 3;
TABLE post_tags ORDER BY post_id, tag_id;
DROP VIEW state;
DROP TABLE post_tags, tags, posts;

--
-- Keys of several columns that share one
--
CREATE TABLE posts (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE tags (id integer, tenant integer, PRIMARY KEY (tenant, id));
CREATE TABLE post_tags (
    tag_id integer,
    post_id integer,
    tenant integer,
    CONSTRAINT to_post FOREIGN KEY (tenant, post_id) REFERENCES posts DEFERRABLE,
    CONSTRAINT to_tag FOREIGN KEY (tenant, tag_id) REFERENCES tags DEFERRABLE
);
CREATE VIEW links AS
    SELECT string_agg(concat_ws(':', coalesce(tenant::text, '?'), coalesce(post_id::text, '?') || '-' || coalesce(tag_id::text, '?')), ' '
                      ORDER BY tenant, post_id, tag_id) AS links,
           (SELECT string_agg(tenant || ':' || id, ' ' ORDER BY tenant, id) FROM tags) AS tags
      FROM post_tags;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
SELECT source_columns, secondary_source_columns, target_columns, secondary_target_columns
  FROM cascade.relationship;
INSERT INTO posts VALUES (1, 1), (1, 2), (2, 1), (2, 2);
INSERT INTO tags VALUES (1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2);
INSERT INTO post_tags (tenant, post_id, tag_id)
VALUES (1, 1, 1), (1, 1, 2), (1, 2, 2), (2, 1, 1), (2, 2, 2), (NULL, 1, 3), (1, NULL, 3), (2, 2, NULL);
TABLE links;
DELETE FROM posts WHERE tenant = 1 AND id = 1;
TABLE links;
UPDATE tags SET id = id + 10 WHERE tenant = 2;
UPDATE posts SET id = id + 20 WHERE tenant = 2;
TABLE links;
-- the tenant is renamed on both ends, in one statement
WITH p AS (UPDATE posts SET tenant = 7 WHERE tenant = 2)
UPDATE tags SET tenant = 7 WHERE tenant = 2;
TABLE links;
-- a NULL in the shared column unties both ends
UPDATE post_tags SET tenant = NULL WHERE tenant = 7 AND tag_id = 12;
TABLE links;
DROP VIEW links;
DROP TABLE post_tags, tags, posts;

--
-- Keys of different types at either end
--
CREATE TABLE posts (id bigint PRIMARY KEY);
CREATE TABLE tags (id smallint PRIMARY KEY);
CREATE TABLE post_tags (post_id integer REFERENCES posts, tag_id integer, PRIMARY KEY (post_id, tag_id));
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags',
    secondary_target_columns => '{tag_id}');
INSERT INTO posts SELECT generate_series(1, 3000);
INSERT INTO posts VALUES (5000000000);
INSERT INTO tags SELECT generate_series(1, 3000);
INSERT INTO post_tags SELECT i, i FROM generate_series(1, 3000) i;
-- links of one post to what no tag can be
INSERT INTO post_tags VALUES (1, 1000000), (2, 1000000);
DELETE FROM posts WHERE id = 1;
DELETE FROM posts WHERE id BETWEEN 2 AND 2990 OR id = 5000000000;
TABLE tags ORDER BY id;
DELETE FROM post_tags WHERE post_id > 2998;
UPDATE posts SET id = id + 10000 WHERE id > 2996;
UPDATE tags SET id = id + 10000 WHERE id > 2995;
TABLE tags ORDER BY id;
TABLE post_tags ORDER BY post_id;
DROP TABLE post_tags, tags, posts;

-- values that are equal but not the same; 'a' = 'A' needs ICU, and without it
-- the keys are all written alike
DO $$
BEGIN
    IF getdatabaseencoding() = 'UTF8' AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    ELSE
        CREATE COLLATION no_case FROM "C";
    END IF;
END
$$;
SELECT CASE WHEN 'a' = 'A' COLLATE no_case THEN 'A' ELSE 'a' END AS upper_a,
       CASE WHEN 'b' = 'B' COLLATE no_case THEN 'B' ELSE 'b' END AS upper_b \gset
CREATE TABLE posts (id numeric PRIMARY KEY);
CREATE TABLE tags (name text COLLATE no_case PRIMARY KEY);
CREATE TABLE post_tags (post_id numeric REFERENCES posts, tag text COLLATE no_case REFERENCES tags);
CREATE VIEW state AS
    SELECT (SELECT string_agg(round(id)::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(round(post_id) || '-' || lower(tag), ' ' ORDER BY post_id, tag, post_id::text) FROM post_tags) AS links,
           (SELECT string_agg(lower(name), ' ' ORDER BY name) FROM tags) AS tags;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
INSERT INTO posts VALUES (1), (2.0), (3.00);
INSERT INTO tags VALUES ('a'), (:'upper_b'), ('c');
INSERT INTO post_tags VALUES (1.0, :'upper_a'), (1, 'b'), (2, 'a'), (2.00, 'c'), (3, 'b');
DELETE FROM posts WHERE id = 1;
TABLE state;
-- the same in other words
UPDATE post_tags SET tag = :'upper_a', post_id = 2.000 WHERE tag = 'a';
UPDATE tags SET name = 'b' WHERE name = 'b';
UPDATE posts SET id = 3 WHERE id = 3;
TABLE state;
DELETE FROM post_tags WHERE tag IN ('a', 'b');
TABLE state;
DROP VIEW state;
DROP TABLE post_tags, tags, posts;
DROP COLLATION no_case;

--
-- Keys that are not the primary key
--
CREATE TABLE posts (id integer PRIMARY KEY, slug text UNIQUE);
CREATE TABLE tags (id integer PRIMARY KEY, name text UNIQUE);
CREATE TABLE post_tags (id integer PRIMARY KEY, slug text REFERENCES posts (slug), name text REFERENCES tags (name));
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
SELECT source_columns, secondary_source_columns, target_columns, secondary_target_columns
  FROM cascade.relationship;
INSERT INTO posts VALUES (1, 'one'), (2, 'two');
INSERT INTO tags VALUES (1, 'sql'), (2, 'c'), (3, 'go');
INSERT INTO post_tags VALUES (1, 'one', 'sql'), (2, 'one', 'c'), (3, 'two', 'c'), (4, 'two', 'go');
UPDATE posts SET slug = 'uno' WHERE id = 1;
UPDATE tags SET name = 'C' WHERE id = 2;
UPDATE posts SET id = id + 10;
TABLE post_tags ORDER BY id;
DELETE FROM posts WHERE slug = 'uno';
TABLE post_tags ORDER BY id;
TABLE tags ORDER BY id;
DROP TABLE post_tags, tags, posts;

--
-- At depth, one statement a relationship however many rows: links have notes
-- of their own, tags have pages and, through another secondary, topics
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE topics (id integer PRIMARY KEY);
CREATE TABLE post_tags (
    id integer PRIMARY KEY,
    post_id integer NOT NULL REFERENCES posts,
    tag_id integer NOT NULL REFERENCES tags
);
CREATE TABLE tag_topics (tag_id integer REFERENCES tags, topic_id integer REFERENCES topics, PRIMARY KEY (tag_id, topic_id));
CREATE TABLE notes (id integer PRIMARY KEY, post_tag_id integer NOT NULL REFERENCES post_tags);
CREATE TABLE pages (id integer PRIMARY KEY, tag_id integer NOT NULL REFERENCES tags);
CREATE TABLE footnotes (id integer PRIMARY KEY, topic_id integer REFERENCES topics);
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
SELECT cascade.add_relationship('post_tags', 'notes', 'all');
SELECT cascade.add_relationship('tags', 'pages', 'all');
SELECT cascade.add_relationship('tags', 'topics', 'all, delete-orphan', secondary => 'tag_topics');
SELECT cascade.add_relationship('topics', 'footnotes');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, topics, post_tags, tag_topics, notes, pages, footnotes;
    -- a post has tags of its own and one of the next post; ten tags have a topic
    INSERT INTO posts SELECT i FROM generate_series(1, 100) i;
    INSERT INTO tags SELECT i FROM generate_series(1, 200) i;
    INSERT INTO topics SELECT i FROM generate_series(1, 20) i;
    INSERT INTO post_tags SELECT i, (i + 1) / 2, i FROM generate_series(1, 200) i;
    INSERT INTO post_tags SELECT 1000 + i, i, 2 * i + 1 FROM generate_series(1, 99) i;
    INSERT INTO tag_topics SELECT i, (i + 9) / 10 FROM generate_series(1, 200) i;
    INSERT INTO notes SELECT i, i FROM generate_series(1, 200) i;
    INSERT INTO pages SELECT i, (i + 1) / 2 FROM generate_series(1, 400) i;
    INSERT INTO footnotes SELECT i, i FROM generate_series(1, 20) i;
$$;
CREATE VIEW counts AS
    SELECT (SELECT count(*) FROM posts) AS posts,
           (SELECT count(*) FROM post_tags) AS links,
           (SELECT count(*) FROM notes) AS notes,
           (SELECT count(*) FROM tags) AS tags,
           (SELECT count(*) FROM pages) AS pages,
           (SELECT count(*) FROM tag_topics) AS tag_topics,
           (SELECT count(*) FROM topics) AS topics,
           (SELECT count(topic_id) FROM footnotes) AS footnotes;
CALL fill();
TABLE counts;
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM posts WHERE id = 1;
TABLE counts;
DELETE FROM posts WHERE id BETWEEN 2 AND 50;
TABLE counts;
DELETE FROM post_tags WHERE post_id <= 60;
TABLE counts;
DELETE FROM posts;
TABLE counts;
-- without delete-orphan
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
CALL fill();
DELETE FROM posts WHERE id BETWEEN 2 AND 50;
TABLE counts;
UPDATE tags SET id = id + 1000;
\set VERBOSITY default
SET cascade.trace = off;

-- what is counted: the post's 3 links, their 2 notes, 2 tags that have no
-- other link, their 4 pages and 2 links to topics
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan', deferred => false);
CALL fill();
SET cascade.max_rows = 12;
SELECT try('DELETE FROM posts WHERE id = 1');
TABLE counts;
SET cascade.max_rows = 13;
SELECT try('DELETE FROM posts WHERE id = 1');
TABLE counts;
RESET cascade.max_rows;
-- at commit the check has a count of its own: 8 of the 13
SELECT cascade.alter_relationship('posts', 'tags', deferred => true);
CALL fill();
SET cascade.max_rows = 7;
BEGIN;
DELETE FROM posts WHERE id = 1;
TABLE counts;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE counts;
SET cascade.max_rows = 8;
DELETE FROM posts WHERE id = 1;
TABLE counts;
RESET cascade.max_rows;

-- an error tells the relationship and the path that led there
CREATE FUNCTION fail() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'not this one';
END
$$;
CREATE FUNCTION context(command text) RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
    context text;
BEGIN
    EXECUTE command;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN NEXT SQLERRM;
    RETURN QUERY SELECT line FROM regexp_split_to_table(context, '\n') WITH ORDINALITY AS t (line, nr)
                  WHERE line !~ '^(PL/pgSQL function|SQL statement)' ORDER BY nr;
END
$$;
CREATE TRIGGER fail BEFORE DELETE ON notes FOR EACH ROW WHEN (OLD.id = 3) EXECUTE FUNCTION fail();
CREATE TRIGGER fail BEFORE DELETE ON pages FOR EACH ROW WHEN (OLD.id = 20) EXECUTE FUNCTION fail();
SELECT context('DELETE FROM posts WHERE id = 2');
SELECT context('DELETE FROM post_tags WHERE tag_id = 10; SET CONSTRAINTS ALL IMMEDIATE');
SELECT context('DELETE FROM tags WHERE id = 3');
TABLE counts;
DROP TRIGGER fail ON notes;
DROP TRIGGER fail ON pages;

--
-- BEFORE triggers that keep a target, or a link
--
CALL fill();
CREATE FUNCTION keep() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;
CREATE TRIGGER keep BEFORE DELETE ON tags FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION keep();
CREATE TRIGGER keep BEFORE DELETE ON post_tags FOR EACH ROW WHEN (OLD.tag_id = 3) EXECUTE FUNCTION keep();
-- the foreign key sees the kept link
SELECT try('DELETE FROM posts WHERE id = 1');
-- without it: the kept target keeps its pages and topics, too
SELECT cascade.drop_relationship('posts', 'tags');
ALTER TABLE post_tags DROP CONSTRAINT post_tags_post_id_fkey;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags',
    secondary_source_columns => '{post_id}');
DELETE FROM posts WHERE id = 1;
DELETE FROM post_tags WHERE id = 3;
SELECT * FROM post_tags WHERE tag_id < 5 ORDER BY id;
SELECT id FROM tags WHERE id < 5 ORDER BY id;
SELECT * FROM tag_topics WHERE tag_id < 5 ORDER BY tag_id;
SELECT * FROM pages WHERE tag_id < 5 ORDER BY id;
-- without delete-orphan: it keeps its other links
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
INSERT INTO post_tags VALUES (2000, 2, 2), (2001, 3, 2);
DELETE FROM posts WHERE id = 3;
SELECT * FROM post_tags WHERE tag_id IN (2, 4, 5, 6, 7) ORDER BY id;
SELECT id FROM tags WHERE id < 10 ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA many_to_many_test CASCADE;

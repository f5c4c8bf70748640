--
-- orphan_directions: orphan_when over relationships of different directions
-- to one target: a file lies in a folder (one-to-many), is the picture of
-- users (many-to-one) and is attached to posts (many-to-many)
--
CREATE SCHEMA orphan_directions_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = orphan_directions_test, helper;

CREATE TABLE folders (id integer PRIMARY KEY);
CREATE TABLE files (id integer PRIMARY KEY, folder_id integer REFERENCES folders);
CREATE TABLE users (id integer PRIMARY KEY, picture_id integer REFERENCES files);
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE attachments (post_id integer REFERENCES posts, file_id integer REFERENCES files, PRIMARY KEY (post_id, file_id));
CREATE TABLE versions (id integer PRIMARY KEY, file_id integer NOT NULL REFERENCES files);
-- files 1 to 7 are held by every combination of the three: 1 by the folder,
-- 2 by a user, 4 by a post, and the sums of these by several; file 0 by nobody
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE folders, files, users, posts, attachments, versions;
    INSERT INTO folders VALUES (1), (2);
    INSERT INTO files SELECT i, CASE WHEN i & 1 > 0 THEN 1 END FROM generate_series(0, 7) i;
    INSERT INTO users SELECT i, CASE WHEN i & 2 > 0 THEN i END FROM generate_series(0, 7) i;
    INSERT INTO posts VALUES (1), (2);
    INSERT INTO attachments SELECT 1, i FROM generate_series(0, 7) i WHERE i & 4 > 0;
    INSERT INTO versions SELECT 10 * i + v, i FROM generate_series(0, 7) i, generate_series(1, 2) v;
$$;
-- a file and who holds it: f, u, p
CREATE VIEW state AS
    SELECT string_agg(id || ':' || CASE WHEN folder_id IS NOT NULL THEN 'f' ELSE '' END
                      || CASE WHEN EXISTS (SELECT FROM users u WHERE u.picture_id = f.id) THEN 'u' ELSE '' END
                      || CASE WHEN EXISTS (SELECT FROM attachments a WHERE a.file_id = f.id) THEN 'p' ELSE '' END,
                      ' ' ORDER BY id) AS files,
           (SELECT count(*) FROM versions) AS versions
      FROM files f;
SELECT cascade.add_relationship('folders', 'files', 'all, delete-orphan', orphan_when => 'all');
SELECT cascade.add_relationship('users', 'files', 'all, delete-orphan', name => 'picture', orphan_when => 'all');
SELECT cascade.add_relationship('posts', 'files', 'all, delete-orphan', secondary => 'attachments', orphan_when => 'all');
SELECT cascade.add_relationship('files', 'versions', 'all');

--
-- 'all': a file goes when nobody holds it any more
--
CALL fill();
TABLE state;
-- the folder lets go
UPDATE files SET folder_id = NULL;
TABLE state;
-- the users do, by losing their picture and by their deletion
UPDATE users SET picture_id = NULL WHERE id IN (2, 6);
DELETE FROM users WHERE id IN (3, 7);
TABLE state;
-- the posts do
DELETE FROM attachments WHERE file_id = 4;
DELETE FROM posts WHERE id = 1;
TABLE state;

-- the other way round
CALL fill();
DELETE FROM posts;
TABLE state;
DELETE FROM users;
TABLE state;
UPDATE files SET folder_id = 2 WHERE id IN (1, 3);
UPDATE files SET folder_id = NULL WHERE folder_id = 2;
TABLE state;
-- a folder's deletion deletes what is in it, whoever else holds it: the
-- foreign keys of those refuse, or the other relationships let go
CALL fill();
SELECT try('DELETE FROM folders WHERE id = 1');
DELETE FROM users;
DELETE FROM folders WHERE id = 1;
TABLE state;

-- all in one transaction: how it is at commit
CALL fill();
BEGIN;
UPDATE files SET folder_id = NULL;
UPDATE users SET picture_id = NULL;
DELETE FROM attachments;
TABLE state;
INSERT INTO attachments VALUES (2, 1);
UPDATE users SET picture_id = 2 WHERE id = 6;
UPDATE files SET folder_id = 2 WHERE id = 3;
COMMIT;
TABLE state;
-- held by another one before it was lost
CALL fill();
BEGIN;
INSERT INTO attachments VALUES (2, 1);
UPDATE files SET folder_id = NULL WHERE id = 1;
UPDATE users SET picture_id = 0 WHERE id = 2;
UPDATE files SET folder_id = 2 WHERE id = 2;
DELETE FROM attachments WHERE file_id = 4;
UPDATE users SET picture_id = 4 WHERE id = 3;
COMMIT;
TABLE state;
-- SET CONSTRAINTS in between, and savepoints
CALL fill();
BEGIN;
UPDATE files SET folder_id = NULL WHERE id IN (1, 3, 5, 7);
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
SET CONSTRAINTS ALL DEFERRED;
UPDATE users SET picture_id = NULL WHERE id IN (2, 3);
SAVEPOINT s;
DELETE FROM attachments WHERE file_id IN (4, 5);
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
ROLLBACK TO s;
TABLE state;
UPDATE users SET picture_id = 3 WHERE id = 2;
COMMIT;
TABLE state;

-- at the end of the statement, and some of them at commit
SELECT cascade.alter_relationship('folders', 'files', deferred => false);
SELECT cascade.alter_relationship('users', 'picture', deferred => false);
CALL fill();
BEGIN;
UPDATE files SET folder_id = NULL;
TABLE state;
UPDATE users SET picture_id = NULL WHERE id IN (2, 6);
TABLE state;
DELETE FROM attachments WHERE file_id IN (4, 6);
TABLE state;
INSERT INTO attachments VALUES (2, 4);
COMMIT;
TABLE state;
SELECT cascade.alter_relationship('folders', 'files', deferred => true);
SELECT cascade.alter_relationship('users', 'picture', deferred => true);

-- renumbered while it waits
CALL fill();
BEGIN;
UPDATE files SET folder_id = NULL;
DELETE FROM attachments WHERE file_id IN (4, 5);
DELETE FROM users WHERE id IN (2, 3);
UPDATE files SET id = id + 10;
TABLE state;
COMMIT;
TABLE state;

-- a NOT NULL key: the ordinary violation where another one holds the row
CALL fill();
DELETE FROM files WHERE folder_id IS NULL AND id = 0;
UPDATE files SET folder_id = 2 WHERE folder_id IS NULL;
ALTER TABLE files ALTER folder_id SET NOT NULL;
TABLE state;
SELECT try('UPDATE files SET folder_id = NULL WHERE id = 3');
SELECT try('UPDATE files SET folder_id = NULL WHERE id = 5');
BEGIN;
\set QUIET off
UPDATE files SET folder_id = NULL WHERE id = 1;
\set QUIET on
TABLE state;
DELETE FROM attachments WHERE file_id = 5;
UPDATE files SET folder_id = NULL WHERE id = 5;
TABLE state;
COMMIT;
ALTER TABLE files ALTER folder_id DROP NOT NULL;

-- a relationship without delete-orphan holds nothing
SELECT cascade.alter_relationship('posts', 'files', cascade => 'save-update');
CALL fill();
UPDATE files SET folder_id = NULL WHERE id IN (1, 3);
TABLE state;
-- but its foreign key does where it does not let go
SELECT cascade.alter_relationship('users', 'picture', cascade => 'save-update');
\set VERBOSITY sqlstate
UPDATE files SET folder_id = NULL WHERE id = 7;  -- fails
\set VERBOSITY default
UPDATE files SET folder_id = NULL WHERE id = 5;
TABLE state;

--
-- 'any': losing one is enough, whoever else holds the file
--
SELECT cascade.alter_relationship('folders', 'files', orphan_when => 'any');
SELECT cascade.alter_relationship('users', 'picture', orphan_when => 'any', cascade => 'all, delete-orphan');
SELECT cascade.alter_relationship('posts', 'files', orphan_when => 'any', cascade => 'all, delete-orphan');
CALL fill();
UPDATE files SET folder_id = NULL WHERE id IN (0, 1, 5);
TABLE state;
DELETE FROM users WHERE id = 6;
TABLE state;
-- users have no relationship that lets go of a picture, so their foreign key
-- refuses
\set VERBOSITY sqlstate
UPDATE files SET folder_id = NULL WHERE id = 3;  -- fails
DELETE FROM attachments WHERE file_id = 7;  -- fails
\set VERBOSITY default
BEGIN;
DELETE FROM attachments WHERE file_id = 7;
UPDATE users SET picture_id = NULL WHERE id = 7;
COMMIT;
TABLE state;
-- one that was lost and one that was won
BEGIN;
DELETE FROM attachments WHERE file_id = 4;
UPDATE files SET folder_id = 1 WHERE id = 4;
UPDATE users SET picture_id = NULL WHERE id = 2;
INSERT INTO attachments VALUES (1, 2);
COMMIT;
TABLE state;

-- each goes by its own rule: the folder by 'any', the others by 'all'
SELECT cascade.alter_relationship('users', 'picture', orphan_when => 'all');
SELECT cascade.alter_relationship('posts', 'files', orphan_when => 'all');
CALL fill();
DELETE FROM attachments;
TABLE state;
UPDATE files SET folder_id = NULL WHERE id IN (1, 5);
UPDATE users SET picture_id = NULL WHERE id IN (2, 3);
TABLE state;
UPDATE files SET folder_id = NULL WHERE id = 3;
TABLE state;
-- and the other way round
CALL fill();
SELECT cascade.alter_relationship('folders', 'files', orphan_when => 'all');
SELECT cascade.alter_relationship('posts', 'files', orphan_when => 'any');
UPDATE files SET folder_id = NULL;
TABLE state;
DELETE FROM users WHERE id = 6;
DELETE FROM attachments WHERE file_id IN (4, 5, 6);
TABLE state;

--
-- Two of each direction
--
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE versions, attachments, users, files, posts, folders;
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE t (
    id integer PRIMARY KEY,
    a1 integer CONSTRAINT t_a1 REFERENCES a,
    a2 integer CONSTRAINT t_a2 REFERENCES a
);
CREATE TABLE b (
    id integer PRIMARY KEY,
    t1 integer CONSTRAINT b_t1 REFERENCES t,
    t2 integer CONSTRAINT b_t2 REFERENCES t
);
CREATE TABLE at1 (a_id integer REFERENCES a, t_id integer REFERENCES t);
CREATE TABLE bt2 (b_id integer REFERENCES b, t_id integer REFERENCES t);
SELECT cascade.add_relationship('a', 't', 'all, delete-orphan', name => 'o1', foreign_key => 't_a1', orphan_when => 'all');
SELECT cascade.add_relationship('a', 't', 'all, delete-orphan', name => 'o2', foreign_key => 't_a2', orphan_when => 'all');
SELECT cascade.add_relationship('b', 't', 'all, delete-orphan', name => 'm1', foreign_key => 'b_t1', orphan_when => 'all');
SELECT cascade.add_relationship('b', 't', 'all, delete-orphan', name => 'm2', foreign_key => 'b_t2', orphan_when => 'all');
SELECT cascade.add_relationship('a', 't', 'all, delete-orphan', name => 's1', secondary => 'at1', orphan_when => 'all');
SELECT cascade.add_relationship('b', 't', 'all, delete-orphan', name => 's2', secondary => 'bt2', orphan_when => 'all');
-- rows that have all of them, and lose one after the other, each in another order
INSERT INTO a VALUES (1);
INSERT INTO t SELECT i, 1, 1 FROM generate_series(1, 6) i;
INSERT INTO b SELECT i, i, i FROM generate_series(1, 6) i;
INSERT INTO at1 SELECT 1, i FROM generate_series(1, 6) i;
INSERT INTO bt2 SELECT i, i FROM generate_series(1, 6) i;
CREATE PROCEDURE lose(round integer)
LANGUAGE sql
AS $$
    UPDATE t SET a1 = NULL WHERE (id + round) % 6 = 0;
    UPDATE t SET a2 = NULL WHERE (id + round) % 6 = 1;
    UPDATE b SET t1 = NULL WHERE (id + round) % 6 = 2;
    UPDATE b SET t2 = NULL WHERE (id + round) % 6 = 3;
    DELETE FROM at1 WHERE (t_id + round) % 6 = 4;
    DELETE FROM bt2 WHERE (t_id + round) % 6 = 5;
$$;
CALL lose(1);
CALL lose(2);
CALL lose(3);
CALL lose(4);
CALL lose(5);
SELECT t.id, a1, a2, b1.id AS t1, b2.id AS t2, at1.a_id AS at1, bt2.b_id AS bt2
  FROM t
  LEFT JOIN b b1 ON b1.t1 = t.id
  LEFT JOIN b b2 ON b2.t2 = t.id
  LEFT JOIN at1 ON at1.t_id = t.id
  LEFT JOIN bt2 ON bt2.t_id = t.id
 ORDER BY t.id;
CALL lose(6);
SELECT count(*) FROM t;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA orphan_directions_test CASCADE;

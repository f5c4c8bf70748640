--
-- mutual: two tables that cascade to each other, both sides of one key, and
-- several relationships between the same two tables
--
CREATE SCHEMA mutual_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = mutual_test, helper;

--
-- Both sides of a one-to-many
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE authors, books;
    INSERT INTO authors VALUES (1), (2), (3);
    INSERT INTO books VALUES (11, 1), (12, 1), (13, 2), (14, NULL);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM authors) AS authors,
           (SELECT string_agg(id || '>' || coalesce(author_id::text, '-'), ' ' ORDER BY id) FROM books) AS books;

-- a backref that asks for nothing takes nothing from the other side
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'authors', name => 'author');
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
-- one statement for the key that both follow
UPDATE authors SET id = id + 20 WHERE id < 3;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
DELETE FROM authors WHERE id = 21;
UPDATE books SET author_id = NULL WHERE id = 13;
TABLE state;
DELETE FROM books;
TABLE state;

-- delete on both: a book takes its author, and he takes his other books
SELECT cascade.alter_relationship('books', 'author', cascade => 'all');
CALL fill();
BEGIN;
DELETE FROM books WHERE id = 11;
TABLE state;
COMMIT;
TABLE state;
DELETE FROM authors WHERE id = 2;
TABLE state;
-- at the end of the statement
SELECT cascade.alter_relationship('books', 'author', deferred => false);
CALL fill();
BEGIN;
DELETE FROM books WHERE id = 11;
TABLE state;
ROLLBACK;
-- the author goes with his last book, and a book with its author's key
SELECT cascade.alter_relationship('books', 'author', cascade => 'all, delete-orphan', deferred => true);
CALL fill();
DELETE FROM books WHERE id = 11;
TABLE state;
UPDATE books SET author_id = NULL WHERE id IN (12, 14);
TABLE state;
UPDATE books SET author_id = 3 WHERE id = 13;
TABLE state;
-- nullify on one side, delete-orphan on the other
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update');
CALL fill();
DELETE FROM authors WHERE id = 1;
TABLE state;
DELETE FROM books WHERE id = 13;
TABLE state;
-- the side that says nothing of keys leaves them to the one that does
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none', follow_keys => false, nullify => false);
SELECT cascade.alter_relationship('books', 'author', cascade => 'save-update');
CALL fill();
UPDATE authors SET id = 10 WHERE id = 1;
SELECT try('DELETE FROM authors WHERE id = 10');
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE books, authors;

--
-- Both sides of a many-to-many
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE post_tags (post_id integer REFERENCES posts, tag_id integer REFERENCES tags);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, post_tags;
    -- 1-1-2-2-3 hang together, and so do 4-4-5
    INSERT INTO posts VALUES (1), (2), (4), (5), (6);
    INSERT INTO tags VALUES (1), (2), (3), (4), (6);
    INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (2, 3), (4, 4), (5, 4);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(coalesce(post_id::text, '') || '-' || coalesce(tag_id::text, ''), ' ' ORDER BY post_id, tag_id) FROM post_tags) AS links,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags;
SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags');
SELECT cascade.add_relationship('tags', 'posts', secondary => 'post_tags');
SELECT source, target, source_columns, secondary_source_columns, target_columns, secondary_target_columns
  FROM cascade.relationship
 ORDER BY source::text;
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM posts WHERE id = 1;
UPDATE tags SET id = 20 WHERE id = 2;
UPDATE posts SET id = 20 WHERE id = 2;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
-- all on both sides: everything that hangs together goes
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
SELECT cascade.alter_relationship('tags', 'posts', cascade => 'all');
CALL fill();
BEGIN;
DELETE FROM posts WHERE id = 1;
TABLE state;
COMMIT;
TABLE state;
DELETE FROM tags WHERE id = 4;
TABLE state;
-- delete-orphan on both: what has no link left, from one end to the other
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan');
SELECT cascade.alter_relationship('tags', 'posts', cascade => 'all, delete-orphan');
CALL fill();
DELETE FROM posts WHERE id = 1;
TABLE state;
DELETE FROM tags WHERE id IN (2, 4);
TABLE state;
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
TABLE state;
COMMIT;
TABLE state;
UPDATE post_tags SET post_id = 4 WHERE post_id = 5;
TABLE state;
UPDATE post_tags SET tag_id = NULL WHERE tag_id = 3;
TABLE state;
-- one side at the end of the statement, the other at commit
SELECT cascade.alter_relationship('posts', 'tags', deferred => false);
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE post_id = 1;
TABLE state;
COMMIT;
TABLE state;
SELECT cascade.alter_relationship('posts', 'tags', deferred => true);
-- one side lets the links alone, the other does not
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'none', nullify => false);
SELECT cascade.alter_relationship('tags', 'posts', cascade => 'none');
CALL fill();
DELETE FROM posts WHERE id = 1;
DELETE FROM tags WHERE id = 2;
TABLE state;
SELECT cascade.alter_relationship('tags', 'posts', nullify => false);
SELECT try('DELETE FROM posts WHERE id = 2');
SELECT try('DELETE FROM tags WHERE id = 3');

--
-- Several many-to-many relationships between two tables: through two
-- secondaries, each with a count of its own, and a key to one of them
--
SELECT cascade.drop_relationship('tags', 'posts');
ALTER TABLE posts ADD COLUMN main_tag integer REFERENCES tags;
CREATE TABLE keywords (post_id integer REFERENCES posts, tag_id integer REFERENCES tags);
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan', nullify => true);
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', name => 'keywords', secondary => 'keywords');
SELECT cascade.add_relationship('posts', 'tags', name => 'main_tag');
SELECT name, direction, secondary, source_columns FROM cascade.relationship ORDER BY name;
CREATE OR REPLACE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, post_tags, keywords;
    INSERT INTO posts VALUES (1), (2), (4), (5), (6);
    INSERT INTO tags VALUES (1), (2), (3), (4), (6);
    INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (2, 3), (4, 4), (5, 4);
$$;
CALL fill();
INSERT INTO keywords VALUES (1, 1), (1, 6), (6, 3), (6, 4);
-- the last link of either kind
DELETE FROM keywords WHERE post_id = 1;
TABLE state;
TABLE keywords ORDER BY post_id, tag_id;
DELETE FROM posts WHERE id = 6;
TABLE state;
TABLE keywords;
-- a tag that is somebody's main tag is held by its foreign key, until that
-- is said otherwise
CALL fill();
UPDATE posts SET main_tag = 1 WHERE id = 5;
\set VERBOSITY sqlstate
DELETE FROM posts WHERE id = 1;  -- fails
\set VERBOSITY default
SELECT cascade.add_relationship('tags', 'posts', name => 'main_for', foreign_key => 'posts_main_tag_fkey');
DELETE FROM posts WHERE id = 1;
TABLE state;
SELECT * FROM posts ORDER BY id;
UPDATE posts SET main_tag = 2 WHERE id = 6;
UPDATE tags SET id = 20 WHERE id = 2;
SELECT * FROM posts ORDER BY id;
TABLE state;
-- a post goes with its main tag, which goes with its last link, and so on
SELECT cascade.alter_relationship('tags', 'main_for', cascade => 'all, delete-orphan');
CALL fill();
UPDATE posts SET main_tag = 1 WHERE id = 2;
UPDATE posts SET main_tag = 3 WHERE id = 4;
UPDATE posts SET main_tag = 4 WHERE id = 6;
DELETE FROM post_tags WHERE tag_id = 1;
TABLE state;
SELECT * FROM posts ORDER BY id;
DELETE FROM posts WHERE id = 5;
TABLE state;

-- the same secondary declared twice: they unite
SELECT cascade.drop_relationship('tags', 'main_for');
SELECT cascade.drop_relationship('posts', 'main_tag');
SELECT cascade.drop_relationship('posts', 'keywords');
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'none', nullify => false);
SELECT cascade.add_relationship('posts', 'tags', 'delete', name => 'b', secondary => 'post_tags');
SELECT cascade.add_relationship('posts', 'tags', 'save-update', name => 'c', secondary => 'post_tags');
CALL fill();
UPDATE tags SET id = 20 WHERE id = 2;
DELETE FROM posts WHERE id = 1;
TABLE state;
-- one is counted, the other is not: what is deleted is deleted
SELECT cascade.alter_relationship('posts', 'c', cascade => 'all, delete-orphan');
CALL fill();
DELETE FROM post_tags WHERE tag_id = 1;
DELETE FROM posts WHERE id = 2;
TABLE state;
SELECT cascade.drop_relationship('posts', 'b');
CALL fill();
DELETE FROM posts WHERE id = 2;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE keywords, post_tags, posts, tags;

--
-- The secondary as an object of its own: one-to-many to it, many-to-one from
-- it, beside the many-to-many that leads through it
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE post_tags (id integer PRIMARY KEY, post_id integer REFERENCES posts, tag_id integer REFERENCES tags);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, post_tags;
    INSERT INTO posts VALUES (1), (2), (3);
    INSERT INTO tags VALUES (1), (2), (3), (4);
    INSERT INTO post_tags VALUES (11, 1, 1), (12, 1, 2), (22, 2, 2), (23, 2, 3);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(format('%s<%s>%s', post_id, id, tag_id), ' ' ORDER BY id) FROM post_tags) AS links,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags;
SELECT cascade.add_relationship('posts', 'post_tags', 'all, delete-orphan');
SELECT cascade.add_relationship('post_tags', 'tags', 'all, delete-orphan', name => 'tag');
CALL fill();
DELETE FROM posts WHERE id = 1;
TABLE state;
UPDATE post_tags SET post_id = NULL WHERE id = 23;
TABLE state;
CALL fill();
BEGIN;
UPDATE post_tags SET tag_id = 4 WHERE id = 11;
UPDATE post_tags SET post_id = NULL WHERE id IN (22, 23);
UPDATE post_tags SET post_id = 3 WHERE id = 23;
COMMIT;
TABLE state;
-- with the many-to-many
SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags');
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE posts SET id = id + 100;
UPDATE tags SET id = id + 100;
DELETE FROM tags WHERE id = 101;
DELETE FROM posts WHERE id = 101;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
-- in its place
SELECT cascade.drop_relationship('posts', 'post_tags');
SELECT cascade.drop_relationship('post_tags', 'tag');
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan');
CALL fill();
DELETE FROM posts WHERE id = 1;
UPDATE post_tags SET post_id = NULL WHERE id = 23;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE post_tags, tags, posts;

--
-- Two tables that refer to each other: one-to-many both ways
--
CREATE TABLE teams (id integer PRIMARY KEY, captain integer);
CREATE TABLE players (id integer PRIMARY KEY, team integer REFERENCES teams);
ALTER TABLE teams ADD FOREIGN KEY (captain) REFERENCES players;
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE teams, players;
    -- a player of team 1 leads it; one of team 2 leads team 3 and one of
    -- team 3 leads team 2; nobody leads team 4
    INSERT INTO teams VALUES (1), (2), (3), (4);
    INSERT INTO players VALUES (11, 1), (12, 1), (21, 2), (31, 3), (32, 3), (41, 4), (51, NULL);
    UPDATE teams SET captain = CASE id WHEN 1 THEN 11 WHEN 2 THEN 31 WHEN 3 THEN 21 END;
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id || '>' || coalesce(captain::text, '-'), ' ' ORDER BY id) FROM teams) AS teams,
           (SELECT string_agg(id || '>' || coalesce(team::text, '-'), ' ' ORDER BY id) FROM players) AS players;
SELECT cascade.add_relationship('teams', 'players', 'all', direction => 'one-to-many');
SELECT cascade.add_relationship('players', 'teams', 'all', name => 'leads', direction => 'one-to-many');
CALL fill();
TABLE state;
-- through the circle, and where it is its own captain's
DELETE FROM teams WHERE id = 2;
TABLE state;
DELETE FROM players WHERE id = 11;
TABLE state;
UPDATE teams SET id = id * 10;
UPDATE players SET id = id * 10;
TABLE state;
DELETE FROM players WHERE id = 410;
TABLE state;
-- nullify one way, delete the other
SELECT cascade.alter_relationship('players', 'leads', cascade => 'save-update');
CALL fill();
DELETE FROM players WHERE id = 31;
DELETE FROM teams WHERE id IN (1, 3);
TABLE state;
-- nullify both ways
SELECT cascade.alter_relationship('teams', 'players', cascade => 'save-update');
CALL fill();
DELETE FROM players WHERE id = 31;
DELETE FROM teams WHERE id IN (1, 3);
TABLE state;
-- one-to-many one way, many-to-one the other: a team takes its players and
-- its captain; who captains it is another one's player
SELECT cascade.alter_relationship('teams', 'players', cascade => 'all');
SELECT cascade.drop_relationship('players', 'leads');
SELECT cascade.add_relationship('teams', 'players', 'all, delete-orphan', name => 'captain', direction => 'many-to-one');
CALL fill();
UPDATE teams SET captain = 51 WHERE id = 4;
DELETE FROM teams WHERE id = 4;
TABLE state;
SELECT try('DELETE FROM teams WHERE id = 2');
DELETE FROM teams WHERE id IN (1, 2, 3);
TABLE state;
CALL fill();
-- the captain is replaced, and goes
UPDATE teams SET captain = 41 WHERE id = 1;
TABLE state;
-- many-to-one both ways: the last player takes the team, the team its captain
SELECT cascade.drop_relationship('teams', 'players');
SELECT cascade.add_relationship('players', 'teams', 'all, delete-orphan', name => 'team', direction => 'many-to-one');
CALL fill();
UPDATE teams SET captain = 51 WHERE id = 4;
TABLE state;
DELETE FROM players WHERE id = 41;
TABLE state;
UPDATE players SET team = NULL WHERE id = 12;
TABLE state;
BEGIN;
UPDATE players SET team = NULL WHERE id = 21;
TABLE state;
COMMIT;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE teams, players;

--
-- A circle through all directions: a -> b one-to-many, b -> c many-to-one,
-- c -> a many-to-many
--
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a, c_id integer REFERENCES c);
CREATE TABLE ca (c_id integer REFERENCES c, a_id integer REFERENCES a);
SELECT cascade.add_relationship('a', 'b', 'all');
SELECT cascade.add_relationship('b', 'c', 'all, delete-orphan');
SELECT cascade.add_relationship('c', 'a', 'all, delete-orphan', secondary => 'ca');
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM a) AS a,
           (SELECT string_agg(format('%s<%s>%s', a_id, id, c_id), ' ' ORDER BY id) FROM b) AS b,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM c) AS c,
           (SELECT string_agg(c_id || '-' || a_id, ' ' ORDER BY c_id, a_id) FROM ca) AS ca;
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE a, b, c, ca;
    INSERT INTO a SELECT generate_series(1, 5);
    INSERT INTO c SELECT generate_series(1, 5);
    -- from 1 to 2 to 3 and back to 1; from 4 to 5
    INSERT INTO b VALUES (11, 1, 1), (12, 2, 2), (13, 3, 3), (14, 4, 4), (15, 5, 5);
    INSERT INTO ca VALUES (1, 2), (2, 3), (3, 1), (4, 5);
$$;
CALL fill();
TABLE state;
DELETE FROM a WHERE id = 4;
TABLE state;
BEGIN;
DELETE FROM b WHERE id = 12;
TABLE state;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
COMMIT;
-- something else holds one of the rows
CALL fill();
INSERT INTO ca VALUES (5, 3);
DELETE FROM ca WHERE c_id = 3;
TABLE state;
-- without counting, it does not help, but for a foreign key
SELECT cascade.alter_relationship('c', 'a', cascade => 'all');
SELECT cascade.alter_relationship('b', 'c', cascade => 'all');
CALL fill();
INSERT INTO ca VALUES (5, 3);
DELETE FROM b WHERE id = 11;
TABLE state;
CALL fill();
INSERT INTO b VALUES (16, NULL, 3);
BEGIN;
DELETE FROM b WHERE id = 11;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
-- all in one statement
SELECT cascade.alter_relationship('c', 'a', deferred => false);
SELECT cascade.alter_relationship('b', 'c', deferred => false);
BEGIN;
DELETE FROM b WHERE id IN (11, 16);
TABLE state;
UPDATE a SET id = id + 10;
UPDATE c SET id = id + 10;
TABLE state;
COMMIT;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA mutual_test CASCADE;

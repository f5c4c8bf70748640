--
-- TRUNCATE of tables that others belong to, each command in a session that
-- has not called the extension before
--
CREATE SCHEMA truncate_test AUTHORIZATION regress_cascade_user;
\set user 'SET ROLE regress_cascade_user; SET search_path = truncate_test, helper;'
\set other 'SET ROLE regress_cascade_other; SET search_path = truncate_test, helper;'
:user
GRANT USAGE ON SCHEMA truncate_test TO regress_cascade_other;

-- no foreign key: what follows is the extension's doing
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author_id int);
CREATE TABLE pages (id int PRIMARY KEY, book_id int);
CREATE TABLE notes (id int PRIMARY KEY, page_id int);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan',
								source_columns => '{id}', target_columns => '{author_id}');
SELECT cascade.add_relationship('books', 'pages', 'all',
								source_columns => '{id}', target_columns => '{book_id}');
SELECT cascade.add_relationship('pages', 'notes',
								source_columns => '{id}', target_columns => '{page_id}');
CREATE PROCEDURE fill() LANGUAGE sql AS $$
	INSERT INTO truncate_test.authors VALUES (1), (2);
	INSERT INTO truncate_test.books VALUES (1, 1), (2, 2), (3, NULL);
	INSERT INTO truncate_test.pages VALUES (1, 1), (2, 2), (3, NULL);
	INSERT INTO truncate_test.notes VALUES (1, 1), (2, NULL)
$$;
CREATE VIEW rows AS
	SELECT (SELECT count(*) FROM authors) AS authors, (SELECT count(*) FROM books) AS books,
		   (SELECT count(*) FROM pages) AS pages, (SELECT count(*) FROM notes) AS notes;
CALL fill();

-- a parent alone is refused, ONLY or not, and nothing has happened
\c -
:user
TRUNCATE authors;  -- fails
\echo :SQLSTATE
\c -
:user
TRUNCATE ONLY books;  -- fails
\c -
:user
TRUNCATE notes, authors;  -- fails
TABLE rows;
SELECT try('TRUNCATE authors');

-- a parent whose children are truncated with it is not, in any order
\c -
:user
BEGIN;
TRUNCATE pages, notes, authors, books;
TABLE rows;
ROLLBACK;
TABLE rows;

-- nor is one that has no children: their tables may have rows
\c -
:user
BEGIN;
UPDATE books SET author_id = NULL;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE books;
TRUNCATE authors;
TABLE rows;
ROLLBACK;

-- the lowest table is nobody's parent
\c -
:user
BEGIN;
TRUNCATE notes;
TABLE rows;
ROLLBACK;

-- CASCADE goes through every level, and the relationships work on
\c -
:user
BEGIN;
TRUNCATE books CASCADE;
TABLE rows;
ROLLBACK;
TABLE rows;
\c -
:user
TRUNCATE authors CASCADE;
TABLE rows;
CALL fill();
DELETE FROM authors WHERE id = 1;
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE rows;
SELECT * FROM pages ORDER BY id;
SELECT * FROM notes ORDER BY id;
TRUNCATE notes, pages, books, authors;

-- a savepoint takes it all back
CALL fill();
\c -
:user
BEGIN;
SAVEPOINT s;
TRUNCATE authors CASCADE;
ROLLBACK TO s;
TABLE rows;
TRUNCATE pages CASCADE;
INSERT INTO pages VALUES (7, 1);
COMMIT;
TABLE rows;
DELETE FROM authors WHERE id = 1;
TABLE pages;
TRUNCATE notes, pages, books, authors;

-- foreign keys beside the relationships refuse and truncate themselves; where
-- only the relationship ties, it does
ALTER TABLE books ADD FOREIGN KEY (author_id) REFERENCES authors;
CALL fill();
\c -
:user
TRUNCATE authors;  -- fails
\echo :SQLSTATE
\c -
:user
TRUNCATE authors, books;  -- fails
\echo :SQLSTATE
\c -
:user
TRUNCATE authors CASCADE;
TABLE rows;
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey;

-- checks pending
CALL fill();
\c -
:user
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
TRUNCATE books, pages;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
TRUNCATE authors CASCADE;  -- fails
\echo :SQLSTATE
ROLLBACK;
TABLE rows;

-- RESTART IDENTITY is for the children's tables too, CONTINUE for none
CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE child (id serial, parent_id int);
SELECT cascade.add_relationship('parent', 'child', 'all',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO parent DEFAULT VALUES;
INSERT INTO child (parent_id) VALUES (1);
\c -
:user
TRUNCATE parent CASCADE;
INSERT INTO parent DEFAULT VALUES;
INSERT INTO child (parent_id) VALUES (2);
SELECT p.id, c.id AS child FROM parent p, child c;
\c -
:user
TRUNCATE parent RESTART IDENTITY CASCADE;
INSERT INTO parent DEFAULT VALUES;
INSERT INTO child (parent_id) VALUES (1);
SELECT p.id, c.id AS child FROM parent p, child c;

-- tables that inherit from a child's are left alone
CREATE TABLE grown () INHERITS (child);
INSERT INTO grown VALUES (9, 1);
\c -
:user
TRUNCATE parent CASCADE;
SELECT id, parent_id FROM child;
DROP TABLE grown, child, parent;

-- which relationships count: nullify and enforce do, one that does nothing to
-- the children does not
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
SELECT cascade.add_relationship('parent', 'child', nullify => false,
								source_columns => '{id}', target_columns => '{parent_id}');
\c -
:user
BEGIN;
TRUNCATE parent;
TABLE child;
ROLLBACK;
SELECT cascade.alter_relationship('parent', 'child', nullify => true);
\c -
:user
TRUNCATE parent;  -- fails
SELECT cascade.alter_relationship('parent', 'child', nullify => false, enforce => true);
\c -
:user
TRUNCATE parent;  -- fails
\c -
:user
BEGIN;
TRUNCATE parent CASCADE;
TABLE child;
ROLLBACK;
SELECT cascade.drop_relationship('parent', 'child');
\c -
:user
BEGIN;
TRUNCATE parent;
TABLE child;
ROLLBACK;

-- many-to-one: no relationship of its own does anything to the source's rows
-- when the target goes, unless it is enforced
SELECT cascade.add_relationship('child', 'parent', 'all, delete-orphan',
								source_columns => '{parent_id}', target_columns => '{id}');
\c -
:user
BEGIN;
TRUNCATE parent;
TABLE child;
ROLLBACK;
SELECT cascade.alter_relationship('child', 'parent', enforce => true);
\c -
:user
TRUNCATE parent;  -- fails
\c -
:user
TRUNCATE child;
TABLE parent;
INSERT INTO child VALUES (1, 1);
\c -
:user
TRUNCATE parent CASCADE;
TABLE child;
DROP TABLE child, parent;

-- polymorphic: the rows of the truncated parents are deleted, with what hangs
-- on them; those of others stay
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE photos (id int PRIMARY KEY);
CREATE TABLE comments (id int PRIMARY KEY, on_type text, on_id int);
CREATE TABLE likes (id int PRIMARY KEY, comment_id int);
SELECT cascade.add_relationship('posts', 'comments', 'all', source_columns => '{id}',
								target_columns => '{on_id}', discriminator => '{"on_type": "post"}');
SELECT cascade.add_relationship('photos', 'comments', 'all', source_columns => '{id}',
								target_columns => '{on_id}', discriminator => '{"on_type": "photo"}');
SELECT cascade.add_relationship('comments', 'likes', 'all', source_columns => '{id}', target_columns => '{comment_id}');
CREATE PROCEDURE fill_comments() LANGUAGE sql AS $$
	INSERT INTO truncate_test.posts VALUES (1);
	INSERT INTO truncate_test.photos VALUES (1);
	INSERT INTO truncate_test.comments VALUES (1, 'post', 1), (2, 'photo', 1), (3, 'post', NULL);
	INSERT INTO truncate_test.likes VALUES (1, 1), (2, 2)
$$;
CALL fill_comments();
\c -
:user
TRUNCATE posts;  -- fails
\c -
:user
TRUNCATE posts CASCADE;
TABLE comments ORDER BY id;
TABLE likes;
\c -
:user
TRUNCATE comments;  -- fails
\c -
:user
TRUNCATE photos, posts, comments, likes;
CALL fill_comments();
\c -
:user
TRUNCATE photos, posts CASCADE;
TABLE comments;
TABLE likes;

-- a trigger keeps a row from being deleted: it stays, and enforce refuses
TRUNCATE comments;
CALL fill_comments();
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER keep BEFORE DELETE ON comments FOR EACH ROW EXECUTE FUNCTION keep();
\c -
:user
BEGIN;
TRUNCATE posts CASCADE;
TABLE comments ORDER BY id;
ROLLBACK;
SELECT cascade.alter_relationship('posts', 'comments', enforce => true);
\c -
:user
TRUNCATE posts CASCADE;  -- fails
\echo :SQLSTATE
TABLE posts;
DROP TABLE likes, comments, posts, photos;

-- many-to-many: the link rows go, from either end; the other end stays
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE post_tags (post_id int, tag_id int);
SELECT cascade.add_relationship('posts', 'tags', 'all', secondary => 'post_tags',
								secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}');
INSERT INTO posts VALUES (1), (2);
INSERT INTO tags VALUES (1), (2);
INSERT INTO post_tags VALUES (1, 1), (2, 1), (2, NULL);
\c -
:user
TRUNCATE posts;  -- fails
\c -
:user
TRUNCATE tags;  -- fails
\c -
:user
BEGIN;
TRUNCATE post_tags;
TRUNCATE posts;
TABLE tags ORDER BY id;
ROLLBACK;
\c -
:user
BEGIN;
TRUNCATE tags CASCADE;
TABLE post_tags;
TABLE posts ORDER BY id;
ROLLBACK;
\c -
:user
TRUNCATE posts CASCADE;
TABLE post_tags;
TABLE tags ORDER BY id;
DROP TABLE post_tags, tags, posts;

-- self-referential tables, and cycles
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int);
SELECT cascade.add_relationship('nodes', 'nodes', 'all', name => 'children', direction => 'one-to-many',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO nodes VALUES (1, 1), (2, 1), (3, 2);
CREATE TABLE a (id int PRIMARY KEY, c int);
CREATE TABLE b (id int PRIMARY KEY, a int);
CREATE TABLE c (id int PRIMARY KEY, b int);
SELECT cascade.add_relationship('a', 'b', 'all', source_columns => '{id}', target_columns => '{a}');
SELECT cascade.add_relationship('b', 'c', 'all', source_columns => '{id}', target_columns => '{b}');
SELECT cascade.add_relationship('c', 'a', 'all', source_columns => '{id}', target_columns => '{c}');
INSERT INTO a VALUES (1, 1);
INSERT INTO b VALUES (1, 1);
INSERT INTO c VALUES (1, 1);
\c -
:user
TRUNCATE nodes;
TABLE nodes;
\c -
:user
TRUNCATE b;  -- fails
\c -
:user
TRUNCATE b CASCADE;
SELECT (SELECT count(*) FROM a) AS a, (SELECT count(*) FROM b) AS b, (SELECT count(*) FROM c) AS c;
DROP TABLE nodes, a, b, c;

-- two parents of one child, truncated together
CREATE TABLE mothers (id int PRIMARY KEY);
CREATE TABLE fathers (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, mother int, father int);
SELECT cascade.add_relationship('mothers', 'children', 'all', source_columns => '{id}', target_columns => '{mother}');
SELECT cascade.add_relationship('fathers', 'children', source_columns => '{id}', target_columns => '{father}');
INSERT INTO mothers VALUES (1);
INSERT INTO fathers VALUES (1);
INSERT INTO children VALUES (1, 1, 1), (2, NULL, NULL);
\c -
:user
TRUNCATE mothers, fathers;  -- fails
\c -
:user
TRUNCATE mothers, fathers CASCADE;
TABLE children;
DROP TABLE mothers, fathers, children;

-- partitioned: the root, a partition whose rows have children, and one whose
-- rows have none
CREATE TABLE authors_p (id int, region int) PARTITION BY LIST (region);
CREATE TABLE authors_1 PARTITION OF authors_p FOR VALUES IN (1);
CREATE TABLE books_p (id int, author_id int) PARTITION BY LIST (id);
CREATE TABLE books_1 PARTITION OF books_p FOR VALUES IN (1);
SELECT cascade.add_relationship('authors_p', 'books_p', 'all', direction => 'one-to-many',
								source_columns => '{id}', target_columns => '{author_id}');
-- partitions that came later, in every way that one can
CREATE TABLE authors_2 PARTITION OF authors_p FOR VALUES IN (2) PARTITION BY LIST (region);
CREATE TABLE authors_2_2 PARTITION OF authors_2 FOR VALUES IN (2);
CREATE TABLE authors_3 (id int, region int);
ALTER TABLE authors_p ATTACH PARTITION authors_3 FOR VALUES IN (3);
RESET ROLE;
CREATE SCHEMA truncate_test_4 AUTHORIZATION regress_cascade_user
	CREATE TABLE authors_4 PARTITION OF truncate_test.authors_p FOR VALUES IN (4);
SET ROLE regress_cascade_user;
CREATE TABLE books_rest PARTITION OF books_p DEFAULT;
CREATE PROCEDURE fill_p() LANGUAGE sql AS $$
	INSERT INTO truncate_test.authors_p VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 1);
	INSERT INTO truncate_test.books_p VALUES (1, 1), (2, 2), (3, 3), (4, 4)
$$;
CALL fill_p();
\c -
:user
TRUNCATE authors_p;  -- fails
\echo :SQLSTATE
\c -
:user
TRUNCATE authors_1;  -- fails
\c -
:user
TRUNCATE authors_2;  -- fails
\c -
:user
TRUNCATE authors_2_2;  -- fails
\c -
:user
TRUNCATE authors_3;  -- fails
\c -
:user
TRUNCATE truncate_test_4.authors_4;  -- fails
\c -
:user
BEGIN;
DELETE FROM books_p WHERE author_id = 3;
TRUNCATE authors_3;
TABLE authors_p ORDER BY id;
ROLLBACK;
-- the child's partitions are nobody's parents
\c -
:user
BEGIN;
TRUNCATE books_1;
TABLE books_p ORDER BY id;
ROLLBACK;
-- CASCADE empties the whole of the child's table, as for a foreign key
\c -
:user
TRUNCATE authors_2_2 CASCADE;
TABLE authors_p ORDER BY id;
TABLE books_p;
TRUNCATE authors_p;
CALL fill_p();
\c -
:user
TRUNCATE authors_p CASCADE;
TABLE authors_p;
TABLE books_p;
-- a detached partition is a table of its own
CALL fill_p();
\c -
:user
ALTER TABLE authors_p DETACH PARTITION authors_3;
\c -
:user
TRUNCATE authors_3;
ALTER TABLE authors_p DETACH PARTITION authors_2 CONCURRENTLY;
\c -
:user
TRUNCATE authors_2;
TABLE authors_2_2;
SELECT "table", trigger FROM triggers
 WHERE schema = 'truncate_test'::regnamespace AND "table" IN ('authors_2', 'authors_2_2', 'authors_3');
DROP TABLE authors_p, authors_2, authors_3, books_p;
RESET ROLE;
DROP SCHEMA truncate_test_4;
SET ROLE regress_cascade_user;

-- a partitioned table that references itself, by a partition
CREATE TABLE nodes (id int, parent_id int, part int) PARTITION BY LIST (part);
CREATE TABLE nodes_1 PARTITION OF nodes FOR VALUES IN (1);
CREATE TABLE nodes_2 PARTITION OF nodes FOR VALUES IN (2);
SELECT cascade.add_relationship('nodes', 'nodes', 'all', name => 'children', direction => 'one-to-many',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO nodes VALUES (1, NULL, 1), (2, 1, 2), (3, 2, 2), (4, NULL, 1);
\c -
:user
TRUNCATE nodes_1;  -- fails
\c -
:user
BEGIN;
TRUNCATE nodes_2;
TABLE nodes ORDER BY id;
ROLLBACK;
\c -
:user
BEGIN;
TRUNCATE nodes;
TABLE nodes;
ROLLBACK;
\c -
:user
TRUNCATE nodes_1 CASCADE;
TABLE nodes;
DROP TABLE nodes;

-- in a function that is the first to call the extension
TRUNCATE notes, pages, books, authors;
CALL fill();
CREATE FUNCTION truncate_authors() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE truncate_test.authors CASCADE;
END $$;
CREATE FUNCTION truncate_restrict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE truncate_test.authors;
	RETURN NULL;
END $$;
CREATE TABLE elsewhere (i int);
CREATE TRIGGER elsewhere AFTER TRUNCATE ON elsewhere FOR EACH STATEMENT EXECUTE FUNCTION truncate_restrict();
\c -
:user
\set VERBOSITY terse
BEGIN;
SELECT truncate_authors();
TABLE rows;
ROLLBACK;
\c -
:user
BEGIN;
DO $$BEGIN TRUNCATE truncate_test.authors CASCADE; END$$;
TABLE rows;
ROLLBACK;
\c -
:user
BEGIN;
DO $$BEGIN EXECUTE 'TRUNCATE truncate_test.authors'; END$$;  -- fails
ROLLBACK;
-- a command's CASCADE is not that of a command in its triggers
\c -
:user
TRUNCATE elsewhere CASCADE;  -- fails
TRUNCATE elsewhere CASCADE;  -- fails
TABLE rows;
\set VERBOSITY default
DROP TABLE elsewhere;

-- the privilege to truncate the parent is not one to truncate the child, nor
-- to see whether it has rows
GRANT TRUNCATE ON authors TO regress_cascade_other;
\c -
:other
TRUNCATE authors;  -- fails
\c -
:other
TRUNCATE authors CASCADE;  -- fails
\echo :SQLSTATE
\c -
:user
GRANT TRUNCATE ON books, pages, notes TO regress_cascade_other;
\c -
:other
TRUNCATE authors CASCADE;
:user
TABLE rows;

-- the child's schema need not be open to who truncates
RESET ROLE;
CREATE SCHEMA truncate_test_2 AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
CREATE TABLE truncate_test_2.child (id int, author_id int);
GRANT TRUNCATE ON truncate_test_2.child TO regress_cascade_other;
SELECT cascade.add_relationship('authors', 'truncate_test_2.child', 'all',
								source_columns => '{id}', target_columns => '{author_id}');
CALL fill();
INSERT INTO truncate_test_2.child VALUES (1, 1);
\c -
:other
TRUNCATE authors CASCADE;
:user
TABLE truncate_test_2.child;
TABLE rows;
DROP TABLE truncate_test_2.child;
RESET ROLE;
DROP SCHEMA truncate_test_2;

-- row security does not hide children
:user
TRUNCATE notes, pages, books, authors;
CALL fill();
ALTER TABLE books ENABLE ROW LEVEL SECURITY;
ALTER TABLE books FORCE ROW LEVEL SECURITY;
\c -
:user
SELECT count(*) FROM books;
TRUNCATE authors;  -- fails
ALTER TABLE books NO FORCE ROW LEVEL SECURITY;
ALTER TABLE books DISABLE ROW LEVEL SECURITY;

-- triggers that are off
\c -
:user
ALTER TABLE authors DISABLE TRIGGER "CASCADE_truncate";
\c -
:user
BEGIN;
TRUNCATE authors;
TABLE rows;
ROLLBACK;
ALTER TABLE authors ENABLE TRIGGER USER;
\c -
:user
TRUNCATE authors;  -- fails
\c -
SET session_replication_role = replica;
:user
BEGIN;
TRUNCATE authors;
TABLE rows;
ROLLBACK;

-- names
CREATE TABLE "O'Reilly ""%s""
%d" (id int PRIMARY KEY);
CREATE TABLE "TRUNCATE; -- %n\" (id int, p int);
SELECT cascade.add_relationship('"O''Reilly ""%s""
%d"', '"TRUNCATE; -- %n\"', 'all', source_columns => '{id}', target_columns => '{p}');
INSERT INTO "O'Reilly ""%s""
%d" VALUES (1);
INSERT INTO "TRUNCATE; -- %n\" VALUES (1, 1);
\c -
:user
TRUNCATE "O'Reilly ""%s""
%d";  -- fails
\c -
:user
BEGIN;
DO $$BEGIN TRUNCATE "O'Reilly ""%s""
%d" CASCADE; END$$;
TABLE "TRUNCATE; -- %n\";
ROLLBACK;
\c -
:user
TRUNCATE "O'Reilly ""%s""
%d" CASCADE;
TABLE "TRUNCATE; -- %n\";

-- our trigger's function is for TRUNCATE only, and for tables with children
CREATE TABLE plain (id int);
CREATE TRIGGER a AFTER INSERT ON plain FOR EACH STATEMENT EXECUTE FUNCTION cascade.truncate();
CREATE TRIGGER b BEFORE TRUNCATE ON plain FOR EACH STATEMENT EXECUTE FUNCTION cascade.truncate();
CREATE TRIGGER c AFTER TRUNCATE ON plain FOR EACH STATEMENT EXECUTE FUNCTION cascade.truncate();
\c -
:user
SELECT try('INSERT INTO plain VALUES (1)');
SELECT try('TRUNCATE plain');
DROP TRIGGER b ON plain;
SELECT try('TRUNCATE plain CASCADE');

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA truncate_test CASCADE;

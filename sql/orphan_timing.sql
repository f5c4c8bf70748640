--
-- orphan_timing: when orphans are looked for: commit, the end of the
-- statement, SET CONSTRAINTS, savepoints
--
CREATE SCHEMA orphan_timing_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = orphan_timing_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books SELECT i, 1 FROM generate_series(1, 40) i;
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
CREATE VIEW left_over AS
    SELECT count(*) AS books, count(author_id) AS attached,
           array_agg(id ORDER BY id) FILTER (WHERE author_id IS NULL) AS detached
      FROM books;
TABLE left_over;

--
-- SET CONSTRAINTS, any number of times
--
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (1, 2);
TABLE left_over;
-- what is pending is done at once
SET CONSTRAINTS ALL IMMEDIATE;
TABLE left_over;
-- and what comes after it at the end of its statement
UPDATE books SET author_id = NULL WHERE id = 3;
TABLE left_over;
SET CONSTRAINTS ALL DEFERRED;
UPDATE books SET author_id = NULL WHERE id IN (4, 5);
TABLE left_over;
UPDATE books SET author_id = 1 WHERE id = 5;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE left_over;
SET CONSTRAINTS ALL DEFERRED;
UPDATE books SET author_id = NULL WHERE id IN (6, 7);
UPDATE books SET author_id = 2 WHERE id = 7;
TABLE left_over;
COMMIT;
TABLE left_over;

-- by name
BEGIN;
SET CONSTRAINTS "CASCADE_verify_update" IMMEDIATE;
UPDATE books SET author_id = NULL WHERE id = 8;
TABLE left_over;
SET CONSTRAINTS "CASCADE_verify_update" DEFERRED;
UPDATE books SET author_id = NULL WHERE id = 9;
TABLE left_over;
SET CONSTRAINTS "CASCADE_verify_update" IMMEDIATE;
TABLE left_over;
COMMIT;
TABLE left_over;

-- it holds for the transaction only
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 10;
TABLE left_over;
UPDATE books SET author_id = 1 WHERE id = 10;
COMMIT;
TABLE left_over;

-- from a function, between its statements
CREATE FUNCTION detach(integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE books SET author_id = NULL WHERE id = $1;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN (SELECT count(*) FROM books);
END
$$;
SELECT detach(10);
TABLE left_over;

--
-- Savepoints
--
-- rolled back between detachment and check
BEGIN;
SAVEPOINT s;
UPDATE books SET author_id = NULL WHERE id = 11;
ROLLBACK TO s;
COMMIT;
TABLE left_over;
-- released
BEGIN;
SAVEPOINT s;
UPDATE books SET author_id = NULL WHERE id = 11;
RELEASE s;
TABLE left_over;
COMMIT;
TABLE left_over;
-- released into one that is rolled back
BEGIN;
SAVEPOINT s;
SAVEPOINT t;
UPDATE books SET author_id = NULL WHERE id = 12;
RELEASE t;
ROLLBACK TO s;
COMMIT;
TABLE left_over;
-- detached before, attached again inside, rolled back
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 12;
SAVEPOINT s;
UPDATE books SET author_id = 1 WHERE id = 12;
ROLLBACK TO s;
COMMIT;
TABLE left_over;
-- one before, one inside that is rolled back, one after
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 13;
SAVEPOINT s;
UPDATE books SET author_id = NULL WHERE id = 14;
ROLLBACK TO s;
UPDATE books SET author_id = NULL WHERE id = 15;
TABLE left_over;
COMMIT;
TABLE left_over;
-- the check itself is rolled back, and forgets nothing
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 16;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE left_over;
UPDATE books SET author_id = NULL WHERE id = 17;
TABLE left_over;
ROLLBACK TO s;
TABLE left_over;
-- deferred again, as before the savepoint
UPDATE books SET author_id = NULL WHERE id = 18;
TABLE left_over;
COMMIT;
TABLE left_over;
-- the check is rolled back, and the row attached again
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 17;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
UPDATE books SET author_id = 1 WHERE id = 17;
COMMIT;
TABLE left_over;
-- the check is done inside and kept
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 19;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
RELEASE s;
UPDATE books SET author_id = NULL WHERE id = 20;
TABLE left_over;
COMMIT;
TABLE left_over;
-- many of them, each with one row; every second one is rolled back
DO $$
BEGIN
    FOR i IN 21 .. 30 LOOP
        BEGIN
            UPDATE books SET author_id = NULL WHERE id = i;
            IF i % 2 = 0 THEN
                RAISE EXCEPTION 'back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END
$$;
TABLE left_over;
SELECT array_agg(id ORDER BY id) FROM books WHERE id BETWEEN 21 AND 30;
-- the whole transaction
BEGIN;
UPDATE books SET author_id = NULL;
ROLLBACK;
BEGIN;
UPDATE books SET author_id = NULL;
\set VERBOSITY sqlstate
SELECT 1 / 0;
\set VERBOSITY default
COMMIT;
TABLE left_over;
-- nothing is left behind: the next transaction checks nothing of theirs
SET cascade.trace = on;
INSERT INTO books VALUES (50, NULL);
UPDATE books SET id = 51 WHERE id = 50;
SET cascade.trace = off;
TABLE left_over;
DELETE FROM books WHERE id = 51;

--
-- Several checks of one transaction: rows of two tables, relationships of one
--
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer REFERENCES books);
SELECT cascade.add_relationship('books', 'pages', 'all, delete-orphan');
INSERT INTO pages VALUES (1, 40), (2, 40), (3, 39);
BEGIN;
UPDATE pages SET book_id = NULL WHERE id IN (1, 3);
UPDATE books SET author_id = NULL WHERE id = 40;
UPDATE pages SET book_id = 39 WHERE id = 2;
TABLE pages ORDER BY id;
COMMIT;
TABLE left_over;
TABLE pages ORDER BY id;
-- the check detaches others, which are checked in their turn
SELECT cascade.alter_relationship('books', 'pages', cascade => 'delete-orphan');
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 39;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE pages ORDER BY id;
ROLLBACK TO s;
COMMIT;
TABLE left_over;
TABLE pages ORDER BY id;
SELECT cascade.drop_relationship('books', 'pages');
DROP TABLE pages;

--
-- DDL with checks pending is refused
--
\set VERBOSITY sqlstate
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 38;
SAVEPOINT s;
ALTER TABLE books ADD COLUMN title text;  -- fails
ROLLBACK TO s;
DROP TABLE books CASCADE;  -- fails
ROLLBACK TO s;
TRUNCATE books;  -- fails
ROLLBACK TO s;
SELECT cascade.drop_relationship('authors', 'books');  -- fails
ROLLBACK TO s;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');  -- fails
ROLLBACK TO s;
-- with the check done it is not
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE books ADD COLUMN title text;
COMMIT;
\set VERBOSITY default
ALTER TABLE books DROP COLUMN title;
TABLE left_over;

--
-- deferred => false: at the end of the statement, and SET CONSTRAINTS does
-- not change that
--
SELECT cascade.alter_relationship('authors', 'books', deferred => false);
BEGIN;
\set QUIET off
UPDATE books SET author_id = NULL WHERE id IN (36, 37);
\set QUIET on
TABLE left_over;
SET CONSTRAINTS ALL DEFERRED;
UPDATE books SET author_id = NULL WHERE id = 35;
TABLE left_over;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE books SET author_id = NULL WHERE id = 34;
TABLE left_over;
SAVEPOINT s;
UPDATE books SET author_id = NULL WHERE id = 33;
TABLE left_over;
ROLLBACK TO s;
COMMIT;
TABLE left_over;
-- a statement that detaches and one that attaches: the first has already been
-- checked
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 33;
UPDATE books SET author_id = 1 WHERE id = 33;
COMMIT;
TABLE left_over;
-- detached by the deletion of the parent
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update, delete-orphan');
BEGIN;
DELETE FROM authors WHERE id = 1;
TABLE books ORDER BY id;
COMMIT;
-- two statements in one
WITH detached AS (UPDATE books SET author_id = NULL WHERE id = 7 RETURNING id)
INSERT INTO books SELECT id + 100, 2 FROM detached;
TABLE books ORDER BY id;

-- back to commit
SELECT cascade.alter_relationship('authors', 'books', deferred => true);
BEGIN;
UPDATE books SET author_id = NULL;
TABLE books;
COMMIT;
TABLE books;

--
-- One relationship that is deferred, one that is not
--
CREATE TABLE publishers (id integer PRIMARY KEY);
ALTER TABLE books ADD COLUMN publisher_id integer REFERENCES publishers;
SELECT cascade.alter_relationship('authors', 'books', deferred => false);
SELECT cascade.add_relationship('publishers', 'books', 'all, delete-orphan');
INSERT INTO publishers VALUES (1);
INSERT INTO books VALUES (1, 2, 1), (2, 2, 1), (3, 2, 1);
BEGIN;
UPDATE books SET publisher_id = NULL WHERE id IN (1, 2);
TABLE books ORDER BY id;
UPDATE books SET author_id = NULL WHERE id = 1;
TABLE books ORDER BY id;
UPDATE books SET publisher_id = 1 WHERE id = 2;
COMMIT;
TABLE books ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA orphan_timing_test CASCADE;

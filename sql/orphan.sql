--
-- orphan: rows that lost their parent are deleted (delete-orphan).  When the
-- check runs is the subject of orphan_timing.
--
CREATE SCHEMA orphan_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = orphan_test, helper;

--
-- Detached at commit: gone, with its own children
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors, title text);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer REFERENCES books);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 1), (3, 1), (4, 2), (5, NULL);
INSERT INTO pages VALUES (1, 1), (2, 1), (3, 2), (4, 4);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all');
\set QUIET off
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
TABLE books ORDER BY id;
COMMIT;
\set QUIET on
TABLE books ORDER BY id;
TABLE pages ORDER BY id;

-- detached and attached again: it lives
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 2;
UPDATE books SET author_id = 1 WHERE id = 2;
COMMIT;
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 2;
UPDATE books SET author_id = 2 WHERE id = 2;
COMMIT;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;

-- pointed to another parent by one statement: it has not lost its parent
UPDATE books SET author_id = 1 WHERE id = 2;
TABLE books ORDER BY id;

-- inserted without a parent: it has never had one; nor does an update of
-- such a row make it an orphan
INSERT INTO books VALUES (6, NULL);
UPDATE books SET title = 'No author' WHERE author_id IS NULL;
UPDATE books SET author_id = NULL WHERE id = 5;
TABLE books ORDER BY id;

-- but what is inserted, attached and detached is one, in one transaction too
BEGIN;
INSERT INTO books VALUES (7, NULL), (8, 1), (9, 1);
UPDATE books SET author_id = 1 WHERE id = 7;
UPDATE books SET author_id = NULL WHERE id IN (7, 8);
COMMIT;
UPDATE books SET author_id = 1 WHERE id = 6;
UPDATE books SET author_id = NULL WHERE id = 6;
TABLE books ORDER BY id;

-- detached, attached, detached again: as it is when the check runs
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (3, 9);
UPDATE books SET author_id = 1 WHERE id IN (3, 9);
UPDATE books SET author_id = NULL WHERE id = 3;
COMMIT;
TABLE books ORDER BY id;

-- the row changes on, even its key does, between its detachment and commit
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (2, 9);
UPDATE books SET title = 'x' WHERE id IN (2, 9);
DELETE FROM pages WHERE book_id = 2;
UPDATE books SET id = id + 100 WHERE id IN (2, 9);
UPDATE books SET title = 'y' WHERE id = 102;
COMMIT;
TABLE books ORDER BY id;

-- deleted by hand before the check, and another row put in its place
INSERT INTO books VALUES (1, 1), (2, 1);
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (1, 2);
DELETE FROM books WHERE id IN (1, 2);
INSERT INTO books VALUES (1, NULL);
COMMIT;
TABLE books ORDER BY id;

-- the parent's deletion takes the attached ones; the detached one goes at
-- commit, unless somebody has adopted it
INSERT INTO books VALUES (2, 1), (3, 1), (7, 1);
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (2, 3);
DELETE FROM authors WHERE id = 1;
UPDATE books SET author_id = 2 WHERE id = 3;
TABLE books ORDER BY id;
COMMIT;
TABLE books ORDER BY id;

-- a set of rows, one statement to delete them
INSERT INTO authors VALUES (1);
INSERT INTO books SELECT i, 1 FROM generate_series(11, 110) i;
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE books SET author_id = NULL WHERE id > 10;
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 3;
UPDATE books SET author_id = NULL WHERE id = 4;
COMMIT;
\set VERBOSITY default
SET cascade.trace = off;
TABLE books ORDER BY id;
DROP TABLE pages, books, authors;

--
-- delete-orphan without delete: the parent's deletion nullifies, and the
-- orphan rule takes the row
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 1), (3, 2);
SELECT cascade.add_relationship('authors', 'books', 'save-update, delete-orphan');
BEGIN;
DELETE FROM authors WHERE id = 1;
TABLE books ORDER BY id;
UPDATE books SET author_id = 2 WHERE id = 2;
COMMIT;
TABLE books ORDER BY id;
-- detached, attached again, then detached by its parent's deletion
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 3;
UPDATE books SET author_id = 2 WHERE id = 3;
DELETE FROM authors WHERE id = 2;
TABLE books ORDER BY id;
COMMIT;
TABLE books ORDER BY id;
-- nullify => false: the parent's deletion detaches nothing
SELECT cascade.drop_relationship('authors', 'books');
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey;
SELECT cascade.add_relationship('authors', 'books', 'save-update, delete-orphan', nullify => false,
    source_columns => '{id}', target_columns => '{author_id}');
INSERT INTO authors VALUES (1);
INSERT INTO books VALUES (1, 1);
DELETE FROM authors;
TABLE books;
-- a key is a parent, whether a row stands behind it or not
UPDATE books SET author_id = 17;
TABLE books;
UPDATE books SET author_id = NULL;
TABLE books;
DROP TABLE books, authors;

--
-- A key of several columns is lost with any of them
--
CREATE TABLE authors (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE books (
    id integer PRIMARY KEY,
    tenant integer,
    author_id integer,
    FOREIGN KEY (tenant, author_id) REFERENCES authors
);
INSERT INTO authors VALUES (1, 1), (2, 1);
INSERT INTO books VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 1, NULL);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET tenant = NULL WHERE id = 2;
UPDATE books SET tenant = 2 WHERE id = 3;
UPDATE books SET tenant = NULL WHERE id = 5;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- A key that follows its parent's into NULL is lost as well
--
CREATE TABLE authors (id integer PRIMARY KEY, code text UNIQUE);
CREATE TABLE books (id integer PRIMARY KEY, author text REFERENCES authors (code));
INSERT INTO authors VALUES (1, 'a'), (2, 'b');
INSERT INTO books VALUES (1, 'a'), (2, 'b');
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
UPDATE authors SET code = NULL WHERE id = 1;
TABLE books;
DROP TABLE books, authors;

--
-- The native SET NULL detaches, too
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors ON DELETE SET NULL);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 2);
SELECT cascade.add_relationship('authors', 'books', 'delete-orphan', nullify => false);
DELETE FROM authors WHERE id = 1;
TABLE books;
DROP TABLE books, authors;

--
-- NOT NULL key columns: there is no detached state.  The row goes at the end
-- of the statement, which still reports it as updated.
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES authors, title text);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer NOT NULL REFERENCES books);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 1), (3, 2), (4, 2), (5, 2);
INSERT INTO pages VALUES (1, 1), (2, 2), (3, 3);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all, delete-orphan');
BEGIN;
\set QUIET off
UPDATE books SET author_id = NULL WHERE id = 1;
\set QUIET on
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
COMMIT;
-- some of the rows are detached, others are not
\set QUIET off
UPDATE books SET author_id = CASE id WHEN 2 THEN NULL WHEN 3 THEN 1 ELSE author_id END, title = 'changed'
 WHERE id IN (2, 3, 4);
\set QUIET on
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
DO $$
DECLARE
    n integer;
BEGIN
    UPDATE books SET author_id = NULL WHERE id >= 4;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE 'rows: %', n;
END
$$;
TABLE books ORDER BY id;
-- without delete, the parent's deletion detaches
SELECT cascade.alter_relationship('authors', 'books', cascade => 'delete-orphan');
\set QUIET off
DELETE FROM authors WHERE id = 1;
\set QUIET on
TABLE books;
TABLE pages;
-- other columns that must not be NULL are as they were, and so is INSERT
ALTER TABLE books ALTER title SET NOT NULL;
INSERT INTO books VALUES (1, 2, 'One'), (2, 2, 'Two');
SELECT try('UPDATE books SET title = NULL WHERE id = 1');
SELECT try('UPDATE books SET title = NULL, author_id = NULL WHERE id = 1');
SELECT try($$INSERT INTO books VALUES (3, NULL, 'Three')$$);
SELECT try($$INSERT INTO books VALUES (1, 2, 'One') ON CONFLICT (id) DO UPDATE SET title = NULL$$);
TABLE books ORDER BY id;
-- set to NULL and to another parent in one transaction: too late
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET author_id = 2 WHERE id = 1;
COMMIT;
INSERT INTO books VALUES (1, 2, 'One');
INSERT INTO books VALUES (1, 2, 'One'), (3, 2, 'Three') ON CONFLICT (id) DO UPDATE SET author_id = NULL;
TABLE books ORDER BY id;
DELETE FROM books WHERE id = 3;
-- without delete-orphan it is the ordinary violation again
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
SELECT try('UPDATE books SET author_id = NULL WHERE id = 2');
TABLE books ORDER BY id;
-- a key that becomes nullable waits for commit
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
ALTER TABLE books ALTER author_id DROP NOT NULL;
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE books;
UPDATE books SET author_id = 2 WHERE id = 2;
COMMIT;
-- and one that becomes NOT NULL does not
ALTER TABLE books ALTER author_id SET NOT NULL;
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE books;
DROP TABLE pages, books, authors;

-- one column of the key is NOT NULL, the other is not
CREATE TABLE authors (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE books (
    id integer PRIMARY KEY,
    tenant integer NOT NULL,
    author_id integer,
    FOREIGN KEY (tenant, author_id) REFERENCES authors
);
INSERT INTO authors VALUES (1, 1);
INSERT INTO books VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, NULL);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET tenant = NULL WHERE id = 2;
UPDATE books SET tenant = NULL, author_id = NULL WHERE id = 3;
TABLE books ORDER BY id;
COMMIT;
TABLE books ORDER BY id;
-- row 4 has no parent to lose
SELECT try('UPDATE books SET tenant = NULL WHERE id = 4');
TABLE books ORDER BY id;
DROP TABLE books, authors;

-- the key is part of the primary key
CREATE TABLE orders (id integer PRIMARY KEY);
CREATE TABLE lines (order_id integer REFERENCES orders, line integer, PRIMARY KEY (order_id, line));
INSERT INTO orders VALUES (1);
INSERT INTO lines VALUES (1, 1), (1, 2);
SELECT cascade.add_relationship('orders', 'lines', 'all, delete-orphan');
\set QUIET off
UPDATE lines SET order_id = NULL WHERE line = 1;
\set QUIET on
TABLE lines;
DROP TABLE lines, orders;

-- the key follows its parent's into NULL; the row changes its own key while
-- it is detached; both by MERGE
CREATE TABLE authors (id integer PRIMARY KEY, code text UNIQUE);
CREATE TABLE books (id integer PRIMARY KEY, author text NOT NULL REFERENCES authors (code));
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer NOT NULL REFERENCES books);
INSERT INTO authors VALUES (1, 'a'), (2, 'b');
INSERT INTO books VALUES (1, 'a'), (2, 'b'), (3, 'b'), (4, 'b'), (5, 'b');
INSERT INTO pages VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all, delete-orphan');
UPDATE authors SET code = NULL WHERE id = 1;
TABLE books ORDER BY id;
UPDATE books SET author = NULL, id = 20 WHERE id = 2;
TABLE books ORDER BY id;
MERGE INTO books b
USING (VALUES (3), (4)) AS v (id)
   ON b.id = v.id
 WHEN MATCHED AND b.id = 3 THEN UPDATE SET author = NULL
 WHEN MATCHED THEN DELETE;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
-- rolled back, it is as it was
BEGIN;
SAVEPOINT s;
UPDATE books SET author = NULL;
TABLE books;
ROLLBACK TO s;
COMMIT;
TABLE books;
TABLE pages;
DROP TABLE pages, books, authors;

--
-- What goes at commit goes as by one more statement: a constraint can refuse
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
CREATE TABLE loans (id integer PRIMARY KEY, book_id integer REFERENCES books);
INSERT INTO authors VALUES (1);
INSERT INTO books VALUES (1, 1), (2, 1);
INSERT INTO loans VALUES (1, 1);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
BEGIN;
UPDATE books SET author_id = NULL;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE books ORDER BY id;
-- nothing is left of the failed attempt
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE books;
DROP TABLE loans, books, authors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA orphan_test CASCADE;

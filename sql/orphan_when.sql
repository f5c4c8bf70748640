--
-- orphan_when: rows with two parents.  'any': losing this one is enough;
-- 'all': only when no other delete-orphan relationship holds the row.
--
CREATE SCHEMA orphan_when_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = orphan_when_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE publishers (id integer PRIMARY KEY);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer REFERENCES authors,
    publisher_id integer REFERENCES publishers
);
INSERT INTO authors VALUES (1);
INSERT INTO publishers VALUES (1);

-- 'any', the default
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('publishers', 'books', 'all, delete-orphan');
INSERT INTO books VALUES (1, 1, 1), (2, 1, 1), (3, 1, NULL), (4, NULL, 1), (5, NULL, NULL), (6, 1, 1);
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET publisher_id = NULL WHERE id = 2;
TABLE books ORDER BY id;
-- losing nothing, or what it does not have
UPDATE books SET author_id = NULL WHERE id IN (4, 5);
UPDATE books SET publisher_id = NULL WHERE id IN (3, 5);
UPDATE books SET id = id + 10;
TABLE books ORDER BY id;
-- one parent lost, another one won, in the same statement
BEGIN;
UPDATE books SET author_id = NULL, publisher_id = 1 WHERE id = 13;
UPDATE books SET author_id = NULL WHERE id = 16;
TABLE books ORDER BY id;
COMMIT;
TABLE books ORDER BY id;
DELETE FROM books;

-- 'all' on both
SELECT cascade.alter_relationship('authors', 'books', orphan_when => 'all');
SELECT cascade.alter_relationship('publishers', 'books', orphan_when => 'all');
INSERT INTO books VALUES (1, 1, 1), (2, 1, 1), (3, 1, NULL), (4, NULL, 1), (5, 1, 1), (6, 1, 1);
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET author_id = NULL, publisher_id = NULL WHERE id = 2;
UPDATE books SET author_id = NULL WHERE id = 3;
UPDATE books SET author_id = NULL, publisher_id = 1 WHERE id = 5;
TABLE books ORDER BY id;
UPDATE books SET publisher_id = NULL WHERE id = 1;
TABLE books ORDER BY id;
-- as they are at commit
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 6;
UPDATE books SET publisher_id = NULL WHERE id IN (4, 6);
UPDATE books SET author_id = 1 WHERE id = 4;
COMMIT;
TABLE books ORDER BY id;
DELETE FROM books;

-- each relationship goes by its own rule
SELECT cascade.alter_relationship('publishers', 'books', orphan_when => 'any');
INSERT INTO books VALUES (1, 1, 1), (2, 1, 1), (3, 1, NULL);
UPDATE books SET author_id = NULL WHERE id = 1;
UPDATE books SET publisher_id = NULL WHERE id = 2;
UPDATE books SET author_id = NULL WHERE id = 3;
TABLE books ORDER BY id;
DELETE FROM books;

-- a relationship without delete-orphan holds nothing
SELECT cascade.alter_relationship('publishers', 'books', cascade => 'all');
INSERT INTO books VALUES (1, 1, 1);
UPDATE books SET author_id = NULL;
TABLE books;

-- alone, 'all' is 'any'
SELECT cascade.drop_relationship('publishers', 'books');
INSERT INTO books VALUES (1, 1, 1);
UPDATE books SET author_id = NULL;
TABLE books;

--
-- The parents are detached by their deletion
--
SELECT cascade.add_relationship('publishers', 'books', 'delete-orphan', orphan_when => 'all');
SELECT cascade.alter_relationship('authors', 'books', cascade => 'delete-orphan');
INSERT INTO books VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 1);
DELETE FROM authors;
TABLE books ORDER BY id;
DELETE FROM publishers;
TABLE books ORDER BY id;

--
-- NOT NULL keys: set to NULL on a row that is no orphan under its rule is the
-- ordinary violation
--
INSERT INTO authors VALUES (1);
INSERT INTO publishers VALUES (1);
ALTER TABLE books ALTER author_id SET NOT NULL;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
INSERT INTO books VALUES (1, 1, 1), (2, 1, NULL), (3, 1, 1);
SELECT try('UPDATE books SET author_id = NULL WHERE id = 1');
TABLE books ORDER BY id;
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE books ORDER BY id;
UPDATE books SET author_id = NULL, publisher_id = NULL WHERE id = 3;
TABLE books ORDER BY id;
UPDATE books SET publisher_id = NULL WHERE id = 1;
TABLE books ORDER BY id;
-- under 'any' it is an orphan
SELECT cascade.alter_relationship('authors', 'books', orphan_when => 'any');
UPDATE books SET publisher_id = 1;
UPDATE books SET author_id = NULL;
TABLE books ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA orphan_when_test CASCADE;

--
-- propagate: children that still hold a column's old value take the new one
-- (save-update)
--
CREATE SCHEMA propagate_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = propagate_test, helper;
SET datestyle = ISO;

--
-- Soft deletes, through two levels
--
CREATE TABLE authors (id integer PRIMARY KEY, deleted_at date);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors, deleted_at date);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer REFERENCES books, gone date);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1, NULL), (2, 1, '2020-01-01'), (3, 2, NULL), (4, NULL, NULL);
INSERT INTO pages VALUES (1, 1, NULL), (2, 1, '2019-01-01'), (3, 2, '2020-01-01'), (4, 2, NULL), (5, 3, NULL);
SELECT cascade.add_relationship('authors', 'books', propagate => '{"deleted_at": "deleted_at"}');
SELECT cascade.add_relationship('books', 'pages', propagate => '{"deleted_at": "gone"}');

TABLE books ORDER BY id;
TABLE pages ORDER BY id;
SET cascade.trace = on;
\set VERBOSITY terse
\set QUIET off
UPDATE authors SET deleted_at = '2021-06-01' WHERE id = 1;
\set QUIET on
\set VERBOSITY default
SET cascade.trace = off;
-- what was deleted before on its own keeps its own stamp
TABLE books ORDER BY id;
TABLE pages ORDER BY id;

-- and does not come back with the author
UPDATE authors SET deleted_at = NULL WHERE id = 1;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;

-- a change to the same value, or of another column, does nothing
SET cascade.trace = on;
UPDATE authors SET deleted_at = NULL;
UPDATE authors SET deleted_at = deleted_at, id = id;
SET cascade.trace = off;

-- several rows, each with its own old and new value
UPDATE authors SET deleted_at = date '2022-01-01' + id;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
UPDATE authors SET deleted_at = deleted_at + 1;
TABLE books ORDER BY id;

-- without save-update nothing travels
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, none');
UPDATE authors SET deleted_at = NULL;
TABLE books ORDER BY id;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
UPDATE authors SET deleted_at = '2022-01-03' WHERE id = 2;
UPDATE authors SET deleted_at = NULL WHERE id = 2;
TABLE books ORDER BY id;
-- nor without the mapping
SELECT cascade.alter_relationship('authors', 'books', propagate => '{}');
UPDATE authors SET deleted_at = '2023-01-01' WHERE id = 2;
TABLE books ORDER BY id;
DROP TABLE pages, books, authors;

--
-- Several columns: each on its own, of each row that still holds its old value
--
CREATE TABLE authors (id integer PRIMARY KEY, country text, language text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, printed_in text, written_in text);
INSERT INTO authors VALUES (1, 'FR', 'fr');
INSERT INTO books VALUES (1, 1, 'FR', 'fr'), (2, 1, 'FR', 'en'), (3, 1, 'UK', 'fr'), (4, 1, 'UK', 'en'), (5, 1, NULL, NULL);
SELECT cascade.add_relationship('authors', 'books',
    source_columns => '{id}', target_columns => '{author_id}',
    propagate => '{"country": "printed_in", "language": "written_in"}');
UPDATE authors SET country = 'BE';
TABLE books ORDER BY id;
UPDATE authors SET country = 'DE', language = 'de';
TABLE books ORDER BY id;
UPDATE authors SET country = NULL;
TABLE books ORDER BY id;
UPDATE authors SET country = 'IT', language = NULL;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- Together with a changed key: the children follow, and what follows takes
-- the value
--
CREATE TABLE authors (id integer PRIMARY KEY, tenant integer);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors, tenant bigint);
INSERT INTO authors VALUES (1, 1), (2, 1);
INSERT INTO books VALUES (1, 1, 1), (2, 1, 5), (3, 2, 1);
SELECT cascade.add_relationship('authors', 'books', propagate => '{"tenant": "tenant"}');
UPDATE authors SET id = 10, tenant = 2 WHERE id = 1;
TABLE books ORDER BY id;
-- all of them
UPDATE authors SET id = id + 100, tenant = tenant + 100;
TABLE books ORDER BY id;

-- keys that are not to follow: the children that are there take the value
SELECT cascade.alter_relationship('authors', 'books', follow_keys => false);
UPDATE authors SET tenant = 7 WHERE id = 110;
TABLE books ORDER BY id;
DROP TABLE books, authors;

-- the tenant is part of the key, the key is part of the child's key
CREATE TABLE authors (tenant integer, id integer, region text, PRIMARY KEY (tenant, id));
CREATE TABLE books (
    tenant integer,
    author_id integer,
    id integer,
    region text,
    PRIMARY KEY (tenant, author_id, id),
    FOREIGN KEY (tenant, author_id) REFERENCES authors
);
CREATE TABLE pages (
    tenant integer,
    author_id integer,
    book_id integer,
    page integer,
    region text,
    FOREIGN KEY (tenant, author_id, book_id) REFERENCES books
);
INSERT INTO authors VALUES (1, 1, 'north'), (2, 1, 'south');
INSERT INTO books VALUES (1, 1, 1, 'north'), (1, 1, 2, 'east'), (2, 1, 1, 'south');
INSERT INTO pages VALUES (1, 1, 1, 1, 'north'), (1, 1, 1, 2, 'west'), (1, 1, 2, 1, 'north'), (2, 1, 1, 1, 'south');
SELECT cascade.add_relationship('authors', 'books', propagate => '{"region": "region"}');
SELECT cascade.add_relationship('books', 'pages', propagate => '{"region": "region"}');
UPDATE authors SET tenant = 3, region = 'far' WHERE tenant = 1;
TABLE authors ORDER BY tenant, id;
TABLE books ORDER BY tenant, author_id, id;
TABLE pages ORDER BY tenant, author_id, book_id, page;
DROP TABLE pages, books, authors;

--
-- Keys that change places while a value changes
--
CREATE TABLE authors (id integer UNIQUE DEFERRABLE, name text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, author_name text);
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 1, 'Jane'), (2, 2, 'John');
SELECT cascade.add_relationship('authors', 'books',
    source_columns => '{id}', target_columns => '{author_id}', propagate => '{"name": "author_name"}');
UPDATE authors SET id = 3 - id, name = 'Dr. ' || name;
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- Two relationships over one key propagate what each of them maps
--
CREATE TABLE authors (id integer PRIMARY KEY, name text, country text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors, name text, country text);
INSERT INTO authors VALUES (1, 'Jane', 'FR');
INSERT INTO books VALUES (1, 1, 'Jane', 'FR');
SELECT cascade.add_relationship('authors', 'books', name => 'a', propagate => '{"name": "name"}');
SELECT cascade.add_relationship('authors', 'books', name => 'b', propagate => '{"country": "country"}');
UPDATE authors SET id = 2, name = 'Joan', country = 'UK';
TABLE books;
DROP TABLE books, authors;

-- a tree, to its leaves
CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer REFERENCES nodes, deleted_at date);
INSERT INTO nodes VALUES (1, NULL, NULL), (2, 1, NULL), (3, 1, '2020-01-01'), (4, 2, NULL), (5, 3, NULL),
    (6, 4, NULL), (7, NULL, NULL), (8, 7, NULL);
SELECT cascade.add_relationship('nodes', 'nodes', name => 'children', direction => 'one-to-many',
    propagate => '{"deleted_at": "deleted_at"}');
UPDATE nodes SET deleted_at = '2021-01-01' WHERE id = 1;
TABLE nodes ORDER BY id;
UPDATE nodes SET deleted_at = NULL WHERE id = 1;
TABLE nodes ORDER BY id;
DROP TABLE nodes;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA propagate_test CASCADE;

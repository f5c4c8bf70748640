--
-- foreign_table: rows that live in another database, here of the same server.
-- A foreign table can be the target of every kind of relationship.  Needs
-- postgres_fdw; where it is missing, expected/foreign_table_1.out is what
-- comes out.
--
SELECT NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw') AS skip_test \gset
\if :skip_test
\quit
\endif

-- the other database
\set here :DBNAME
CREATE DATABASE regress_cascade_remote TEMPLATE template0;
\c regress_cascade_remote
CREATE TABLE books (id integer PRIMARY KEY, author_id integer CHECK (author_id <> 666), title text);
CREATE TABLE tags (id integer PRIMARY KEY, name text);
CREATE TABLE addresses (id integer PRIMARY KEY, tag_id integer);
\c :here

-- the way to it.  It is the superuser whom the server can be sure to let in.
SET client_min_messages = warning;
CREATE EXTENSION postgres_fdw;
RESET client_min_messages;
DO $$
BEGIN
    EXECUTE format('CREATE SERVER regress_cascade_server FOREIGN DATA WRAPPER postgres_fdw '
                   'OPTIONS (dbname %L, port %L, host %L)',
                   'regress_cascade_remote', current_setting('port'),
                   coalesce(nullif(trim(split_part(current_setting('unix_socket_directories'), ',', 1)), ''), 'localhost'));
    EXECUTE format('CREATE USER MAPPING FOR regress_cascade_user SERVER regress_cascade_server '
                   'OPTIONS (user %L, password_required ''false'')', current_user);
END
$$;
GRANT USAGE ON FOREIGN SERVER regress_cascade_server TO regress_cascade_user;
CREATE SCHEMA foreign_table_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = foreign_table_test, helper;

--
-- one-to-many: the children are elsewhere
--
CREATE TABLE authors (id integer PRIMARY KEY DEFERRABLE, name text);
CREATE FOREIGN TABLE books (id integer, author integer OPTIONS (column_name 'author_id'), title text)
    SERVER regress_cascade_server OPTIONS (schema_name 'public', table_name 'books');
SELECT cascade.add_relationship('authors', 'books', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{author}');
SELECT source, name, target, direction, foreign_key FROM cascade.relationship WHERE target = 'books'::regclass;
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM books;
    DELETE FROM authors;
    INSERT INTO authors SELECT i, 'a' || i FROM generate_series(1, 5) i;
    INSERT INTO books SELECT i, (i + 1) / 2, 'a' || (i + 1) / 2 FROM generate_series(1, 10) i;
    INSERT INTO books VALUES (11, NULL, 'none');
$$;
CREATE VIEW state AS
    SELECT coalesce(author::text, 'NULL') AS author, array_agg(id ORDER BY id) AS books, array_agg(DISTINCT title) AS titles
      FROM books
     GROUP BY author
     ORDER BY min(id);
CALL fill();
TABLE state;
-- delete
\set QUIET off
DELETE FROM authors WHERE id = 1;
\set QUIET on
TABLE state;
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM authors WHERE id IN (2, 3);
SET cascade.trace = off;
\set VERBOSITY default
TABLE state;
-- undone, there and here
BEGIN;
SAVEPOINT s;
DELETE FROM authors;
TABLE state;
ROLLBACK TO s;
COMMIT;
TABLE state;
-- many keys
INSERT INTO authors SELECT i FROM generate_series(1001, 2000) i;
INSERT INTO books SELECT i, i FROM generate_series(1001, 2000) i;
DELETE FROM authors WHERE id > 1001;
SELECT count(*) FROM books;
DELETE FROM authors WHERE id > 1000;
-- follow
CALL fill();
UPDATE authors SET id = id + 10 WHERE id IN (1, 2);
TABLE state;
UPDATE authors SET id = 23 - id WHERE id IN (11, 12);
TABLE state;
-- propagate
SELECT cascade.alter_relationship('authors', 'books', propagate => '{"name": "title"}');
UPDATE books SET title = 'own' WHERE id = 10;
UPDATE authors SET name = upper(name) WHERE id >= 5;
TABLE state;
SELECT cascade.alter_relationship('authors', 'books', propagate => '{}');
-- nullify
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
DELETE FROM authors WHERE id IN (11, 5);
TABLE state;
-- nullify => false
SELECT cascade.alter_relationship('authors', 'books', nullify => false);
DELETE FROM authors WHERE id = 12;
TABLE state;
-- the foreign table's triggers fire
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all', nullify => true);
CALL fill();
CREATE TABLE log (id integer);
CREATE FUNCTION log() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO log VALUES (OLD.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER log AFTER DELETE ON books
    FOR EACH ROW EXECUTE FUNCTION log();
DELETE FROM authors WHERE id = 1;
TABLE log ORDER BY id;
DROP TRIGGER log ON books;
-- a failure there is one here
SELECT try('UPDATE authors SET id = 666 WHERE id = 2');
SELECT id FROM authors ORDER BY id;
TABLE state;

-- delete-orphan is refused: rows could not be known again at the check
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', 'delete, delete-orphan', name => 'x', deferred => false,
    direction => 'one-to-many', source_columns => '{id}', target_columns => '{author}')$$);
SELECT name, r.cascade FROM cascade.relationship r WHERE target = 'books'::regclass;
-- a foreign table is no source
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer);
SELECT try($$SELECT cascade.add_relationship('books', 'pages', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{book_id}')$$);
SELECT try($$SELECT cascade.add_relationship('books', 'authors', name => 'x', direction => 'many-to-one',
    source_columns => '{author}', target_columns => '{id}')$$);
DROP PROCEDURE fill;
DROP VIEW state;
DROP TABLE pages, authors;
SELECT count(*) FROM cascade.relationship WHERE target = 'books'::regclass;
DROP FOREIGN TABLE books;

-- polymorphic
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE FOREIGN TABLE books (id integer, author_id integer, title text) SERVER regress_cascade_server OPTIONS (schema_name 'public');
SELECT cascade.add_relationship('posts', 'books', 'all', name => 'comments', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{author_id}', discriminator => '{"title": "post"}');
SELECT cascade.add_relationship('photos', 'books', name => 'comments', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{author_id}', discriminator => '{"title": "photo"}');
INSERT INTO posts VALUES (1), (2);
INSERT INTO photos VALUES (1), (2);
DELETE FROM books;
INSERT INTO books VALUES (1, 1, 'post'), (2, 1, 'photo'), (3, 2, 'post'), (4, 2, 'photo'), (5, 1, 'video');
DELETE FROM posts WHERE id = 1;
DELETE FROM photos WHERE id = 1;
UPDATE photos SET id = 20 WHERE id = 2;
TABLE books ORDER BY id;
DROP FOREIGN TABLE books;
DROP TABLE posts, photos;

-- a partition of the target is elsewhere
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE works (id integer, author_id integer, title text) PARTITION BY LIST (title);
CREATE TABLE works_here PARTITION OF works FOR VALUES IN ('here');
CREATE FOREIGN TABLE works_there PARTITION OF works FOR VALUES IN ('there')
    SERVER regress_cascade_server OPTIONS (schema_name 'public', table_name 'books');
SELECT cascade.add_relationship('authors', 'works', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{author_id}');
DELETE FROM works;
INSERT INTO authors VALUES (1), (2), (3);
INSERT INTO works VALUES (1, 1, 'here'), (2, 1, 'there'), (3, 2, 'here'), (4, 2, 'there'), (5, 3, 'here'), (6, 3, 'there');
DELETE FROM authors WHERE id = 1;
UPDATE authors SET id = 20 WHERE id = 2;
UPDATE works SET title = 'there' WHERE id = 5 AND title = 'here';
SELECT tableoid::regclass AS partition, * FROM works ORDER BY id;
SELECT cascade.alter_relationship('authors', 'works', cascade => 'none');
DELETE FROM authors WHERE id = 3;
SELECT tableoid::regclass AS partition, * FROM works ORDER BY id;
\set VERBOSITY sqlstate
SELECT cascade.alter_relationship('authors', 'works', cascade => 'all, delete-orphan');  -- fails
\set VERBOSITY default
DROP TABLE works, authors;

--
-- many-to-one: what the rows point to is elsewhere
--
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer);
CREATE FOREIGN TABLE addresses (id integer, tag_id integer) SERVER regress_cascade_server OPTIONS (schema_name 'public');
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan', name => 'address', direction => 'many-to-one',
    source_columns => '{address_id}', target_columns => '{id}');
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM addresses) AS addresses,
           (SELECT string_agg(id || '-' || coalesce(address_id::text, 'NULL'), ' ' ORDER BY id) FROM customers) AS customers;
CREATE PROCEDURE fill()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM customers;
    DELETE FROM addresses;
    -- so that what is inserted again is not taken for what has lost its links
    COMMIT;
    INSERT INTO addresses SELECT generate_series(1, 7);
    INSERT INTO customers VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5);
END
$$;
CALL fill();
TABLE state;
-- the last referrer is deleted, detached, pointed elsewhere; address 1 has
-- another, 6 and 7 have never had one
BEGIN;
DELETE FROM customers WHERE id IN (1, 3);
UPDATE customers SET address_id = NULL WHERE id = 4;
UPDATE customers SET address_id = 7 WHERE id = 5;
UPDATE customers SET address_id = NULL WHERE id = 6;
UPDATE customers SET address_id = 5 WHERE id = 6;
TABLE state;
COMMIT;
TABLE state;
-- SET CONSTRAINTS, and undone
BEGIN;
DELETE FROM customers WHERE id = 2;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
ROLLBACK TO s;
TABLE state;
INSERT INTO customers VALUES (8, 1);
COMMIT;
TABLE state;
-- the referenced key changes
UPDATE addresses SET id = 70 WHERE id = 7;
UPDATE addresses SET id = id + 200 WHERE id IN (1, 5, 6);
TABLE state;
-- the target is deleted: nothing
DELETE FROM addresses WHERE id = 70;
TABLE state;
-- deferred => false
SELECT cascade.alter_relationship('customers', 'address', deferred => false);
CALL fill();
BEGIN;
DELETE FROM customers WHERE id <= 3;
UPDATE customers SET address_id = NULL WHERE id = 4;
TABLE state;
COMMIT;
-- "delete" alone does not count
SELECT cascade.alter_relationship('customers', 'address', cascade => 'all', deferred => true);
CALL fill();
BEGIN;
DELETE FROM customers WHERE id IN (1, 3);
UPDATE customers SET address_id = NULL WHERE id = 4;
TABLE state;
COMMIT;
TABLE state;
-- neither
SELECT cascade.alter_relationship('customers', 'address', cascade => 'none');
DELETE FROM customers;
TABLE state;
-- one referrer only
SELECT cascade.alter_relationship('customers', 'address', single_parent => true);
INSERT INTO customers VALUES (1, 6), (2, 7);
SELECT try('INSERT INTO customers VALUES (3, 7); SET CONSTRAINTS ALL IMMEDIATE');
BEGIN;
UPDATE customers SET address_id = 13 - address_id;
COMMIT;
TABLE state;
DROP PROCEDURE fill;
DROP VIEW state;
DROP TABLE customers;

--
-- many-to-many: the links are here, what they lead to is elsewhere
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE post_tags (post_id integer REFERENCES posts, tag_id integer);
CREATE FOREIGN TABLE tags (id integer, name text) SERVER regress_cascade_server OPTIONS (schema_name 'public');
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags',
    secondary_target_columns => '{tag_id}', target_columns => '{id}');
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags,
           (SELECT string_agg(post_id || '-' || tag_id, ' ' ORDER BY tag_id, post_id) FROM post_tags) AS links;
CREATE PROCEDURE fill()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM post_tags;
    DELETE FROM posts;
    DELETE FROM tags;
    -- so that what is inserted again is not taken for what has lost its links
    COMMIT;
    INSERT INTO posts SELECT generate_series(1, 3);
    INSERT INTO tags SELECT generate_series(1, 7);
    INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (2, 3), (3, 4), (3, 5), (3, 6);
END
$$;
CALL fill();
TABLE state;
-- the source row goes, its links with it, and the tags that nothing else holds
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM posts WHERE id = 1;
SET cascade.trace = off;
\set VERBOSITY default
TABLE state;
-- links go
BEGIN;
DELETE FROM post_tags WHERE tag_id IN (2, 4, 5);
UPDATE post_tags SET tag_id = 7 WHERE tag_id = 6;
INSERT INTO post_tags VALUES (2, 5);
TABLE state;
COMMIT;
TABLE state;
-- a foreign row that is deleted here takes its links
DELETE FROM tags WHERE id IN (3, 5);
TABLE state;
-- a key that changes takes them along
UPDATE tags SET id = 70 WHERE id = 7;
UPDATE posts SET id = 30 WHERE id = 3;
TABLE state;
-- a tag that waits for the check has another key by then
BEGIN;
DELETE FROM post_tags;
UPDATE tags SET id = 71 WHERE id = 70;
COMMIT;
TABLE state;
-- "delete" alone does not count
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all');
CALL fill();
DELETE FROM posts WHERE id = 1;
DELETE FROM post_tags WHERE tag_id = 6;
TABLE state;
-- deferred => false
SELECT cascade.alter_relationship('posts', 'tags', cascade => 'all, delete-orphan', deferred => false);
CALL fill();
BEGIN;
DELETE FROM post_tags WHERE tag_id IN (1, 2) AND post_id = 1;
DELETE FROM posts WHERE id = 3;
TABLE state;
COMMIT;
-- a foreign table is no secondary, and no source
CREATE TABLE labels (id integer PRIMARY KEY);
SELECT try($$SELECT cascade.add_relationship('posts', 'labels', secondary => 'addresses',
    secondary_source_columns => '{id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('tags', 'posts', secondary => 'post_tags', source_columns => '{id}',
    secondary_source_columns => '{tag_id}')$$);
-- dropped, the relationship goes with it
DROP VIEW state;
DROP FOREIGN TABLE tags;
SELECT count(*) FROM cascade.relationship WHERE source = 'posts'::regclass;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA foreign_table_test CASCADE;
SELECT count(*) FROM public.postgres_fdw_disconnect_all();
DROP EXTENSION postgres_fdw CASCADE;
DROP DATABASE regress_cascade_remote WITH (FORCE);

--
-- single_parent: a second reference to the same target is refused, at commit
-- or at the end of the statement
--
CREATE SCHEMA single_parent_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = single_parent_test, helper;

--
-- many-to-one
--
CREATE TABLE addresses (id integer PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer REFERENCES addresses);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE addresses, customers;
    INSERT INTO addresses VALUES (1), (2), (3);
    INSERT INTO customers VALUES (1, 1), (2, 2), (3, NULL), (4, NULL);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM addresses) AS addresses,
           (SELECT string_agg(id || '>' || coalesce(address_id::text, '-'), ' ' ORDER BY id)
              FROM customers) AS customers;
SELECT cascade.add_relationship('customers', 'addresses', name => 'address', single_parent => true);
SELECT name, direction, single_parent FROM cascade.relationship WHERE source = 'customers'::regclass;

-- a second referrer: by insertion, by an update; a free target is free
CALL fill();
TABLE state;
SELECT try('INSERT INTO customers VALUES (5, 1); SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('UPDATE customers SET address_id = 2 WHERE id = 3; SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('INSERT INTO customers VALUES (5, 3); SET CONSTRAINTS ALL IMMEDIATE');
TABLE state;
-- two of the same statement, none of them the first
SELECT try('DELETE FROM customers WHERE id = 5; INSERT INTO customers VALUES (6, 3), (7, 3); SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('UPDATE customers SET address_id = 1; SET CONSTRAINTS ALL IMMEDIATE');
TABLE state;
-- at commit
BEGIN;
INSERT INTO customers VALUES (6, 1);
TABLE state;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
-- by all ways to write
\set VERBOSITY sqlstate
INSERT INTO customers VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET address_id = 2;  -- fails
MERGE INTO customers c
USING (VALUES (1), (3)) AS v (id)
   ON c.id = v.id
 WHEN MATCHED THEN UPDATE SET address_id = 1;  -- fails
COPY customers FROM stdin;  -- fails
8	1
\.
\set VERBOSITY default
TABLE state;

-- any number of rows may refer to nothing
INSERT INTO customers VALUES (8, NULL), (9, NULL);
UPDATE customers SET address_id = NULL WHERE id = 5;
TABLE state;
-- neither other columns nor the key set to itself matter, nor does a key that
-- follows
UPDATE customers SET id = id + 10, address_id = address_id;
UPDATE addresses SET id = id + 10;
TABLE state;

-- what counts is how it is at the end
CALL fill();
BEGIN;
-- a swap
UPDATE customers SET address_id = 2 WHERE id = 1;
UPDATE customers SET address_id = 1 WHERE id = 2;
-- a second referrer that goes again, by deletion and by being detached
INSERT INTO customers VALUES (5, 1), (6, 2);
DELETE FROM customers WHERE id = 5;
UPDATE customers SET address_id = NULL WHERE id = 6;
-- a target that goes to another one who takes it first
INSERT INTO customers VALUES (7, 3);
UPDATE customers SET address_id = 3 WHERE id = 6;
DELETE FROM customers WHERE id = 7;
COMMIT;
TABLE state;
-- one statement
UPDATE customers SET address_id = 3 - address_id WHERE id <= 2;
UPDATE customers SET address_id = address_id % 3 + 1;
TABLE state;
-- the first referrer goes, the second stays
BEGIN;
INSERT INTO customers VALUES (8, 1);
UPDATE customers SET address_id = NULL WHERE id = 6;
COMMIT;
TABLE state;

-- SET CONSTRAINTS
CALL fill();
BEGIN;
INSERT INTO customers VALUES (5, 1);
SAVEPOINT s;
\set VERBOSITY sqlstate
SET CONSTRAINTS ALL IMMEDIATE;  -- fails
ROLLBACK TO s;
SET CONSTRAINTS "CASCADE_verify_insert" IMMEDIATE;  -- fails
\set VERBOSITY default
ROLLBACK TO s;
DELETE FROM customers WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
SAVEPOINT s;
\set VERBOSITY sqlstate
UPDATE customers SET address_id = 1 WHERE id = 3;  -- fails
\set VERBOSITY default
ROLLBACK TO s;
SET CONSTRAINTS ALL DEFERRED;
UPDATE customers SET address_id = 1 WHERE id = 3;
DELETE FROM customers WHERE id = 5;
COMMIT;
TABLE state;
-- savepoints
BEGIN;
SAVEPOINT s;
INSERT INTO customers VALUES (6, 1);
ROLLBACK TO s;
INSERT INTO customers VALUES (7, 2);
SAVEPOINT s;
DELETE FROM customers WHERE id = 2;
ROLLBACK TO s;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;

-- DDL with checks pending is refused
\set VERBOSITY sqlstate
BEGIN;
INSERT INTO customers VALUES (6, 3);
SAVEPOINT s;
ALTER TABLE customers ADD COLUMN phone text;  -- fails
ROLLBACK TO s;
SELECT cascade.alter_relationship('customers', 'address', single_parent => false);  -- fails
ROLLBACK TO s;
COMMIT;
\set VERBOSITY default
TABLE state;

-- at the end of the statement: a swap takes one statement
SELECT cascade.alter_relationship('customers', 'address', deferred => false);
CALL fill();
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SELECT try('UPDATE customers SET address_id = 2 WHERE id = 1');
SELECT try('INSERT INTO customers VALUES (5, 1)');
UPDATE customers SET address_id = 3 - address_id WHERE id <= 2;
TABLE state;
WITH gone AS (DELETE FROM customers WHERE id = 2 RETURNING address_id)
INSERT INTO customers SELECT 5, address_id FROM gone;
TABLE state;
COMMIT;

-- what is there already is refused when it is declared
SELECT cascade.alter_relationship('customers', 'address', single_parent => false);
INSERT INTO customers VALUES (6, 1), (7, 1);
TABLE state;
SELECT try($$SELECT cascade.alter_relationship('customers', 'address', single_parent => true)$$);
SELECT cascade.drop_relationship('customers', 'address');
SELECT try($$SELECT cascade.add_relationship('customers', 'addresses', single_parent => true)$$);
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'single_parent_test'::regnamespace;
DELETE FROM customers WHERE id >= 6;
-- beside a relationship of the same key that does not ask for it
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan', name => 'address');
SELECT cascade.add_relationship('customers', 'addresses', 'none', name => 'only', single_parent => true);
SELECT try('UPDATE customers SET address_id = 2 WHERE id = 3; SET CONSTRAINTS ALL IMMEDIATE');
SELECT cascade.drop_relationship('customers', 'only');
UPDATE customers SET address_id = 2 WHERE id = 3;
TABLE state;
SELECT cascade.drop_relationship('customers', 'address');

-- with delete-orphan, as SQLAlchemy has it: what is replaced goes
CALL fill();
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan', name => 'address', single_parent => true);
BEGIN;
UPDATE customers SET address_id = 3 WHERE id = 1;
UPDATE customers SET address_id = 3 WHERE id = 2;
UPDATE customers SET address_id = 2 WHERE id = 1;
COMMIT;
TABLE state;
DELETE FROM customers WHERE id = 1;
TABLE state;
\set VERBOSITY sqlstate
BEGIN;
UPDATE customers SET address_id = 3 WHERE id = 4;
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
-- where another relationship could hold the target, but none does
SELECT cascade.alter_relationship('customers', 'address', orphan_when => 'all');
INSERT INTO addresses VALUES (5);
INSERT INTO customers VALUES (5, 5);
SELECT try('INSERT INTO customers VALUES (6, 5); SET CONSTRAINTS ALL IMMEDIATE');
UPDATE customers SET address_id = NULL WHERE id = 2;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE customers, addresses;

--
-- Keys of several columns, of types that differ, with no foreign key
--
CREATE TABLE addresses (country text, nr integer, PRIMARY KEY (country, nr));
CREATE TABLE customers (id integer PRIMARY KEY, country varchar(2), nr bigint);
SELECT cascade.add_relationship('customers', 'addresses', name => 'address', single_parent => true,
    source_columns => '{country, nr}', target_columns => '{country, nr}');
INSERT INTO addresses VALUES ('at', 1), ('at', 2), ('de', 1);
INSERT INTO customers VALUES (1, 'at', 1), (2, 'at', 2), (3, 'de', 1), (4, 'at', NULL), (5, 'at', NULL), (6, NULL, 1), (7, NULL, 1);
SELECT try('UPDATE customers SET nr = 1 WHERE id = 4; SET CONSTRAINTS ALL IMMEDIATE');
UPDATE customers SET country = CASE country WHEN 'at' THEN 'de' ELSE 'at' END WHERE id IN (1, 3);
SELECT try('UPDATE customers SET country = ''at'' WHERE id IN (1, 6); SET CONSTRAINTS ALL IMMEDIATE');
TABLE customers ORDER BY id;
DROP TABLE customers, addresses;

--
-- many-to-many: a second link to the same target
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE post_tags (id integer PRIMARY KEY, post_id integer REFERENCES posts, tag_id integer REFERENCES tags);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE posts, tags, post_tags;
    INSERT INTO posts VALUES (1), (2);
    INSERT INTO tags VALUES (1), (2), (3), (4);
    INSERT INTO post_tags VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts) AS posts,
           (SELECT string_agg(coalesce(post_id::text, '') || '-' || coalesce(tag_id::text, ''), ' ' ORDER BY post_id, tag_id)
              FROM post_tags) AS links,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags) AS tags;
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags', single_parent => true);
CALL fill();
TABLE state;
-- of another source, of the same one, or by moving a link
SELECT try('INSERT INTO post_tags VALUES (4, 2, 1); SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('INSERT INTO post_tags VALUES (4, 1, 1); SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('UPDATE post_tags SET tag_id = 2 WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('UPDATE post_tags SET post_id = 2 WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE');
TABLE state;
BEGIN;
INSERT INTO post_tags VALUES (4, 2, 2);
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
-- rows that link nothing
INSERT INTO post_tags VALUES (5, 1, NULL), (6, 1, NULL), (8, NULL, 1), (9, NULL, 1);
TABLE state;
DELETE FROM post_tags WHERE post_id IS NULL;
TABLE state;
-- how it is at the end: a swap, a collection written anew, a tag that moves
BEGIN;
UPDATE post_tags SET tag_id = 2 WHERE id = 1;
UPDATE post_tags SET tag_id = 1 WHERE id = 2;
INSERT INTO post_tags VALUES (7, 1, 3);
DELETE FROM post_tags WHERE id = 3;
COMMIT;
TABLE state;
BEGIN;
INSERT INTO post_tags SELECT id + 10, 2, tag_id FROM post_tags WHERE tag_id IS NOT NULL;
DELETE FROM post_tags WHERE id < 10 AND id <> 1;
UPDATE post_tags SET tag_id = 4 WHERE id = 1;
COMMIT;
TABLE state;
-- keys that follow, sources and targets that go
UPDATE posts SET id = id + 10;
UPDATE tags SET id = id + 10;
TABLE state;
BEGIN;
INSERT INTO post_tags VALUES (20, 11, 11);
DELETE FROM posts WHERE id = 12;
COMMIT;
TABLE state;
BEGIN;
INSERT INTO post_tags VALUES (21, 11, 11);
DELETE FROM tags WHERE id = 11;
COMMIT;
TABLE state;
-- at the end of the statement
SELECT cascade.alter_relationship('posts', 'tags', deferred => false);
CALL fill();
SELECT try('INSERT INTO post_tags VALUES (4, 2, 1)');
UPDATE post_tags SET tag_id = 4 - tag_id WHERE tag_id <> 2;
TABLE state;
WITH gone AS (DELETE FROM post_tags WHERE post_id = 1 RETURNING *)
INSERT INTO post_tags SELECT id + 10, 2, tag_id FROM gone;
TABLE state;
-- what is there already
SELECT cascade.alter_relationship('posts', 'tags', single_parent => false);
INSERT INTO post_tags VALUES (30, 1, 1);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', single_parent => true)$$);
SELECT cascade.drop_relationship('posts', 'tags');
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags', single_parent => true)$$);
DELETE FROM post_tags WHERE id = 30;
SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags', single_parent => true);

-- many rows
CALL fill();
INSERT INTO tags SELECT generate_series(101, 2100);
INSERT INTO post_tags SELECT i, i % 2 + 1, i FROM generate_series(101, 2100) i;
SELECT try('INSERT INTO post_tags SELECT i + 10000, 1, i FROM generate_series(1101, 1101) i; SET CONSTRAINTS ALL IMMEDIATE');
BEGIN;
UPDATE post_tags SET tag_id = 2201 - tag_id WHERE id > 100;
COMMIT;
SELECT count(*), count(DISTINCT tag_id) FROM post_tags;

-- who may not read the key is not told it
GRANT USAGE ON SCHEMA single_parent_test TO regress_cascade_other;
GRANT INSERT ON post_tags TO regress_cascade_other;
SET ROLE regress_cascade_other;
SELECT try('INSERT INTO post_tags VALUES (10000, 1, 1); SET CONSTRAINTS ALL IMMEDIATE');
SET ROLE regress_cascade_user;

--
-- one-to-many: a target has one parent anyway
--
CREATE TABLE pages (id integer PRIMARY KEY, post_id integer REFERENCES posts);
SELECT cascade.add_relationship('posts', 'pages', 'all, delete-orphan', single_parent => true);
INSERT INTO pages VALUES (1, 1), (2, 1), (3, 2);
UPDATE pages SET post_id = 1;
UPDATE pages SET post_id = NULL WHERE id = 2;
TABLE pages ORDER BY id;

--
-- A target whose key changes before the check is due
--
CREATE TABLE walls (id integer PRIMARY KEY);
CREATE TABLE labels (id integer PRIMARY KEY);
CREATE TABLE wall_labels (wall_id integer, label_id integer);
CREATE TABLE pins (id integer PRIMARY KEY, label_id integer);
SELECT cascade.add_relationship('walls', 'labels', 'save-update', secondary => 'wall_labels', source_columns => '{id}',
    target_columns => '{id}', secondary_source_columns => '{wall_id}', secondary_target_columns => '{label_id}', single_parent => true);
SELECT cascade.add_relationship('pins', 'labels', 'save-update', direction => 'many-to-one',
    source_columns => '{label_id}', target_columns => '{id}', single_parent => true);
INSERT INTO labels VALUES (1), (2);
SELECT try('INSERT INTO wall_labels VALUES (1, 1), (2, 1); UPDATE labels SET id = 11 WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('INSERT INTO pins VALUES (1, 1), (2, 1); UPDATE labels SET id = 11 WHERE id = 1; UPDATE labels SET id = 12 WHERE id = 11; SET CONSTRAINTS ALL IMMEDIATE');
SELECT try('INSERT INTO pins VALUES (1, 1); UPDATE labels SET id = 11 WHERE id = 1; INSERT INTO pins VALUES (2, 11); SET CONSTRAINTS ALL IMMEDIATE');
-- but one that takes the old key is another
BEGIN;
INSERT INTO pins VALUES (1, 1);
UPDATE labels SET id = 11 WHERE id = 1;
INSERT INTO labels VALUES (1);
INSERT INTO pins VALUES (2, 1);
COMMIT;
TABLE pins ORDER BY id;
SELECT try('INSERT INTO pins VALUES (3, 11); UPDATE labels SET id = id + 100; SET CONSTRAINTS ALL IMMEDIATE');

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA single_parent_test CASCADE;

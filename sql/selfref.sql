--
-- selfref: tables that refer to themselves, and to each other in circles
--
CREATE SCHEMA selfref_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = selfref_test, helper;

CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer REFERENCES nodes);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE nodes;
    -- a tree below 1, a row that refers to itself, a circle of three with a
    -- tail, and a row on its own
    INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 2), (6, 4),
                             (10, 10),
                             (21, 23), (22, 21), (23, 22), (24, 23),
                             (30, NULL);
$$;

--
-- delete
--
SELECT cascade.add_relationship('nodes', 'nodes', 'all', name => 'children', direction => 'one-to-many');
CALL fill();
TABLE nodes ORDER BY id;
\set QUIET off
DELETE FROM nodes WHERE id = 2;
\set QUIET on
TABLE nodes ORDER BY id;
DELETE FROM nodes WHERE id = 10;
TABLE nodes ORDER BY id;
DELETE FROM nodes WHERE id = 22;
TABLE nodes ORDER BY id;
-- a row of the cascade is also one of the statement's own
CALL fill();
\set QUIET off
DELETE FROM nodes WHERE id IN (1, 3, 4);
\set QUIET on
TABLE nodes ORDER BY id;
\set QUIET off
DELETE FROM nodes;
\set QUIET on
TABLE nodes;

--
-- nullify: the children become roots
--
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'none');
CALL fill();
DELETE FROM nodes WHERE id IN (2, 10, 22);
TABLE nodes ORDER BY id;

--
-- follow
--
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'save-update');
CALL fill();
UPDATE nodes SET id = id + 100 WHERE id IN (2, 10, 22);
TABLE nodes ORDER BY id;
UPDATE nodes SET id = id + 1000;
TABLE nodes ORDER BY id;

--
-- delete-orphan: a subtree that is detached goes with all that is below it
--
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'all, delete-orphan');
CALL fill();
BEGIN;
UPDATE nodes SET parent_id = NULL WHERE id IN (2, 10);
TABLE nodes ORDER BY id;
COMMIT;
TABLE nodes ORDER BY id;
-- moved, it stays
UPDATE nodes SET parent_id = 3 WHERE id = 24;
TABLE nodes ORDER BY id;
-- without delete the tree goes level by level
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'delete-orphan');
CALL fill();
DELETE FROM nodes WHERE id = 1;
TABLE nodes ORDER BY id;
-- at the end of the statement
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'all, delete-orphan', deferred => false);
CALL fill();
UPDATE nodes SET parent_id = NULL WHERE id IN (2, 10, 22);
TABLE nodes ORDER BY id;
DROP TABLE nodes;
DROP PROCEDURE fill;

--
-- A tree whose rows also carry the key of its root
--
CREATE TABLE nodes (
    tree integer,
    id integer,
    parent_id integer,
    PRIMARY KEY (tree, id),
    FOREIGN KEY (tree, parent_id) REFERENCES nodes
);
SELECT cascade.add_relationship('nodes', 'nodes', 'all', name => 'children', direction => 'one-to-many');
INSERT INTO nodes VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2), (2, 1, NULL), (2, 2, 1), (2, 3, 2),
                         (5, 1, 1), (6, 1, 2), (6, 2, 1);
UPDATE nodes SET id = 20 WHERE tree = 1 AND id = 2;
TABLE nodes ORDER BY tree, id;
-- the tree's number goes down the tree with the key
UPDATE nodes SET tree = 3 WHERE tree = 1 AND id = 1;
TABLE nodes ORDER BY tree, id;
-- also where it comes back to the row it came from
UPDATE nodes SET tree = tree * 10 WHERE tree IN (5, 6) AND id = 1;
TABLE nodes ORDER BY tree, id;
DELETE FROM nodes WHERE tree = 2 AND id = 2;
TABLE nodes ORDER BY tree, id;
DROP TABLE nodes;

--
-- Two relationships of one table with itself
--
CREATE TABLE people (
    id integer PRIMARY KEY,
    mother integer CONSTRAINT people_mother REFERENCES people,
    father integer CONSTRAINT people_father REFERENCES people
);
SELECT cascade.add_relationship('people', 'people', 'all', name => 'mothered', direction => 'one-to-many', foreign_key => 'people_mother');
SELECT cascade.add_relationship('people', 'people', name => 'fathered', direction => 'one-to-many', foreign_key => 'people_father');
INSERT INTO people VALUES (1, NULL, NULL), (2, NULL, NULL), (3, 1, 2), (4, 3, 2), (5, NULL, 3), (6, 5, 2);
DELETE FROM people WHERE id = 1;
TABLE people ORDER BY id;
UPDATE people SET id = id + 10;
TABLE people ORDER BY id;
DELETE FROM people WHERE id = 12;
TABLE people ORDER BY id;
DROP TABLE people;

--
-- A circle through three tables
--
CREATE TABLE a (id integer PRIMARY KEY, c_id integer);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a);
CREATE TABLE c (id integer PRIMARY KEY, b_id integer REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (c_id) REFERENCES c;
SELECT cascade.add_relationship('a', 'b', 'all', foreign_key => 'b_a_id_fkey');
SELECT cascade.add_relationship('b', 'c', 'all', foreign_key => 'c_b_id_fkey');
SELECT cascade.add_relationship('c', 'a', 'all', foreign_key => 'a_c_id_fkey');
-- a spiral, 1 to 4, whose end meets its beginning, and one that does not
INSERT INTO a VALUES (1, NULL), (2, NULL), (3, NULL), (4, NULL), (11, NULL), (12, NULL);
INSERT INTO b VALUES (1, 1), (2, 2), (3, 3), (4, 4), (11, 11), (12, 12);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 3), (4, 4), (11, 11), (12, 12);
UPDATE a SET c_id = CASE id WHEN 1 THEN 4 ELSE id - 1 END WHERE id <> 11;
TABLE a ORDER BY id;
UPDATE a SET id = id + 100 WHERE id = 2;
TABLE b ORDER BY id;
DELETE FROM b WHERE id = 12;
TABLE a ORDER BY id;
TABLE b ORDER BY id;
TABLE c ORDER BY id;
DELETE FROM c WHERE id = 3;
TABLE a ORDER BY id;
TABLE b ORDER BY id;
TABLE c ORDER BY id;
DROP TABLE a, b, c;

--
-- A chain of 10000 rows, beside a foreign key and without
--
CREATE TABLE chain (id integer PRIMARY KEY, parent_id integer REFERENCES chain);
CREATE INDEX ON chain (parent_id);
SELECT cascade.add_relationship('chain', 'chain', 'all, delete-orphan', name => 'children', direction => 'one-to-many');
INSERT INTO chain SELECT i, nullif(i - 1, 0) FROM generate_series(1, 10000) i;
\set QUIET off
DELETE FROM chain WHERE id = 5001;
\set QUIET on
SELECT count(*), max(id) FROM chain;
UPDATE chain SET parent_id = NULL WHERE id = 10;
SELECT count(*), max(id) FROM chain;
INSERT INTO chain SELECT i, i - 1 FROM generate_series(10, 10000) i;
SELECT cascade.drop_relationship('chain', 'children');
ALTER TABLE chain DROP CONSTRAINT chain_parent_id_fkey;
SELECT cascade.add_relationship('chain', 'chain', 'all', name => 'children', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{parent_id}');
DELETE FROM chain WHERE id = 1;
SELECT count(*) FROM chain;
-- and in a ring
INSERT INTO chain SELECT i, CASE i WHEN 1 THEN 10000 ELSE i - 1 END FROM generate_series(1, 10000) i;
DELETE FROM chain WHERE id = 7;
SELECT count(*) FROM chain;
DROP TABLE chain;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA selfref_test CASCADE;

--
-- selfref_many: many-to-many from a table to itself, and trees read from the
-- child's side, as many-to-one
--
CREATE SCHEMA selfref_many_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = selfref_many_test, helper;

CREATE TABLE people (id integer PRIMARY KEY, name text);
CREATE TABLE follows (
    follower integer CONSTRAINT follows_follower REFERENCES people,
    followed integer CONSTRAINT follows_followed REFERENCES people,
    PRIMARY KEY (follower, followed)
);
-- 1, 2 and 3 in a row, 1 follows 3 as well; 4 and 5 follow each other; 6
-- follows itself; 7 follows nobody
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE people, follows;
    INSERT INTO people SELECT generate_series(1, 7);
    INSERT INTO follows VALUES (1, 2), (2, 3), (1, 3), (4, 5), (5, 4), (6, 6);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM people) AS people,
           (SELECT string_agg(follower || '-' || followed, ' ' ORDER BY follower, followed) FROM follows) AS follows;

--
-- Which end is which has to be said; one of them is enough
--
SELECT try($$SELECT cascade.add_relationship('people', 'people', name => 'following', secondary => 'follows')$$);
SELECT cascade.add_relationship('people', 'people', name => 'following', secondary => 'follows',
    secondary_source_columns => '{follower}');
SELECT cascade.add_relationship('people', 'people', name => 'followers', secondary => 'follows',
    secondary_target_columns => '{follower}');
SELECT name, direction, source_columns, secondary_source_columns, target_columns, secondary_target_columns
  FROM cascade.relationship
 WHERE source = 'people'::regclass
 ORDER BY name;
SELECT cascade.drop_relationship('people', 'followers');

--
-- The default: links go with either end, and follow both
--
CALL fill();
TABLE state;
DELETE FROM people WHERE id IN (3, 4, 6);
TABLE state;
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE people SET id = id + 10;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
SELECT cascade.alter_relationship('people', 'following', cascade => 'none', nullify => false);
SELECT try('DELETE FROM people WHERE id = 12');
SELECT try('UPDATE people SET id = 22 WHERE id = 12');
DELETE FROM people WHERE id = 17;
TABLE state;

--
-- delete: everybody that a deleted row follows, directly and through others
--
SELECT cascade.alter_relationship('people', 'following', cascade => 'all', nullify => true);
CALL fill();
BEGIN;
\set QUIET off
DELETE FROM people WHERE id = 2;
\set QUIET on
TABLE state;
COMMIT;
TABLE state;
-- in circles, too
DELETE FROM people WHERE id IN (1, 5, 6);
TABLE state;
CALL fill();
SELECT cascade.alter_relationship('people', 'following', deferred => false);
BEGIN;
DELETE FROM people WHERE id = 1;
TABLE state;
DELETE FROM follows WHERE follower = 4;
DELETE FROM people WHERE id = 4;
TABLE state;
COMMIT;
SELECT cascade.alter_relationship('people', 'following', deferred => true);

--
-- delete-orphan: who loses the last follower goes, and so may those whom he
-- followed; a circle keeps itself, and so does a row linked to itself
--
SELECT cascade.alter_relationship('people', 'following', cascade => 'all, delete-orphan');
CALL fill();
DELETE FROM people WHERE id = 2;
TABLE state;
DELETE FROM people WHERE id = 1;
TABLE state;
CALL fill();
BEGIN;
DELETE FROM follows WHERE follower = 1;
TABLE state;
COMMIT;
TABLE state;
UPDATE follows SET followed = 6 WHERE follower = 4;
TABLE state;
CALL fill();
BEGIN;
DELETE FROM follows WHERE follower IN (4, 6);
INSERT INTO follows VALUES (7, 6);
COMMIT;
TABLE state;
DELETE FROM people WHERE id IN (1, 7);
TABLE state;
-- the row's only link is its own
CALL fill();
DELETE FROM people WHERE id = 6;
DELETE FROM people WHERE id = 4;
TABLE state;
CALL fill();
UPDATE people SET id = id + 10;
DELETE FROM follows WHERE follower = 16;
TABLE state;
-- at the end of the statement
SELECT cascade.alter_relationship('people', 'following', deferred => false);
CALL fill();
BEGIN;
DELETE FROM follows WHERE follower = 1;
TABLE state;
UPDATE follows SET followed = 7 WHERE follower = 5;
TABLE state;
ROLLBACK;

--
-- Both sides are declared: the whole group goes with any of its rows
--
SELECT cascade.alter_relationship('people', 'following', cascade => 'all', deferred => true);
SELECT cascade.add_relationship('people', 'people', 'all', name => 'followers', secondary => 'follows',
    secondary_source_columns => '{followed}');
CALL fill();
DELETE FROM people WHERE id = 2;
TABLE state;
DELETE FROM people WHERE id = 5;
TABLE state;
SET cascade.trace = on;
\set VERBOSITY terse
CALL fill();
UPDATE people SET id = id + 10 WHERE id < 3;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
SELECT cascade.drop_relationship('people', 'followers');

--
-- single_parent: a forest
--
SELECT cascade.drop_relationship('people', 'following');
CALL fill();
DELETE FROM follows WHERE (follower, followed) = (1, 3);
SELECT cascade.add_relationship('people', 'people', 'all, delete-orphan', name => 'following', secondary => 'follows',
    secondary_source_columns => '{follower}', single_parent => true);
SELECT try('INSERT INTO follows VALUES (1, 3); SET CONSTRAINTS ALL IMMEDIATE');
BEGIN;
INSERT INTO follows VALUES (1, 3);
DELETE FROM follows WHERE (follower, followed) = (2, 3);
COMMIT;
TABLE state;

-- a long line of followers
SELECT cascade.alter_relationship('people', 'following', single_parent => false);
TRUNCATE people, follows;
INSERT INTO people SELECT generate_series(101, 1100);
INSERT INTO follows SELECT i, i + 1 FROM generate_series(101, 1099) i;
DELETE FROM people WHERE id = 301;
SELECT count(*), max(id) FROM people;
SELECT count(*), max(followed) FROM follows;
DELETE FROM follows WHERE follower = 111;
SELECT count(*), max(id) FROM people;
SELECT count(*), max(followed) FROM follows;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE follows, people;

-- a grid, where every row has two followers but for those at the edge
CREATE TABLE cells (id integer PRIMARY KEY, x integer, y integer);
CREATE TABLE steps (a integer REFERENCES cells, b integer REFERENCES cells);
CREATE INDEX ON steps (a);
CREATE INDEX ON steps (b);
SELECT cascade.add_relationship('cells', 'cells', 'all, delete-orphan', name => 'next', secondary => 'steps',
    secondary_source_columns => '{a}');
INSERT INTO cells SELECT 10 * x + y, x, y FROM generate_series(1, 5) x, generate_series(1, 5) y;
INSERT INTO steps SELECT id, id + 1 FROM cells WHERE y < 5;
INSERT INTO steps SELECT id, id + 10 FROM cells WHERE x < 5;
DELETE FROM cells WHERE id = 12;
SELECT string_agg(id::text, ' ' ORDER BY id) AS cells FROM cells;
DELETE FROM cells WHERE id = 21;
SELECT string_agg(id::text, ' ' ORDER BY id) AS cells FROM cells;
DROP TABLE steps, cells;

--
-- A tree read from the child's side: employees report to a manager, who goes
-- with the last who does
--
CREATE TABLE employees (
    id integer PRIMARY KEY,
    reports_to integer REFERENCES employees,
    name text
);
-- 1 is above all; 2, 3, 4 in a row below; 5 below 2; 6 and 7 report to each
-- other, 8 to itself; 9 is alone
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE employees;
    INSERT INTO employees VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 2), (6, 7), (7, 6), (8, 8), (9, NULL);
$$;
CREATE VIEW state AS
    SELECT string_agg(id || '>' || coalesce(reports_to::text, '-'), ' ' ORDER BY id) AS employees
      FROM employees;
SELECT try($$SELECT cascade.add_relationship('employees', 'employees', name => 'manager')$$);
SELECT cascade.add_relationship('employees', 'employees', name => 'manager', direction => 'many-to-one');
SELECT name, direction, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'employees'::regclass;

-- the default: keys follow, a manager's deletion is the foreign key's business
CALL fill();
TABLE state;
UPDATE employees SET id = id + 10;
TABLE state;
SELECT try('DELETE FROM employees WHERE id = 12');
DELETE FROM employees WHERE id IN (14, 16, 17, 18);
TABLE state;

-- delete: the manager goes, and his manager, unless others refer to them
SELECT cascade.alter_relationship('employees', 'manager', cascade => 'all');
CALL fill();
DELETE FROM employees WHERE id IN (6, 7, 8, 9);
TABLE state;
BEGIN;
DELETE FROM employees WHERE id = 4;
TABLE state;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
DELETE FROM employees WHERE id IN (4, 5);
TABLE state;

-- delete-orphan
SELECT cascade.alter_relationship('employees', 'manager', cascade => 'all, delete-orphan');
CALL fill();
BEGIN;
\set QUIET off
DELETE FROM employees WHERE id = 4;
\set QUIET on
TABLE state;
COMMIT;
TABLE state;
DELETE FROM employees WHERE id = 5;
TABLE state;
-- detached, pointed elsewhere
CALL fill();
UPDATE employees SET reports_to = NULL WHERE id = 4;
TABLE state;
UPDATE employees SET reports_to = 9 WHERE id = 5;
TABLE state;
-- circles: one that is broken goes as far as nobody else holds it
CALL fill();
UPDATE employees SET reports_to = NULL WHERE id IN (6, 8);
TABLE state;
CALL fill();
UPDATE employees SET reports_to = 8 WHERE id = 6;
TABLE state;
-- moved within the transaction
CALL fill();
BEGIN;
UPDATE employees SET reports_to = NULL WHERE id IN (4, 5);
UPDATE employees SET reports_to = 3 WHERE id = 5;
COMMIT;
TABLE state;
-- renumbered while it waits
BEGIN;
UPDATE employees SET reports_to = NULL WHERE id IN (4, 5);
UPDATE employees SET id = id + 10;
TABLE state;
COMMIT;
TABLE state;
-- at the end of the statement
SELECT cascade.alter_relationship('employees', 'manager', deferred => false);
CALL fill();
BEGIN;
DELETE FROM employees WHERE id = 4;
TABLE state;
UPDATE employees SET reports_to = NULL WHERE id = 5;
TABLE state;
-- 7 refers to 6, and goes before the foreign key is checked
DELETE FROM employees WHERE id = 6;
TABLE state;
COMMIT;
SELECT cascade.alter_relationship('employees', 'manager', deferred => true);

-- both sides: children go with their parent, parents with their last child
SELECT cascade.add_relationship('employees', 'employees', 'all, delete-orphan', name => 'reports', direction => 'one-to-many');
CALL fill();
DELETE FROM employees WHERE id = 3;
TABLE state;
DELETE FROM employees WHERE id = 5;
TABLE state;
CALL fill();
DELETE FROM employees WHERE id IN (2, 7);
TABLE state;
SELECT cascade.drop_relationship('employees', 'reports');

-- up a long line, at commit and at the end of the statement
TRUNCATE employees;
CREATE INDEX ON employees (reports_to);
INSERT INTO employees SELECT i, nullif(i - 1, 0) FROM generate_series(1, 2000) i;
INSERT INTO employees VALUES (3000, 500);
BEGIN;
DELETE FROM employees WHERE id = 2000;
SELECT count(*), max(id) FROM employees WHERE id <= 2000;
COMMIT;
SELECT count(*), max(id) FROM employees WHERE id <= 2000;
SELECT cascade.alter_relationship('employees', 'manager', deferred => false);
UPDATE employees SET reports_to = NULL WHERE id IN (500, 3000);
TABLE state;
-- declared so, and not altered
SELECT cascade.drop_relationship('employees', 'manager');
SELECT cascade.add_relationship('employees', 'employees', 'all, delete-orphan', name => 'manager', direction => 'many-to-one',
    deferred => false);
INSERT INTO employees VALUES (1, 3), (2, 1), (3, NULL);
DELETE FROM employees WHERE id = 2;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE employees;

--
-- A tree whose keys have two columns, one of them shared
--
CREATE TABLE nodes (
    tree integer,
    id integer,
    parent_id integer,
    PRIMARY KEY (tree, id),
    FOREIGN KEY (tree, parent_id) REFERENCES nodes
);
SELECT cascade.add_relationship('nodes', 'nodes', 'all, delete-orphan', name => 'parent', direction => 'many-to-one');
INSERT INTO nodes VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2), (1, 4, 1), (2, 1, NULL), (2, 2, 1), (2, 3, 2);
UPDATE nodes SET id = id + 10 WHERE tree = 1 AND id < 3;
TABLE nodes ORDER BY tree, id;
-- the whole tree follows its root's number
UPDATE nodes SET tree = 3 WHERE tree = 1 AND id = 11;
TABLE nodes ORDER BY tree, id;
DELETE FROM nodes WHERE id = 3;
TABLE nodes ORDER BY tree, id;
DROP TABLE nodes;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA selfref_many_test CASCADE;

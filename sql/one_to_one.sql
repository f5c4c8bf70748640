--
-- one_to_one: one-to-many whose key is unique on the target, many-to-one
-- whose key is unique on the source; and the two sides of one key together
--
CREATE SCHEMA one_to_one_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = one_to_one_test, helper;

CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE profiles (id integer PRIMARY KEY, user_id integer UNIQUE REFERENCES users, bio text);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE users, profiles;
    INSERT INTO users VALUES (1), (2), (3), (4);
    INSERT INTO profiles VALUES (11, 1), (12, 2), (13, 3), (14, NULL);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM users) AS users,
           (SELECT string_agg(id || '>' || coalesce(user_id::text, '-'), ' ' ORDER BY id)
              FROM profiles) AS profiles;

--
-- From the referenced side
--
SELECT cascade.add_relationship('users', 'profiles', name => 'profile');
SELECT name, target, direction, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'users'::regclass;
-- nullify, follow
CALL fill();
TABLE state;
DELETE FROM users WHERE id = 1;
UPDATE users SET id = 20 WHERE id = 2;
TABLE state;
-- a target that goes leaves its source alone
DELETE FROM profiles WHERE id = 13;
TABLE state;
-- delete
SELECT cascade.alter_relationship('users', 'profile', cascade => 'all');
CALL fill();
DELETE FROM users WHERE id IN (1, 4);
TABLE state;
UPDATE profiles SET user_id = NULL WHERE id = 12;
TABLE state;
-- delete-orphan: detached, and replaced
SELECT cascade.alter_relationship('users', 'profile', cascade => 'all, delete-orphan');
CALL fill();
UPDATE profiles SET user_id = NULL WHERE id IN (11, 14);
TABLE state;
BEGIN;
UPDATE profiles SET user_id = NULL WHERE id = 12;
INSERT INTO profiles VALUES (22, 2);
TABLE state;
COMMIT;
TABLE state;
-- moved
UPDATE profiles SET user_id = 4 WHERE id = 22;
TABLE state;
-- two profiles change hands, by way of NULL, which is where the unique key
-- leaves room
BEGIN;
UPDATE profiles SET user_id = NULL WHERE id = 13;
UPDATE profiles SET user_id = 3 WHERE id = 22;
UPDATE profiles SET user_id = 4 WHERE id = 13;
COMMIT;
TABLE state;
-- at the end of the statement
SELECT cascade.alter_relationship('users', 'profile', deferred => false);
BEGIN;
UPDATE profiles SET user_id = NULL WHERE id = 13;
TABLE state;
INSERT INTO profiles VALUES (24, 4);
COMMIT;
TABLE state;
-- a NOT NULL key has no detached state, and the row goes with its statement
CALL fill();
DELETE FROM profiles WHERE id = 14;
ALTER TABLE profiles ALTER user_id SET NOT NULL;
SELECT cascade.alter_relationship('users', 'profile', deferred => true);
BEGIN;
\set QUIET off
UPDATE profiles SET user_id = NULL WHERE id = 11;
\set QUIET on
TABLE state;
INSERT INTO profiles VALUES (21, 1);
COMMIT;
TABLE state;
ALTER TABLE profiles ALTER user_id DROP NOT NULL;
SELECT cascade.drop_relationship('users', 'profile');

--
-- From the side that holds the key
--
SELECT cascade.add_relationship('profiles', 'users', 'all', name => 'user');
SELECT name, target, direction, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'profiles'::regclass;
CALL fill();
BEGIN;
DELETE FROM profiles WHERE id IN (11, 14);
TABLE state;
COMMIT;
TABLE state;
UPDATE profiles SET user_id = NULL WHERE id = 12;
UPDATE users SET id = id + 10;
TABLE state;
SELECT try('DELETE FROM users WHERE id = 13');
-- deleted and written anew under the unique key: the user stays
BEGIN;
DELETE FROM profiles WHERE id = 13;
INSERT INTO profiles VALUES (23, 13);
COMMIT;
TABLE state;
-- delete-orphan
SELECT cascade.alter_relationship('profiles', 'user', cascade => 'all, delete-orphan');
CALL fill();
UPDATE profiles SET user_id = NULL WHERE id = 11;
UPDATE profiles SET user_id = 4 WHERE id = 12;
TABLE state;
-- users of two profiles are exchanged
BEGIN;
UPDATE profiles SET user_id = NULL WHERE id = 13;
UPDATE profiles SET user_id = 3 WHERE id = 12;
UPDATE profiles SET user_id = 4 WHERE id = 13;
COMMIT;
TABLE state;
DELETE FROM profiles WHERE id IN (12, 14);
TABLE state;

--
-- Both sides of the key, each with what it does
--
SELECT cascade.add_relationship('users', 'profiles', 'all, delete-orphan', name => 'profile');
-- whichever of the two goes, the other goes
CALL fill();
DELETE FROM users WHERE id = 1;
TABLE state;
BEGIN;
DELETE FROM profiles WHERE id = 12;
TABLE state;
COMMIT;
TABLE state;
-- and when they part, both do; not so profile 14 and user 4, who never met
UPDATE profiles SET user_id = NULL WHERE id = 13;
TABLE state;
-- user 3 is left for user 4: only user 3 goes
CALL fill();
UPDATE profiles SET user_id = 4 WHERE id = 13;
TABLE state;
-- a new profile for user 2, the old one goes
BEGIN;
UPDATE profiles SET user_id = NULL WHERE id = 12;
INSERT INTO profiles VALUES (22, 2);
COMMIT;
TABLE state;
-- renumbered: one statement for the key, whichever side asks for it
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE users SET id = id + 10;
\set VERBOSITY default
SET cascade.trace = off;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE profiles, users;

--
-- A shared primary key is unique on both sides: the direction is asked for
-- where no foreign key tells it
--
CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE profiles (id integer PRIMARY KEY REFERENCES users);
CREATE TABLE settings (id integer PRIMARY KEY);
SELECT cascade.add_relationship('users', 'profiles', 'all');
SELECT cascade.add_relationship('profiles', 'users', 'all');
SELECT try($$SELECT cascade.add_relationship('users', 'settings', 'all', source_columns => '{id}', target_columns => '{id}')$$);
SELECT cascade.add_relationship('users', 'settings', 'all', source_columns => '{id}', target_columns => '{id}',
    direction => 'one-to-many');
SELECT cascade.add_relationship('settings', 'users', 'all, delete-orphan', source_columns => '{id}', target_columns => '{id}',
    direction => 'many-to-one');
SELECT source, target, direction FROM cascade.relationship ORDER BY source::text, target::text;
INSERT INTO users VALUES (1), (2), (3), (4), (5);
INSERT INTO profiles VALUES (1), (2), (3), (4);
INSERT INTO settings VALUES (1), (2), (3), (5);
UPDATE users SET id = 10 WHERE id = 1;
DELETE FROM users WHERE id = 2;
DELETE FROM profiles WHERE id = 3;
TABLE users ORDER BY id;
TABLE profiles ORDER BY id;
TABLE settings ORDER BY id;
DELETE FROM settings WHERE id IN (5, 10);
TABLE users ORDER BY id;
TABLE profiles ORDER BY id;
DROP TABLE settings, profiles, users;

--
-- Joined-table inheritance, as ORMs map it: one-to-one with delete from the
-- base table to each subclass, many-to-one back where the subclass row may be
-- deleted on its own
--
CREATE TABLE employees (id integer PRIMARY KEY, kind text, name text);
CREATE TABLE engineers (id integer PRIMARY KEY REFERENCES employees, language text);
CREATE TABLE managers (id integer PRIMARY KEY REFERENCES employees, budget integer);
CREATE TABLE directors (id integer PRIMARY KEY REFERENCES managers, car text);
CREATE TABLE badges (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees);
SELECT cascade.add_relationship('employees', 'engineers', 'all');
SELECT cascade.add_relationship('employees', 'managers', 'all');
SELECT cascade.add_relationship('managers', 'directors', 'all');
SELECT cascade.add_relationship('engineers', 'employees', 'all', name => 'base');
SELECT cascade.add_relationship('managers', 'employees', 'all', name => 'base');
SELECT cascade.add_relationship('directors', 'managers', 'all', name => 'base', deferred => false);
SELECT cascade.add_relationship('employees', 'badges', 'all');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE employees, engineers, managers, directors, badges;
    INSERT INTO employees VALUES (1, 'engineer'), (2, 'engineer'), (3, 'manager'), (4, 'director'), (5, 'director'), (6, 'employee');
    INSERT INTO engineers VALUES (1, 'C'), (2, 'SQL');
    INSERT INTO managers VALUES (3, 100), (4, 200), (5, 300);
    INSERT INTO directors VALUES (4, 'black'), (5, 'white');
    INSERT INTO badges SELECT 10 + i, i FROM generate_series(1, 6) i;
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM employees) AS employees,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM engineers) AS engineers,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM managers) AS managers,
           (SELECT string_agg(id::text, ' ' ORDER BY id) FROM directors) AS directors,
           (SELECT string_agg(id || '>' || employee_id, ' ' ORDER BY id) FROM badges) AS badges;
CALL fill();
TABLE state;
DELETE FROM employees WHERE id IN (1, 4);
TABLE state;
-- a subclass row on its own
BEGIN;
DELETE FROM engineers WHERE id = 2;
TABLE state;
DELETE FROM directors WHERE id = 5;
TABLE state;
COMMIT;
TABLE state;
-- as an ORM deletes it, and counts: the subclass rows first
CALL fill();
SELECT cascade.alter_relationship('directors', 'base', deferred => true);
\set QUIET off
BEGIN;
DELETE FROM badges WHERE employee_id = 4;
DELETE FROM directors WHERE id = 4;
DELETE FROM managers WHERE id = 4;
DELETE FROM employees WHERE id = 4;
COMMIT;
\set QUIET on
TABLE state;
DELETE FROM directors;
TABLE state;
-- keys go all the way down
CALL fill();
UPDATE employees SET id = id + 100;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE badges, directors, managers, engineers, employees;

--
-- A chain of them, by keys of several columns, with no foreign keys
--
CREATE TABLE a (x integer, y text, PRIMARY KEY (x, y));
CREATE TABLE b (y text, x integer, PRIMARY KEY (x, y));
CREATE TABLE c (x bigint, y varchar(10), UNIQUE (x, y));
SELECT cascade.add_relationship('a', 'b', 'all', direction => 'one-to-many',
    source_columns => '{x, y}', target_columns => '{x, y}');
SELECT cascade.add_relationship('b', 'c', 'all', direction => 'one-to-many',
    source_columns => '{x, y}', target_columns => '{x, y}');
SELECT cascade.add_relationship('c', 'b', 'delete-orphan, delete', direction => 'many-to-one',
    source_columns => '{x, y}', target_columns => '{x, y}');
INSERT INTO a VALUES (1, 'a'), (1, 'b'), (2, 'a'), (3, 'c');
INSERT INTO b (x, y) TABLE a;
INSERT INTO c TABLE a;
INSERT INTO c VALUES (1, NULL), (NULL, 'a');
UPDATE a SET x = x + 10, y = upper(y) WHERE (x, y) IN ((1, 'a'), (2, 'a'));
DELETE FROM a WHERE y = 'b';
TABLE b ORDER BY x, y;
TABLE c ORDER BY x, y;
UPDATE c SET y = NULL WHERE x = 11;
DELETE FROM c WHERE x = 12 OR y IS NULL;
TABLE a ORDER BY x, y;
TABLE b ORDER BY x, y;
TABLE c ORDER BY x, y;
DROP TABLE a, b, c;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA one_to_one_test CASCADE;

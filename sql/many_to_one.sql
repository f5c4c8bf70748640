--
-- many_to_one: the foreign key columns are on the source.  Deleting or
-- detaching source rows takes the target rows they pointed to.
-- single_parent has a file of its own.
--
CREATE SCHEMA many_to_one_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = many_to_one_test, helper;

CREATE TABLE addresses (id integer PRIMARY KEY, street text);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer REFERENCES addresses, name text);
-- address 2 is shared, nobody lives at 4, customer 5 has no address
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE addresses, customers;
    INSERT INTO addresses VALUES (1), (2), (3), (4);
    INSERT INTO customers VALUES (1, 1), (2, 2), (3, 2), (4, 3), (5, NULL);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM addresses) AS addresses,
           (SELECT string_agg(id || '>' || coalesce(address_id::text, '-'), ' ' ORDER BY id)
              FROM customers) AS customers;

--
-- All is found from the foreign key, the direction too
--
SELECT cascade.add_relationship('customers', 'addresses');
SELECT name, target, direction, r.cascade, foreign_key, source_columns, target_columns
  FROM cascade.relationship r
 WHERE source = 'customers'::regclass;
SELECT tie, on_delete, orphans, on_key_change FROM cascade.relationships WHERE source = 'customers'::regclass;
SELECT cascade.drop_relationship('customers', 'addresses');
SELECT cascade.add_relationship('customers', 'addresses', name => 'address', direction => 'many-to-one',
    source_columns => '{address_id}', target_columns => '{id}');
SELECT name, direction, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'customers'::regclass;

--
-- The default, save-update and merge: target rows stay, whatever happens to
-- the source rows
--
CALL fill();
TABLE state;
DELETE FROM customers WHERE id = 1;
UPDATE customers SET address_id = NULL WHERE id = 4;
UPDATE customers SET address_id = 3 WHERE id = 2;
TABLE state;
-- the key follows
\set QUIET off
UPDATE addresses SET id = id + 10;
\set QUIET on
TABLE state;
-- the target's deletion is the foreign key's business
SELECT try('DELETE FROM addresses WHERE id = 13');
DELETE FROM addresses WHERE id = 11;
TABLE state;

-- none, merge, follow_keys => false: the foreign key decides of changed keys
SELECT cascade.alter_relationship('customers', 'address', cascade => 'none');
CALL fill();
SELECT try('UPDATE addresses SET id = 20 WHERE id = 2');
UPDATE addresses SET id = 40 WHERE id = 4;
DELETE FROM customers;
TABLE state;
CALL fill();
SELECT cascade.alter_relationship('customers', 'address', cascade => 'save-update', follow_keys => false);
SELECT try('UPDATE addresses SET id = 20 WHERE id = 2');
SELECT cascade.alter_relationship('customers', 'address', follow_keys => true);
UPDATE addresses SET id = 20 WHERE id = 2;
TABLE state;

--
-- delete: at commit, the target row that a deleted source row pointed to goes
--
SELECT cascade.alter_relationship('customers', 'address', cascade => 'all');
CALL fill();
BEGIN;
\set QUIET off
DELETE FROM customers WHERE id = 1;
\set QUIET on
TABLE state;
COMMIT;
TABLE state;
-- detaching is not deleting, nor is it when the row is deleted afterwards
UPDATE customers SET address_id = NULL WHERE id = 4;
DELETE FROM customers WHERE id = 4;
BEGIN;
INSERT INTO customers VALUES (4, 4);
UPDATE customers SET address_id = NULL WHERE id = 4;
DELETE FROM customers WHERE id IN (4, 5);
COMMIT;
TABLE state;
-- nothing is counted: that others point to the target is left to the
-- foreign key, which refuses
BEGIN;
DELETE FROM customers WHERE id = 2;
TABLE state;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
DELETE FROM customers WHERE id IN (2, 3);
TABLE state;
-- the client deletes the target itself, and counts its rows
CALL fill();
\set QUIET off
BEGIN;
DELETE FROM customers WHERE id = 1;
DELETE FROM addresses WHERE id = 1;
COMMIT;
\set QUIET on
TABLE state;

-- attached again after that it stays: by an insertion, by an update
CALL fill();
BEGIN;
DELETE FROM customers WHERE id IN (1, 4);
INSERT INTO customers VALUES (6, 1);
UPDATE customers SET address_id = 3 WHERE id = 5;
COMMIT;
TABLE state;
-- by the same statement
WITH gone AS (DELETE FROM customers WHERE id = 6 RETURNING address_id)
INSERT INTO customers SELECT 7, address_id FROM gone;
TABLE state;
-- attached before it was detached: it goes, or is refused
BEGIN;
INSERT INTO customers VALUES (8, 1);
DELETE FROM customers WHERE id = 7;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
BEGIN;
INSERT INTO customers VALUES (8, 1);
DELETE FROM customers WHERE id = 7;
UPDATE customers SET address_id = NULL WHERE id = 8;
COMMIT;
TABLE state;

-- attached to a row that goes, too; renumbered after it was attached
CALL fill();
BEGIN;
DELETE FROM customers WHERE id IN (1, 4);
INSERT INTO customers VALUES (6, 1), (7, 3);
DELETE FROM customers WHERE id = 6;
UPDATE addresses SET id = id + 10;
COMMIT;
TABLE state;

-- when: SET CONSTRAINTS, of all and by name, any number of times
CALL fill();
BEGIN;
DELETE FROM customers WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
DELETE FROM customers WHERE id = 4;
TABLE state;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM customers WHERE id IN (2, 3);
TABLE state;
SET CONSTRAINTS "CASCADE_verify_delete" IMMEDIATE;
TABLE state;
COMMIT;
-- at the end of the statement, whatever SET CONSTRAINTS says
SELECT cascade.alter_relationship('customers', 'address', deferred => false);
CALL fill();
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
\set QUIET off
DELETE FROM customers WHERE id = 1;
\set QUIET on
TABLE state;
COMMIT;
SELECT try('DELETE FROM customers WHERE id = 2');
TABLE state;
DELETE FROM customers WHERE address_id = 2;
TABLE state;
WITH gone AS (DELETE FROM customers WHERE id = 4 RETURNING address_id)
INSERT INTO customers SELECT 6, address_id FROM gone;
TABLE state;
-- TRUNCATE deletes no rows that anybody is told of
TRUNCATE customers;
TABLE state;

--
-- delete-orphan: the target goes when its last referrer goes
--
SELECT cascade.alter_relationship('customers', 'address', cascade => 'all, delete-orphan', deferred => true);
CALL fill();
-- by the deletion of the referrer
BEGIN;
DELETE FROM customers WHERE id IN (1, 2, 5);
TABLE state;
COMMIT;
TABLE state;
DELETE FROM customers WHERE id = 3;
TABLE state;
-- by setting its key to NULL
CALL fill();
BEGIN;
\set QUIET off
UPDATE customers SET address_id = NULL WHERE id IN (1, 2);
\set QUIET on
TABLE state;
COMMIT;
TABLE state;
UPDATE customers SET address_id = NULL;
TABLE state;
-- by pointing it elsewhere
CALL fill();
UPDATE customers SET address_id = 4 WHERE id IN (1, 2);
TABLE state;
UPDATE customers SET address_id = 4;
TABLE state;
-- not by changes of other columns, nor by setting the key to what it is
UPDATE customers SET name = 'same', address_id = address_id;
UPDATE customers SET id = id + 10;
TABLE state;
-- by all of them at once
DELETE FROM customers;
TABLE state;
-- never referenced is not lost
CALL fill();
UPDATE addresses SET street = 'Elm Street';
DELETE FROM customers WHERE address_id IS NULL;
TABLE state;
TRUNCATE customers;
TABLE state;

-- moved from one referrer to another within the transaction, in any order
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 1;
UPDATE customers SET address_id = 1 WHERE id = 5;
INSERT INTO customers VALUES (6, 3);
DELETE FROM customers WHERE id = 4;
COMMIT;
TABLE state;
-- there and back again; and away again
BEGIN;
UPDATE customers SET address_id = NULL WHERE id IN (5, 6);
UPDATE customers SET address_id = 1 WHERE id = 5;
UPDATE customers SET address_id = 3 WHERE id = 6;
UPDATE customers SET address_id = NULL WHERE id = 6;
COMMIT;
TABLE state;
-- deleted and inserted again
BEGIN;
DELETE FROM customers WHERE id = 5;
INSERT INTO customers VALUES (5, 1);
COMMIT;
TABLE state;
-- two of them change places, statement by statement
INSERT INTO customers VALUES (7, 4);
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 5;
UPDATE customers SET address_id = 1 WHERE id = 7;
UPDATE customers SET address_id = 4 WHERE id = 5;
COMMIT;
TABLE state;
-- the target was inserted, referenced and lost in one transaction
BEGIN;
INSERT INTO addresses VALUES (5), (6);
INSERT INTO customers VALUES (8, 5);
UPDATE customers SET address_id = NULL WHERE id = 8;
COMMIT;
TABLE state;
-- the client deletes the target itself
\set QUIET off
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 7;
DELETE FROM addresses WHERE id = 1;
COMMIT;
\set QUIET on
TABLE state;
-- and puts another one in its place, which has lost nobody
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 1;
DELETE FROM customers WHERE id = 4;
DELETE FROM addresses WHERE id IN (1, 3);
INSERT INTO addresses VALUES (1), (3);
COMMIT;
TABLE state;

-- the target's key changes while it waits for the check
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id IN (1, 4);
UPDATE addresses SET id = id + 10;
UPDATE customers SET address_id = 13 WHERE id = 5;
TABLE state;
COMMIT;
TABLE state;
-- in the statement that detaches it, in either order
CALL fill();
WITH detached AS (UPDATE customers SET address_id = NULL WHERE id = 1)
UPDATE addresses SET id = 10 WHERE id = 1;
WITH renumbered AS (UPDATE addresses SET id = 30 WHERE id = 3)
UPDATE customers SET address_id = NULL WHERE id = 4;
TABLE state;
-- in a savepoint that is rolled back, and in one that is not
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id IN (1, 4);
SAVEPOINT s;
UPDATE addresses SET id = id + 10;
ROLLBACK TO s;
UPDATE addresses SET id = 10 WHERE id = 1;
SAVEPOINT s;
UPDATE addresses SET id = id + 20;
RELEASE s;
TABLE state;
COMMIT;
TABLE state;
-- its old key is taken by another one
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 1;
UPDATE addresses SET id = 10 WHERE id = 1;
INSERT INTO addresses VALUES (1);
COMMIT;
TABLE state;
-- a key that follows is not lost
UPDATE addresses SET id = id + 10;
TABLE state;

-- every way to write rows
CALL fill();
INSERT INTO customers VALUES (1, 4) ON CONFLICT (id) DO UPDATE SET address_id = excluded.address_id;
TABLE state;
MERGE INTO customers c
USING (VALUES (2, 4), (3, NULL), (4, NULL)) AS v (id, address_id)
   ON c.id = v.id
 WHEN MATCHED AND c.id = 3 THEN DELETE
 WHEN MATCHED THEN UPDATE SET address_id = v.address_id;
TABLE state;
CREATE VIEW customer AS SELECT id, address_id FROM customers WHERE id < 10;
UPDATE customer SET address_id = NULL WHERE id = 1;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM customers WHERE id = 2;
FETCH c;
DELETE FROM customers WHERE CURRENT OF c;
COMMIT;
TABLE state;
DROP VIEW customer;

-- SET CONSTRAINTS
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 1;
SET CONSTRAINTS "CASCADE_verify_update" IMMEDIATE;
TABLE state;
UPDATE customers SET address_id = NULL WHERE id = 2;
TABLE state;
SET CONSTRAINTS ALL DEFERRED;
UPDATE customers SET address_id = NULL WHERE id = 3;
DELETE FROM customers WHERE id = 4;
TABLE state;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
COMMIT;

-- savepoints
CALL fill();
BEGIN;
SAVEPOINT s;
UPDATE customers SET address_id = NULL WHERE id = 1;
ROLLBACK TO s;
DELETE FROM customers WHERE id = 4;
SAVEPOINT s;
INSERT INTO customers VALUES (6, 3);
ROLLBACK TO s;
SAVEPOINT s;
UPDATE customers SET address_id = NULL WHERE id IN (2, 3);
RELEASE s;
TABLE state;
COMMIT;
TABLE state;
-- the check itself is rolled back
CALL fill();
BEGIN;
DELETE FROM customers WHERE id IN (1, 4);
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
ROLLBACK TO s;
TABLE state;
INSERT INTO customers VALUES (6, 3);
COMMIT;
TABLE state;
-- the whole transaction, and nothing is left of it in the next
BEGIN;
DELETE FROM customers;
ROLLBACK;
DELETE FROM customers WHERE id = 5;
TABLE state;

-- at the end of the statement
SELECT cascade.alter_relationship('customers', 'address', deferred => false);
CALL fill();
BEGIN;
UPDATE customers SET address_id = NULL WHERE id IN (1, 2);
TABLE state;
DELETE FROM customers WHERE id = 3;
TABLE state;
COMMIT;
-- changing places in one statement is moving, in two it is losing
INSERT INTO customers VALUES (6, 4);
UPDATE customers SET address_id = 7 - address_id WHERE address_id IN (3, 4);
TABLE state;
UPDATE customers SET address_id = 4 WHERE id = 6;
SELECT try('UPDATE customers SET address_id = 3 WHERE id = 4');
TABLE state;
WITH gone AS (DELETE FROM customers WHERE address_id = 4 RETURNING address_id)
INSERT INTO customers SELECT 9, 4 FROM gone LIMIT 1;
TABLE state;

-- delete-orphan without delete is the same here: what is counted stays until
-- its last referrer goes
SELECT cascade.alter_relationship('customers', 'address', cascade => 'delete-orphan', deferred => true);
CALL fill();
DELETE FROM customers WHERE id IN (1, 2);
TABLE state;
UPDATE customers SET address_id = NULL;
TABLE state;

--
-- A key that must not be NULL
--
SELECT cascade.alter_relationship('customers', 'address', cascade => 'all, delete-orphan');
CALL fill();
DELETE FROM customers WHERE id = 5;
ALTER TABLE customers ALTER address_id SET NOT NULL;
-- the target would go, not the row, which stays with its key: an ordinary violation
SELECT try('UPDATE customers SET address_id = NULL WHERE id = 1');
UPDATE customers SET address_id = 3 WHERE id = 1;
DELETE FROM customers WHERE address_id = 2;
TABLE state;
ALTER TABLE customers ALTER address_id DROP NOT NULL;

--
-- A BEFORE trigger that keeps the target: it stays, and so does a referrer
-- that another one keeps
--
CREATE FUNCTION keep() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;
CALL fill();
CREATE TRIGGER keep BEFORE DELETE ON addresses FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION keep();
CREATE TRIGGER keep BEFORE DELETE ON customers FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION keep();
\set QUIET off
DELETE FROM customers;
\set QUIET on
TABLE state;
DROP TRIGGER keep ON addresses;
DROP TRIGGER keep ON customers;
DROP FUNCTION keep;

--
-- What goes at commit goes as by one more statement: a constraint can refuse
--
CALL fill();
CREATE TABLE signs (id integer PRIMARY KEY, address_id integer REFERENCES addresses);
INSERT INTO signs VALUES (1, 1);
BEGIN;
DELETE FROM customers WHERE id IN (1, 4);
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
DELETE FROM customers WHERE id = 4;
TABLE state;
DROP TABLE signs;

--
-- max_rows: the check counts its own
--
SET cascade.max_rows = 1;
CALL fill();
BEGIN;
DELETE FROM customers;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE state;
SET cascade.max_rows = 3;
DELETE FROM customers;
TABLE state;
RESET cascade.max_rows;

--
-- DDL with checks pending is refused
--
CALL fill();
SET client_min_messages = warning;
\set VERBOSITY sqlstate
BEGIN;
UPDATE customers SET address_id = NULL WHERE id = 1;
SAVEPOINT s;
ALTER TABLE customers ADD COLUMN phone text;  -- fails
ROLLBACK TO s;
TRUNCATE customers;  -- fails
ROLLBACK TO s;
DROP TABLE addresses CASCADE;  -- fails
ROLLBACK TO s;
SELECT cascade.drop_relationship('customers', 'address');  -- fails
ROLLBACK TO s;
SELECT cascade.alter_relationship('customers', 'address', cascade => 'none');  -- fails
ROLLBACK TO s;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE customers ADD COLUMN phone text;
COMMIT;
\set VERBOSITY default
RESET client_min_messages;
-- rows that lost nothing leave nothing to be checked
BEGIN;
INSERT INTO addresses VALUES (9);
INSERT INTO customers VALUES (9, 9);
UPDATE customers SET name = 'nine' WHERE id = 9;
ALTER TABLE customers DROP COLUMN phone;
COMMIT;
TABLE state;

--
-- An alteration acts from the next statement on
--
CALL fill();
BEGIN;
SELECT cascade.alter_relationship('customers', 'address', cascade => 'save-update');
DELETE FROM customers WHERE id = 1;
SELECT cascade.alter_relationship('customers', 'address', cascade => 'all');
DELETE FROM customers WHERE id = 4;
COMMIT;
TABLE state;
SELECT cascade.drop_relationship('customers', 'address');
DELETE FROM customers;
TABLE state;
SELECT count(*) FROM triggers WHERE schema = 'many_to_one_test'::regnamespace;

--
-- Renamed tables and columns are followed; a dropped column takes the
-- relationship
--
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan', name => 'address');
CALL fill();
DROP VIEW state;
ALTER TABLE customers RENAME address_id TO lives_at;
ALTER TABLE customers RENAME TO clients;
ALTER TABLE addresses RENAME id TO nr;
ALTER TABLE addresses RENAME TO places;
SELECT source, name, target, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'clients'::regclass;
UPDATE clients SET lives_at = NULL WHERE id = 1;
UPDATE places SET nr = 30 WHERE nr = 3;
DELETE FROM clients WHERE id = 2;
SELECT nr FROM places ORDER BY nr;
SELECT id, lives_at FROM clients ORDER BY id;
\set VERBOSITY sqlstate
ALTER TABLE clients DROP COLUMN lives_at;  -- fails
ALTER TABLE places DROP COLUMN nr;  -- fails
\set VERBOSITY default
SET client_min_messages = warning;
ALTER TABLE clients DROP COLUMN lives_at CASCADE;
RESET client_min_messages;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_one_test'::regnamespace;
DELETE FROM clients;
SELECT nr FROM places ORDER BY nr;
DROP PROCEDURE fill;
DROP TABLE clients, places;

-- a dropped table does, from either end
CREATE TABLE addresses (id integer PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer REFERENCES addresses);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
DROP TABLE customers;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_one_test'::regnamespace;
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer REFERENCES addresses);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
SET client_min_messages = warning;
DROP TABLE addresses CASCADE;
RESET client_min_messages;
SELECT count(*) FROM cascade.relationship;
SELECT count(*) FROM triggers WHERE schema = 'many_to_one_test'::regnamespace;
DROP TABLE customers;

--
-- Beside a foreign key of any action and timing, and beside none.  Rows are
-- shown as parents: child>parent.
--
CREATE FUNCTION outcome(foreign_key text, options text, command text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    answer text;
BEGIN
    CREATE TABLE parent (id integer PRIMARY KEY);
    EXECUTE 'CREATE TABLE child (id integer PRIMARY KEY, parent_id integer ' || foreign_key || ')';
    EXECUTE 'SELECT cascade.add_relationship(''child'', ''parent'', source_columns => ''{parent_id}'', '
            || 'target_columns => ''{id}'', ' || options || ')';
    INSERT INTO parent VALUES (1), (2);
    INSERT INTO child VALUES (1, 1), (2, 2), (3, 2);
    EXECUTE command;
    SET CONSTRAINTS ALL IMMEDIATE;
    answer := (SELECT string_agg(id::text, ' ' ORDER BY id) FROM parent) || ': '
           || (SELECT string_agg(id || '>' || coalesce(parent_id::text, '-'), ' ' ORDER BY id) FROM child);
    -- undo it all
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN answer;
    WHEN foreign_key_violation OR restrict_violation THEN
        RETURN 'refused';
END
$$;
CREATE TEMP TABLE keys (nr integer, foreign_key text);
INSERT INTO keys
SELECT row_number() OVER (), k
  FROM unnest(ARRAY[
      '',
      'REFERENCES parent',
      'REFERENCES parent DEFERRABLE',
      'REFERENCES parent DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON DELETE RESTRICT ON UPDATE RESTRICT',
      'REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE',
      'REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON DELETE SET NULL ON UPDATE SET NULL',
      'DEFAULT 1 REFERENCES parent ON DELETE SET DEFAULT ON UPDATE SET DEFAULT'
  ]) AS k;
-- the only referrer goes, or one of two, or is detached
SELECT foreign_key,
       outcome(foreign_key, $$cascade => 'delete'$$, 'DELETE FROM child WHERE id = 1') AS only_one,
       outcome(foreign_key, $$cascade => 'delete'$$, 'DELETE FROM child WHERE id = 2') AS one_of_two,
       outcome(foreign_key, $$cascade => 'delete', deferred => false$$, 'DELETE FROM child WHERE id = 2') AS one_of_two_at_once,
       outcome(foreign_key, $$cascade => 'all, delete-orphan'$$, 'DELETE FROM child WHERE id <= 2') AS counted,
       outcome(foreign_key, $$cascade => 'all, delete-orphan'$$, 'UPDATE child SET parent_id = NULL WHERE id <= 2') AS detached,
       outcome(foreign_key, $$cascade => 'all, delete-orphan', deferred => false$$, 'UPDATE child SET parent_id = NULL WHERE id <= 2') AS detached_at_once
  FROM keys
 ORDER BY nr;
-- the target goes, or its key changes
SELECT foreign_key,
       outcome(foreign_key, $$cascade => 'all, delete-orphan'$$, 'DELETE FROM parent WHERE id = 2') AS target_gone,
       outcome(foreign_key, $$cascade => 'save-update'$$, 'UPDATE parent SET id = 20 WHERE id = 2') AS followed,
       outcome(foreign_key, $$cascade => 'all, delete-orphan', deferred => false$$, 'UPDATE parent SET id = 20 WHERE id = 2') AS followed_at_once,
       outcome(foreign_key, $$cascade => 'none'$$, 'UPDATE parent SET id = 20 WHERE id = 2') AS not_followed,
       outcome(foreign_key, $$cascade => 'all, delete-orphan', follow_keys => false$$, 'UPDATE parent SET id = 20 WHERE id = 1') AS not_followed_orphan
  FROM keys
 ORDER BY nr;
DROP FUNCTION outcome;
DROP TABLE pg_temp.keys;

--
-- Keys of several columns; a NULL in any of them ties to nothing
--
CREATE TABLE addresses (country text, id integer, PRIMARY KEY (country, id));
CREATE TABLE customers (
    id integer PRIMARY KEY,
    address_id integer,
    country text,
    FOREIGN KEY (country, address_id) REFERENCES addresses
);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
SELECT source_columns, target_columns FROM cascade.relationship WHERE source = 'customers'::regclass;
INSERT INTO addresses VALUES ('at', 1), ('at', 2), ('at', 3), ('de', 1), ('de', 2);
INSERT INTO customers VALUES (1, 1, 'at'), (2, 2, 'at'), (3, 2, 'at'), (4, 1, 'de'), (5, 2, 'de'), (6, 3, NULL), (7, NULL, 'at');
-- neither row 6 nor row 7 refers to anything
DELETE FROM customers WHERE id IN (6, 7);
TABLE addresses ORDER BY country, id;
-- one column of the key is enough to lose the target
UPDATE customers SET country = NULL WHERE id = 1;
UPDATE customers SET address_id = NULL WHERE id = 2;
TABLE addresses ORDER BY country, id;
UPDATE customers SET country = 'at' WHERE id = 5;
TABLE addresses ORDER BY country, id;
DELETE FROM customers WHERE id IN (3, 4);
TABLE addresses ORDER BY country, id;
UPDATE addresses SET country = 'ch', id = id + 20;
TABLE customers ORDER BY id;
DROP TABLE customers, addresses;

--
-- Keys of different types on the two sides, and values that are equal but not
-- the same
--
CREATE TABLE addresses (id bigint PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer REFERENCES addresses);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
INSERT INTO addresses SELECT generate_series(1, 2000);
INSERT INTO addresses VALUES (5000000000);
INSERT INTO customers SELECT i, i FROM generate_series(1, 2000) i;
UPDATE customers SET address_id = NULL WHERE id = 1;
DELETE FROM customers WHERE id BETWEEN 2 AND 1990;
UPDATE addresses SET id = id + 10000 WHERE id > 1998;
TABLE addresses ORDER BY id;
SELECT id, address_id FROM customers WHERE id > 1995 OR id = 1 ORDER BY id;
DROP TABLE customers, addresses;

CREATE TABLE addresses (id integer PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id bigint);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan',
    source_columns => '{address_id}', target_columns => '{id}');
INSERT INTO addresses VALUES (1), (2), (3);
-- one key that no target can have
INSERT INTO customers VALUES (1, 1), (2, 2), (3, 5000000000), (4, 3);
UPDATE customers SET address_id = NULL WHERE id <= 1;
DELETE FROM customers WHERE id IN (2, 3);
TABLE addresses;
DROP TABLE customers, addresses;

CREATE TABLE addresses (id numeric PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id numeric REFERENCES addresses);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
INSERT INTO addresses VALUES (1), (2), (3);
INSERT INTO customers VALUES (1, 1.0), (2, 2.00), (3, 3);
-- the same key in other words is not another one
UPDATE customers SET address_id = 1.000 WHERE id = 1;
UPDATE customers SET address_id = 2 WHERE id = 2;
TABLE addresses ORDER BY id;
UPDATE customers SET address_id = 2.0 WHERE id = 1;
DELETE FROM customers WHERE id = 2;
TABLE addresses ORDER BY id;
DROP TABLE customers, addresses;

-- 'a' = 'A', which needs ICU; without it the keys are all written alike
DO $$
BEGIN
    IF getdatabaseencoding() = 'UTF8' AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    ELSE
        CREATE COLLATION no_case FROM "C";
    END IF;
END
$$;
SELECT CASE WHEN 'a' = 'A' COLLATE no_case THEN 'A' ELSE 'a' END AS upper_a,
       CASE WHEN 'b' = 'B' COLLATE no_case THEN 'B' ELSE 'b' END AS upper_b \gset
CREATE TABLE addresses (id text COLLATE no_case PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id text COLLATE no_case REFERENCES addresses);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
INSERT INTO addresses VALUES ('a'), (:'upper_b'), ('c');
INSERT INTO customers VALUES (1, :'upper_a'), (2, 'a'), (3, 'b'), (4, 'c');
UPDATE customers SET address_id = NULL WHERE id = 2;
UPDATE customers SET address_id = 'a' WHERE id = 1;
SELECT lower(id) AS id FROM addresses ORDER BY 1;
DELETE FROM customers WHERE id IN (1, 3);
SELECT lower(id) AS id FROM addresses ORDER BY 1;
DROP TABLE customers, addresses;
DROP COLLATION no_case;

--
-- With no foreign key: a referrer counts whether its target is there or not
--
CREATE TABLE addresses (id integer PRIMARY KEY);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan',
    source_columns => '{address_id}', target_columns => '{id}');
INSERT INTO addresses VALUES (1), (2);
INSERT INTO customers VALUES (1, 1), (2, 2), (3, 3);
-- the target goes and its referrers stay
DELETE FROM addresses WHERE id = 1;
TABLE customers ORDER BY id;
DELETE FROM customers WHERE id IN (1, 3);
-- the target comes only after its referrer, and goes with it
INSERT INTO customers VALUES (4, 4);
INSERT INTO addresses VALUES (4);
UPDATE customers SET address_id = 2 WHERE id = 4;
TABLE addresses;
-- its key changes and nobody follows: the target has not lost anybody who
-- went away
SELECT cascade.alter_relationship('customers', 'addresses', follow_keys => false);
UPDATE addresses SET id = 20 WHERE id = 2;
TABLE addresses;
TABLE customers ORDER BY id;
DELETE FROM customers;
TABLE addresses;
DROP TABLE customers, addresses;

-- targets of a key that is not unique go together
CREATE TABLE addresses (id integer PRIMARY KEY, zip integer);
CREATE TABLE customers (id integer PRIMARY KEY, zip integer);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan', direction => 'many-to-one',
    source_columns => '{zip}', target_columns => '{zip}');
INSERT INTO addresses VALUES (1, 10), (2, 10), (3, 20);
INSERT INTO customers VALUES (1, 10), (2, 20), (3, 20);
DELETE FROM customers WHERE id IN (1, 2);
TABLE addresses ORDER BY id;
DROP TABLE customers, addresses;

--
-- At depth, one statement a relationship however many rows: customers ->
-- addresses -> regions are many-to-one, addresses -> rooms -> beds one-to-many
--
CREATE TABLE regions (id integer PRIMARY KEY);
CREATE TABLE addresses (id integer PRIMARY KEY, region_id integer NOT NULL REFERENCES regions);
CREATE TABLE customers (id integer PRIMARY KEY, address_id integer NOT NULL REFERENCES addresses);
CREATE TABLE rooms (id integer PRIMARY KEY, address_id integer NOT NULL REFERENCES addresses);
CREATE TABLE beds (id integer PRIMARY KEY, room_id integer REFERENCES rooms);
SELECT cascade.add_relationship('customers', 'addresses', 'all, delete-orphan');
SELECT cascade.add_relationship('addresses', 'regions', 'all, delete-orphan');
SELECT cascade.add_relationship('addresses', 'rooms', 'all');
SELECT cascade.add_relationship('rooms', 'beds');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE customers, addresses, regions, rooms, beds;
    INSERT INTO regions SELECT i FROM generate_series(1, 10) i;
    INSERT INTO addresses SELECT i, (i + 9) / 10 FROM generate_series(1, 100) i;
    INSERT INTO customers SELECT i, (i + 1) / 2 FROM generate_series(1, 200) i;
    INSERT INTO rooms SELECT i, (i + 1) / 2 FROM generate_series(1, 200) i;
    INSERT INTO beds SELECT i, i FROM generate_series(1, 200) i;
$$;
CREATE VIEW counts AS
    SELECT (SELECT count(*) FROM customers) AS customers,
           (SELECT count(*) FROM addresses) AS addresses,
           (SELECT count(*) FROM regions) AS regions,
           (SELECT count(*) FROM rooms) AS rooms,
           (SELECT count(room_id) FROM beds) AS beds_in_rooms;
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
-- half of the referrers of each address
DELETE FROM customers WHERE id % 2 = 0;
TABLE counts;
-- regions 1 to 4 and half of region 5
DELETE FROM customers WHERE id < 91;
TABLE counts;
DELETE FROM customers;
TABLE counts;
\set VERBOSITY default
SET cascade.trace = off;
-- one row
CALL fill();
DELETE FROM customers WHERE id = 1;
DELETE FROM customers WHERE id = 2;
TABLE counts;
-- all at the end of the statement
SELECT cascade.alter_relationship('customers', 'addresses', deferred => false);
SELECT cascade.alter_relationship('addresses', 'regions', deferred => false);
BEGIN;
DELETE FROM customers WHERE id <= 20;
TABLE counts;
ROLLBACK;
-- the outer one at once, the inner one at commit
SELECT cascade.alter_relationship('addresses', 'regions', deferred => true);
BEGIN;
DELETE FROM customers WHERE id <= 20;
TABLE counts;
COMMIT;
TABLE counts;
-- and the other way round
SELECT cascade.alter_relationship('customers', 'addresses', deferred => true);
SELECT cascade.alter_relationship('addresses', 'regions', deferred => false);
BEGIN;
DELETE FROM customers WHERE id <= 40;
TABLE counts;
COMMIT;
TABLE counts;
-- renumbering goes all the way
UPDATE regions SET id = id + 100;
UPDATE addresses SET id = id + 1000;
SELECT min(region_id), max(region_id) FROM addresses;
SELECT min(address_id), max(address_id) FROM customers;
SELECT min(address_id), max(address_id) FROM rooms;
-- what is below the last level refuses: all is as it was
CREATE TABLE flags (id integer PRIMARY KEY, region_id integer REFERENCES regions);
INSERT INTO flags VALUES (1, 105);
BEGIN;
DELETE FROM customers;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE counts;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA many_to_one_test CASCADE;

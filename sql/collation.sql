--
-- collation: keys under a collation for which 'a' = 'A'.  Needs ICU; where it
-- is missing, expected/collation_1.out is what comes out.
--
SELECT getdatabaseencoding() <> 'UTF8'
       OR NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip_test \gset
\if :skip_test
\quit
\endif

CREATE SCHEMA collation_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = collation_test, helper;

CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- beside a foreign key, and a native twin that shows what is expected
CREATE TABLE parent (k text COLLATE no_case PRIMARY KEY);
CREATE TABLE native (id integer, k text COLLATE no_case REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE child (id integer, k text COLLATE no_case REFERENCES parent);
SELECT cascade.add_relationship('parent', 'child', 'all');
INSERT INTO parent VALUES ('a'), ('B'), ('c');
INSERT INTO native VALUES (1, 'a'), (2, 'A'), (3, 'b'), (4, 'B'), (5, 'C');
INSERT INTO child TABLE native;
UPDATE parent SET k = 'A' WHERE k = 'a';
TABLE native ORDER BY id;
TABLE child ORDER BY id;
UPDATE parent SET k = 'D' WHERE k = 'A';
TABLE native ORDER BY id;
TABLE child ORDER BY id;
DELETE FROM parent WHERE k = 'b';
TABLE native ORDER BY id;
TABLE child ORDER BY id;
DELETE FROM parent;
TABLE native;
TABLE child;
DROP TABLE native, child, parent;

-- with no foreign key, by many keys
CREATE TABLE parent (k text COLLATE no_case PRIMARY KEY);
CREATE TABLE child (id integer, k text COLLATE no_case);
SELECT cascade.add_relationship('parent', 'child', 'all', source_columns => '{k}', target_columns => '{k}');
INSERT INTO parent SELECT 'key' || i FROM generate_series(1, 1000) i;
INSERT INTO child SELECT i, CASE WHEN i % 2 = 0 THEN 'KEY' ELSE 'Key' END || i FROM generate_series(1, 1000) i;
DELETE FROM parent WHERE k IN ('key1', 'KEY2');
SELECT count(*) FROM child;
UPDATE parent SET k = 'No. ' || substr(k, 4);
SELECT count(*), min(k COLLATE "C"), max(k COLLATE "C") FROM child;
DELETE FROM parent;
SELECT count(*) FROM child;
DROP TABLE child, parent;

-- several columns
CREATE TABLE parent (a integer, k text COLLATE no_case, PRIMARY KEY (a, k));
CREATE TABLE child (id integer, a integer, k text COLLATE no_case, FOREIGN KEY (a, k) REFERENCES parent);
SELECT cascade.add_relationship('parent', 'child', 'all');
INSERT INTO parent VALUES (1, 'a'), (2, 'a'), (3, 'b');
INSERT INTO child VALUES (1, 1, 'A'), (2, 2, 'A'), (3, 3, 'B');
UPDATE parent SET a = 4 WHERE a = 2;
TABLE child ORDER BY id;
DELETE FROM parent WHERE k = 'A';
TABLE child ORDER BY id;
DROP TABLE child, parent;

-- the source's collation decides, where the two sides differ
CREATE TABLE parent (k text COLLATE no_case PRIMARY KEY);
CREATE TABLE child (id integer, k text COLLATE "C");
SELECT cascade.add_relationship('parent', 'child', 'all', source_columns => '{k}', target_columns => '{k}');
INSERT INTO parent VALUES ('a'), ('b');
INSERT INTO child VALUES (1, 'a'), (2, 'A'), (3, 'B');
DELETE FROM parent WHERE k = 'a';
TABLE child;
DROP TABLE child, parent;
CREATE TABLE parent (k text COLLATE "C" PRIMARY KEY);
CREATE TABLE child (id integer, k text COLLATE no_case);
SELECT cascade.add_relationship('parent', 'child', 'all', source_columns => '{k}', target_columns => '{k}');
INSERT INTO parent VALUES ('a'), ('A'), ('b');
INSERT INTO child VALUES (1, 'a'), (2, 'A'), (3, 'B');
DELETE FROM parent WHERE k = 'a';
TABLE child ORDER BY id;
DROP TABLE child, parent;

-- enforced: of two keys that are one to the parent, which the child still holds
CREATE TABLE parent (k text COLLATE no_case PRIMARY KEY);
CREATE TABLE child (id integer, k text);
SELECT cascade.add_relationship('parent', 'child', 'none', nullify => false, enforce => true,
    source_columns => '{k}', target_columns => '{k}', direction => 'one-to-many');
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE child SET k = NULL WHERE id = 1 AND new.id = 1;
    RETURN NULL;
END $$;
CREATE TRIGGER "A" AFTER INSERT ON child FOR EACH ROW EXECUTE FUNCTION forget();
SELECT try($$INSERT INTO child VALUES (1, 'x'), (2, 'X')$$);
SELECT try($$INSERT INTO child VALUES (2, 'X'), (1, 'x')$$);
INSERT INTO child VALUES (1, 'x');
TABLE child;
DROP TABLE child, parent;
-- and what it holds beside them
CREATE TABLE parent (k text PRIMARY KEY);
CREATE TABLE child (id integer, k text COLLATE no_case);
SELECT cascade.add_relationship('parent', 'child', 'none', nullify => false, enforce => true,
    source_columns => '{k}', target_columns => '{k}', direction => 'one-to-many');
CREATE TRIGGER "A" AFTER INSERT ON child FOR EACH ROW EXECUTE FUNCTION forget();
INSERT INTO parent VALUES ('X');
INSERT INTO child VALUES (2, 'X');
INSERT INTO child VALUES (1, 'x');
TABLE child ORDER BY id;
DROP TABLE child, parent;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA collation_test CASCADE;

--
-- DDL after a relationship was declared, each command in a session that has
-- not called the extension before
--
CREATE FUNCTION helper.relationships() RETURNS TABLE (relationship text, tie text) LANGUAGE sql AS $$
	SELECT source || '.' || name, tie FROM cascade.relationships
$$;

CREATE SCHEMA ddl_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
CREATE TABLE authors (id int PRIMARY KEY, name text, seen date);
CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors, seen date);
CREATE TABLE pages (id int PRIMARY KEY, book_id int REFERENCES books);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan', propagate => '{"seen": "seen"}');
SELECT cascade.add_relationship('books', 'pages', 'all');
INSERT INTO authors VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
INSERT INTO books VALUES (1, 1), (2, 2), (3, 3), (4, 4);
INSERT INTO pages VALUES (1, 1), (2, 2), (3, 3), (4, 4);

-- renamed columns, constraints and tables are followed
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
ALTER TABLE authors RENAME id TO author;
ALTER TABLE authors RENAME seen TO last_seen;
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
ALTER TABLE books RENAME author_id TO "Author's";
ALTER TABLE books RENAME CONSTRAINT books_author_id_fkey TO by_author;
ALTER TABLE books RENAME TO volumes;
SELECT * FROM relationships();
SELECT foreign_key, propagate FROM cascade.relationships WHERE name = 'books';
DELETE FROM authors WHERE author = 1;
UPDATE authors SET author = 20, last_seen = '2026-01-01' WHERE author = 2;
TABLE volumes ORDER BY id;
TABLE pages ORDER BY id;

-- a key column made NOT NULL
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
ALTER TABLE volumes ALTER "Author's" SET NOT NULL;
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
UPDATE volumes SET "Author's" = NULL WHERE id = 3;
TABLE volumes ORDER BY id;
TABLE pages ORDER BY id;

-- our triggers cannot be dropped, renamed or replaced by hand
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
DROP TRIGGER "CASCADE_delete" ON authors;  -- fails
ALTER TRIGGER "CASCADE_delete" ON authors RENAME TO zzz;  -- fails
ALTER TRIGGER "CASCADE_delete" ON authors NO DEPENDS ON EXTENSION cascade;  -- fails
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE OR REPLACE TRIGGER "CASCADE_delete" AFTER DELETE ON authors
	FOR EACH ROW EXECUTE FUNCTION nothing();  -- fails
DROP FUNCTION nothing();

-- a table with relationships cannot become a partition
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
CREATE TABLE root (author int NOT NULL, name text, last_seen date) PARTITION BY LIST (name);
ALTER TABLE root ATTACH PARTITION authors FOR VALUES IN ('b', 'c', 'd');  -- fails
DROP TABLE root;

-- a BEFORE trigger that changes keys comes to the table, even as in a replica
\c -
SET session_replication_role = replica;
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
CREATE FUNCTION by_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.author := NEW.name::int;
	RETURN NEW;
END $$;
CREATE TRIGGER by_name BEFORE UPDATE ON authors FOR EACH ROW EXECUTE FUNCTION by_name();
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
UPDATE authors SET name = '40' WHERE author = 4;
TABLE volumes ORDER BY id;
DROP TRIGGER by_name ON authors;

-- a dropped column takes the relationships that need it, and no others
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
ALTER TABLE pages DROP COLUMN book_id;  -- fails
ALTER TABLE volumes DROP COLUMN "Author's" CASCADE;
SELECT * FROM relationships();
DELETE FROM volumes WHERE id = 4;
TABLE pages ORDER BY id;

-- a dropped table takes its relationships, and the other table its triggers
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
DROP TABLE pages;
SELECT * FROM relationships();
SELECT tgname FROM pg_trigger WHERE tgrelid = 'volumes'::regclass AND NOT tgisinternal;
DELETE FROM volumes;


-- a renamed schema, in the session whose plans name it; the old name is taken
-- by somebody else's tables
RESET ROLE;
CREATE SCHEMA shop AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
CREATE TABLE shop.parent (id int PRIMARY KEY);
CREATE TABLE shop.child (id int, parent_id int);
SELECT cascade.add_relationship('shop.parent', 'shop.child', 'all, delete-orphan',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO shop.parent SELECT generate_series(1, 20);
INSERT INTO shop.child SELECT i, i FROM generate_series(1, 20) i;
DELETE FROM shop.parent WHERE id = 1;
DELETE FROM shop.parent WHERE id IN (2, 3);
UPDATE shop.child SET parent_id = NULL WHERE id = 4;
RESET ROLE;
ALTER SCHEMA shop RENAME TO old_shop;
CREATE SCHEMA shop;
CREATE TABLE shop.child (id int, parent_id int);
INSERT INTO shop.child SELECT i, i FROM generate_series(1, 20) i;
SET ROLE regress_cascade_user;
DELETE FROM old_shop.parent WHERE id = 5;
DELETE FROM old_shop.parent WHERE id IN (6, 7);
UPDATE old_shop.child SET parent_id = NULL WHERE id = 8;
RESET ROLE;
SELECT (SELECT count(*) FROM old_shop.child) AS ours, (SELECT count(*) FROM shop.child) AS theirs;
DROP SCHEMA shop, old_shop CASCADE;

-- columns renamed by other words, and NOT NULL by a primary key or inheritance
SET ROLE regress_cascade_user;
CREATE TABLE base (pid int);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int NOT NULL, note text) INHERITS (base);
SELECT cascade.add_relationship('parent', 'child', 'all, delete-orphan',
								source_columns => '{id}', target_columns => '{pid}');
INSERT INTO parent VALUES (1), (2), (3);
INSERT INTO child (id, pid) VALUES (1, 1), (2, 2), (3, 3);
ALTER TABLE base RENAME pid TO parent_id;
ALTER VIEW parent RENAME COLUMN id TO key;
SELECT * FROM relationships();
DELETE FROM parent WHERE key = 1;
ALTER TABLE base ALTER parent_id SET NOT NULL;
UPDATE child SET parent_id = NULL WHERE id = 2;
ALTER TABLE base ALTER parent_id DROP NOT NULL;
ALTER TABLE child ADD PRIMARY KEY (parent_id, id);
UPDATE child SET parent_id = NULL WHERE id = 3;
SELECT * FROM child;
DROP TABLE child, parent, base;

-- DDL on a table with checks pending is refused
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, q int);
CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
SELECT cascade.add_relationship('p', 'c', 'all, delete-orphan');
INSERT INTO p VALUES (1), (2);
INSERT INTO c VALUES (1, 1), (2, 2);
BEGIN;
UPDATE c SET p = NULL WHERE id = 1;
SAVEPOINT s;
CREATE TRIGGER same BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION same();  -- fails
ROLLBACK TO s;
SELECT cascade.add_relationship('q', 'c', 'all, delete-orphan',
								source_columns => '{id}', target_columns => '{q}');  -- fails
ROLLBACK TO s;
DROP TABLE p CASCADE;  -- fails
ROLLBACK TO s;
UPDATE c SET p = NULL WHERE id = 2;
COMMIT;
TABLE c;

RESET ROLE;
DROP SCHEMA ddl_test CASCADE;
DROP FUNCTION helper.relationships();

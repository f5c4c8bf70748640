--
-- uninstall: DROP EXTENSION needs no CASCADE, leaves no trigger behind and
-- leaves the tables as they were.
--
CREATE SCHEMA uninstall_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = uninstall_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES authors
);
CREATE TABLE pages (
    id integer PRIMARY KEY,
    book_id integer REFERENCES books
);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all, delete-orphan');
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 1), (2, 2);
INSERT INTO pages VALUES (1, 1), (2, 2);

SELECT "table", trigger FROM triggers
 WHERE schema = 'uninstall_test'::regnamespace
 ORDER BY "table", trigger;

-- the relationships work
DELETE FROM authors WHERE id = 1;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;

-- only these are left of all that the test files declared: a relationship
-- goes with its tables
SELECT source, name FROM cascade.relationship ORDER BY source::text COLLATE "C", name;

-- an ordinary role cannot drop the extension
SET ROLE regress_cascade_user;
DROP EXTENSION cascade;  -- fails

RESET ROLE;
DROP EXTENSION cascade;

SELECT "table", trigger FROM triggers
 WHERE trigger LIKE '%CASCADE%' OR schema = 'uninstall_test'::regnamespace
 ORDER BY "table", trigger;
SELECT count(*) FROM pg_constraint WHERE conname LIKE 'CASCADE%';
SELECT nspname FROM pg_namespace WHERE nspname = 'cascade';
SELECT proname FROM pg_proc WHERE probin LIKE '%/cascade';

-- the tables are usable, by the rules of their foreign keys alone
SET ROLE regress_cascade_user;
INSERT INTO authors VALUES (3, 'Jack');
INSERT INTO books VALUES (3, 3);
SELECT try('DELETE FROM authors WHERE id = 3');
SELECT try('UPDATE books SET author_id = NULL WHERE id = 3');
UPDATE pages SET book_id = NULL;
DELETE FROM books;
DELETE FROM authors;
SELECT count(*) FROM authors;
SELECT count(*) FROM books;
TABLE pages ORDER BY id;
RESET ROLE;

-- what the catalog shows to whom does not depend on the default privileges
-- of the role that installs
BEGIN;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
CREATE EXTENSION cascade;
SELECT privilege_type
  FROM pg_namespace n, aclexplode(n.nspacl) a
 WHERE n.nspname = 'cascade' AND a.grantee = 0
 ORDER BY privilege_type;
SELECT c.relname, a.privilege_type
  FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
 WHERE c.relnamespace = 'cascade'::regnamespace AND a.grantee = 0
 ORDER BY c.relname, a.privilege_type;
SELECT p.proname, a.privilege_type
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
 WHERE p.pronamespace = 'cascade'::regnamespace AND a.grantee = 0
 ORDER BY p.proname;
ROLLBACK;

-- it can be installed and dropped again in the same session
CREATE EXTENSION cascade;
SELECT count(*) FROM cascade.relationship;
SET ROLE regress_cascade_user;
SELECT cascade.add_relationship('books', 'pages', 'all');
INSERT INTO authors VALUES (1, 'Jane');
INSERT INTO books VALUES (1, 1);
UPDATE pages SET book_id = 1;
DELETE FROM books;
TABLE pages;
RESET ROLE;
DROP EXTENSION cascade;

DROP SCHEMA helper CASCADE;
SET client_min_messages = warning;
DROP SCHEMA uninstall_test CASCADE;
DROP ROLE regress_cascade_user, regress_cascade_other;

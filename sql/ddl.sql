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

-- our triggers cannot be dropped by hand
\c -
SET ROLE regress_cascade_user;
SET search_path = ddl_test, helper;
DROP TRIGGER "CASCADE_delete" ON authors;  -- fails

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

RESET ROLE;
DROP SCHEMA ddl_test CASCADE;
DROP FUNCTION helper.relationships();

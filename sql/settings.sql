--
-- settings: cascade.enabled, cascade.max_rows, cascade.trace; and what an
-- error in a cascade tells
--
CREATE SCHEMA settings_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = settings_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer REFERENCES books);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE authors, books, pages;
    INSERT INTO authors SELECT generate_series(1, 4);
    INSERT INTO books SELECT i, (i + 1) / 2 FROM generate_series(1, 8) i;
    INSERT INTO pages SELECT i, (i + 1) / 2 FROM generate_series(1, 16) i;
$$;
CREATE VIEW counts AS
    SELECT (SELECT count(*) FROM authors) AS authors,
           (SELECT count(*) FROM books) AS books,
           (SELECT count(*) FROM pages) AS pages;
CALL fill();

SELECT name, setting, vartype, context, min_val, max_val, boot_val
  FROM pg_settings
 WHERE name LIKE 'cascade.%'
 ORDER BY name;
-- every one of them has a description, and there is no other
SELECT name FROM pg_settings WHERE name LIKE 'cascade.%' AND short_desc = '';
SELECT try('SET cascade.nonsense = 1');

--
-- enabled: for superusers
--
SELECT try('SET cascade.enabled = off');
SHOW cascade.enabled;
RESET ROLE;
SET cascade.enabled = off;
SET ROLE regress_cascade_user;
SELECT try('DELETE FROM authors WHERE id = 1');
SELECT try('UPDATE authors SET id = 10 WHERE id = 1');
UPDATE books SET author_id = NULL WHERE id = 8;
TABLE counts;
RESET ROLE;
SET cascade.enabled = on;
SET ROLE regress_cascade_user;
-- what was detached meanwhile was not seen
TABLE counts;
DELETE FROM authors WHERE id = 1;
TABLE counts;
-- for one transaction
RESET ROLE;
BEGIN;
SET LOCAL cascade.enabled = off;
UPDATE books SET author_id = NULL WHERE id = 7;
COMMIT;
SET ROLE regress_cascade_user;
TABLE counts;
UPDATE books SET author_id = 4 WHERE id = 7;
UPDATE books SET author_id = NULL WHERE id = 7;
TABLE counts;

--
-- max_rows: 4 books and 8 pages are 12 rows
--
CALL fill();
SET cascade.max_rows = 11;
SELECT try('DELETE FROM authors WHERE id <= 2');
TABLE counts;
SET cascade.max_rows = 12;
DELETE FROM authors WHERE id <= 2;
TABLE counts;
-- each statement has its own count
SET cascade.max_rows = 6;
BEGIN;
DELETE FROM authors WHERE id = 3;
DELETE FROM authors WHERE id = 4;
COMMIT;
TABLE counts;
-- the statement's own rows are not counted
CALL fill();
SET cascade.max_rows = 1;
DELETE FROM pages;
DELETE FROM books WHERE id = 1;
UPDATE books SET id = id;
TABLE counts;
-- rows that follow are
UPDATE authors SET id = 10 WHERE id = 1;
SELECT try('UPDATE authors SET id = 20 WHERE id = 2');
-- and those that are nullified
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
SELECT try('DELETE FROM authors WHERE id = 2');
-- and orphans at commit, where all is undone
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
TABLE counts;
BEGIN;
UPDATE books SET author_id = NULL;
\set VERBOSITY sqlstate
COMMIT;  -- fails
\set VERBOSITY default
TABLE counts;
SET cascade.max_rows = 0;
DELETE FROM authors;
TABLE counts;
SELECT try('SET cascade.max_rows = -1');
RESET cascade.max_rows;

-- cascades of statements that a trigger runs are part of it: all of the 8
-- books and 16 pages go
CALL fill();
CREATE FUNCTION next_author() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM authors WHERE id = OLD.author_id + 1;
    RETURN OLD;
END
$$;
CREATE TRIGGER next_author BEFORE DELETE ON books
    FOR EACH ROW EXECUTE FUNCTION next_author();
SET cascade.max_rows = 23;
SELECT try('DELETE FROM authors WHERE id = 1');
TABLE counts;
SET cascade.max_rows = 24;
DELETE FROM authors WHERE id = 1;
TABLE counts;
RESET cascade.max_rows;
DROP TRIGGER next_author ON books;

--
-- trace: a notice a statement.  The detail has the number of keys and the time.
--
CALL fill();
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM authors WHERE id = 1;
UPDATE authors SET id = 20 WHERE id = 2;
UPDATE books SET author_id = NULL WHERE id = 3;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
DELETE FROM authors WHERE id IN (3, 20);
-- no rows
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
INSERT INTO authors VALUES (30);
DELETE FROM authors WHERE id = 30;
DELETE FROM authors WHERE id = 31;
\set VERBOSITY default
SET cascade.trace = off;
DELETE FROM authors WHERE id = 4;
TABLE counts;

--
-- An error in a cascade tells the relationship and the path that led there
--
CALL fill();
CREATE FUNCTION fail() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'not this one';
END
$$;
CREATE TRIGGER fail BEFORE UPDATE OR DELETE ON pages FOR EACH ROW WHEN (OLD.id = 3) EXECUTE FUNCTION fail();
CREATE FUNCTION context(command text) RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
    context text;
BEGIN
    EXECUTE command;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN NEXT SQLERRM;
    RETURN QUERY SELECT line FROM regexp_split_to_table(context, '\n') WITH ORDINALITY AS t (line, nr)
                  WHERE line !~ '^(PL/pgSQL function|SQL statement)' ORDER BY nr;
END
$$;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
SELECT context('DELETE FROM authors WHERE id = 1');
SELECT context('DELETE FROM books WHERE id = 2');
SELECT context('UPDATE books SET id = 20 WHERE id = 2');
SELECT context('UPDATE books SET author_id = NULL WHERE id = 2; SET CONSTRAINTS ALL IMMEDIATE');
-- not where the statement's own row fails
SELECT context('DELETE FROM pages WHERE id = 3');
-- and not in the statement after a cascade that went well
SELECT context('DELETE FROM authors WHERE id = 4; DELETE FROM pages WHERE id = 3');
TABLE counts;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA settings_test CASCADE;

--
-- delete: what the deletion of source rows does to the target rows
--
CREATE SCHEMA delete_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = delete_test, helper;

--
-- "delete": the target rows go
--
CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer REFERENCES authors,
    title text
);
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John'), (3, 'Jack'), (4, 'Jill');
INSERT INTO books VALUES (1, 1, 'One'), (2, 1, 'Two'), (3, 2, 'Three'), (4, 3, 'Four'), (5, NULL, 'Five');
SELECT cascade.add_relationship('authors', 'books', 'delete');

-- the tag and the row count speak of the statement's own rows only
\set QUIET off
DELETE FROM authors WHERE id = 1;
\set QUIET on
TABLE books ORDER BY id;
DO $$
DECLARE
    n integer;
BEGIN
    DELETE FROM authors WHERE id = 2;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE 'rows: %, found: %', n, FOUND;
END
$$;
WITH gone AS (DELETE FROM authors WHERE id >= 3 RETURNING *)
SELECT * FROM gone ORDER BY id;
TABLE books ORDER BY id;
-- nothing deleted, nothing done
DELETE FROM authors;
TABLE books ORDER BY id;

--
-- Without "delete": the key is set to NULL.  It is what happens by default,
-- and with "none".
--
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update, merge');
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 1, 'One'), (2, 1, 'Two'), (3, 2, 'Three');
\set QUIET off
DELETE FROM authors WHERE id = 1;
\set QUIET on
TABLE books ORDER BY id;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
DELETE FROM authors;
TABLE books ORDER BY id;

-- a key that must not be NULL forbids it, and nothing has happened
DELETE FROM books;
ALTER TABLE books ALTER author_id SET NOT NULL;
INSERT INTO authors VALUES (1, 'Jane');
INSERT INTO books VALUES (1, 1, 'One');
SELECT try('DELETE FROM authors');
TABLE authors;
TABLE books;
ALTER TABLE books ALTER author_id DROP NOT NULL;

--
-- nullify => false: the relationship does nothing and the foreign key decides
--
SELECT cascade.alter_relationship('authors', 'books', nullify => false);
SELECT try('DELETE FROM authors');
TABLE books;
SELECT cascade.drop_relationship('authors', 'books');
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey;
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false,
    source_columns => '{id}', target_columns => '{author_id}');
DELETE FROM authors;
TABLE books;
DROP TABLE books, authors;

--
-- nullify_columns: a shared tenant column stays
--
CREATE TABLE authors (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE books (
    id integer PRIMARY KEY,
    tenant integer NOT NULL,
    author_id integer,
    FOREIGN KEY (tenant, author_id) REFERENCES authors
);
SELECT cascade.add_relationship('authors', 'books', nullify_columns => '{author_id}');
INSERT INTO authors VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO books VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, 1);
DELETE FROM authors WHERE tenant = 1 AND id = 1;
TABLE books ORDER BY id;
-- all of them, the default
SELECT cascade.alter_relationship('authors', 'books', nullify_columns => '{}');
SELECT try('DELETE FROM authors WHERE tenant = 2');
ALTER TABLE books ALTER tenant DROP NOT NULL;
DELETE FROM authors WHERE tenant = 2;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- Beside a foreign key of any action and timing, and beside none.  The
-- cascade acts first; where it does nothing the foreign key decides.
--
CREATE FUNCTION outcome(foreign_key text, options text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    answer text;
BEGIN
    CREATE TABLE parent (id integer PRIMARY KEY);
    EXECUTE 'CREATE TABLE child (id integer PRIMARY KEY, parent_id integer ' || foreign_key || ')';
    EXECUTE 'SELECT cascade.add_relationship(''parent'', ''child'', source_columns => ''{id}'', '
            || 'target_columns => ''{parent_id}'', ' || options || ')';
    INSERT INTO parent VALUES (1), (2);
    INSERT INTO child VALUES (1, 1), (2, 1), (3, 2);
    DELETE FROM parent WHERE id = 1;
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT string_agg(id || ':' || coalesce(parent_id::text, 'NULL'), ' ' ORDER BY id) INTO answer
      FROM child;
    -- undo it all
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN answer;
    WHEN foreign_key_violation OR restrict_violation THEN
        RETURN 'refused';
END
$$;
SELECT foreign_key,
       outcome(foreign_key, $$cascade => 'delete'$$) AS "delete",
       outcome(foreign_key, $$cascade => 'none'$$) AS nullify,
       outcome(foreign_key, $$cascade => 'none', nullify => false$$) AS passive
  FROM unnest(ARRAY[
      '',
      'REFERENCES parent',
      'REFERENCES parent DEFERRABLE',
      'REFERENCES parent DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON DELETE RESTRICT',
      'REFERENCES parent ON DELETE CASCADE',
      'REFERENCES parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON DELETE SET NULL',
      'REFERENCES parent ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED',
      'DEFAULT 2 REFERENCES parent ON DELETE SET DEFAULT'
  ]) AS foreign_key;
DROP FUNCTION outcome;

--
-- Through three levels, one statement a relationship whatever the number of
-- rows.  NO ACTION foreign keys everywhere.
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES authors);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer NOT NULL REFERENCES books);
CREATE TABLE notes (id integer PRIMARY KEY, page_id integer REFERENCES pages);
SELECT cascade.add_relationship('authors', 'books', 'all');
SELECT cascade.add_relationship('books', 'pages', 'all');
SELECT cascade.add_relationship('pages', 'notes');
INSERT INTO authors SELECT i FROM generate_series(1, 100) i;
INSERT INTO books SELECT i, (i + 1) / 2 FROM generate_series(1, 200) i;
INSERT INTO pages SELECT i, (i + 1) / 2 FROM generate_series(1, 400) i;
INSERT INTO notes SELECT i, (i + 1) / 2 FROM generate_series(1, 800) i;
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM authors WHERE id = 1;
DELETE FROM authors WHERE id BETWEEN 2 AND 50;
DELETE FROM authors;
\set VERBOSITY default
SET cascade.trace = off;
SELECT (SELECT count(*) FROM authors) AS authors,
       (SELECT count(*) FROM books) AS books,
       (SELECT count(*) FROM pages) AS pages,
       (SELECT count(*) FROM notes) AS notes,
       (SELECT count(page_id) FROM notes) AS pointing_notes;
DROP TABLE notes, pages, books, authors;

--
-- A foreign key from grandchild to parent that only the cascade's second
-- level clears
--
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a);
CREATE TABLE c (id integer PRIMARY KEY, b_id integer REFERENCES b, a_id integer REFERENCES a);
SELECT cascade.add_relationship('a', 'b', 'delete');
SELECT cascade.add_relationship('b', 'c', 'delete');
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1, 1), (2, 2, 2);
DELETE FROM a WHERE id = 1;
TABLE b;
TABLE c;
-- where it does not clear it, the foreign key refuses all
INSERT INTO c VALUES (3, NULL, 2);
SELECT try('DELETE FROM a WHERE id = 2');
TABLE a;
TABLE b;
TABLE c ORDER BY id;
DROP TABLE c, b, a;

--
-- The diamond: a -> b, a -> c, and a foreign key from c to b that no
-- relationship clears.  The order of the relationships does not matter.
--
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a);
CREATE TABLE c (id integer PRIMARY KEY, a_id integer REFERENCES a, b_id integer REFERENCES b);
SELECT cascade.add_relationship('a', 'b', 'delete', name => 'first');
SELECT cascade.add_relationship('a', 'c', 'delete', name => 'second');
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1, 1), (2, 2, 2);
DELETE FROM a WHERE id = 1;
TABLE b;
TABLE c;
SELECT cascade.drop_relationship('a', 'first');
SELECT cascade.drop_relationship('a', 'second');
SELECT cascade.add_relationship('a', 'c', 'delete', name => 'first');
SELECT cascade.add_relationship('a', 'b', 'delete', name => 'second');
DELETE FROM a WHERE id = 2;
TABLE b;
TABLE c;
DROP TABLE c, b, a;

-- the longer way round: d is reached through c only, and points to b
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a ON DELETE RESTRICT);
CREATE TABLE c (id integer PRIMARY KEY, a_id integer REFERENCES a ON DELETE RESTRICT);
CREATE TABLE d (
    id integer PRIMARY KEY,
    c_id integer REFERENCES c ON DELETE RESTRICT,
    b_id integer REFERENCES b ON DELETE RESTRICT
);
SELECT cascade.add_relationship('a', 'b', 'delete');
SELECT cascade.add_relationship('a', 'c', 'delete');
SELECT cascade.add_relationship('c', 'd', 'delete');
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1), (2, 2);
INSERT INTO d VALUES (1, 1, 1), (2, 2, 2);
DELETE FROM a WHERE id = 1;
TABLE b;
TABLE c;
TABLE d;
DROP TABLE d, c, b, a;

-- a row reached on both sides goes once
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a);
CREATE TABLE c (id integer PRIMARY KEY, a_id integer REFERENCES a);
CREATE TABLE d (id integer PRIMARY KEY, b_id integer REFERENCES b, c_id integer REFERENCES c);
SELECT cascade.add_relationship('a', 'b', 'delete');
SELECT cascade.add_relationship('a', 'c', 'delete');
SELECT cascade.add_relationship('b', 'd', 'delete');
SELECT cascade.add_relationship('c', 'd', 'delete');
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
INSERT INTO c VALUES (1, 1), (2, 2);
INSERT INTO d VALUES (1, 1, 1), (2, 2, 2), (3, 1, 2), (4, 2, 1), (5, NULL, NULL);
DELETE FROM a WHERE id = 1;
TABLE d ORDER BY id;
DROP TABLE d, c, b, a;

--
-- Relationships that share a key unite: delete wins over nullify, nullify
-- over nothing.  The order of the names does not matter.
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1), (2), (3), (4);
INSERT INTO books VALUES (1, 1), (2, 2), (3, 3), (4, 4);
SELECT cascade.add_relationship('authors', 'books', 'none', name => 'a');
SELECT cascade.add_relationship('authors', 'books', 'none', name => 'b', nullify => false);
DELETE FROM authors WHERE id = 1;
TABLE books ORDER BY id;
SELECT cascade.add_relationship('authors', 'books', 'delete', name => 'c');
DELETE FROM authors WHERE id = 2;
TABLE books ORDER BY id;
SELECT cascade.alter_relationship('authors', 'a', cascade => 'delete');
SELECT cascade.alter_relationship('authors', 'c', cascade => 'none', nullify => false);
DELETE FROM authors WHERE id = 3;
TABLE books ORDER BY id;
SELECT cascade.alter_relationship('authors', 'a', cascade => 'none', nullify => false);
SELECT try('DELETE FROM authors WHERE id = 4');
SELECT cascade.alter_relationship('authors', 'c', nullify => true);
DELETE FROM authors WHERE id = 4;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- Two keys to the same table: the row that one relationship deletes and the
-- other would nullify goes
--
CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE letters (
    id integer PRIMARY KEY,
    sender integer CONSTRAINT letters_sender REFERENCES people,
    receiver integer CONSTRAINT letters_receiver REFERENCES people
);
SELECT cascade.add_relationship('people', 'letters', 'all', name => 'sent', foreign_key => 'letters_sender');
SELECT cascade.add_relationship('people', 'letters', name => 'received', foreign_key => 'letters_receiver');
INSERT INTO people VALUES (1), (2), (3);
INSERT INTO letters VALUES (1, 1, 2), (2, 2, 1), (3, 1, 1), (4, 3, 2), (5, 3, 1), (6, 2, 3);
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM people WHERE id IN (1, 2);
\set VERBOSITY default
SET cascade.trace = off;
TABLE letters ORDER BY id;
DROP TABLE letters, people;

--
-- Two parents of one row, gone by different statements of one transaction
--
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE q (id integer PRIMARY KEY);
CREATE TABLE r (id integer PRIMARY KEY, p_id integer REFERENCES p, q_id integer REFERENCES q);
SELECT cascade.add_relationship('p', 'r', 'delete');
SELECT cascade.add_relationship('q', 'r');
INSERT INTO p VALUES (1);
INSERT INTO q VALUES (1);
INSERT INTO r VALUES (1, 1, 1), (2, NULL, 1), (3, NULL, NULL);
BEGIN;
DELETE FROM q;
TABLE r ORDER BY id;
DELETE FROM p;
TABLE r ORDER BY id;
COMMIT;
DROP TABLE r, q, p;

--
-- Native actions on the way: what they delete cascades on, and they go on
-- from what a cascade deletes
--
CREATE TABLE regions (id integer PRIMARY KEY);
CREATE TABLE authors (id integer PRIMARY KEY, region_id integer REFERENCES regions ON DELETE CASCADE);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES authors);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer NOT NULL REFERENCES books ON DELETE CASCADE);
CREATE TABLE notes (id integer PRIMARY KEY, page_id integer REFERENCES pages);
SELECT cascade.add_relationship('authors', 'books', 'delete');
SELECT cascade.add_relationship('pages', 'notes');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    TRUNCATE regions, authors, books, pages, notes;
    INSERT INTO regions SELECT i FROM generate_series(1, 3) i;
    INSERT INTO authors SELECT i, i % 3 + 1 FROM generate_series(1, 9) i;
    INSERT INTO books SELECT i, i % 9 + 1 FROM generate_series(1, 18) i;
    INSERT INTO pages SELECT i, i % 18 + 1 FROM generate_series(1, 36) i;
    INSERT INTO notes SELECT i, i % 36 + 1 FROM generate_series(1, 36) i;
$$;
CREATE VIEW counts AS
    SELECT (SELECT count(*) FROM regions) AS regions,
           (SELECT count(*) FROM authors) AS authors,
           (SELECT count(*) FROM books) AS books,
           (SELECT count(*) FROM pages) AS pages,
           (SELECT count(page_id) FROM notes) AS pointing_notes;
CALL fill();
DELETE FROM regions WHERE id = 1;
TABLE counts;
DELETE FROM regions;
TABLE counts;
SELECT count(*) FROM notes;
-- a native action of a deferred foreign key does not wait for commit
CALL fill();
ALTER TABLE authors ALTER CONSTRAINT authors_region_id_fkey DEFERRABLE INITIALLY DEFERRED;
BEGIN;
DELETE FROM regions WHERE id <= 2;
TABLE counts;
COMMIT;
TABLE counts;
DROP PROCEDURE fill;
DROP VIEW counts;
DROP TABLE notes, pages, books, authors, regions;

--
-- A child key that the server generates can go with its parent
--
CREATE TABLE authors (slug text PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author text, slug text GENERATED ALWAYS AS (lower(author)) STORED);
SELECT cascade.add_relationship('authors', 'books', 'delete', direction => 'one-to-many',
    source_columns => '{slug}', target_columns => '{slug}');
INSERT INTO authors VALUES ('jane'), ('john');
INSERT INTO books VALUES (1, 'Jane'), (2, 'JOHN');
DELETE FROM authors WHERE slug = 'jane';
TABLE books;
DROP TABLE books, authors;

--
-- Inheritance children are not followed, on neither side, as with foreign keys
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE poets () INHERITS (authors);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
CREATE TABLE poems () INHERITS (books);
SELECT cascade.add_relationship('authors', 'books', 'all',
    source_columns => '{id}', target_columns => '{author_id}');
INSERT INTO authors VALUES (1), (2);
INSERT INTO poets VALUES (3);
INSERT INTO books VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO poems VALUES (4, 1), (5, 3);
\set QUIET off
DELETE FROM authors WHERE id IN (1, 3);
\set QUIET on
SELECT tableoid::regclass, * FROM books ORDER BY id;
UPDATE authors SET id = 20;
SELECT tableoid::regclass, * FROM books ORDER BY id;
DROP TABLE poems, books, poets, authors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA delete_test CASCADE;

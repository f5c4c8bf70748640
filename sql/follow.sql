--
-- follow: children follow a changed key (save-update)
--
CREATE SCHEMA follow_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = follow_test, helper;

--
-- One key, many keys
--
CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John'), (3, 'Jack');
INSERT INTO books VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, NULL);
SELECT cascade.add_relationship('authors', 'books');
TABLE books ORDER BY id;
\set QUIET off
UPDATE authors SET id = 10 WHERE id = 1;
\set QUIET on
TABLE books ORDER BY id;
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE authors SET id = id + 100;
-- no key changed, nothing done
UPDATE authors SET name = upper(name);
UPDATE authors SET id = id;
\set VERBOSITY default
SET cascade.trace = off;
TABLE books ORDER BY id;

-- a key that a BEFORE trigger changes is changed, too
CREATE FUNCTION round_up() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.id := NEW.id + 1000;
    RETURN NEW;
END
$$;
CREATE TRIGGER round_up BEFORE UPDATE ON authors
    FOR EACH ROW EXECUTE FUNCTION round_up();
UPDATE authors SET name = lower(name) WHERE id = 102;
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
DROP TRIGGER round_up ON authors;

-- there and back within one transaction
BEGIN;
UPDATE authors SET id = 7 WHERE id = 110;
UPDATE authors SET id = 8 WHERE id = 7;
UPDATE authors SET id = 110 WHERE id = 8;
COMMIT;
TABLE books ORDER BY id;

-- follow_keys => false, or no save-update: the foreign key decides
SELECT cascade.alter_relationship('authors', 'books', follow_keys => false);
SELECT try('UPDATE authors SET id = 1 WHERE id = 110');
SELECT cascade.alter_relationship('authors', 'books', follow_keys => true, cascade => 'merge');
SELECT try('UPDATE authors SET id = 1 WHERE id = 110');
SELECT cascade.drop_relationship('authors', 'books');
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey,
    ADD FOREIGN KEY (author_id) REFERENCES authors ON UPDATE SET NULL;
SELECT cascade.add_relationship('authors', 'books', 'delete');
UPDATE authors SET id = 1 WHERE id = 110;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- Keys that change places: every child follows its own parent, whatever
-- other rows the new key belonged to
--
CREATE TABLE authors (id integer UNIQUE DEFERRABLE, name text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John'), (3, 'Jack');
INSERT INTO books VALUES (1, 1), (2, 1), (3, 2), (4, 3);
SELECT cascade.add_relationship('authors', 'books',
    source_columns => '{id}', target_columns => '{author_id}');
CREATE VIEW written AS
    SELECT name, array_agg(b.id ORDER BY b.id) AS books
      FROM authors a LEFT JOIN books b ON b.author_id = a.id
     GROUP BY name;
SELECT * FROM written ORDER BY name;
-- two keys
UPDATE authors SET id = 3 - id WHERE id IN (1, 2);
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
SELECT * FROM written ORDER BY name;
-- three keys
UPDATE authors SET id = id % 3 + 1;
TABLE authors ORDER BY id;
SELECT * FROM written ORDER BY name;
-- a shift
UPDATE authors SET id = id + 1;
TABLE authors ORDER BY id;
SELECT * FROM written ORDER BY name;
UPDATE authors SET id = id - 1;
SELECT * FROM written ORDER BY name;
-- the last key's place is taken within the same transaction
BEGIN;
UPDATE authors SET id = 9 WHERE id = 1;
UPDATE authors SET id = 1 WHERE id = 2;
COMMIT;
TABLE authors ORDER BY id;
SELECT * FROM written ORDER BY name;

-- a shift under a primary key and a foreign key, possible because of the
-- order in which the rows are found
CREATE TABLE readers (id integer PRIMARY KEY);
CREATE TABLE loans (id integer PRIMARY KEY, reader_id integer REFERENCES readers);
INSERT INTO readers VALUES (3), (2), (1);
INSERT INTO loans VALUES (1, 1), (2, 2), (3, 3);
SELECT cascade.add_relationship('readers', 'loans');
UPDATE readers SET id = id + 1;
TABLE loans ORDER BY id;
DROP TABLE loans, readers;

--
-- A key that becomes NULL takes the children along, as ON UPDATE CASCADE
-- does; coming back it finds none
--
UPDATE authors SET id = NULL WHERE id = 9;
TABLE books ORDER BY id;
UPDATE authors SET id = 9 WHERE id IS NULL;
TABLE books ORDER BY id;
DROP VIEW written;
DROP TABLE books, authors;

--
-- Several columns follow as a whole
--
CREATE TABLE authors (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE books (
    id integer PRIMARY KEY,
    tenant integer,
    author_id integer,
    FOREIGN KEY (tenant, author_id) REFERENCES authors
);
INSERT INTO authors VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO books VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL), (5, NULL, 1);
SELECT cascade.add_relationship('authors', 'books');
UPDATE authors SET id = 11 WHERE tenant = 1 AND id = 1;
TABLE books ORDER BY id;
UPDATE authors SET tenant = 3 WHERE tenant = 1 AND id = 2;
TABLE books ORDER BY id;
UPDATE authors SET tenant = tenant + 10, id = id + 10;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- A key that the server generates changes with the columns it is made of
--
CREATE TABLE authors (
    id integer PRIMARY KEY,
    name text,
    slug text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE
);
CREATE TABLE books (id integer PRIMARY KEY, author text REFERENCES authors (slug));
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 'jane'), (2, 'john');
SELECT cascade.add_relationship('authors', 'books', 'all');
UPDATE authors SET name = 'Joan' WHERE id = 1;
TABLE books ORDER BY id;
DELETE FROM authors WHERE id = 2;
TABLE books ORDER BY id;
DROP TABLE books, authors;

-- columns that were dropped before the key's do not shift it
CREATE TABLE authors (gone text, id integer PRIMARY KEY, gone2 text);
CREATE TABLE books (gone text, gone2 text, id integer PRIMARY KEY, author_id integer REFERENCES authors);
ALTER TABLE authors DROP gone;
ALTER TABLE books DROP gone;
SELECT cascade.add_relationship('authors', 'books', 'all');
ALTER TABLE authors DROP gone2, ADD name text;
ALTER TABLE books DROP gone2, ADD title text;
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 1, 'One'), (2, 2, 'Two');
UPDATE authors SET id = 10 WHERE id = 1;
DELETE FROM authors WHERE id = 2;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- On through foreign keys that are part of primary keys
--
CREATE TABLE orders (id integer PRIMARY KEY);
CREATE TABLE lines (order_id integer REFERENCES orders, line integer, PRIMARY KEY (order_id, line));
CREATE TABLE parts (
    order_id integer,
    line integer,
    part integer,
    PRIMARY KEY (order_id, line, part),
    FOREIGN KEY (order_id, line) REFERENCES lines
);
INSERT INTO orders VALUES (1), (2);
INSERT INTO lines VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO parts VALUES (1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1);
SELECT cascade.add_relationship('orders', 'lines');
SELECT cascade.add_relationship('lines', 'parts');
SET cascade.trace = on;
\set VERBOSITY terse
UPDATE orders SET id = id + 10;
\set VERBOSITY default
SET cascade.trace = off;
TABLE lines ORDER BY order_id, line;
TABLE parts ORDER BY order_id, line, part;
UPDATE lines SET line = 3 WHERE order_id = 11 AND line = 2;
TABLE parts ORDER BY order_id, line, part;

-- the diamond: parts hang on their order, too, and reach it both ways
ALTER TABLE parts ADD FOREIGN KEY (order_id) REFERENCES orders;
SELECT cascade.add_relationship('orders', 'parts');
UPDATE orders SET id = id - 10;
TABLE lines ORDER BY order_id, line;
TABLE parts ORDER BY order_id, line, part;
-- without the step from lines to parts, the foreign key between those two
-- still finds everything in its new place
SELECT cascade.drop_relationship('lines', 'parts');
UPDATE orders SET id = id + 20;
TABLE lines ORDER BY order_id, line;
TABLE parts ORDER BY order_id, line, part;
DROP TABLE parts, lines, orders;

--
-- One child table, two keys: both follow, the same row twice if need be
--
CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE letters (
    id integer PRIMARY KEY,
    sender integer CONSTRAINT letters_sender REFERENCES people,
    receiver integer CONSTRAINT letters_receiver REFERENCES people
);
SELECT cascade.add_relationship('people', 'letters', name => 'sent', foreign_key => 'letters_sender');
SELECT cascade.add_relationship('people', 'letters', name => 'received', foreign_key => 'letters_receiver');
INSERT INTO people VALUES (1), (2);
INSERT INTO letters VALUES (1, 1, 2), (2, 1, 1), (3, 2, 2);
UPDATE people SET id = id + 10;
TABLE letters ORDER BY id;
DROP TABLE letters, people;

--
-- Beside a foreign key of any action and timing
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
    UPDATE parent SET id = 10 WHERE id = 1;
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
       outcome(foreign_key, $$cascade => 'save-update'$$) AS "save-update",
       outcome(foreign_key, $$cascade => 'all'$$) AS "all",
       outcome(foreign_key, $$cascade => 'delete'$$) AS "delete",
       outcome(foreign_key, $$cascade => 'all', follow_keys => false$$) AS not_followed
  FROM unnest(ARRAY[
      '',
      'REFERENCES parent',
      'REFERENCES parent DEFERRABLE',
      'REFERENCES parent DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON UPDATE RESTRICT',
      'REFERENCES parent ON UPDATE CASCADE',
      'REFERENCES parent ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'REFERENCES parent ON UPDATE SET NULL',
      'REFERENCES parent ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED',
      'DEFAULT 2 REFERENCES parent ON UPDATE SET DEFAULT'
  ]) AS foreign_key;
DROP FUNCTION outcome;

--
-- Relationships that share a key: one of them follows, that is enough
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1);
INSERT INTO books VALUES (1, 1);
SELECT cascade.add_relationship('authors', 'books', 'none', name => 'a');
SELECT cascade.add_relationship('authors', 'books', 'save-update', name => 'b');
SELECT cascade.add_relationship('authors', 'books', 'save-update', name => 'c', follow_keys => false);
UPDATE authors SET id = 2;
TABLE books;
DROP TABLE books, authors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA follow_test CASCADE;

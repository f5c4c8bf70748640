--
-- statements: every way to write rows counts
--
CREATE SCHEMA statements_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = statements_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors, title text);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan', propagate => '{"name": "title"}');

CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM books;
    DELETE FROM authors;
    INSERT INTO authors SELECT i, 'name ' || i FROM generate_series(1, 4) i;
    INSERT INTO books SELECT i, (i + 1) / 2, 'title ' || i FROM generate_series(1, 8) i;
$$;
CREATE VIEW state AS
    SELECT coalesce(author_id::text, 'NULL') AS author, array_agg(id ORDER BY id) AS books
      FROM books
     GROUP BY author_id
     ORDER BY author_id;
CALL fill();
TABLE state;

--
-- DELETE ... USING, UPDATE ... FROM, RETURNING
--
DELETE FROM authors USING books WHERE authors.id = author_id AND books.id = 1 RETURNING authors.*;
UPDATE authors SET id = authors.id * 10 FROM books WHERE authors.id = author_id AND books.id = 4 RETURNING authors.*;
WITH detached AS (
    UPDATE books SET author_id = NULL FROM authors WHERE authors.id = author_id AND authors.id = 3 RETURNING books.*
)
SELECT * FROM detached ORDER BY id;
TABLE state;

--
-- INSERT ... ON CONFLICT DO UPDATE
--
CALL fill();
INSERT INTO authors VALUES (1, 'Jane'), (5, 'new')
    ON CONFLICT (id) DO UPDATE SET id = authors.id + 10, name = excluded.name;
TABLE state;
INSERT INTO books VALUES (3, 4, 'detached'), (5, 4, 'moved'), (9, 4, 'new'), (10, NULL, 'new')
    ON CONFLICT (id) DO UPDATE SET author_id = CASE books.id WHEN 3 THEN NULL ELSE excluded.author_id END,
                                   title = excluded.title;
TABLE state;
INSERT INTO authors VALUES (2, 'not this one') ON CONFLICT DO NOTHING;
TABLE state;

--
-- MERGE
--
CALL fill();
MERGE INTO authors a
USING (VALUES (1, 'delete'), (2, 'key'), (3, 'none'), (9, 'insert')) AS s (id, what)
   ON a.id = s.id
 WHEN MATCHED AND what = 'delete' THEN DELETE
 WHEN MATCHED AND what = 'key' THEN UPDATE SET id = a.id * 10
 WHEN MATCHED THEN DO NOTHING
 WHEN NOT MATCHED THEN INSERT VALUES (s.id, what);
TABLE authors ORDER BY id;
TABLE state;
MERGE INTO books b
USING (VALUES (3, NULL), (5, 4), (7, NULL)) AS s (id, author_id)
   ON b.id = s.id
 WHEN MATCHED AND b.id = 7 THEN DELETE
 WHEN MATCHED THEN UPDATE SET author_id = s.author_id;
TABLE state;

--
-- A key that is deleted and inserted again by one statement keeps its
-- children
--
CALL fill();
WITH gone AS (DELETE FROM authors WHERE id IN (1, 2) RETURNING *)
INSERT INTO authors SELECT id, 'again' FROM gone WHERE id = 1;
TABLE authors ORDER BY id;
TABLE state;
-- with another row's changed key in its place
WITH gone AS (DELETE FROM authors WHERE id = 1 RETURNING *)
UPDATE authors SET id = gone.id FROM gone WHERE authors.id = 4;
TABLE authors ORDER BY id;
TABLE state;
-- the same by MERGE, where no unique index has a say in the order
CREATE TABLE singers (id integer, name text);
CREATE TABLE songs (id integer PRIMARY KEY, singer_id integer);
INSERT INTO singers VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO songs VALUES (1, 1), (2, 1), (3, 2), (4, 3);
SELECT cascade.add_relationship('singers', 'songs', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{singer_id}');
MERGE INTO singers s
USING (VALUES (1, 1, 'delete'), (NULL, 1, 'insert'), (2, 2, 'delete')) AS v (match, id, name)
   ON s.id = v.match
 WHEN MATCHED THEN DELETE
 WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.name);
TABLE singers ORDER BY id;
TABLE songs ORDER BY id;
-- it does not matter which kind of statement puts the key back
BEGIN;
WITH back AS (INSERT INTO singers VALUES (1, 'back') RETURNING id)
DELETE FROM singers WHERE id = 1;
TABLE singers ORDER BY id;
TABLE songs ORDER BY id;
COMMIT;
-- two statements are two statements
BEGIN;
DELETE FROM singers WHERE id = 1;
INSERT INTO singers VALUES (1, 'too late');
COMMIT;
TABLE songs ORDER BY id;
DROP TABLE songs, singers;

--
-- COPY
--
COPY authors FROM stdin;
7	seven
8	eight
\.
COPY books FROM stdin;
70	7	seventy
71	\N	no author
\.
TABLE authors ORDER BY id;
TABLE state;
-- COPY of a deletion
COPY (SELECT 1) TO stdout;
COPY (DELETE FROM authors WHERE id = 7 RETURNING id) TO stdout;
TABLE state;

--
-- Writable CTEs: several statements on one table, and on parent and child
--
CALL fill();
WITH one AS (DELETE FROM authors WHERE id = 1),
     two AS (DELETE FROM authors WHERE id = 2),
     three AS (UPDATE authors SET id = 30 WHERE id = 3)
SELECT count(*) FROM authors;
TABLE authors ORDER BY id;
TABLE state;
CALL fill();
WITH parents AS (DELETE FROM authors WHERE id = 1 RETURNING id),
     children AS (DELETE FROM books WHERE id IN (1, 3) RETURNING id),
     detached AS (UPDATE books SET author_id = NULL WHERE id IN (5, 6))
SELECT (SELECT count(*) FROM parents) AS parents, (SELECT count(*) FROM children) AS children;
TABLE state;
-- a child that is pointed elsewhere by the statement that deletes its parent
CALL fill();
WITH saved AS (UPDATE books SET author_id = 2 WHERE id = 1)
DELETE FROM authors WHERE id = 1;
TABLE state;
-- a child that is inserted by the statement that deletes its parent
WITH born AS (INSERT INTO books VALUES (20, 2, 'twenty'))
DELETE FROM authors WHERE id = 2;
TABLE state;

--
-- An updatable view
--
CALL fill();
CREATE VIEW writers AS SELECT id AS nr, name AS called FROM authors WHERE id <> 4;
CREATE VIEW works AS SELECT id AS nr, author_id AS writer FROM books;
DELETE FROM writers WHERE nr IN (1, 4);
UPDATE writers SET nr = 20, called = 'title 3' WHERE nr = 2;
UPDATE works SET writer = NULL WHERE nr = 5;
TABLE authors ORDER BY id;
TABLE state;

--
-- WHERE CURRENT OF
--
CALL fill();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM authors ORDER BY id FOR UPDATE;
FETCH c;
DELETE FROM authors WHERE CURRENT OF c;
FETCH c;
UPDATE authors SET id = 20 WHERE CURRENT OF c;
CLOSE c;
DECLARE d CURSOR FOR SELECT id FROM books WHERE id = 5 FOR UPDATE;
FETCH d;
UPDATE books SET author_id = NULL WHERE CURRENT OF d;
COMMIT;
TABLE state;
-- a cursor that is open while the cascade takes the rows away before it
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM books ORDER BY id;
FETCH c;
DELETE FROM authors WHERE id = 4;
FETCH ALL c;
COMMIT;
TABLE state;

--
-- Prepared statements, with generic and custom plans
--
CALL fill();
PREPARE remove (integer) AS DELETE FROM authors WHERE id = $1;
PREPARE rekey (integer, integer) AS UPDATE authors SET id = $2 WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE rekey(1, 10);
EXECUTE remove(2);
SET plan_cache_mode = force_custom_plan;
EXECUTE rekey(10, 11);
EXECUTE remove(3);
RESET plan_cache_mode;
TABLE state;
-- the tables change under the plans
ALTER TABLE books ADD COLUMN subtitle text DEFAULT 'none';
CREATE INDEX ON books (author_id);
EXECUTE rekey(11, 12);
TABLE state;
EXECUTE remove(12);
TABLE state;
ALTER TABLE books DROP COLUMN subtitle;

--
-- From functions and from other triggers
--
CALL fill();
CREATE FUNCTION prune(integer[]) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    nr integer;
    n integer;
    total integer := 0;
BEGIN
    FOREACH nr IN ARRAY $1 LOOP
        DELETE FROM authors WHERE id = nr;
        GET DIAGNOSTICS n = ROW_COUNT;
        total := total + n;
        -- the cascade is done when the statement is
        IF EXISTS (SELECT FROM books WHERE author_id = nr) THEN
            RAISE EXCEPTION 'author % still has books', nr;
        END IF;
    END LOOP;
    RETURN total;
END
$$;
SELECT prune('{1, 3, 5}');
TABLE state;
-- called for each row of a query
SELECT id, prune(ARRAY[id]) FROM (VALUES (2), (4)) AS v (id);
TABLE state;
-- and for rows of the very tables
CALL fill();
SELECT id, prune(ARRAY[id + 1]) FROM authors WHERE id % 2 = 1 ORDER BY id;
TABLE state;

-- by the condition of a statement that deletes from the same table, between
-- its rows
CALL fill();
DELETE FROM authors WHERE id % 2 = 1 AND prune(ARRAY[id + 1]) = 1;
TABLE authors;
TABLE state;
CALL fill();
UPDATE authors SET id = id + 10 WHERE id % 2 = 1 AND prune(ARRAY[id + 1]) = 1;
TABLE state;
-- and by what it returns
CALL fill();
WITH gone AS (DELETE FROM authors WHERE id % 2 = 1 RETURNING id, prune(ARRAY[id + 1]))
SELECT * FROM gone ORDER BY id;
TABLE authors;
TABLE state;

CREATE TABLE retirements (author_id integer, successor integer);
CREATE FUNCTION retire() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.successor IS NULL THEN
        DELETE FROM authors WHERE id = NEW.author_id;
    ELSE
        UPDATE authors SET id = NEW.successor WHERE id = NEW.author_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER retire AFTER INSERT ON retirements
    FOR EACH ROW EXECUTE FUNCTION retire();
CALL fill();
INSERT INTO retirements VALUES (1, NULL), (2, 1), (3, 5);
TABLE authors ORDER BY id;
TABLE state;

-- a trigger of the parent that deletes other parents, and so on
CREATE FUNCTION next_one() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM authors WHERE id = OLD.id + 1;
    RETURN OLD;
END
$$;
CALL fill();
CREATE TRIGGER next_one AFTER DELETE ON authors
    FOR EACH ROW EXECUTE FUNCTION next_one();
DELETE FROM authors WHERE id = 2;
TABLE authors ORDER BY id;
TABLE state;
DROP TRIGGER next_one ON authors;
CALL fill();
CREATE TRIGGER next_one BEFORE DELETE ON authors
    FOR EACH ROW EXECUTE FUNCTION next_one();
DELETE FROM authors WHERE id = 2;
TABLE authors ORDER BY id;
TABLE state;
DROP TRIGGER next_one ON authors;

-- a trigger of the child that deletes its siblings' parents
CREATE FUNCTION next_author() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM authors WHERE id = OLD.author_id + 1;
    RETURN OLD;
END
$$;
CALL fill();
CREATE TRIGGER next_author BEFORE DELETE ON books
    FOR EACH ROW EXECUTE FUNCTION next_author();
DELETE FROM authors WHERE id = 3;
TABLE authors ORDER BY id;
TABLE state;
DELETE FROM authors WHERE id = 1;
TABLE authors;
TABLE state;
DROP TRIGGER next_author ON books;

-- a rule that turns one statement into two
CREATE RULE also AS ON INSERT TO retirements DO ALSO DELETE FROM authors WHERE id = NEW.author_id + 1;
CALL fill();
INSERT INTO retirements VALUES (1, NULL);
TABLE state;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA statements_test CASCADE;

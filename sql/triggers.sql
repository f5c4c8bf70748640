--
-- triggers: the user's own triggers fire as they do with a native foreign
-- key's actions.  Each test has a native twin, and their logs are compared.
--
CREATE SCHEMA triggers_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = triggers_test, helper;

CREATE TABLE log (twin text, event text, old text, new text);
CREATE FUNCTION note() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    old_row text;
    new_row text;
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        old_row := CASE WHEN TG_OP <> 'INSERT' THEN OLD::text END;
        new_row := CASE WHEN TG_OP <> 'DELETE' THEN NEW::text END;
    ELSIF TG_NAME = 'old_table' THEN
        old_row := (SELECT string_agg(o::text, ' ' ORDER BY o::text) FROM old_rows o);
    ELSIF TG_NAME = 'both_tables' THEN
        old_row := (SELECT string_agg(o::text, ' ' ORDER BY o::text) FROM old_rows o);
        new_row := (SELECT string_agg(n::text, ' ' ORDER BY n::text) FROM new_rows n);
    END IF;
    INSERT INTO log VALUES (replace(TG_TABLE_NAME, '_child', ''),
                            concat_ws(' ', TG_WHEN, TG_OP, TG_LEVEL, TG_NAME), old_row, new_row);
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
CREATE PROCEDURE make_twins(native_action text, cascade text)
LANGUAGE plpgsql
AS $$
DECLARE
    twin text;
BEGIN
    IF to_regclass('ours_parent') IS NOT NULL THEN
        DROP TABLE native_child, native_parent, ours_child, ours_parent;
    END IF;
    DELETE FROM log;
    FOREACH twin IN ARRAY ARRAY['native', 'ours'] LOOP
        EXECUTE format($sql$
            CREATE TABLE %1$s_parent (id integer PRIMARY KEY);
            CREATE TABLE %1$s_child (id integer PRIMARY KEY, parent_id integer REFERENCES %1$s_parent %2$s, note text);
            INSERT INTO %1$s_parent VALUES (1), (2), (3), (4);
            INSERT INTO %1$s_child VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, NULL);
            CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON %1$s_child
                FOR EACH ROW EXECUTE FUNCTION note();
            CREATE TRIGGER after_row AFTER INSERT OR UPDATE OR DELETE ON %1$s_child
                FOR EACH ROW EXECUTE FUNCTION note();
            CREATE TRIGGER key_only AFTER UPDATE OF parent_id ON %1$s_child
                FOR EACH ROW EXECUTE FUNCTION note();
            CREATE TRIGGER note_only AFTER UPDATE OF note ON %1$s_child
                FOR EACH ROW EXECUTE FUNCTION note();
            CREATE TRIGGER condition AFTER UPDATE ON %1$s_child
                FOR EACH ROW WHEN (OLD.parent_id = 1 AND NEW.parent_id IS DISTINCT FROM 1) EXECUTE FUNCTION note();
            CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE OR DELETE ON %1$s_child
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
            CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE OR DELETE ON %1$s_child
                FOR EACH STATEMENT EXECUTE FUNCTION note();
            CREATE TRIGGER after_statement AFTER INSERT OR UPDATE OR DELETE ON %1$s_child
                FOR EACH STATEMENT EXECUTE FUNCTION note();
            CREATE TRIGGER old_table AFTER DELETE ON %1$s_child REFERENCING OLD TABLE AS old_rows
                FOR EACH STATEMENT EXECUTE FUNCTION note();
            CREATE TRIGGER both_tables AFTER UPDATE ON %1$s_child REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION note();
            $sql$, twin, CASE twin WHEN 'native' THEN native_action END);
    END LOOP;
    PERFORM cascade.add_relationship('ours_parent', 'ours_child', cascade);
END
$$;
CREATE VIEW differences AS
    (SELECT 'native only' AS side, event, old, new FROM log WHERE twin = 'native'
     EXCEPT ALL
     SELECT 'native only', event, old, new FROM log WHERE twin = 'ours')
    UNION ALL
    (SELECT 'ours only', event, old, new FROM log WHERE twin = 'ours'
     EXCEPT ALL
     SELECT 'ours only', event, old, new FROM log WHERE twin = 'native');

SET client_min_messages = warning;
-- delete: one key, then several
CALL make_twins('ON DELETE CASCADE', 'delete');
RESET client_min_messages;
DELETE FROM native_parent WHERE id = 1;
DELETE FROM ours_parent WHERE id = 1;
SELECT event, old, new FROM log WHERE twin = 'ours' ORDER BY event COLLATE "C", old COLLATE "C";
SELECT * FROM differences ORDER BY side, event COLLATE "C", old COLLATE "C";
DELETE FROM log;
BEGIN;
DELETE FROM native_parent;
DELETE FROM ours_parent;
COMMIT;
SELECT event, old, new FROM log WHERE twin = 'ours' ORDER BY event COLLATE "C", old COLLATE "C";
SELECT * FROM differences ORDER BY side, event COLLATE "C", old COLLATE "C";

-- nullify
CALL make_twins('ON DELETE SET NULL', 'none');
DELETE FROM native_parent WHERE id IN (1, 2);
DELETE FROM ours_parent WHERE id IN (1, 2);
SELECT event, old, new FROM log WHERE twin = 'ours' ORDER BY event COLLATE "C", old COLLATE "C";
SELECT * FROM differences ORDER BY side, event COLLATE "C", old COLLATE "C";

-- follow
CALL make_twins('ON UPDATE CASCADE', 'save-update');
UPDATE native_parent SET id = id + 10 WHERE id IN (1, 2);
UPDATE ours_parent SET id = id + 10 WHERE id IN (1, 2);
SELECT event, old, new FROM log WHERE twin = 'ours' ORDER BY event COLLATE "C", old COLLATE "C";
SELECT * FROM differences ORDER BY side, event COLLATE "C", old COLLATE "C";

-- triggers that are switched off stay off
CALL make_twins('ON DELETE CASCADE', 'delete');
ALTER TABLE native_child DISABLE TRIGGER before_row, DISABLE TRIGGER old_table;
ALTER TABLE ours_child DISABLE TRIGGER before_row, DISABLE TRIGGER old_table;
DELETE FROM native_parent;
DELETE FROM ours_parent;
SELECT count(*) FILTER (WHERE event LIKE '%before_row'), count(*) FROM log WHERE twin = 'ours';
SELECT * FROM differences ORDER BY side, event COLLATE "C", old COLLATE "C";
DROP TABLE native_child, native_parent, ours_child, ours_parent;

--
-- The triggers' own view of things: the cascade is done before the parent's
-- AFTER STATEMENT triggers, and has not begun in its BEFORE triggers
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer REFERENCES authors);
INSERT INTO authors VALUES (1), (2), (3), (4), (5);
INSERT INTO books VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
SELECT cascade.add_relationship('authors', 'books', 'all');
CREATE FUNCTION tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE NOTICE '% %: % books', TG_WHEN, TG_LEVEL, (SELECT count(*) FROM books);
    RETURN OLD;
END
$$;
CREATE TRIGGER a BEFORE DELETE ON authors FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER b BEFORE DELETE ON authors FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER c AFTER DELETE ON authors FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER zzz AFTER DELETE ON authors FOR EACH ROW EXECUTE FUNCTION tell();
DELETE FROM authors WHERE id = 1;
DROP TRIGGER a ON authors;
DROP TRIGGER b ON authors;
DROP TRIGGER c ON authors;
DROP TRIGGER zzz ON authors;

--
-- A BEFORE trigger of the parent that keeps the row: no cascade for it
--
CREATE FUNCTION keep() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF OLD.id % 2 = 0 THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON authors FOR EACH ROW EXECUTE FUNCTION keep();
\set QUIET off
DELETE FROM authors WHERE id IN (2, 3);
UPDATE authors SET id = id + 10 WHERE id IN (4, 5);
\set QUIET on
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
DROP TRIGGER keep ON authors;

--
-- A BEFORE trigger of the child that keeps the row: the foreign key refuses,
-- and where there is none the row stays
--
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON books FOR EACH ROW EXECUTE FUNCTION keep();
SELECT try('DELETE FROM authors WHERE id IN (4, 15)');
SELECT try('UPDATE authors SET id = id + 10 WHERE id IN (4, 15)');
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
SELECT cascade.drop_relationship('authors', 'books');
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey;
SELECT cascade.add_relationship('authors', 'books', 'all',
    source_columns => '{id}', target_columns => '{author_id}');
UPDATE authors SET id = id + 100;
TABLE books ORDER BY id;
DELETE FROM authors;
TABLE books ORDER BY id;
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (21, 1), (22, 2);
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
DELETE FROM authors;
TABLE books ORDER BY id;
-- an orphan that a trigger keeps stays
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
DROP TRIGGER keep ON books;
CREATE TRIGGER keep BEFORE DELETE ON books FOR EACH ROW EXECUTE FUNCTION keep();
INSERT INTO authors VALUES (1);
INSERT INTO books VALUES (11, 1), (12, 1);
UPDATE books SET author_id = NULL WHERE id > 10;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- A BEFORE trigger of the child that changes what the cascade writes
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, changes integer DEFAULT 0);
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 2);
SELECT cascade.add_relationship('authors', 'books', source_columns => '{id}', target_columns => '{author_id}');
CREATE FUNCTION count_up() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.changes := NEW.changes + 1;
    IF NEW.author_id IS NULL THEN
        NEW.author_id := 99;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_up BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION count_up();
UPDATE authors SET id = 10 WHERE id = 1;
DELETE FROM authors WHERE id = 2;
TABLE books ORDER BY id;
-- a trigger that detaches makes orphans, and one that attaches saves them
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
UPDATE books SET author_id = NULL WHERE id = 2;
TABLE books ORDER BY id;
DROP TRIGGER count_up ON books;
CREATE FUNCTION let_go() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.changes > 5 THEN
        NEW.author_id := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER let_go BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION let_go();
UPDATE books SET changes = 6 WHERE id = 1;
TABLE books ORDER BY id;
-- the same for a key that is NOT NULL: whatever the triggers' names
ALTER TABLE books ALTER author_id SET NOT NULL;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
ALTER TRIGGER let_go ON books RENAME TO zzz;
INSERT INTO books VALUES (3, 10), (4, 10);
UPDATE books SET changes = 6 WHERE id = 3;
TABLE books ORDER BY id;
ALTER TRIGGER zzz ON books RENAME TO "AAA";
UPDATE books SET changes = 6 WHERE id = 4;
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- An exception that a trigger of the child catches takes back what was done
-- inside its block, and that only
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES authors);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer NOT NULL REFERENCES books);
CREATE TABLE fans (id integer PRIMARY KEY, author_id integer REFERENCES authors);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'pages', 'all');
SELECT cascade.add_relationship('authors', 'fans');
INSERT INTO authors VALUES (1), (2), (3);
INSERT INTO books VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO pages VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO fans VALUES (1, 1), (2, 2), (3, 3);
CREATE FUNCTION try_and_fail() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    BEGIN
        DELETE FROM authors WHERE id = 2;
        UPDATE authors SET id = 30 WHERE id = 3;
        UPDATE books SET author_id = NULL WHERE id = 3;
        RAISE EXCEPTION 'no: % books left', (SELECT count(*) FROM books);
    EXCEPTION WHEN raise_exception THEN
        RAISE NOTICE '%', SQLERRM;
    END;
    RETURN OLD;
END
$$;
CREATE TRIGGER try_and_fail AFTER DELETE ON pages FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION try_and_fail();
DELETE FROM authors WHERE id = 1;
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
TABLE fans ORDER BY id;
-- a statement that fails half-way leaves nothing for the next one
DROP TRIGGER try_and_fail ON pages;
INSERT INTO authors VALUES (4), (5), (6);
INSERT INTO books VALUES (4, 4), (5, 5), (6, 6);
CREATE FUNCTION stop() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'stopped at author %', OLD.id;
END
$$;
CREATE TRIGGER stop BEFORE UPDATE OR DELETE ON authors FOR EACH ROW WHEN (OLD.id = 6) EXECUTE FUNCTION stop();
BEGIN;
SAVEPOINT s;
\set VERBOSITY sqlstate
DELETE FROM authors WHERE id > 3;  -- fails
ROLLBACK TO s;
UPDATE authors SET id = id + 10 WHERE id > 3;  -- fails
\set VERBOSITY default
ROLLBACK TO s;
DELETE FROM authors WHERE id = 4;
COMMIT;
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
DELETE FROM books WHERE id > 3;
DROP TRIGGER stop ON authors;
DELETE FROM authors WHERE id > 3;
-- and the cascade as a whole is what an exception takes back
CREATE FUNCTION fail() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'not page %', OLD.id;
END
$$;
CREATE TRIGGER fail BEFORE DELETE ON pages FOR EACH ROW WHEN (OLD.id = 3) EXECUTE FUNCTION fail();
DO $$
BEGIN
    DELETE FROM authors WHERE id = 3;
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE '%', SQLERRM;
    DELETE FROM authors WHERE id = 2;
END
$$;
TABLE authors ORDER BY id;
TABLE books ORDER BY id;
TABLE pages ORDER BY id;
TABLE fans ORDER BY id;

--
-- Our triggers are switched off and on as the server's own are
--
ALTER TABLE authors DISABLE TRIGGER USER;
SELECT try('DELETE FROM authors WHERE id = 3');
ALTER TABLE authors ENABLE TRIGGER USER;
DROP TRIGGER fail ON pages;
DELETE FROM authors WHERE id = 3;
TABLE books;
TABLE pages;
DROP TABLE fans, pages, books, authors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA triggers_test CASCADE;

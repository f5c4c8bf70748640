--
-- privileges: propagated statements run as the owner of the table they touch,
-- and nothing that a user controls changes what runs
--
CREATE SCHEMA privileges_test AUTHORIZATION regress_cascade_user;
CREATE SCHEMA privileges_hidden AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = privileges_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE privileges_hidden.books (id integer PRIMARY KEY, author_id integer REFERENCES authors, name text);
CREATE TABLE privileges_hidden.pages (id integer PRIMARY KEY, book_id integer REFERENCES privileges_hidden.books);
SELECT cascade.add_relationship('authors', 'privileges_hidden.books', 'all, delete-orphan', propagate => '{"name": "name"}');
SELECT cascade.add_relationship('privileges_hidden.books', 'privileges_hidden.pages', 'all, delete-orphan');
INSERT INTO authors SELECT i, 'name' FROM generate_series(1, 9) i;
INSERT INTO privileges_hidden.books SELECT i, i, 'name' FROM generate_series(1, 9) i;
INSERT INTO privileges_hidden.pages SELECT i, i FROM generate_series(1, 9) i;

-- who the propagated statements run as
CREATE TABLE runs (who name, what text);
CREATE FUNCTION who() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO privileges_test.runs VALUES (current_user, TG_OP || ' ' || TG_TABLE_NAME);
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER who BEFORE UPDATE OR DELETE ON privileges_hidden.books FOR EACH ROW EXECUTE FUNCTION who();
CREATE TRIGGER who BEFORE UPDATE OR DELETE ON privileges_hidden.pages FOR EACH ROW EXECUTE FUNCTION who();

--
-- A role that may write the parent, and has no right on the children or even
-- on their schema
--
GRANT USAGE ON SCHEMA privileges_test TO regress_cascade_other;
GRANT SELECT, UPDATE, DELETE ON authors TO regress_cascade_other;
SET ROLE regress_cascade_other;
SELECT try('DELETE FROM privileges_hidden.books');
DELETE FROM authors WHERE id = 1;
UPDATE authors SET id = 20, name = 'new' WHERE id = 2;
SELECT current_user;
SET ROLE regress_cascade_user;
SELECT * FROM privileges_hidden.books ORDER BY id;
SELECT * FROM privileges_hidden.pages ORDER BY id;
SELECT * FROM runs ORDER BY what;
DELETE FROM runs;
GRANT INSERT ON runs TO regress_cascade_other;

-- orphans at commit, detached by that role; its rights on the child are those
-- it needs for the UPDATE
GRANT USAGE ON SCHEMA privileges_hidden TO regress_cascade_other;
GRANT SELECT, UPDATE ON privileges_hidden.books TO regress_cascade_other;
SET ROLE regress_cascade_other;
BEGIN;
UPDATE privileges_hidden.books SET author_id = NULL WHERE id = 3;
COMMIT;
UPDATE privileges_hidden.books SET author_id = NULL WHERE id = 4;
-- the role at commit is another one than the role that detached
BEGIN;
UPDATE privileges_hidden.books SET author_id = NULL WHERE id = 5;
RESET ROLE;
COMMIT;
SET ROLE regress_cascade_user;
SELECT * FROM privileges_hidden.books ORDER BY id;
SELECT * FROM privileges_hidden.pages ORDER BY id;
SELECT who, what, count(*) FROM runs WHERE what LIKE 'DELETE%' GROUP BY who, what ORDER BY what;

-- an owner without rights on its own table is no match for it, as with a
-- native action
CREATE TABLE native (id integer PRIMARY KEY, author_id integer REFERENCES authors ON DELETE CASCADE);
INSERT INTO native VALUES (1, 6);
REVOKE DELETE ON native FROM regress_cascade_user;
SELECT try('DELETE FROM authors WHERE id = 6');
DROP TABLE native;
REVOKE DELETE ON privileges_hidden.books FROM regress_cascade_user;
SELECT try('DELETE FROM authors WHERE id = 6');
GRANT DELETE ON privileges_hidden.books TO regress_cascade_user;
SELECT id FROM privileges_hidden.books ORDER BY id;

--
-- Row security of the children does not stand in the way
--
CREATE POLICY nobody ON privileges_hidden.books USING (false);
ALTER TABLE privileges_hidden.books ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON privileges_hidden.pages USING (false);
ALTER TABLE privileges_hidden.pages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM privileges_hidden.books;
SET ROLE regress_cascade_other;
SELECT count(*) FROM privileges_hidden.books;
DELETE FROM authors WHERE id = 6;
UPDATE authors SET id = 70 WHERE id = 7;
SET ROLE regress_cascade_user;
DELETE FROM authors WHERE id = 8;
ALTER TABLE privileges_hidden.books NO FORCE ROW LEVEL SECURITY;
ALTER TABLE privileges_hidden.pages NO FORCE ROW LEVEL SECURITY;
SELECT * FROM privileges_hidden.books ORDER BY id;
SELECT * FROM privileges_hidden.pages ORDER BY id;
-- and of the parent, it says which rows a role can delete
CREATE POLICY low_ones ON authors USING (id < 50);
ALTER TABLE authors ENABLE ROW LEVEL SECURITY;
SET ROLE regress_cascade_other;
DELETE FROM authors;
SET ROLE regress_cascade_user;
TABLE authors ORDER BY id;
SELECT * FROM privileges_hidden.books ORDER BY id;
-- row_security = off is for the role's own queries
SET row_security = off;
DELETE FROM authors;
RESET row_security;
SELECT * FROM privileges_hidden.books ORDER BY id;

--
-- Tables of several owners, declared by a superuser
--
RESET ROLE;
CREATE TABLE privileges_test.shops (id integer PRIMARY KEY);
CREATE TABLE privileges_test.sales (id integer PRIMARY KEY, shop_id integer REFERENCES privileges_test.shops);
ALTER TABLE privileges_test.sales OWNER TO regress_cascade_other;
ALTER TABLE privileges_test.shops OWNER TO regress_cascade_user;
SELECT cascade.add_relationship('shops', 'sales', 'all');
CREATE TRIGGER who BEFORE DELETE ON sales FOR EACH ROW EXECUTE FUNCTION privileges_test.who();
DELETE FROM runs;
SET ROLE regress_cascade_user;
INSERT INTO shops VALUES (1), (2);
RESET ROLE;
INSERT INTO sales VALUES (1, 1), (2, 2);
SET ROLE regress_cascade_user;
SELECT try('DELETE FROM sales');
DELETE FROM shops WHERE id = 1;
SELECT * FROM runs;
DELETE FROM runs;
-- neither of the two may alter it alone
SELECT try($$SELECT cascade.alter_relationship('shops', 'sales', cascade => 'none')$$);
SELECT try($$SELECT cascade.drop_relationship('shops', 'sales')$$);
SET ROLE regress_cascade_other;
SELECT try($$SELECT cascade.drop_relationship('shops', 'sales')$$);
-- a new owner is whom it runs as from then on
RESET ROLE;
ALTER TABLE sales OWNER TO regress_cascade_user;
SET ROLE regress_cascade_user;
DELETE FROM shops;
SELECT * FROM runs;
SELECT cascade.drop_relationship('shops', 'sales');

--
-- A hostile search_path: operators, casts, functions and tables that lie in
-- wait of a name that is not qualified
--
CREATE TABLE people (id integer PRIMARY KEY, name text);
CREATE TABLE letters (id integer PRIMARY KEY, sender bigint, name varchar);
SELECT cascade.add_relationship('people', 'letters', 'all, delete-orphan',
    source_columns => '{id}', target_columns => '{sender}', propagate => '{"name": "name"}');
INSERT INTO people SELECT i, 'n' || i FROM generate_series(1, 30) i;
INSERT INTO letters SELECT i, i, 'n' || i FROM generate_series(1, 30) i;
RESET ROLE;
CREATE SCHEMA privileges_evil AUTHORIZATION regress_cascade_other;
GRANT USAGE ON SCHEMA privileges_evil TO PUBLIC;
GRANT USAGE ON SCHEMA privileges_test TO regress_cascade_other;
SET ROLE regress_cascade_other;
SET search_path = privileges_evil;
CREATE FUNCTION yes(integer, integer) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(bigint, bigint) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(bigint, integer) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(integer, bigint) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(text, text) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(name, name) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE FUNCTION yes(oid, oid) RETURNS boolean LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
DO $$
DECLARE
    operator text;
    sides text;
BEGIN
    FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '>'] LOOP
        FOREACH sides IN ARRAY ARRAY['integer, integer', 'bigint, bigint', 'bigint, integer', 'integer, bigint',
                                     'text, text', 'name, name', 'oid, oid'] LOOP
            EXECUTE format('CREATE OPERATOR %s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = yes)',
                           operator, split_part(sides, ', ', 1), split_part(sides, ', ', 2));
        END LOOP;
    END LOOP;
END
$$;
CREATE FUNCTION unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'evil was called by %', current_user; END$$;
CREATE DOMAIN int4 AS text;
CREATE DOMAIN int8 AS text;
CREATE DOMAIN text AS pg_catalog.varchar(1);
CREATE TABLE letters (id integer, sender bigint, name varchar);
CREATE TABLE relationship (source regclass);
CREATE TABLE pg_class (oid oid);
GRANT ALL ON ALL TABLES IN SCHEMA privileges_evil TO PUBLIC;
INSERT INTO letters VALUES (1, 1, 'evil');
SET ROLE regress_cascade_user;
SET search_path = privileges_evil, pg_catalog, privileges_test, pg_temp;
CREATE TEMP TABLE letters (id integer, sender bigint, name varchar);
CREATE TEMP TABLE people (id integer, name varchar);
INSERT INTO pg_temp.letters VALUES (1, 1, 'temp');
-- what is done is what was declared, from a session that has done none of it
\c -
SET ROLE regress_cascade_user;
SET search_path = privileges_evil, pg_catalog, privileges_test;
CREATE TEMP TABLE letters (id integer, sender bigint, name varchar);
INSERT INTO pg_temp.letters VALUES (1, 1, 'temp');
SET search_path = privileges_evil, pg_catalog, privileges_test, pg_temp;
DELETE FROM privileges_test.people WHERE id OPERATOR(pg_catalog.=) 1;
DELETE FROM privileges_test.people WHERE id OPERATOR(pg_catalog.<=) 10;
UPDATE privileges_test.people SET id = 110, name = 'new' WHERE id OPERATOR(pg_catalog.=) 11;
UPDATE privileges_test.people SET id = id OPERATOR(pg_catalog.+) 100 WHERE id OPERATOR(pg_catalog.<=) 20;
UPDATE privileges_test.letters SET sender = NULL WHERE id OPERATOR(pg_catalog.=) 30;
SELECT id, sender, name FROM privileges_evil.letters;
SELECT id, sender, name FROM pg_temp.letters;
RESET search_path;
SELECT id, sender, name FROM privileges_test.letters WHERE id < 20 OR id > 28 ORDER BY id;
-- declaring is no weaker
SET search_path = privileges_evil, pg_catalog, privileges_test, pg_temp;
SELECT cascade.drop_relationship('privileges_test.people', 'letters');
SELECT cascade.add_relationship('privileges_test.people', 'privileges_test.letters', 'all',
    source_columns => '{id}', target_columns => '{sender}');
SELECT cascade.alter_relationship('privileges_test.people', 'letters', cascade => 'delete');
DELETE FROM privileges_test.people;
RESET search_path;
SELECT id, sender, name FROM privileges_test.letters ORDER BY id;
-- nor is an empty search_path
SET search_path = '';
INSERT INTO privileges_test.people VALUES (1, 'n1');
INSERT INTO privileges_test.letters VALUES (1, 1, 'n1');
SELECT cascade.alter_relationship('privileges_test.people', 'letters', cascade => 'none');
DELETE FROM privileges_test.people;
SELECT id, sender, name FROM privileges_test.letters ORDER BY id;
SET search_path = privileges_test, helper;

--
-- Names with quotes, newlines and SQL in them
--
RESET ROLE;
CREATE SCHEMA "a.b""c; --" AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
CREATE TABLE "a.b""c; --".U&"it's \000A /* ""one"" */" ("i""d'" integer PRIMARY KEY, U&"new\000Aline" text);
CREATE TABLE "a.b""c; --"."$1 %s %I \" (
    "SELECT" integer PRIMARY KEY,
    "$2; DROP TABLE x" integer NOT NULL REFERENCES "a.b""c; --".U&"it's \000A /* ""one"" */",
    "%n$s" text
);
SELECT cascade.add_relationship(
    (SELECT oid::regclass FROM pg_class WHERE relname LIKE 'it''s%' AND relkind = 'r'),
    '"a.b""c; --"."$1 %s %I \"', 'all, delete-orphan',
    name => E'q"u\'o\nte $1 %s',
    propagate => '{"new\nline": "%n$s"}');
SELECT name, target, source_columns, target_columns, propagate_source_columns, propagate_target_columns
  FROM cascade.relationship
 WHERE name LIKE 'q%' \gx
SELECT tie FROM cascade.relationships WHERE name LIKE 'q%';
INSERT INTO "a.b""c; --".U&"it's \000A /* ""one"" */" VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO "a.b""c; --"."$1 %s %I \" VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 3, 'c');
DELETE FROM "a.b""c; --".U&"it's \000A /* ""one"" */" WHERE "i""d'" = 1;
UPDATE "a.b""c; --".U&"it's \000A /* ""one"" */" SET "i""d'" = 20, U&"new\000Aline" = 'd' WHERE "i""d'" = 2;
UPDATE "a.b""c; --"."$1 %s %I \" SET "$2; DROP TABLE x" = NULL WHERE "SELECT" = 4;
TABLE "a.b""c; --"."$1 %s %I \" ORDER BY 1;
SELECT cascade.alter_relationship(source, name, cascade => 'none', nullify => false)
  FROM cascade.relationship
 WHERE name LIKE 'q%';
SELECT cascade.drop_relationship(source, name)
  FROM cascade.relationship
 WHERE name LIKE 'q%';

--
-- The functions of our triggers, in the hands of others.  A victim's tables
-- and relationship, and a role that owns a table of its own.
--
SET search_path = privileges_test, helper;
CREATE TABLE victims (id integer PRIMARY KEY);
CREATE TABLE victim_rows (id integer PRIMARY KEY, victim_id integer REFERENCES victims);
SELECT cascade.add_relationship('victims', 'victim_rows', 'all, delete-orphan');
INSERT INTO victims VALUES (1);
INSERT INTO victim_rows VALUES (1, 1);
-- they cannot be called, whatever they are called with
SELECT proname, try(format('SELECT cascade.%I(%s)', proname, arguments)) AS outcome
  FROM pg_proc, unnest(ARRAY['NULL', '1, 2, 3', '''victims''::regclass::oid, ''(0,1)''::tid, 1']) AS arguments
 WHERE pronamespace = 'cascade'::regnamespace AND provariadic <> 0
 ORDER BY proname, arguments;
SELECT proname, try(format('SELECT cascade.%I()', proname)) AS outcome
  FROM pg_proc
 WHERE pronamespace = 'cascade'::regnamespace AND prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
 ORDER BY proname;
-- with a table's own columns, and with columns of either side of a join
SELECT try('SELECT cascade.capture(tableoid, ctid, id) FROM victims');
SELECT try('SELECT cascade.capture(v.tableoid, v.ctid, v.id) FROM victims v JOIN victim_rows r ON r.victim_id = v.id');
SELECT try('SELECT cascade.capture(v.tableoid, v.ctid, v.id) FROM victim_rows r JOIN victims v ON r.victim_id = v.id');
SELECT try('SELECT cascade.to_verify(r.tableoid, v.id, r.victim_id) FROM victims v JOIN victim_rows r ON r.victim_id = v.id');
SELECT try('DELETE FROM victims WHERE cascade.capture(tableoid, ctid, id)');
SELECT try('UPDATE victims v SET id = v.id FROM victim_rows r WHERE cascade.capture(v.tableoid, v.ctid, r.ctid, v.id, r.id)');

-- every trigger function of ours, on every event, with arguments of the
-- attacker's choice, under our triggers' names, and with our conditions,
-- right ones and forged ones
RESET ROLE;
CREATE SCHEMA privileges_attack AUTHORIZATION regress_cascade_other;
SET ROLE regress_cascade_other;
SET search_path = privileges_attack, helper;
CREATE TABLE victims (id integer, victim_id integer);
CREATE FUNCTION attack(function text, name text, timing text, event text, condition text, arguments text) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE victims;
    INSERT INTO victims VALUES (1, 1);
    EXECUTE format('CREATE %s TRIGGER %I %s %s ON victims %s FOR EACH ROW %s EXECUTE FUNCTION cascade.%I(%s)',
                   CASE timing WHEN 'DEFERRED' THEN 'CONSTRAINT' END, name,
                   CASE timing WHEN 'DEFERRED' THEN 'AFTER' ELSE timing END, event,
                   CASE timing WHEN 'DEFERRED' THEN 'INITIALLY DEFERRED' END,
                   'WHEN (' || condition || ')', function, arguments);
    CASE event
        WHEN 'INSERT' THEN INSERT INTO victims VALUES (1, 1);
        WHEN 'UPDATE' THEN UPDATE victims SET id = 2, victim_id = NULL;
        WHEN 'DELETE' THEN DELETE FROM victims;
    END CASE;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    EXECUTE format('DROP TRIGGER %I ON victims', name);
    RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE attacks AS
SELECT p.proname AS function, name, timing, event, condition, arguments,
       attack(p.proname, name, timing, event, condition, arguments) AS outcome
  FROM pg_proc p,
       unnest(ARRAY['CASCADE_verify_update', 'mine']) AS name,
       unnest(ARRAY['BEFORE', 'AFTER', 'DEFERRED']) AS timing,
       unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS event,
       unnest(ARRAY[NULL,
                    'cascade.capture(old.tableoid, old.ctid, old.id)',
                    'cascade.capture(old.tableoid, old.ctid, new.ctid, old.id, new.id, old.victim_id, new.victim_id)',
                    'cascade.to_verify(old.tableoid, old.victim_id, new.victim_id)',
                    'cascade.capture(''privileges_test.victims''::regclass::oid, old.ctid, old.id)',
                    'cascade.to_verify(''privileges_test.victim_rows''::regclass::oid, old.victim_id, new.victim_id)']) AS condition,
       unnest(ARRAY['''privileges_test.victims'', ''victim_rows''']) AS arguments
 WHERE p.pronamespace = 'cascade'::regnamespace AND p.prorettype = 'trigger'::regtype;
-- none of them had an effect, or an error that none should have
SELECT function, event, string_agg(DISTINCT outcome, ', ') AS outcomes
  FROM attacks
 GROUP BY function, event
 ORDER BY function, event;
DROP TABLE attacks;
-- the victim is unharmed, and its relationship works
SET ROLE regress_cascade_user;
SET search_path = privileges_test, helper;
TABLE victims;
TABLE victim_rows;
SELECT name, r.cascade FROM cascade.relationship r WHERE source = 'victims'::regclass;
DELETE FROM victims;
TABLE victim_rows;
-- a TRIGGER privilege on a table that has relationships gives no more
INSERT INTO victims VALUES (1);
INSERT INTO victim_rows VALUES (1, 1);
GRANT SELECT, TRIGGER ON victims, victim_rows TO regress_cascade_other;
SET ROLE regress_cascade_other;
CREATE TRIGGER mine AFTER DELETE ON victims
    FOR EACH ROW EXECUTE FUNCTION cascade.run();
CREATE TRIGGER mine AFTER UPDATE ON victim_rows
    FOR EACH ROW EXECUTE FUNCTION cascade.verify();
SET ROLE regress_cascade_user;
-- nothing is done that was not declared
SELECT try('DELETE FROM victims');
SELECT try('UPDATE victim_rows SET victim_id = NULL');
TABLE victims;
TABLE victim_rows;
DROP TRIGGER mine ON victims;
DROP TRIGGER mine ON victim_rows;
DELETE FROM victims;
TABLE victim_rows;

--
-- The catalog is read by everyone and written by nobody
--
SET ROLE regress_cascade_user;
SET search_path = privileges_test, helper;
SELECT name FROM cascade.relationship WHERE source = 'victims'::regclass;
SELECT try($$INSERT INTO cascade.relationship SELECT * FROM cascade.relationship$$);
SELECT try($$UPDATE cascade.relationship SET name = 'mine'$$);
SELECT try($$DELETE FROM cascade.relationship$$);
SELECT try($$TRUNCATE cascade.relationship$$);
SELECT try($$SELECT * FROM cascade.relationship FOR UPDATE$$);
SELECT try($$DELETE FROM cascade.relationships$$);
SELECT try($$CREATE TABLE cascade.mine ()$$);
SELECT try($$CREATE TRIGGER mine BEFORE INSERT ON cascade.relationship EXECUTE FUNCTION privileges_test.who()$$);
SELECT try($$ALTER TABLE cascade.relationship ADD COLUMN mine text$$);

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA privileges_test, privileges_hidden, privileges_evil, privileges_attack, "a.b""c; --" CASCADE;

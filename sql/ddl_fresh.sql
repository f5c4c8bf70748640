--
-- DDL on the tables of relationships, each command in a session that has not
-- called the extension before, and what the relationships do after it
--
CREATE SCHEMA ddl_fresh AUTHORIZATION regress_cascade_user;
\set user 'SET ROLE regress_cascade_user; SET search_path = ddl_fresh, helper;'
\set other 'SET ROLE regress_cascade_other; SET search_path = ddl_fresh, helper;'
:user
GRANT USAGE ON SCHEMA ddl_fresh TO regress_cascade_other;

-- Every kind of relationship on one table: with and without a foreign key,
-- enforced, polymorphic, many-to-one, many-to-many, propagated columns.
CREATE TABLE parent (id int PRIMARY KEY, seen int, maker_id int);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, seen int, note text);
CREATE TABLE remark (id int PRIMARY KEY, on_id int, on_type text);
CREATE TABLE maker (id int PRIMARY KEY);
CREATE TABLE tag (id int PRIMARY KEY);
CREATE TABLE parent_tag (parent_id int, tag_id int);
SELECT cascade.add_relationship('parent', 'child', 'all, delete-orphan', propagate => '{"seen": "seen"}');
SELECT cascade.add_relationship('parent', 'remark', 'all', enforce => true, source_columns => '{id}',
								target_columns => '{on_id}', discriminator => '{"on_type": "parent"}');
SELECT cascade.add_relationship('parent', 'maker', 'all, delete-orphan', source_columns => '{maker_id}', target_columns => '{id}');
SELECT cascade.add_relationship('parent', 'tag', secondary => 'parent_tag',
								secondary_source_columns => '{parent_id}', secondary_target_columns => '{tag_id}');
INSERT INTO maker VALUES (1), (2), (3), (4);
INSERT INTO parent SELECT i, 0, i FROM generate_series(1, 4) i;
INSERT INTO child SELECT i, i, 0 FROM generate_series(1, 4) i;
INSERT INTO remark SELECT i, i, 'parent' FROM generate_series(1, 4) i;
INSERT INTO remark VALUES (5, 1, 'other');
INSERT INTO tag VALUES (1), (2);
INSERT INTO parent_tag VALUES (1, 1), (2, 1), (3, 2), (4, 2);

-- all rows in one line; a SQL function would name its tables, a view is bound
-- to them
CREATE VIEW rows AS
	SELECT (SELECT string_agg(id || '/' || seen, ' ' ORDER BY id) FROM parent) AS parents,
		   (SELECT string_agg(coalesce(parent_id::text, '-') || '/' || seen, ' ' ORDER BY id) FROM child) AS children,
		   (SELECT string_agg(on_type || on_id, ' ' ORDER BY id) FROM remark) AS remarks,
		   (SELECT string_agg(id::text, ' ' ORDER BY id) FROM maker) AS makers,
		   (SELECT string_agg(parent_id || '-' || tag_id, ' ' ORDER BY parent_id) FROM parent_tag) AS links;
TABLE rows;

-- what each event does, and nothing of it stays: 1 is deleted, 2 loses a
-- child, 3 becomes 30, 4 is seen
\set works 'BEGIN; DELETE FROM parent WHERE id = 1; UPDATE child SET parent_id = NULL WHERE id = 2; UPDATE parent SET id = 30 WHERE id = 3; UPDATE parent SET seen = 7 WHERE id = 4; SET CONSTRAINTS ALL IMMEDIATE; TABLE rows; ROLLBACK;'
\c -
:user
:works

-- Drops the triggers of a schema and the rows of its relationships, and makes
-- the triggers again as a dump of the schema alone would: do they tell of the
-- same relationships?
RESET ROLE;
CREATE PROCEDURE ddl_fresh.reload(schema regnamespace) LANGUAGE plpgsql AS $$
DECLARE
	command text;
	commands text[];
	drops text[];
	before text;
	after text;
BEGIN
	SELECT array_agg(format('%s; ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION cascade', pg_get_triggerdef(t.oid),
							t.tgname, t.tgrelid::regclass) ORDER BY t.tgrelid::regclass::text, t.tgname),
		   array_agg(format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass))
	  INTO commands, drops
	  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	 WHERE c.relnamespace = schema AND t.tgname LIKE '%CASCADE%' AND t.tgparentid = 0 AND NOT t.tgisinternal;
	SELECT string_agg(to_jsonb(r)::text, ' ' ORDER BY r.source::text, r.name) INTO before
	  FROM (SELECT source, name, target, direction, cascade, foreign_key, source_columns, target_columns, secondary,
				   secondary_source_columns, secondary_target_columns, discriminator_columns, discriminator_values,
				   propagate_source_columns, propagate_target_columns, single_parent, orphan_when, deferred, nullify,
				   nullify_columns, follow_keys, enforce
			  FROM cascade.relationship WHERE source IN (SELECT oid FROM pg_class WHERE relnamespace = schema)) r;
	DELETE FROM cascade.relationship WHERE source IN (SELECT oid FROM pg_class WHERE relnamespace = schema);
	FOREACH command IN ARRAY drops || commands
	LOOP
		EXECUTE command;
	END LOOP;
	SELECT string_agg(to_jsonb(r)::text, ' ' ORDER BY r.source::text, r.name) INTO after
	  FROM (SELECT source, name, target, direction, cascade, foreign_key, source_columns, target_columns, secondary,
				   secondary_source_columns, secondary_target_columns, discriminator_columns, discriminator_values,
				   propagate_source_columns, propagate_target_columns, single_parent, orphan_when, deferred, nullify,
				   nullify_columns, follow_keys, enforce
			  FROM cascade.relationship WHERE source IN (SELECT oid FROM pg_class WHERE relnamespace = schema)) r;
	IF before IS DISTINCT FROM after THEN
		RAISE WARNING 'before: %', before;
		RAISE WARNING 'after: %', after;
	END IF;
	RAISE NOTICE 'relationships: %', (SELECT count(*) FROM cascade.relationship
									   WHERE source IN (SELECT oid FROM pg_class WHERE relnamespace = schema));
END $$;
\c -
BEGIN;
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
COMMIT;
\c -
:user
:works

--
-- Renaming
--

-- tables: source, target, secondary
\c -
:user
ALTER TABLE parent RENAME TO "Par%ent""s";
\c -
:user
ALTER TABLE child RENAME TO "child
%s";
\c -
:user
ALTER TABLE parent_tag RENAME TO "x'y\z";
\c -
:user
ALTER TABLE tag RENAME TO "t;ag";
SELECT source, name, target, secondary FROM cascade.relationship
 WHERE source = '"Par%ent""s"'::regclass ORDER BY name;
\c -
:user
BEGIN;
DELETE FROM "Par%ent""s" WHERE id = 1;
UPDATE "child
%s" SET parent_id = NULL WHERE id = 2;
UPDATE "Par%ent""s" SET id = 30, seen = 9 WHERE id = 3;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE rows;
ROLLBACK;
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
ALTER TABLE "x'y\z" RENAME TO parent_tag;
ALTER TABLE "child
%s" RENAME TO child;
ALTER TABLE "Par%ent""s" RENAME TO parent;
ALTER TABLE "t;ag" RENAME TO tag;
:works

-- by another command's words
\c -
BEGIN;
:user
ALTER INDEX tag RENAME TO label;
RESET ROLE;
CALL reload('ddl_fresh');
ROLLBACK;

-- columns, of each kind
\c -
:user
ALTER TABLE parent RENAME id TO """i%d""";
\c -
:user
ALTER TABLE child RENAME parent_id TO "parent
id";
\c -
:user
ALTER TABLE parent RENAME seen TO "seen'";
ALTER TABLE child RENAME seen TO "seen\";
\c -
:user
ALTER TABLE remark RENAME on_id TO "on id";
\c -
:user
ALTER TABLE remark RENAME on_type TO "{""type""}";
\c -
:user
ALTER TABLE parent RENAME maker_id TO "maker,id";
\c -
:user
ALTER TABLE parent_tag RENAME tag_id TO "NULL";
ALTER TABLE parent_tag RENAME parent_id TO tag_id;
\c -
:user
SELECT name, source_columns, target_columns, secondary_source_columns, secondary_target_columns
  FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
SELECT name, discriminator, propagate FROM cascade.relationships WHERE source = 'parent'::regclass ORDER BY name;
BEGIN;
DELETE FROM parent WHERE """i%d""" = 1;
UPDATE child SET "parent
id" = NULL WHERE id = 2;
UPDATE parent SET """i%d""" = 30 WHERE """i%d""" = 3;
UPDATE parent SET "seen'" = 7 WHERE """i%d""" = 4;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE rows;
ROLLBACK;
INSERT INTO remark VALUES (9, 9, 'parent');  -- fails
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
ALTER TABLE parent_tag RENAME tag_id TO parent_id;
ALTER TABLE parent_tag RENAME "NULL" TO tag_id;
ALTER TABLE parent RENAME "maker,id" TO maker_id;
ALTER TABLE remark RENAME "on id" TO on_id;
ALTER TABLE remark RENAME "{""type""}" TO on_type;
ALTER TABLE parent RENAME "seen'" TO seen;
ALTER TABLE child RENAME "seen\" TO seen;
ALTER TABLE child RENAME "parent
id" TO parent_id;
ALTER TABLE parent RENAME """i%d""" TO id;
:works

-- the names of two columns change places
\c -
:user
BEGIN;
ALTER TABLE child RENAME parent_id TO between;
ALTER TABLE child RENAME id TO parent_id;
ALTER TABLE child RENAME between TO id;
SELECT target_columns FROM cascade.relationship WHERE source = 'parent'::regclass AND name = 'child';
DELETE FROM parent WHERE id = 1;
TABLE rows;
ROLLBACK;
\c -
:user
:works

-- the names of two tables
\c -
:user
CREATE TABLE other_child (LIKE child);
INSERT INTO other_child SELECT * FROM child;
ALTER TABLE child RENAME TO between;
ALTER TABLE other_child RENAME TO child;
\c -
:user
DELETE FROM parent WHERE id = 1;
SELECT count(*) AS not_a_child, (SELECT count(*) FROM between) AS children FROM child;
INSERT INTO parent VALUES (1, 0, 1);
INSERT INTO maker VALUES (1) ON CONFLICT DO NOTHING;
INSERT INTO remark VALUES (1, 1, 'parent');
INSERT INTO parent_tag VALUES (1, 1);
DROP TABLE child;
ALTER TABLE between RENAME TO child;
INSERT INTO child VALUES (1, 1, 0);
:works

-- constraints
\c -
:user
ALTER TABLE child RENAME CONSTRAINT child_parent_id_fkey TO "f'k%s""";
SELECT foreign_key FROM cascade.relationship WHERE source = 'parent'::regclass AND name = 'child';
ALTER TABLE parent RENAME CONSTRAINT parent_pkey TO parent_key;
:works
\c -
:user
ALTER TABLE child RENAME CONSTRAINT "f'k%s""" TO child_parent_id_fkey;
:works

-- a rename that is taken back
\c -
:user
BEGIN;
ALTER TABLE parent RENAME id TO key;
ALTER TABLE child RENAME TO kid;
DELETE FROM parent WHERE key = 1;
ROLLBACK;
:works
\c -
:user
BEGIN;
SAVEPOINT s;
ALTER TABLE parent RENAME id TO key;
DELETE FROM parent WHERE key = 1;
ROLLBACK TO s;
DELETE FROM parent WHERE id = 4;
TABLE rows;
ROLLBACK;
:works

-- schemas
\c -
ALTER SCHEMA ddl_fresh RENAME TO "ddl
""%s""";
SET ROLE regress_cascade_user;
SET search_path = "ddl
""%s""", helper;
:works
RESET ROLE;
SET search_path = "ddl
""%s""";
CALL reload('"ddl
""%s"""');
\c -
ALTER SCHEMA "ddl
""%s""" RENAME TO ddl_fresh;
\c -
:user
:works
\c -
CREATE SCHEMA ddl_fresh_2 AUTHORIZATION regress_cascade_user;
:user
ALTER TABLE child SET SCHEMA ddl_fresh_2;
\c -
:user
ALTER TABLE parent_tag SET SCHEMA ddl_fresh_2;
\c -
:user
ALTER TABLE parent SET SCHEMA ddl_fresh_2;
\c -
:user
SET search_path = ddl_fresh_2, ddl_fresh;
:works
RESET ROLE;
CALL reload('ddl_fresh_2');
\c -
:user
ALTER TABLE ddl_fresh_2.parent SET SCHEMA ddl_fresh;
ALTER TABLE ddl_fresh_2.child SET SCHEMA ddl_fresh;
ALTER TABLE ddl_fresh_2.parent_tag SET SCHEMA ddl_fresh;
:works

--
-- Commands that leave everything as it is
--
\c -
:user
VACUUM FULL parent;
\c -
:user
VACUUM (FULL, ANALYZE) child;
VACUUM parent_tag, remark;
:works
\c -
:user
CLUSTER child USING child_pkey;
:works
\c -
:user
REINDEX TABLE parent;
REINDEX INDEX CONCURRENTLY child_pkey;
:works
\c -
:user
ANALYZE parent, child, remark, parent_tag;
:works
\c -
:user
ALTER TABLE child SET UNLOGGED;
ALTER TABLE parent_tag SET UNLOGGED;
:works
\c -
:user
ALTER TABLE child SET LOGGED;
ALTER TABLE parent_tag SET LOGGED;
:works
\c -
:user
ALTER TABLE child ADD more int DEFAULT random()::int;
ALTER TABLE child ALTER more TYPE text;
ALTER TABLE child DROP more;
:works
\c -
:user
ALTER TABLE child SET (fillfactor = 50), ALTER parent_id SET STATISTICS 10, ALTER note SET DEFAULT 'x';
:works
\c -
:user
ALTER TABLE parent CLUSTER ON parent_pkey;  -- fails
ALTER TABLE parent CLUSTER ON parent_key;
CREATE INDEX CONCURRENTLY ON child (parent_id);
:works

-- with a check pending, those that rewrite the table are refused
\c -
:user
BEGIN;
UPDATE child SET parent_id = NULL WHERE id = 2;
CLUSTER child;  -- fails
\echo :SQLSTATE
ROLLBACK;
BEGIN;
UPDATE child SET parent_id = NULL WHERE id = 2;
ALTER TABLE child ALTER parent_id TYPE bigint;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
UPDATE child SET parent_id = NULL WHERE id = 2;
ALTER TABLE child RENAME parent_id TO p;
ALTER TABLE child RENAME TO kid;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE rows;
ROLLBACK;
:works

-- NOT NULL: the orphan keeps its key until it goes
\c -
:user
ALTER TABLE child ALTER parent_id SET NOT NULL;
:works
\c -
:user
ALTER TABLE child ALTER parent_id DROP NOT NULL;
:works

-- copies do not act
\c -
:user
CREATE TABLE copy_as AS TABLE parent;
CREATE TABLE copy_like (LIKE parent INCLUDING ALL);
CREATE TABLE copy_inherits () INHERITS (parent);
INSERT INTO copy_like TABLE parent;
INSERT INTO copy_inherits TABLE parent;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" LIKE 'copy%';
\c -
:user
BEGIN;
DELETE FROM copy_as;
DELETE FROM copy_like;
DELETE FROM copy_inherits;
TRUNCATE copy_as, copy_like, copy_inherits;
TABLE rows;
ROLLBACK;
DROP TABLE copy_as, copy_like, copy_inherits;
:works

--
-- Triggers
--
\c -
:user
ALTER TABLE parent DISABLE TRIGGER USER;
\c -
:user
BEGIN;
UPDATE parent SET seen = 7;
DELETE FROM parent WHERE id = 1;  -- fails
ROLLBACK;
\c -
:user
ALTER TABLE parent ENABLE TRIGGER USER;
:works
\c -
:user
ALTER TABLE parent DISABLE TRIGGER "CASCADE_update";
ALTER TABLE child DISABLE TRIGGER "CASCADE_verify_update";
\c -
:user
BEGIN;
DELETE FROM parent WHERE id = 1;
UPDATE parent SET seen = 7;
UPDATE child SET parent_id = NULL WHERE id = 2;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE rows;
ROLLBACK;
-- and a trigger that is off stays off when it is made anew
\c -
:user
ALTER TABLE parent RENAME seen TO "when";
ALTER TABLE child RENAME parent_id TO p;
\c -
:user
BEGIN;
UPDATE parent SET "when" = 7;
UPDATE child SET p = NULL WHERE id = 2;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE rows;
ROLLBACK;
ALTER TABLE parent RENAME "when" TO seen;
ALTER TABLE child RENAME p TO parent_id;
ALTER TABLE parent ENABLE TRIGGER "CASCADE_update";
ALTER TABLE child ENABLE TRIGGER "CASCADE_verify_update";
:works
-- as does one that is to fire in a replica
ALTER TABLE parent ENABLE ALWAYS TRIGGER "CASCADE_update";
\c -
:user
ALTER TABLE parent RENAME seen TO "when";
ALTER TABLE parent RENAME "when" TO seen;
\c -
SET session_replication_role = replica;
:user
BEGIN;
UPDATE parent SET seen = 7 WHERE id = 4;
DELETE FROM parent WHERE id = 1;
TABLE rows;
ROLLBACK;
\c -
:user
ALTER TABLE parent ENABLE TRIGGER "CASCADE_update";
:works
-- ALL is for superusers where there are foreign keys
\c -
:user
ALTER TABLE remark DISABLE TRIGGER ALL;
\c -
:user
BEGIN;
INSERT INTO remark VALUES (9, 9, 'parent');
ROLLBACK;
ALTER TABLE remark ENABLE TRIGGER ALL;
INSERT INTO remark VALUES (9, 9, 'parent');  -- fails
:works

-- they cannot be dropped, renamed, cut loose or replaced
\c -
:user
BEGIN;
DROP TRIGGER "CASCADE_truncate" ON parent;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
DROP TRIGGER "CASCADE_verify_update" ON child;  -- fails
\c -
:user
DROP TRIGGER "CASCADE_insert" ON remark;  -- fails
\c -
:user
ALTER TRIGGER "CASCADE_truncate" ON parent RENAME TO mine;  -- fails
\echo :SQLSTATE
\c -
:user
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
BEGIN;
CREATE OR REPLACE TRIGGER "CASCADE_truncate" AFTER TRUNCATE ON parent
	FOR EACH STATEMENT EXECUTE FUNCTION nothing();  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
CREATE OR REPLACE TRIGGER "CASCADE_update" AFTER UPDATE ON parent
	FOR EACH ROW WHEN (false) EXECUTE FUNCTION cascade.run();  -- fails
\echo :SQLSTATE
ROLLBACK;
:works
\c -
DROP FUNCTION cascade.run();  -- fails
\echo :SQLSTATE
DROP FUNCTION cascade.run() CASCADE;  -- fails
\echo :SQLSTATE
DROP FUNCTION cascade.capture("any") CASCADE;  -- fails
\echo :SQLSTATE
DROP TABLE cascade.relationship CASCADE;  -- fails
\echo :SQLSTATE
DROP SCHEMA cascade CASCADE;  -- fails
\echo :SQLSTATE
DROP EVENT TRIGGER cascade_after_drop;  -- fails
\echo :SQLSTATE
:user
:works

-- the extension goes without CASCADE and takes its triggers along
\c -
BEGIN;
DROP EXTENSION cascade;
:user
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace ORDER BY 1, 2;
UPDATE parent SET seen = 7;
DELETE FROM parent_tag;
TRUNCATE remark;
TABLE rows;
ROLLBACK;
:user
:works
-- but not with checks pending
\c -
BEGIN;
UPDATE ddl_fresh.child SET parent_id = NULL WHERE id = 2;
DROP EXTENSION cascade;
COMMIT;  -- fails
\echo :SQLSTATE
\c -
:user
:works

--
-- Owners
--
\c -
ALTER TABLE ddl_fresh.child OWNER TO regress_cascade_other;
\c -
:user
BEGIN;
DELETE FROM parent WHERE id = 1;
UPDATE parent SET id = 30 WHERE id = 3;
UPDATE parent SET seen = 7 WHERE id = 4;
RESET ROLE;
SELECT parent_id, seen FROM ddl_fresh.child ORDER BY id;
ROLLBACK;
-- the tables' owners rename, each theirs
\c -
:other
ALTER TABLE child RENAME parent_id TO p;
\c -
:user
ALTER TABLE parent RENAME id TO i;
\c -
:other
BEGIN;
UPDATE child SET p = NULL WHERE id = 2;
COMMIT;
SELECT id, p FROM child ORDER BY id;
INSERT INTO child VALUES (2, 2, 0);
ALTER TABLE child RENAME p TO parent_id;
:user
ALTER TABLE parent RENAME i TO id;
-- neither may declare, alter or drop, for lack of the other's table
SELECT try($$SELECT cascade.alter_relationship('parent', 'child', 'all')$$);
\c -
:other
SELECT try($$SELECT cascade.drop_relationship('parent', 'child')$$);
-- an owner who cannot enter the schema: who may rename can still do so
\c -
REVOKE USAGE ON SCHEMA ddl_fresh FROM regress_cascade_other;
ALTER TABLE ddl_fresh.child RENAME parent_id TO p;
ALTER SCHEMA ddl_fresh RENAME TO ddl_fresh_4;
ALTER SCHEMA ddl_fresh_4 RENAME TO ddl_fresh;
\c -
ALTER TABLE ddl_fresh.child RENAME p TO parent_id;
GRANT USAGE ON SCHEMA ddl_fresh TO regress_cascade_other;
\c -
REASSIGN OWNED BY regress_cascade_other TO regress_cascade_user;
\c -
:user
:works

--
-- Event triggers that are off: what was not followed is an error, and not
-- silence
--
\c -
BEGIN;
ALTER EVENT TRIGGER cascade_after_alter_table DISABLE;
ALTER TABLE ddl_fresh.child RENAME parent_id TO p;
ALTER EVENT TRIGGER cascade_after_alter_table ENABLE ALWAYS;
COMMIT;
\c -
:user
SELECT left(answer, 5) FROM try('DELETE FROM parent WHERE id = 1') answer LIMIT 1;
\c -
:user
ALTER TABLE child RENAME p TO parent_id;
:works
\c -
BEGIN;
ALTER EVENT TRIGGER cascade_after_drop DISABLE;
DROP VIEW ddl_fresh.rows;
SET client_min_messages = warning;
ALTER TABLE ddl_fresh.child DROP COLUMN parent_id CASCADE;
ALTER EVENT TRIGGER cascade_after_drop ENABLE ALWAYS;
:user
SELECT left(answer, 5) FROM try('DELETE FROM parent WHERE id = 1') answer LIMIT 1;
ROLLBACK;
\c -
BEGIN;
ALTER EVENT TRIGGER cascade_after_drop DISABLE;
DROP VIEW ddl_fresh.rows;
DROP TABLE ddl_fresh.remark;
ALTER EVENT TRIGGER cascade_after_drop ENABLE ALWAYS;
:user
SELECT try('DELETE FROM parent WHERE id = 1');
-- which is nobody else's trouble
CREATE TABLE unrelated (id int);
ALTER TABLE unrelated RENAME id TO key;
ALTER TABLE unrelated RENAME TO elsewhere;
DROP TABLE elsewhere;
RESET ROLE;
ALTER SCHEMA ddl_fresh_2 RENAME TO ddl_fresh_4;
ROLLBACK;
:user
:works

--
-- Dropping
--

-- columns: refused, and with CASCADE the relationships that need them go;
-- other columns are free
\c -
:user
DROP VIEW rows;
ALTER TABLE child DROP COLUMN note;
\set VERBOSITY terse
\c -
:user
ALTER TABLE child DROP COLUMN parent_id;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE parent DROP COLUMN seen;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE remark DROP COLUMN on_type;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE parent_tag DROP COLUMN tag_id;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE parent DROP COLUMN maker_id;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE tag DROP COLUMN id;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE parent DROP COLUMN id;  -- fails
\echo :SQLSTATE
\c -
:user
SELECT name FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
\set VERBOSITY default
-- one command drops several
\c -
:user
ALTER TABLE child ADD note text;
\c -
:user
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE child DROP COLUMN note, DROP COLUMN parent_id CASCADE;
SELECT name FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
ROLLBACK;
\c -
:user
SET client_min_messages = warning;
BEGIN;
ALTER TABLE parent_tag DROP COLUMN tag_id CASCADE;
SELECT name FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
DELETE FROM parent WHERE id = 1;
TABLE parent_tag ORDER BY 1;
SELECT id FROM child ORDER BY 1;
ROLLBACK;
\c -
:user
SET client_min_messages = warning;
BEGIN;
ALTER TABLE remark DROP COLUMN on_type CASCADE;
SELECT name FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
DELETE FROM parent WHERE id = 1;
SELECT id FROM remark ORDER BY 1;
SELECT id FROM child ORDER BY 1;
SELECT count(*) FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" = 'remark';
ROLLBACK;
-- a column goes with its type
\c -
:user
SET client_min_messages = warning;
CREATE DOMAIN key AS int;
CREATE TABLE p (id key PRIMARY KEY);
CREATE TABLE c (id int, p key);
INSERT INTO p VALUES (1);
SELECT cascade.add_relationship('p', 'c', 'all', source_columns => '{id}', target_columns => '{p}');
\c -
:user
SET client_min_messages = warning;
DROP DOMAIN key CASCADE;
SELECT count(*) FROM cascade.relationship WHERE source = 'p'::regclass;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" IN ('c', 'p');
DROP TABLE c, p;

-- the foreign key beside it: the relationship stays
\c -
:user
BEGIN;
ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey;
DELETE FROM parent WHERE id = 1;
SELECT id FROM child ORDER BY 1;
SELECT cascade.alter_relationship('parent', 'child', 'all');
UPDATE child SET parent_id = NULL WHERE id = 2;
SELECT id, parent_id FROM child ORDER BY 1;
ROLLBACK;

-- tables, together and alone
\c -
:user
BEGIN;
DROP TABLE child, parent, remark;
SELECT count(*) FROM cascade.relationship WHERE source::text = 'parent';
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace;
ROLLBACK;
\c -
:user
BEGIN;
DROP TABLE parent_tag;
SELECT name FROM cascade.relationship WHERE source = 'parent'::regclass ORDER BY name;
DELETE FROM parent WHERE id = 1;
SELECT id FROM child ORDER BY 1;
SELECT count(*) FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" = 'tag';
ROLLBACK;
\c -
:user
BEGIN;
DROP TABLE parent;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
DROP TABLE parent CASCADE;
SELECT count(*) FROM cascade.relationship WHERE target = 'child'::regclass;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace;
UPDATE child SET parent_id = NULL;
INSERT INTO remark VALUES (9, 9, 'parent');
SELECT count(*) FROM child;
COMMIT;
\c -
:user
SELECT (SELECT count(*) FROM child) AS children, (SELECT count(*) FROM remark) AS remarks, (SELECT count(*) FROM tag) AS tags;
DROP TABLE child, remark, maker, tag, parent_tag;

-- schemas, and all that somebody owns
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE ddl_fresh_2.c (id int PRIMARY KEY, p int, q int);
CREATE TABLE kept (id int PRIMARY KEY, p int);
SELECT cascade.add_relationship('p', 'ddl_fresh_2.c', 'all, delete-orphan', source_columns => '{id}', target_columns => '{p}');
SELECT cascade.add_relationship('q', 'ddl_fresh_2.c', source_columns => '{id}', target_columns => '{q}');
SELECT cascade.add_relationship('p', 'kept', 'all', source_columns => '{id}', target_columns => '{p}');
INSERT INTO p VALUES (1), (2);
INSERT INTO q VALUES (1);
INSERT INTO kept VALUES (1, 1), (2, 2);
\c -
DROP SCHEMA ddl_fresh_2;  -- fails
\echo :SQLSTATE
\c -
DROP SCHEMA ddl_fresh_2 CASCADE;
:user
SELECT source, name, target FROM cascade.relationship WHERE source IN ('p'::regclass, 'q'::regclass);
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" = 'q';
\c -
:user
DELETE FROM q;
DELETE FROM p WHERE id = 1;
TABLE kept;
\c -
ALTER TABLE ddl_fresh.kept OWNER TO regress_cascade_other;
\c -
DROP OWNED BY regress_cascade_other;
GRANT USAGE ON SCHEMA ddl_fresh TO regress_cascade_other;
:user
SELECT count(*) FROM cascade.relationship WHERE source = 'p'::regclass;
DELETE FROM p;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace;
DROP TABLE p, q;

--
-- ALTER COLUMN TYPE
--
CREATE TABLE p (id int PRIMARY KEY, k int, mark int);
CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, mark int, kind text);
SELECT cascade.add_relationship('p', 'c', 'all, delete-orphan', source_columns => '{id}', target_columns => '{p}',
								propagate => '{"mark": "mark"}', discriminator => '{"kind": "7"}');
CREATE PROCEDURE fill() LANGUAGE sql AS $$
	INSERT INTO ddl_fresh.p SELECT i, i, 0 FROM generate_series(1, 3) i;
	INSERT INTO ddl_fresh.c SELECT i, i, 0, 7 FROM generate_series(1, 3) i;
	INSERT INTO ddl_fresh.c VALUES (4, 1, 0, 8)
$$;
\set works 'BEGIN; CALL fill(); DELETE FROM p WHERE id = ''1''; UPDATE c SET p = NULL WHERE id = 2; UPDATE p SET id = ''30'', mark = ''5'' WHERE id = ''3''; SET CONSTRAINTS ALL IMMEDIATE; SELECT id, p, mark, kind FROM c ORDER BY id; ROLLBACK;'
\c -
:user
:works
\c -
:user
ALTER TABLE p ALTER id TYPE bigint;
:works
\c -
:user
ALTER TABLE c ALTER p TYPE smallint, ALTER mark TYPE bigint, ADD x int;
:works
\c -
:user
ALTER TABLE p ALTER mark SET DATA TYPE bigint USING mark + 1;
:works
-- a discriminator whose value is none of the new type is refused
\c -
:user
ALTER TABLE c ALTER kind TYPE date USING NULL;  -- fails
\echo :SQLSTATE
:works
-- as are key columns that nothing compares any more
\c -
:user
ALTER TABLE p ALTER id TYPE text;  -- fails
\echo :SQLSTATE
\c -
:user
ALTER TABLE c ALTER p TYPE json USING NULL;  -- fails
\echo :SQLSTATE
:works
\c -
:user
ALTER TABLE c ALTER kind TYPE varchar(10);
ALTER TABLE p ALTER k TYPE numeric;
:works
-- others may not, and have not taken our triggers away
\c -
:other
ALTER TABLE p ALTER id TYPE int;  -- fails
\echo :SQLSTATE
:user
:works
-- with checks pending
\c -
:user
ALTER TABLE c ALTER p DROP NOT NULL;
BEGIN;
CALL fill();
UPDATE c SET p = NULL WHERE id = 2;
ALTER TABLE c ALTER x TYPE bigint;  -- fails
\echo :SQLSTATE
ROLLBACK;
BEGIN;
CALL fill();
UPDATE c SET p = NULL WHERE id = 2;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE c ALTER x TYPE bigint;
SELECT id FROM c ORDER BY id;
ROLLBACK;
:works
-- a trigger that is off stays off
ALTER TABLE p DISABLE TRIGGER "CASCADE_delete";
\c -
:user
ALTER TABLE p ALTER id TYPE int;
\c -
:user
BEGIN;
CALL fill();
DELETE FROM p WHERE id = 1;
SELECT id, p FROM c ORDER BY id;
ROLLBACK;
ALTER TABLE p ENABLE TRIGGER "CASCADE_delete";
:works
DROP TABLE c, p;

-- partitioned: the whole, and its foreign key
CREATE TABLE p (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE c (p int, part int, id int) PARTITION BY LIST (id);
CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1, 2);
SELECT cascade.add_relationship('p', 'c', 'all, delete-orphan', source_columns => '{id, part}', target_columns => '{p, part}');
\set works 'BEGIN; INSERT INTO p VALUES (1, 1), (2, 1), (3, 2); INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3); DELETE FROM p WHERE id = 1; UPDATE c SET p = NULL WHERE id = 2; UPDATE p SET id = 30 WHERE id = 3; SET CONSTRAINTS ALL IMMEDIATE; SELECT * FROM c ORDER BY id; ROLLBACK;'
\c -
:user
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
\c -
:user
CREATE TABLE c2 (p int, part int, id int);
ALTER TABLE c ATTACH PARTITION c2 FOR VALUES IN (3);
:works
\c -
:user
ALTER TABLE p ALTER id TYPE bigint;
ALTER TABLE c ALTER p TYPE bigint;
:works
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" LIKE 'p%' ORDER BY 1, 2;
\c -
:user
SELECT left(answer, 5) FROM try('ALTER TABLE p1 ALTER id TYPE int') answer LIMIT 1;
:works
-- a partition's triggers are not to be touched either
\c -
:user
BEGIN;
DROP TRIGGER "CASCADE_truncate" ON p1;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
ALTER TRIGGER "CASCADE_truncate" ON p1 RENAME TO mine;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
BEGIN;
CREATE OR REPLACE TRIGGER "CASCADE_truncate" AFTER TRUNCATE ON p1
	FOR EACH STATEMENT EXECUTE FUNCTION nothing();  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
:user
DROP TRIGGER "CASCADE_delete" ON p1;  -- fails
\echo :SQLSTATE
-- renamed columns and partitions
\c -
:user
ALTER TABLE p RENAME id TO "i d";
ALTER TABLE p1 RENAME TO "p ""1""";
\c -
:user
BEGIN;
INSERT INTO p VALUES (1, 1);
INSERT INTO c VALUES (1, 1, 1);
DELETE FROM "p ""1""";
TABLE c;
ROLLBACK;
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
ALTER TABLE p RENAME "i d" TO id;
:works
-- a detached partition is on its own; its triggers are gone
\c -
:user
BEGIN;
INSERT INTO p VALUES (1, 2);
INSERT INTO c VALUES (1, 2, 1);
ALTER TABLE p DETACH PARTITION p2;
DELETE FROM p2;
TABLE c;
SELECT trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" = 'p2';
ROLLBACK;
\c -
:user
ALTER TABLE c DETACH PARTITION c2 CONCURRENTLY;
SELECT trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace AND "table" = 'c2';
\c -
:user
ALTER TABLE c ATTACH PARTITION c2 DEFAULT;
:works
\c -
:user
BEGIN;
INSERT INTO p VALUES (1, 1);
INSERT INTO c VALUES (1, 1, 1);
UPDATE c SET p = NULL;
ALTER TABLE c DETACH PARTITION c1;  -- fails
\echo :SQLSTATE
ROLLBACK;
\c -
BEGIN;
DROP EXTENSION cascade;
SELECT "table", trigger FROM helper.triggers WHERE schema = 'ddl_fresh'::regnamespace;
ROLLBACK;
\c -
:user
DROP TABLE p2;
DROP TABLE p;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace;
DROP TABLE c;

--
-- Names: as long as they can be, and with everything in them that a quote, a
-- format or JSON could trip over
--
CREATE TABLE "0123456789 ""quoted"" 'and' \back\ %s%n%1$s {json: [1]}
{},.;/" ("i""d'%s\
$1" int PRIMARY KEY, "1" int);
CREATE TABLE "c0123456789012345678901234567890123456789012345678901234567890%" ("p""'%n\t
" int, "2" int, "select" text);
SELECT cascade.add_relationship('"0123456789 ""quoted"" ''and'' \back\ %s%n%1$s {json: [1]}
{},.;/"', '"c0123456789012345678901234567890123456789012345678901234567890%"', 'all, delete-orphan', E'"n%s\n\\u0041'' {}',
	source_columns => ARRAY[E'i"d''%s\\\n$1'], target_columns => ARRAY[E'p"''%n\\t\n'],
	propagate => '{"1": "2"}', discriminator => '{"select": "a\"b''c\\d\n%s"}');
CREATE PROCEDURE names_work(source regclass, target regclass) LANGUAGE plpgsql AS $$
DECLARE
	p name := (SELECT attname FROM pg_attribute WHERE attrelid = source AND attnum = 1);
	c name := (SELECT attname FROM pg_attribute WHERE attrelid = target AND attnum = 1);
	answer text;
BEGIN
	EXECUTE format('DELETE FROM %s', source);
	EXECUTE format('INSERT INTO %s VALUES (1, 1), (2, 2), (3, 3)', source);
	EXECUTE format('INSERT INTO %s VALUES (1, 1, %L), (2, 2, %2$L), (3, 3, %2$L), (1, 1, ''x'')', target, E'a"b''c\\d\n%s');
	EXECUTE format('DELETE FROM %s WHERE %I = 1', source, p);
	EXECUTE format('UPDATE %s SET %I = NULL WHERE %2$I = 2', target, c);
	EXECUTE format('UPDATE %s SET %I = 30, "1" = 9 WHERE %2$I = 3', source, p);
	SET CONSTRAINTS ALL IMMEDIATE;
	EXECUTE format('SELECT string_agg(concat_ws(''/'', %I, "2"), '' '' ORDER BY 1) FROM %s', c, target) INTO answer;
	RAISE NOTICE '%', answer;
	EXECUTE format('DELETE FROM %s', target);
END $$;
\c -
:user
\pset format unaligned
SELECT name, source, target, direction, discriminator, propagate FROM cascade.relationships
 WHERE target = '"c0123456789012345678901234567890123456789012345678901234567890%"'::regclass;
\pset format aligned
SELECT (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE '0123%') AS source,
	   (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE 'c0123%') AS target \gset
CALL names_work(:source, :target);
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
ALTER TABLE "c0123456789012345678901234567890123456789012345678901234567890%" RENAME "p""'%n\t
" TO """, ""source"": ""x";
\c -
:user
SELECT (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE '0123%') AS source,
	   (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE 'c0123%') AS target \gset
CALL names_work(:source, :target);
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
SELECT (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE '0123%') AS source,
	   (SELECT oid FROM pg_class WHERE relnamespace = 'ddl_fresh'::regnamespace AND relkind = 'r' AND relname LIKE 'c0123%') AS target \gset
CALL names_work(:source, :target);
DROP TABLE "c0123456789012345678901234567890123456789012345678901234567890%", "0123456789 ""quoted"" 'and' \back\ %s%n%1$s {json: [1]}
{},.;/";

-- thirty relationships on one table
CREATE TABLE p (id int PRIMARY KEY);
DO $$
BEGIN
	FOR i IN 1 .. 30
	LOOP
		EXECUTE format('CREATE TABLE ddl_fresh.c%s (id int, p int)', i);
		PERFORM cascade.add_relationship('ddl_fresh.p', format('ddl_fresh.c%s', i), 'all, delete-orphan',
										 source_columns => '{id}', target_columns => '{p}', direction => 'one-to-many');
		EXECUTE format('INSERT INTO ddl_fresh.c%s VALUES (1, 1), (2, 2)', i);
	END LOOP;
END $$;
INSERT INTO p VALUES (1), (2);
CREATE FUNCTION left_in_all() RETURNS TABLE (tables bigint, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	tables := 0;
	rows := 0;
	FOR i IN 1 .. 30
	LOOP
		EXECUTE format('SELECT count(*) FROM ddl_fresh.c%s', i) INTO n;
		tables := tables + 1;
		rows := rows + n;
	END LOOP;
	RETURN NEXT;
END $$;
\c -
:user
ALTER TABLE p RENAME id TO i;
ALTER TABLE c17 RENAME p TO pp;
\c -
:user
DELETE FROM p WHERE i = 1;
UPDATE c17 SET pp = NULL;
SELECT * FROM left_in_all();
\c -
SET search_path = ddl_fresh;
CALL reload('ddl_fresh');
\c -
:user
ALTER TABLE p ALTER i TYPE bigint;
DROP TABLE c3;
CREATE TABLE c3 (id int, p int);
SELECT count(*) FROM cascade.relationship WHERE source = 'p'::regclass;
DELETE FROM p;
SELECT * FROM left_in_all();
SET client_min_messages = warning;
DO $$
BEGIN
	FOR i IN 1 .. 30
	LOOP
		EXECUTE format('DROP TABLE ddl_fresh.c%s', i);
	END LOOP;
END $$;
RESET client_min_messages;
SELECT "table", trigger FROM triggers WHERE schema = 'ddl_fresh'::regnamespace;
DROP TABLE p;

--
-- Arguments of triggers by somebody's hand
--
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int, p int);
SELECT cascade.add_relationship('p', 'c', 'all', source_columns => '{id}', target_columns => '{p}');
INSERT INTO p VALUES (1), (2), (3);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 3);
CREATE TABLE open (id int PRIMARY KEY);
CREATE TABLE secret (id int PRIMARY KEY, p int);
INSERT INTO open VALUES (1);
INSERT INTO secret VALUES (1, 1);
GRANT TRIGGER, SELECT, DELETE ON open TO regress_cascade_other;
RESET ROLE;
CREATE SCHEMA ddl_fresh_3 AUTHORIZATION regress_cascade_other;
SET ROLE regress_cascade_other;
CREATE TABLE ddl_fresh_3.mine (id int PRIMARY KEY, p int);
-- a table's trigger, as a dump would bring it, with a relationship of which
-- this and that is told otherwise
CREATE FUNCTION ddl_fresh_3.forge(tab regclass, VARIADIC arguments text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	argument jsonb := '{"source": "ddl_fresh_3.mine", "name": "forged", "target": "ddl_fresh_3.mine",
		"direction": "one-to-many", "cascade": ["delete"], "source_columns": ["id"], "target_columns": ["p"],
		"propagate_source_columns": [], "propagate_target_columns": [], "single_parent": false,
		"orphan_when": "any", "deferred": true, "nullify": true, "follow_keys": true, "enforce": false}';
BEGIN
	FOR i IN 1 .. array_length(arguments, 1) BY 2
	LOOP
		argument := argument || jsonb_build_object(arguments[i], arguments[i + 1]::jsonb);
	END LOOP;
	EXECUTE format('CREATE TRIGGER "CASCADE_delete" AFTER DELETE ON %s FOR EACH ROW'
				   ' WHEN (cascade.capture(old.tableoid, old.ctid, old.id)) EXECUTE FUNCTION cascade.run(%L)', tab, argument);
END $$;
-- tries it, and takes it back; how did it end?
CREATE FUNCTION ddl_fresh_3.try_forge(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	forged bigint;
BEGIN
	PERFORM ddl_fresh_3.forge('ddl_fresh_3.mine', VARIADIC arguments);
	SELECT count(*) INTO forged FROM cascade.relationship WHERE name NOT IN ('c', 'p');
	RAISE EXCEPTION USING ERRCODE = 'ZZZZZ', MESSAGE = forged;
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'ZZZZZ' THEN 'rebuilt: ' || SQLERRM ELSE 'refused: ' || SQLSTATE END;
END $$;
GRANT USAGE ON SCHEMA ddl_fresh_3 TO PUBLIC;
RESET ROLE;
-- what the role could declare is rebuilt
\c -
SET ROLE regress_cascade_other;
SELECT ddl_fresh_3.try_forge('name', '"x"');
-- what it could not is not: not by itself, and not when a superuser restores
-- what it wrote
\c -
SET ROLE regress_cascade_other;
\set VERBOSITY terse
SELECT ddl_fresh_3.try_forge('target', '"ddl_fresh.c"');
\c -
SELECT ddl_fresh_3.try_forge('target', '"ddl_fresh.c"');
\c -
SELECT ddl_fresh_3.try_forge('source', '"ddl_fresh.p"', 'target', '"ddl_fresh.c"');
\c -
SELECT ddl_fresh_3.try_forge('direction', '"many-to-many"', 'target_columns', '["id"]', 'secondary', '"ddl_fresh.c"',
							 'secondary_source_columns', '["p"]', 'secondary_target_columns', '["p"]');
\c -
SELECT ddl_fresh_3.try_forge('source', '"pg_catalog.pg_class"');
SELECT ddl_fresh_3.try_forge('source', '"ddl_fresh_3.nothing"');
SELECT ddl_fresh_3.try_forge('name', 'null');
\set VERBOSITY default
-- nor is it where the trigger is on a table on which others may create some
\c -
SET client_min_messages = error;
:other
DO $$
BEGIN
	PERFORM ddl_fresh_3.forge('ddl_fresh.open', 'source', '"ddl_fresh.open"', 'target', '"ddl_fresh.secret"');
EXCEPTION WHEN insufficient_privilege THEN
END $$;
\c -
SET client_min_messages = error;
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT tgname, pg_get_triggerdef(oid) AS def FROM pg_trigger WHERE tgrelid = 'ddl_fresh.open'::regclass
	LOOP
		EXECUTE format('DROP TRIGGER %I ON ddl_fresh.open', t.tgname);
		EXECUTE t.def;
	END LOOP;
END $$;
SELECT count(*) FROM cascade.relationship WHERE name = 'forged';
\c -
:other
DO $$
BEGIN
	DELETE FROM open;
EXCEPTION WHEN OTHERS THEN
END $$;
:user
TABLE secret;
-- what cannot be a relationship is refused, and harms nobody
\c -
SET ROLE regress_cascade_other;
SELECT ddl_fresh_3.try_forge('source_columns', '[null]');
SELECT ddl_fresh_3.try_forge('source_columns', '["nowhere"]');
SELECT ddl_fresh_3.try_forge('source_columns', '["ctid"]');
SELECT ddl_fresh_3.try_forge('source_columns', '[]', 'target_columns', '[]');
SELECT ddl_fresh_3.try_forge('target_columns', '["p", "id"]');
SELECT ddl_fresh_3.try_forge('target_columns', '7');
SELECT ddl_fresh_3.try_forge('discriminator_columns', '["p"]');
SELECT ddl_fresh_3.try_forge('discriminator_columns', '["p"]', 'discriminator_values', '[null]');
SELECT ddl_fresh_3.try_forge('discriminator_columns', '["p"]', 'discriminator_values', '["word"]');
SELECT ddl_fresh_3.try_forge('propagate_source_columns', '["id"]');
SELECT ddl_fresh_3.try_forge('nullify_columns', '["id"]');
SELECT ddl_fresh_3.try_forge('direction', '"sideways"');
SELECT ddl_fresh_3.try_forge('direction', '"many-to-many"');
SELECT ddl_fresh_3.try_forge('direction', '"many-to-many"', 'target_columns', '["id"]', 'secondary', '"ddl_fresh_3.mine"',
							 'secondary_source_columns', '["id"]', 'secondary_target_columns', '["p", "id"]');
SELECT ddl_fresh_3.try_forge('cascade', '["delete", "sweep"]');
SELECT ddl_fresh_3.try_forge('orphan_when', '"never"');
SELECT ddl_fresh_3.try_forge('name', '""');
SELECT left(line, 5) FROM helper.try($$CREATE TRIGGER "CASCADE_delete" AFTER DELETE ON ddl_fresh_3.mine FOR EACH ROW EXECUTE FUNCTION cascade.run('{')$$) line LIMIT 1;
SELECT left(line, 5) FROM helper.try($$CREATE TRIGGER "CASCADE_delete" AFTER DELETE ON ddl_fresh_3.mine FOR EACH ROW EXECUTE FUNCTION cascade.run('7')$$) line LIMIT 1;
SELECT left(line, 5) FROM helper.try($$CREATE TRIGGER "CASCADE_delete" AFTER DELETE ON ddl_fresh_3.mine FOR EACH ROW EXECUTE FUNCTION cascade.run('[{}]')$$) line LIMIT 1;
\c -
:user
DELETE FROM p WHERE id = 1;
TABLE c ORDER BY id;
-- a trigger without what it needs does not do nothing
\c -
SET ROLE regress_cascade_other;
SET client_min_messages = error;
SELECT ddl_fresh_3.forge('ddl_fresh_3.mine', 'source', '"ddl_fresh.p"', 'target', '"ddl_fresh.c"');
INSERT INTO ddl_fresh_3.mine VALUES (1, 1);
\c -
SET ROLE regress_cascade_other;
SET search_path = helper;
SELECT try('DELETE FROM ddl_fresh_3.mine');
DROP TRIGGER "CASCADE_delete" ON ddl_fresh_3.mine;
DELETE FROM ddl_fresh_3.mine;
:user
TABLE c ORDER BY id;

-- the unique index under an enforced key stays, as under a foreign key
CREATE TABLE held (id int CONSTRAINT held_key UNIQUE);
ALTER TABLE held ADD CONSTRAINT held_other UNIQUE (id);
CREATE TABLE holder (held_id int);
SELECT cascade.add_relationship('held', 'holder', enforce => true, source_columns => '{id}', target_columns => '{held_id}');
\c -
:user
ALTER TABLE held DROP CONSTRAINT held_other;
\c -
:user
ALTER TABLE held DROP CONSTRAINT held_key;  -- fails
CREATE UNIQUE INDEX held_index ON held (id);
ALTER TABLE held DROP CONSTRAINT held_key;
\c -
:user
DROP INDEX held_index;  -- fails
\c -
:user
DROP INDEX CONCURRENTLY held_index;  -- fails
SELECT indexrelid::regclass, indisvalid, indisready FROM pg_index WHERE indrelid = 'held'::regclass;
\c -
:user
REINDEX INDEX CONCURRENTLY held_index;
CREATE UNIQUE INDEX held_second ON held (id);
DROP INDEX CONCURRENTLY held_index;
\c -
:user
ALTER TABLE held ALTER id TYPE bigint;
INSERT INTO holder VALUES (1);  -- fails
\c -
:user
DROP INDEX held_second CASCADE;
SELECT count(*) FROM cascade.relationship WHERE source = 'held'::regclass;
INSERT INTO holder VALUES (1);
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('held'::regclass, 'holder'::regclass);
-- what is not enforced needs none
DELETE FROM holder;
SELECT cascade.add_relationship('held', 'holder', source_columns => '{id}', target_columns => '{held_id}',
								direction => 'one-to-many');
CREATE UNIQUE INDEX held_index ON held (id);
\c -
:user
DROP INDEX held_index;
CREATE UNIQUE INDEX held_index ON held (id);
DROP INDEX CONCURRENTLY held_index;
DROP TABLE held, holder;
-- what each part of a command says of CASCADE; other keys do not count
\set declare 'CREATE TABLE held (id int CONSTRAINT held_key UNIQUE, other int CONSTRAINT held_other UNIQUE, more int); CREATE TABLE holder (held_id int); SELECT cascade.add_relationship(''held'', ''holder'', enforce => true, source_columns => ''{id}'', target_columns => ''{held_id}'');'
\set drop 'SELECT count(*) FROM cascade.relationship WHERE source = ''held''::regclass; DROP TABLE held, holder;'
:declare
\c -
:user
ALTER TABLE held DROP CONSTRAINT held_other;
ALTER TABLE held DROP CONSTRAINT held_key, DROP COLUMN more CASCADE;  -- fails
ALTER TABLE held DROP CONSTRAINT held_key CASCADE, DROP COLUMN more;
:drop
:declare
\c -
:user
ALTER TABLE held DROP CONSTRAINT held_key, DROP CONSTRAINT held_other CASCADE;  -- fails
ALTER TABLE held DROP CONSTRAINT held_key CASCADE, DROP CONSTRAINT held_other;
:drop
:declare
CREATE UNIQUE INDEX held_index ON held (id) INCLUDE (other);
ALTER TABLE held DROP CONSTRAINT held_key;
\c -
:user
ALTER TABLE held DROP COLUMN other;  -- fails
ALTER TABLE held DROP COLUMN other, DROP COLUMN more CASCADE;  -- fails
DO $$ BEGIN
	CREATE INDEX held_more ON held (more);
	ALTER TABLE held DROP COLUMN other CASCADE, DROP COLUMN more;
END $$;
:drop
-- a key that has become deferrable is the key still
:declare
CREATE UNIQUE INDEX held_index ON held (id);
ALTER TABLE held DROP CONSTRAINT held_key, ADD CONSTRAINT held_later UNIQUE USING INDEX held_index DEFERRABLE;
\c -
:user
ALTER TABLE held DROP COLUMN other;
ALTER TABLE held DROP CONSTRAINT held_later;  -- fails
:drop
-- another column of the same name is not the key
:declare
\c -
:user
ALTER TABLE held DROP COLUMN id, ADD COLUMN id int UNIQUE;  -- fails
ALTER TABLE held DROP COLUMN id CASCADE, ADD COLUMN id int UNIQUE;
:drop
:declare
\c -
:user
ALTER TABLE holder DROP COLUMN held_id CASCADE, ADD COLUMN held_id int DEFAULT 7;
:drop
:declare
\c -
:user
ALTER TABLE held ALTER id TYPE text, DROP CONSTRAINT held_key CASCADE;
:drop
:declare
\c -
:user
BEGIN;
ALTER TABLE held DROP CONSTRAINT held_key, ADD PRIMARY KEY (id);
ROLLBACK;
CREATE UNIQUE INDEX held_index ON held (id);
ALTER TABLE held DROP CONSTRAINT held_key, ADD PRIMARY KEY USING INDEX held_index;
:drop
-- of the keys of a many-to-many relationship either counts
CREATE TABLE held (id int PRIMARY KEY);
CREATE TABLE tagged (id int CONSTRAINT tagged_key UNIQUE);
CREATE TABLE holder (held_id int, tagged_id int);
SELECT cascade.add_relationship('held', 'tagged', secondary => 'holder', enforce => true, target_columns => '{id}',
								secondary_source_columns => '{held_id}', secondary_target_columns => '{tagged_id}');
\c -
:user
ALTER TABLE tagged DROP CONSTRAINT tagged_key;  -- fails
ALTER TABLE tagged DROP CONSTRAINT tagged_key CASCADE;
DROP TABLE tagged;
:drop
-- and of many-to-one the target's
CREATE TABLE held (id int, maker_id int UNIQUE);
CREATE TABLE holder (id int PRIMARY KEY);
SELECT cascade.add_relationship('held', 'holder', enforce => true, source_columns => '{maker_id}',
								target_columns => '{id}', direction => 'many-to-one');
\c -
:user
ALTER TABLE held DROP CONSTRAINT held_maker_id_key;
DROP INDEX CONCURRENTLY IF EXISTS nothing;
DROP INDEX CONCURRENTLY holder_pkey;  -- fails
ALTER TABLE holder DROP CONSTRAINT holder_pkey;  -- fails
-- whoever may not drop the index is told so, and nothing else
CREATE UNIQUE INDEX holder_index ON holder (id);
ALTER TABLE holder DROP CONSTRAINT holder_pkey;
\c -
:other
DROP INDEX CONCURRENTLY ddl_fresh.holder_index;
:user
:drop

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA ddl_fresh, ddl_fresh_3 CASCADE;

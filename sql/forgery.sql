--
-- Whoever may create triggers on a declared table makes nothing cascade that
-- was not deleted or updated
--
CREATE SCHEMA forgery_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
GRANT ALL ON SCHEMA forgery_test TO regress_cascade_other;
SET search_path = forgery_test, helper;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int);
CREATE TABLE own (id text PRIMARY KEY, parent_id text);
SELECT cascade.add_relationship('parent', 'child', 'all, delete-orphan',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1, 1), (2, 2);
GRANT SELECT, UPDATE, DELETE, TRIGGER ON parent TO regress_cascade_other;
GRANT SELECT, UPDATE, TRIGGER ON child TO regress_cascade_other;

SET ROLE regress_cascade_other;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;

-- an update that passes for a deletion
CREATE TRIGGER zz AFTER UPDATE ON parent FOR EACH ROW
	WHEN (cascade.capture(old.tableoid, old.ctid, old.id)) EXECUTE FUNCTION nothing();
SELECT try('UPDATE parent SET id = 7 WHERE id = 1');
CREATE OR REPLACE TRIGGER zz AFTER UPDATE ON parent FOR EACH ROW
	WHEN (cascade.capture(old.tableoid, old.ctid, old.id)) EXECUTE FUNCTION cascade.run();
SELECT try('UPDATE parent SET id = 7 WHERE id = 1');
RESET ROLE;
DROP TRIGGER zz ON parent;
SET ROLE regress_cascade_other;

-- a deletion that is suppressed
CREATE TRIGGER zz BEFORE DELETE ON parent FOR EACH ROW
	WHEN (cascade.capture(old.tableoid, old.ctid, old.id)) EXECUTE FUNCTION nothing();
SELECT try('DELETE FROM parent WHERE id = 1');
RESET ROLE;
DROP TRIGGER zz ON parent;
SET ROLE regress_cascade_other;

-- a check that is taken from the trigger that would have made it
CREATE TRIGGER "A" AFTER UPDATE ON child FOR EACH ROW
	WHEN (cascade.to_verify(old.tableoid, old.parent_id, new.parent_id))
	EXECUTE FUNCTION nothing();
SELECT try('UPDATE child SET parent_id = NULL WHERE id = 1');
RESET ROLE;
DROP TRIGGER "A" ON child;
SET ROLE regress_cascade_user;
TABLE parent ORDER BY id;
TABLE child ORDER BY id;

-- conditions that lack what the functions read
SELECT cascade.add_relationship('own', 'own', 'all, delete-orphan', name => 'kids', direction => 'one-to-many',
								source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO own VALUES ('a', 'b');
CREATE TRIGGER evil AFTER DELETE ON own FOR EACH ROW
	WHEN (cascade.to_verify(old.tableoid, old.parent_id)) EXECUTE FUNCTION cascade.verify();
SELECT try('DELETE FROM own');
CREATE OR REPLACE TRIGGER evil AFTER DELETE ON own FOR EACH ROW
	WHEN (cascade.to_verify(1, 'x'::text)) EXECUTE FUNCTION cascade.verify();
SELECT try('DELETE FROM own');
DROP TRIGGER evil ON own;
CREATE TRIGGER evil AFTER INSERT ON own FOR EACH ROW
	WHEN (cascade.capture(new.tableoid, new.ctid, new.parent_id)) EXECUTE FUNCTION cascade.run();
SELECT try($$INSERT INTO own VALUES ('c', 'd')$$);

DROP SCHEMA forgery_test CASCADE;
RESET ROLE;

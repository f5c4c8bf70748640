--
-- A NOT NULL key set to NULL: the row keeps the key until the statement's end,
-- whatever other triggers make of the update in between
--
CREATE SCHEMA keep_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = keep_test, helper;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent, note text);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1, 1, 'x'), (2, 1, 'y');
SELECT cascade.add_relationship('parent', 'child', 'all, delete-orphan');

-- a trigger that sorts after ours suppresses the update, or gives another key
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.note = 'suppress' THEN
		RETURN NULL;
	ELSIF NEW.note = 'adopt' THEN
		NEW.parent_id := 2;
	ELSIF NEW.note = 'write' THEN
		UPDATE parent SET id = id;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER "~z" BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION meddle();

BEGIN;
UPDATE child SET parent_id = NULL, note = 'suppress' WHERE id = 1;
UPDATE child SET note = 'harmless';
UPDATE child SET parent_id = 1, note = 'harmless';
TABLE child ORDER BY id;
ROLLBACK;

BEGIN;
UPDATE child SET parent_id = NULL, note = 'adopt' WHERE id = 1;
TABLE child ORDER BY id;
ROLLBACK;

BEGIN;
UPDATE child SET parent_id = NULL, note = 'write' WHERE id = 1;
TABLE child ORDER BY id;
ROLLBACK;

-- some rows of a statement lose their key, others do not
UPDATE child SET parent_id = nullif(id, 2);
TABLE child ORDER BY id;

-- a row that had no parent has none to lose
CREATE TABLE tenants (t int, id int, PRIMARY KEY (t, id));
CREATE TABLE users (id int PRIMARY KEY, t int NOT NULL, tenant_id int,
					FOREIGN KEY (t, tenant_id) REFERENCES tenants);
SELECT cascade.add_relationship('tenants', 'users', 'all, delete-orphan');
INSERT INTO tenants VALUES (1, 1);
INSERT INTO users VALUES (1, 1, 1), (2, 1, NULL);
SELECT try('UPDATE users SET t = NULL WHERE id = 2');
UPDATE users SET t = NULL WHERE id = 1;
TABLE users;

RESET ROLE;
DROP SCHEMA keep_test CASCADE;

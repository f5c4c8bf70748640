--
-- Several changes of one row before its children have been looked at: they
-- count as one, from what the children hold to what the row is in the end
--
CREATE SCHEMA compose_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = compose_test;

-- a key that follows two parents changes twice; its children follow once
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE a (id int PRIMARY KEY REFERENCES base);
CREATE TABLE b (id int PRIMARY KEY REFERENCES base);
CREATE TABLE c (a_id int REFERENCES a, b_id int REFERENCES b, PRIMARY KEY (a_id, b_id));
CREATE TABLE d (id int PRIMARY KEY, a_id int, b_id int, FOREIGN KEY (a_id, b_id) REFERENCES c);
INSERT INTO base VALUES (1), (5);
INSERT INTO a SELECT id FROM base;
INSERT INTO b SELECT id FROM base;
INSERT INTO c VALUES (1, 1), (1, 5), (5, 5);
INSERT INTO d VALUES (1, 1, 1), (2, 1, 5), (3, 5, 5);
SELECT cascade.add_relationship('base', 'a', 'all'), cascade.add_relationship('base', 'b', 'all'),
	cascade.add_relationship('a', 'c', 'all'), cascade.add_relationship('b', 'c', 'all'),
	cascade.add_relationship('c', 'd', 'all');
UPDATE base SET id = 2 WHERE id = 1;
TABLE c ORDER BY a_id, b_id;
TABLE d ORDER BY id;
DROP TABLE d, c, b, a, base;

-- values that come from two parents are both passed on
CREATE TABLE g1 (id int PRIMARY KEY, x int);
CREATE TABLE g2 (id int PRIMARY KEY, y int);
CREATE TABLE h (id int PRIMARY KEY, g1 int REFERENCES g1, g2 int REFERENCES g2, x int, y int);
CREATE TABLE k (id int PRIMARY KEY, h int REFERENCES h, x int, y int);
SELECT cascade.add_relationship('g1', 'h', propagate => '{"x": "x"}'),
	cascade.add_relationship('g2', 'h', propagate => '{"y": "y"}'),
	cascade.add_relationship('h', 'k', propagate => '{"x": "x", "y": "y"}');
INSERT INTO g1 VALUES (1, 0);
INSERT INTO g2 VALUES (1, 0);
INSERT INTO h VALUES (1, 1, 1, 0, 0);
INSERT INTO k VALUES (1, 1, 0, 0);
WITH q AS (UPDATE g1 SET x = 1) UPDATE g2 SET y = 1;
TABLE h;
TABLE k;
DROP TABLE k, h, g2, g1;

-- a row is re-keyed and then deleted, by a foreign key's own action
CREATE TABLE g (id int PRIMARY KEY);
CREATE TABLE p (id int PRIMARY KEY, g int REFERENCES g ON DELETE CASCADE);
CREATE TABLE ch (id int PRIMARY KEY, p_id int);
INSERT INTO g VALUES (1), (9);
INSERT INTO p VALUES (1, 1), (3, 9);
INSERT INTO ch VALUES (1, 1), (2, 3);
SELECT cascade.add_relationship('p', 'ch', 'all', source_columns => '{id}', target_columns => '{p_id}');
WITH u AS (UPDATE p SET id = 2 WHERE id = 1) DELETE FROM g WHERE id = 1;
TABLE p;
TABLE ch;
DROP TABLE ch, p, g;

-- a row updated in between on a column that is nobody's business
CREATE TABLE top (id int PRIMARY KEY);
CREATE TABLE mid (t_id int PRIMARY KEY REFERENCES top, note text);
CREATE TABLE low (id int PRIMARY KEY, m_id int REFERENCES mid);
CREATE FUNCTION annotate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE mid SET note = note || '!';
	RETURN NULL;
END $$;
CREATE TRIGGER "A" AFTER UPDATE ON mid FOR EACH ROW
	WHEN (pg_trigger_depth() < 2) EXECUTE FUNCTION annotate();
INSERT INTO top VALUES (1);
INSERT INTO mid VALUES (1, 'm');
INSERT INTO low VALUES (1, 1);
SELECT cascade.add_relationship('top', 'mid', 'all'), cascade.add_relationship('mid', 'low', 'all');
UPDATE top SET id = 2;
TABLE mid;
TABLE low;

DROP SCHEMA compose_test CASCADE;
RESET ROLE;

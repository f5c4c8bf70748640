--
-- keys: types, NULLs, columns that are not unique
--
CREATE SCHEMA keys_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = keys_test, helper;
SET datestyle = ISO;
SET intervalstyle = postgres;

--
-- Each type by the same steps: a key changes and its children follow, a
-- parent is deleted and its children go, another one and they are nullified.
-- The four texts are keys of the first, second and third parent, and the new
-- key of the first.
--
CREATE FUNCTION outcome(parent_type text, child_type text, k1 text, k2 text, k3 text, changed text)
RETURNS TABLE (followed text, deleted text, nullified text)
LANGUAGE plpgsql
AS $$
DECLARE
    children text := 'SELECT string_agg(id || '':'' || coalesce(k::text, ''NULL''), '' '' ORDER BY id) FROM child';
BEGIN
    EXECUTE format('CREATE TABLE parent (k %s)', parent_type);
    EXECUTE format('CREATE TABLE child (id integer, k %s)', child_type);
    PERFORM cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{k}', target_columns => '{k}');
    EXECUTE format('INSERT INTO parent VALUES (%L), (%L), (%L), (NULL)', k1, k2, k3);
    EXECUTE format('INSERT INTO child VALUES (1, %L), (2, %L), (3, %L), (4, %L), (5, NULL)', k1, k1, k2, k3);
    EXECUTE format('UPDATE parent SET k = %L WHERE k = %L::%s', changed, k1, parent_type);
    EXECUTE children INTO followed;
    EXECUTE format('DELETE FROM parent WHERE k = %L::%s', k2, parent_type);
    EXECUTE children INTO deleted;
    PERFORM cascade.alter_relationship('parent', 'child', cascade => 'none');
    DELETE FROM parent;
    EXECUTE children INTO nullified;
    RETURN NEXT;
    DROP TABLE child, parent;
END
$$;

SELECT * FROM outcome('smallint', 'smallint', '1', '2', '3', '-1');
SELECT * FROM outcome('bigint', 'bigint', '5000000001', '5000000002', '5000000003', '5000000010');
SELECT * FROM outcome('real', 'real', '0.5', '2', 'NaN', '-Infinity');
SELECT * FROM outcome('numeric', 'numeric', '1', '2', '3', '1000000000000000000000');
SELECT * FROM outcome('text', 'text', 'a', '', 'it''s', 'new "one"');
SELECT * FROM outcome('varchar(5)', 'varchar(5)', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('char(3)', 'char(3)', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('name', 'name', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('"char"', '"char"', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('boolean', 'boolean', 'true', 'false', NULL, NULL);
SELECT * FROM outcome('bytea', 'bytea', '\x00', '\x01', '\x02', '\x');
SELECT * FROM outcome('uuid', 'uuid', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
                      '00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000004');
SELECT * FROM outcome('date', 'date', '2020-01-01', '2020-01-02', 'infinity', '2020-01-04');
SELECT * FROM outcome('interval', 'interval', '1 day', '2 days', '3 days', '4 days');
SELECT * FROM outcome('inet', 'inet', '10.0.0.1', '10.0.0.0/8', '::1', '10.0.0.2');
SELECT * FROM outcome('jsonb', 'jsonb', '{"a": 1}', '[]', 'null', '{"b": {}}');
SELECT * FROM outcome('integer[]', 'integer[]', '{1,2}', '{}', '{{1},{NULL}}', '{3}');
SELECT * FROM outcome('text[]', 'text[]', '{a,b}', '{"c,d"}', '{NULL}', '{e}');
SELECT * FROM outcome('int4range', 'int4range', '[1,3)', 'empty', '(,)', '[5,6)');

CREATE TYPE color AS ENUM ('red', 'green', 'blue', 'grey');
CREATE DOMAIN code AS text CHECK (VALUE <> 'bad');
CREATE DOMAIN subcode AS code CHECK (length(VALUE) < 5);
CREATE DOMAIN number AS integer;
CREATE DOMAIN numbers AS integer[];
CREATE TYPE pair AS (a integer, b text);
SELECT * FROM outcome('color', 'color', 'red', 'green', 'blue', 'grey');
SELECT * FROM outcome('code', 'code', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('numbers', 'numbers', '{1}', '{2}', '{3}', '{4}');
SELECT * FROM outcome('pair', 'pair', '(1,a)', '(1,b)', '(2,)', '(3,c)');

-- two sides of different types that have an equality in common
SELECT * FROM outcome('integer', 'bigint', '1', '2', '3', '4');
SELECT * FROM outcome('bigint', 'integer', '1', '2', '3', '4');
SELECT * FROM outcome('smallint', 'bigint', '1', '2', '3', '4');
SELECT * FROM outcome('integer', 'smallint', '1', '2', '3', '4');
SELECT * FROM outcome('real', 'double precision', '0.5', '2', 'NaN', '-Infinity');
SELECT * FROM outcome('text', 'varchar(10)', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('varchar', 'text', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('code', 'subcode', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('subcode', 'varchar', 'a', 'b', 'c', 'd');
SELECT * FROM outcome('number', 'bigint', '1', '2', '3', '4');
SELECT * FROM outcome('date', 'timestamp', '2020-01-01', '2020-01-02', '2020-01-03', '2020-01-04');
SELECT * FROM outcome('name', 'text', 'a', 'b', 'c', 'd');

-- a domain's check holds for what follows, too
CREATE TABLE parent (k text PRIMARY KEY);
CREATE TABLE child (id integer, k subcode REFERENCES parent);
INSERT INTO parent VALUES ('a'), ('b');
INSERT INTO child VALUES (1, 'a'), (2, 'b');
SELECT cascade.add_relationship('parent', 'child');
SELECT try($$UPDATE parent SET k = 'too long' WHERE k = 'a'$$);
TABLE child ORDER BY id;
DROP TABLE child, parent;

-- a new key that does not fit the child's type fails; an old one that does
-- not fit has no children
CREATE TABLE parent (k bigint);
CREATE TABLE child (id integer, k smallint);
INSERT INTO parent VALUES (1), (2), (5000000000);
INSERT INTO child VALUES (1, 1), (2, 2);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{k}', target_columns => '{k}');
SELECT try('UPDATE parent SET k = 5000000001 WHERE k = 1');
TABLE parent ORDER BY k;
TABLE child ORDER BY id;
DELETE FROM parent WHERE k IN (5000000000, 1);
TABLE child ORDER BY id;
-- a great many keys of the other type
INSERT INTO parent SELECT i FROM generate_series(3, 5000) i;
INSERT INTO parent SELECT 5000000000 + i FROM generate_series(1, 5000) i;
INSERT INTO child SELECT i, i FROM generate_series(3, 5000) i;
DELETE FROM parent WHERE k > 2;
TABLE child;
DROP TABLE child, parent;

--
-- Equal but not the same: 1.0 and 1.00.  A native foreign key's actions show
-- what is expected.
--
CREATE TABLE parent (k numeric PRIMARY KEY);
CREATE TABLE native (id integer, k numeric REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE child (id integer, k numeric REFERENCES parent);
SELECT cascade.add_relationship('parent', 'child', 'all');
INSERT INTO parent VALUES (1.0), (2.00);
INSERT INTO native VALUES (1, 1), (2, 1.00), (3, 2), (4, 2.0);
INSERT INTO child TABLE native;
UPDATE parent SET k = 1.000 WHERE k = 1;
TABLE native ORDER BY id;
TABLE child ORDER BY id;
DELETE FROM parent WHERE k = 2;
TABLE native ORDER BY id;
TABLE child ORDER BY id;
DROP TABLE native, child, parent;

-- -0 and 0
CREATE TABLE parent (k double precision PRIMARY KEY);
CREATE TABLE native (id integer, k double precision REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE child (id integer, k double precision REFERENCES parent);
SELECT cascade.add_relationship('parent', 'child', 'all');
INSERT INTO parent VALUES (0);
INSERT INTO native VALUES (1, 0), (2, '-0');
INSERT INTO child TABLE native;
UPDATE parent SET k = '-0';
TABLE native ORDER BY id;
TABLE child ORDER BY id;
DELETE FROM parent;
TABLE native;
TABLE child;
DROP TABLE native, child, parent;

-- char(n): trailing blanks
CREATE TABLE parent (k char(4) PRIMARY KEY);
CREATE TABLE child (id integer, k char(6) REFERENCES parent);
SELECT cascade.add_relationship('parent', 'child', 'all');
INSERT INTO parent VALUES ('a'), ('b');
INSERT INTO child VALUES (1, 'a   '), (2, 'b');
DELETE FROM parent WHERE k = 'a';
UPDATE parent SET k = 'c';
TABLE child;
DROP TABLE child, parent;

-- keys that are long enough to be stored out of line
CREATE TABLE parent (k text);
CREATE TABLE child (id integer, k text);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{k}', target_columns => '{k}');
ALTER TABLE parent ALTER k SET STORAGE EXTERNAL;
INSERT INTO parent SELECT i || repeat('x', 10000) FROM generate_series(1, 5) i;
INSERT INTO child SELECT row_number() OVER (ORDER BY k), k FROM parent;
UPDATE parent SET k = k || 'y' WHERE k LIKE '2%';
DELETE FROM parent WHERE k LIKE '3%';
SELECT id, length(k), left(k, 2), right(k, 1) FROM child ORDER BY id;
DROP TABLE child, parent;

--
-- A NULL in any column of a key ties to nothing
--
CREATE TABLE parent (a integer, b integer);
CREATE TABLE child (id integer, a integer, b integer);
INSERT INTO parent VALUES (1, 1), (1, NULL), (NULL, 1), (NULL, NULL), (2, 2);
INSERT INTO child VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 1), (4, NULL, NULL), (5, 2, 2);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{a, b}', target_columns => '{a, b}');
DELETE FROM parent WHERE b IS NULL;
TABLE child ORDER BY id;
UPDATE parent SET a = 5, b = 5 WHERE a IS NULL;
TABLE child ORDER BY id;
DELETE FROM parent WHERE a IN (1, 5);
TABLE child ORDER BY id;
SELECT cascade.alter_relationship('parent', 'child', cascade => 'none');
DELETE FROM parent;
TABLE child ORDER BY id;
DROP TABLE child, parent;

-- many keys of several columns, of different types
CREATE TABLE parent (a integer, b text, c date, PRIMARY KEY (a, b, c));
CREATE TABLE child (id integer PRIMARY KEY, c timestamp, a bigint, b varchar);
INSERT INTO parent SELECT i, 'k' || i % 7, date '2020-01-01' + i % 10 FROM generate_series(1, 1000) i;
INSERT INTO child SELECT i, c, a, b FROM parent, generate_series(a * 10, a * 10 + 1) i;
SELECT cascade.add_relationship('parent', 'child', 'all',
    source_columns => '{a, b, c}', target_columns => '{a, b, c}');
UPDATE parent SET b = b || '!', c = c + 1 WHERE a <= 600;
SELECT count(*) FROM child JOIN parent USING (a, b, c);
DELETE FROM parent WHERE a % 2 = 0;
SELECT count(*), sum(id) FROM child;
SELECT count(*) FROM child JOIN parent USING (a, b, c);
DELETE FROM parent WHERE a = 1;
SELECT count(*) FROM child;
DROP TABLE child, parent;

--
-- A source key that is not unique: while another row has it, it has not gone
--
CREATE TABLE parent (id integer PRIMARY KEY, k integer);
CREATE TABLE child (id integer PRIMARY KEY, k integer);
INSERT INTO parent VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO child VALUES (1, 1), (2, 2);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{k}', target_columns => '{k}');
DELETE FROM parent WHERE id = 1;
TABLE child ORDER BY id;
DELETE FROM parent WHERE id = 2;
TABLE child ORDER BY id;
INSERT INTO parent VALUES (4, 2);
DELETE FROM parent;
TABLE child;
DROP TABLE child, parent;

--
-- The same number of rows, whatever the number of keys in one session: the
-- plans for few and for many do not mix
--
CREATE TABLE parent (k integer PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, k integer);
CREATE INDEX ON child (k);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{k}', target_columns => '{k}');
CREATE FUNCTION left_after(n integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE child;
    DELETE FROM parent;
    INSERT INTO parent SELECT generate_series(1, 5000);
    INSERT INTO child SELECT i, (i + 1) / 2 FROM generate_series(1, 10000) i;
    DELETE FROM parent WHERE k <= n;
    RETURN (SELECT count(*) FROM child JOIN parent USING (k)) * CASE WHEN (SELECT min(k) FROM child) = n + 1 THEN 1 END;
END
$$;
SELECT n, left_after(n) FROM unnest(ARRAY[1, 2, 10, 1, 1000, 2, 4999, 1, 17, 3000]) AS n;
DROP TABLE child, parent;

-- keys whose type has no arrays travel as text, which reads back exactly under
-- any setting
CREATE TABLE parent (k double precision[] PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, k double precision[]);
SELECT cascade.add_relationship('parent', 'child', 'all', source_columns => '{k}', target_columns => '{k}');
INSERT INTO parent VALUES (ARRAY[0.1::float8 + 0.2]), (ARRAY[1 / 3::float8]);
INSERT INTO child SELECT row_number() OVER (), k FROM parent;
SET extra_float_digits = -3;
DELETE FROM parent;
RESET extra_float_digits;
TABLE child;
DROP TABLE child, parent;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA keys_test CASCADE;

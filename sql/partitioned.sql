--
-- partitioned: one-to-many with partitioned tables as source and target.  The
-- relationship is one of the roots; how the rows are spread does not matter.
--
CREATE SCHEMA partitioned_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = partitioned_test, helper;

--
-- A partitioned source: list and range, two levels, a default partition,
-- partitions with another order of columns and with a dropped column
--
CREATE TABLE customers (region text, id integer, year integer, name text) PARTITION BY LIST (region);
CREATE TABLE customers_eu PARTITION OF customers FOR VALUES IN ('eu') PARTITION BY RANGE (year);
CREATE TABLE customers_eu_old PARTITION OF customers_eu FOR VALUES FROM (2000) TO (2010);
CREATE TABLE customers_eu_new (name text, gone integer, year integer, id integer, region text);
ALTER TABLE customers_eu_new DROP COLUMN gone;
ALTER TABLE customers_eu ATTACH PARTITION customers_eu_new FOR VALUES FROM (2010) TO (2020);
CREATE TABLE customers_us (gone text, id integer, name text, region text, year integer);
ALTER TABLE customers_us DROP COLUMN gone;
ALTER TABLE customers ATTACH PARTITION customers_us FOR VALUES IN ('us');
CREATE TABLE customers_rest PARTITION OF customers DEFAULT;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, customer text);
CREATE INDEX ON orders (customer_id);
SELECT cascade.add_relationship('customers', 'orders', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{customer_id}', propagate => '{"name": "customer"}');
SELECT source, name, target, direction FROM cascade.relationship WHERE target = 'orders'::regclass;
-- two orders a customer
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM orders;
    DELETE FROM customers;
    INSERT INTO customers VALUES ('eu', 1, 2005, 'a'), ('eu', 2, 2005, 'b'), ('eu', 3, 2015, 'c'), ('eu', 4, 2015, 'd'),
        ('us', 5, 2005, 'e'), ('us', 6, 2005, 'f'), ('asia', 7, 2005, 'g'), (NULL, 8, NULL, 'h');
    INSERT INTO orders SELECT 10 * id + i, id, name FROM customers, generate_series(1, 2) i;
$$;
CREATE VIEW state AS
    SELECT c.tableoid::regclass AS partition, c.id AS customer, c.name,
           array_agg(o.id ORDER BY o.id) AS orders, array_agg(DISTINCT o.customer) AS propagated
      FROM customers c FULL JOIN orders o ON o.customer_id = c.id
     GROUP BY 1, 2, 3
     ORDER BY 2, 3;
CALL fill();
TABLE state;

-- deleted through the root, one partition, several partitions
\set QUIET off
DELETE FROM customers WHERE id = 1;
\set QUIET on
TABLE state;
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM customers WHERE id IN (2, 3, 5, 7, 8);
SET cascade.trace = off;
TABLE state;
-- through a partition, and a partition that has partitions
CALL fill();
SET cascade.trace = on;
DELETE FROM customers_eu_new WHERE id = 3;
DELETE FROM customers_us;
DELETE FROM customers_rest WHERE region IS NULL;
DELETE FROM ONLY customers;
DELETE FROM customers_eu WHERE id IN (2, 4);
SET cascade.trace = off;
TABLE state;

-- key changes, in place: through the root and through partitions
CALL fill();
SET cascade.trace = on;
UPDATE customers SET id = id + 100 WHERE id IN (1, 3, 5, 7);
UPDATE customers_eu_old SET id = 200 WHERE id = 2;
UPDATE customers_eu SET id = 400 WHERE id = 4;
UPDATE customers_us SET id = 600 WHERE id = 6;
SET cascade.trace = off;
\set VERBOSITY default
TABLE state;

-- propagated values
CALL fill();
UPDATE customers SET name = upper(name) WHERE id IN (1, 3, 5);
UPDATE customers_eu_new SET name = 'D', id = 40 WHERE id = 4;
UPDATE customers_us SET name = NULL WHERE id = 6;
TABLE state;

-- nullified
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'save-update');
CALL fill();
DELETE FROM customers WHERE id IN (1, 3, 7);
DELETE FROM customers_us WHERE id = 5;
TABLE state;
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'all');

--
-- A row that an UPDATE moves has not been deleted
--
-- the key is what it was: one row, and several from and to several partitions
CALL fill();
\set QUIET off
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = CASE region WHEN 'eu' THEN 'asia' ELSE 'eu' END, year = 2012 WHERE id IN (2, 3, 5, 7);
\set QUIET on
TABLE state;
-- through a partition that has partitions
UPDATE customers_eu SET year = 2001 WHERE id IN (5, 7);
TABLE state;
-- there and back, through every partition, in one transaction
BEGIN;
UPDATE customers SET region = 'asia' WHERE id = 1;
UPDATE customers SET region = 'eu', year = 2005 WHERE id = 1;
UPDATE customers_eu SET year = 2015 WHERE id = 1;
UPDATE customers SET region = 'us' WHERE id = 1;
COMMIT;
SELECT * FROM state WHERE customer = 1;
-- moved, then deleted, in one transaction and in two
BEGIN;
UPDATE customers SET region = 'asia' WHERE id = 1;
DELETE FROM customers WHERE id = 1;
COMMIT;
DELETE FROM customers WHERE id = 2;
TABLE state;

-- the same UPDATE changes the key: the children follow
CALL fill();
UPDATE customers SET region = 'us', id = 10 WHERE id = 1;
UPDATE customers SET region = 'asia', id = id * 10 WHERE id IN (2, 4, 5, 7);
UPDATE customers_eu SET year = 2001, id = 30, name = 'C' WHERE id = 3;
TABLE state;
-- to a key that is NULL: they follow there, too
UPDATE customers SET region = 'us', id = NULL WHERE id = 20;
TABLE state;

-- MERGE
CALL fill();
MERGE INTO customers c
USING (VALUES (1, 'us', 1), (2, 'us', 20), (3, 'eu', 30), (5, 'gone', 5), (6, 'asia', 6), (7, 'gone', 7), (9, 'eu', 9)) AS s (id, region, new_id)
   ON c.id = s.id
 WHEN MATCHED AND s.region = 'gone' THEN DELETE
 WHEN MATCHED THEN UPDATE SET region = s.region, id = s.new_id
 WHEN NOT MATCHED THEN INSERT VALUES (s.region, s.id, 2005, 'i');
TABLE state;
-- into a partition that has partitions
MERGE INTO customers_eu c
USING (VALUES (4, 2003, 4), (30, 2003, 3), (9, NULL, NULL)) AS s (id, year, new_id)
   ON c.id = s.id
 WHEN MATCHED AND s.year IS NULL THEN DELETE
 WHEN MATCHED THEN UPDATE SET year = s.year, id = s.new_id;
TABLE state;

-- other statements that move and delete at once
CALL fill();
WITH moved AS (UPDATE customers SET region = 'us' WHERE id IN (1, 3) RETURNING id),
     gone AS (DELETE FROM customers WHERE id IN (2, 5))
SELECT count(*) FROM moved;
TABLE state;
-- a view
CREATE VIEW clients AS SELECT id AS nr, region AS area FROM customers;
UPDATE clients SET area = 'us' WHERE nr = 7;
UPDATE clients SET area = 'asia', nr = 10 WHERE nr = 1;
DELETE FROM clients WHERE nr = 3;
TABLE state;
-- WHERE CURRENT OF, on a table that has no partitions
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM customers_us WHERE id = 6 FOR UPDATE;
FETCH c;
UPDATE customers_us SET id = 60 WHERE CURRENT OF c;
CLOSE c;
COMMIT;
TABLE state;

-- nullify instead of delete
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'save-update');
CALL fill();
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = 'us', id = 20 WHERE id = 2;
TABLE state;
-- without save-update nothing follows, but the row has not been deleted
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'delete');
CALL fill();
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = 'us', id = 20 WHERE id = 2;
TABLE state;
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'all');

-- triggers: one that keeps the row where it is ...
CALL fill();
CREATE FUNCTION nothing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;
CREATE TRIGGER keep BEFORE DELETE ON customers_eu_old
    FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = 'us', id = 20 WHERE id = 2;
TABLE state;
DROP TRIGGER keep ON customers_eu_old;
-- ... and one that swallows it on its way: that is a deletion
CREATE TRIGGER swallow BEFORE INSERT ON customers_us
    FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = 'us', id = 20 WHERE id = 2;
TABLE state;
-- beside rows that arrive
UPDATE customers SET region = CASE id WHEN 3 THEN 'us' ELSE 'asia' END, id = id * 10 WHERE id IN (3, 4, 5);
TABLE state;
DROP TRIGGER swallow ON customers_us;
-- one that gives the row another key on its way
CREATE FUNCTION rekey() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.id := NEW.id + 1000;
    RETURN NEW;
END
$$;
CREATE TRIGGER rekey BEFORE INSERT ON customers_us
    FOR EACH ROW EXECUTE FUNCTION rekey();
CALL fill();
UPDATE customers SET region = 'us' WHERE id = 1;
SELECT * FROM state WHERE customer IN (1, 1001);
DROP TRIGGER rekey ON customers_us;

--
-- A key of two partitions: while another row has it, it has not gone
--
CALL fill();
INSERT INTO customers VALUES ('us', 1, 2005, 'x'), ('us', 2, 2005, 'y'), ('eu', 2, 2015, 'z');
DELETE FROM customers_eu_old WHERE id IN (1, 2);
SELECT * FROM state WHERE customer <= 2;
DELETE FROM customers_us WHERE id = 2;
UPDATE customers SET id = 20 WHERE id = 2;
DELETE FROM customers WHERE id = 1;
SELECT * FROM state WHERE customer <= 2 OR customer = 20;
-- deleted from one partition and inserted into another by one statement
WITH gone AS (DELETE FROM customers WHERE id = 3 RETURNING *)
INSERT INTO customers SELECT 'us', id, 2005, name FROM gone;
SELECT * FROM state WHERE customer = 3;

--
-- Partitions come and go
--
CALL fill();
-- a new one
CREATE TABLE customers_africa PARTITION OF customers FOR VALUES IN ('africa');
INSERT INTO customers VALUES ('africa', 9, 2005, 'i');
INSERT INTO orders VALUES (91, 9, 'i'), (92, 9, 'i');
UPDATE customers_africa SET id = 90 WHERE id = 9;
SELECT * FROM state WHERE customer = 90;
DELETE FROM customers_africa;
SELECT count(*) FROM orders WHERE id > 90;
-- one that has rows already, and partitions
CREATE TABLE customers_pacific (year integer, name text, region text, id integer) PARTITION BY HASH (id);
CREATE TABLE customers_pacific_0 PARTITION OF customers_pacific FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE customers_pacific_1 PARTITION OF customers_pacific FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO customers_pacific SELECT 2005, 'p' || i, 'pacific', i FROM generate_series(11, 20) i;
INSERT INTO orders SELECT 10 * i, i, 'p' || i FROM generate_series(11, 20) i;
ALTER TABLE customers ATTACH PARTITION customers_pacific FOR VALUES IN ('pacific');
DELETE FROM customers WHERE id = 11;
DELETE FROM customers_pacific WHERE id IN (12, 13);
UPDATE customers_pacific SET id = id + 100 WHERE id IN (14, 15);
UPDATE customers SET region = 'asia' WHERE id = 16;
SELECT customer, orders FROM state WHERE customer > 10;
-- a partition of it that comes and goes by itself
ALTER TABLE customers_pacific DETACH PARTITION customers_pacific_1;
CREATE TABLE customers_pacific_2 PARTITION OF customers_pacific FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO customers_pacific_2 SELECT * FROM customers_pacific_1;
SELECT count(*) > 0 AS some_there FROM customers_pacific_1;
DELETE FROM customers_pacific_1;
SELECT customer, orders FROM state WHERE customer > 10;
DELETE FROM customers_pacific;
SELECT customer, orders FROM state WHERE customer > 10;
-- detached: it is a table that nobody knows
ALTER TABLE customers DETACH PARTITION customers_us;
DELETE FROM customers_us WHERE id = 5;
UPDATE customers_us SET id = 60 WHERE id = 6;
SELECT id, customer_id FROM orders WHERE customer_id IN (5, 6) ORDER BY id;
DELETE FROM customers WHERE id = 6;
SELECT id, customer_id FROM orders WHERE customer_id IN (5, 6) ORDER BY id;
-- and attached again
UPDATE customers_us SET id = 6;
ALTER TABLE customers ATTACH PARTITION customers_us FOR VALUES IN ('us');
DELETE FROM customers_us;
SELECT id, customer_id FROM orders WHERE customer_id IN (5, 6) ORDER BY id;
-- a whole subtree is detached
ALTER TABLE customers DETACH PARTITION customers_eu;
DELETE FROM customers_eu WHERE id = 1;
DELETE FROM customers_eu_new WHERE id = 3;
UPDATE customers_eu SET year = 2015, id = 20 WHERE id = 2;
SELECT id, customer_id FROM orders WHERE customer_id < 5 ORDER BY id;
ALTER TABLE customers ATTACH PARTITION customers_eu FOR VALUES IN ('eu');
DELETE FROM customers_eu WHERE id = 4;
SELECT id, customer_id FROM orders WHERE customer_id < 5 ORDER BY id;
-- a partition is dropped: its rows are not deleted one by one
CALL fill();
DROP TABLE customers_rest;
DELETE FROM customers WHERE id IN (1, 7);
SELECT id, customer_id FROM orders WHERE customer_id IN (1, 7, 8) ORDER BY id;
-- detached without a lock on the root
ALTER TABLE customers DETACH PARTITION customers_us CONCURRENTLY;
DELETE FROM customers_us WHERE id = 5;
SELECT id, customer_id FROM orders WHERE customer_id = 5 ORDER BY id;
ALTER TABLE customers ATTACH PARTITION customers_us FOR VALUES IN ('us');
-- dropped, the relationship has nothing to say any more in any partition
SELECT cascade.drop_relationship('customers', 'orders');
SELECT count(*) FROM triggers WHERE schema = 'partitioned_test'::regnamespace;
DELETE FROM customers_eu;
SELECT count(*) FROM orders;
DROP VIEW state, clients;
DROP PROCEDURE fill;
DROP TABLE orders, customers, customers_pacific_1;

--
-- With foreign keys, which are checked at once and reference the whole
-- partitioned key
--
CREATE TABLE customers (region text, id integer, year integer, PRIMARY KEY (region, year, id)) PARTITION BY LIST (region);
CREATE TABLE customers_eu PARTITION OF customers FOR VALUES IN ('eu') PARTITION BY RANGE (year);
CREATE TABLE customers_eu_old PARTITION OF customers_eu FOR VALUES FROM (2000) TO (2010);
CREATE TABLE customers_eu_new (year integer NOT NULL, gone text, id integer NOT NULL, region text NOT NULL);
ALTER TABLE customers_eu_new DROP COLUMN gone;
ALTER TABLE customers_eu ATTACH PARTITION customers_eu_new FOR VALUES FROM (2010) TO (2020);
CREATE TABLE customers_us PARTITION OF customers FOR VALUES IN ('us');
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_region text,
    customer_year integer,
    customer_id integer,
    FOREIGN KEY (customer_region, customer_year, customer_id) REFERENCES customers (region, year, id)
);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders);
-- the native actions show what is expected
CREATE TABLE native (
    id integer PRIMARY KEY,
    region text,
    year integer,
    customer_id integer,
    FOREIGN KEY (region, year, customer_id) REFERENCES customers (region, year, id) ON UPDATE CASCADE ON DELETE CASCADE
);
SELECT cascade.add_relationship('customers', 'orders', 'all');
SELECT cascade.add_relationship('orders', 'lines', 'all');
INSERT INTO customers VALUES ('eu', 1, 2005), ('eu', 2, 2005), ('eu', 3, 2015), ('eu', 4, 2015), ('us', 5, 2005), ('us', 6, 2005);
INSERT INTO orders SELECT 10 * id + i, region, year, id FROM customers, generate_series(1, 2) i;
INSERT INTO native TABLE orders;
INSERT INTO lines SELECT id, id FROM orders;
CREATE VIEW state AS
    SELECT customer_region AS region, customer_year AS year, customer_id AS customer, array_agg(id ORDER BY id) AS orders,
           (SELECT array_agg(n.id ORDER BY n.id)
              FROM native n
             WHERE (n.region, n.year, n.customer_id) IS NOT DISTINCT FROM (o.customer_region, o.customer_year, o.customer_id)) AS native
      FROM orders o
     GROUP BY 1, 2, 3
     ORDER BY 3;
-- moved between partitions the key changes: the children follow
UPDATE customers SET region = 'us' WHERE id = 1;
UPDATE customers SET region = 'us', id = 20 WHERE id = 2;
UPDATE customers_eu SET year = 2005 WHERE id = 3;
TABLE state;
-- in place
UPDATE customers SET id = 40 WHERE id = 4;
UPDATE customers_us SET id = 50 WHERE id = 5;
TABLE state;
INSERT INTO customers VALUES ('us', 6, 2005) ON CONFLICT (region, year, id) DO UPDATE SET id = 60;
UPDATE customers_us SET id = 6 WHERE id = 60;
TABLE state;
-- from and to several partitions at once
UPDATE customers SET region = CASE region WHEN 'us' THEN 'eu' ELSE 'us' END, year = 2015 WHERE id IN (1, 3, 40, 50);
TABLE state;
MERGE INTO customers c
USING (VALUES (1, 'us'), (3, 'eu'), (50, 'gone')) AS s (id, region)
   ON c.id = s.id
 WHEN MATCHED AND s.region = 'gone' THEN DELETE
 WHEN MATCHED THEN UPDATE SET region = s.region;
TABLE state;
-- deleted, two levels deep
SELECT count(*) FROM lines;
DELETE FROM customers WHERE id = 1;
DELETE FROM customers_us WHERE id = 20;
DELETE FROM customers_eu WHERE id = 3;
TABLE state;
SELECT count(*) FROM lines;
-- a row that is swallowed on its way takes its children along
CREATE TRIGGER swallow BEFORE INSERT ON customers_eu_new
    FOR EACH ROW EXECUTE FUNCTION nothing();
DELETE FROM native;
UPDATE customers SET region = 'eu', year = 2015 WHERE id = 6;
SELECT region, id FROM customers;
TABLE state;
DROP TRIGGER swallow ON customers_eu_new;
-- nullified, and refused
SELECT cascade.alter_relationship('customers', 'orders', cascade => 'none');
INSERT INTO customers VALUES ('eu', 1, 2005), ('us', 2, 2005);
INSERT INTO orders VALUES (11, 'eu', 2005, 1), (21, 'us', 2005, 2);
DELETE FROM customers WHERE id = 1;
DELETE FROM customers_us WHERE id = 2;
SELECT id, customer_region, customer_year, customer_id FROM orders WHERE id IN (11, 21) ORDER BY id;
SELECT cascade.alter_relationship('customers', 'orders', nullify => false);
INSERT INTO customers VALUES ('eu', 1, 2005);
UPDATE orders SET customer_region = 'eu', customer_year = 2005, customer_id = 1 WHERE id = 11;
\set VERBOSITY sqlstate
DELETE FROM customers WHERE id = 1;  -- fails
UPDATE customers SET year = 2015 WHERE id = 1;  -- fails
\set VERBOSITY default
DROP VIEW state;
DROP TABLE native, lines, orders, customers;

-- foreign keys of other kinds beside the relationship
CREATE FUNCTION outcome(foreign_key text) RETURNS TABLE (moved text, rekeyed text, deleted text)
LANGUAGE plpgsql
AS $$
DECLARE
    rows text := 'SELECT string_agg(id || '':'' || region || parent_id, '' '' ORDER BY id) FROM child';
BEGIN
    CREATE TABLE parent (region text, id integer, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
    CREATE TABLE parent_a PARTITION OF parent FOR VALUES IN ('a');
    CREATE TABLE parent_b PARTITION OF parent FOR VALUES IN ('b');
    EXECUTE 'CREATE TABLE child (id integer PRIMARY KEY, region text, parent_id integer'
            || coalesce(', FOREIGN KEY (region, parent_id) REFERENCES parent ' || foreign_key, '') || ')';
    PERFORM cascade.add_relationship('parent', 'child', 'all', source_columns => '{region, id}',
                                     target_columns => '{region, parent_id}');
    INSERT INTO parent VALUES ('a', 1), ('a', 2), ('b', 3);
    INSERT INTO child VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3);
    UPDATE parent SET region = 'b' WHERE id = 1;
    EXECUTE rows INTO moved;
    UPDATE parent SET region = CASE region WHEN 'a' THEN 'b' ELSE 'a' END, id = id * 10;
    EXECUTE rows INTO rekeyed;
    DELETE FROM parent WHERE region = 'a';
    SET CONSTRAINTS ALL IMMEDIATE;
    EXECUTE rows INTO deleted;
    RETURN NEXT;
    DROP TABLE child, parent;
END
$$;
SELECT foreign_key, o.*
  FROM unnest(ARRAY[
           NULL,
           '',
           'DEFERRABLE',
           'DEFERRABLE INITIALLY DEFERRED',
           'ON UPDATE RESTRICT ON DELETE RESTRICT',
           'ON UPDATE CASCADE ON DELETE CASCADE',
           'ON UPDATE SET NULL ON DELETE SET NULL'
       ]) AS foreign_key,
       LATERAL outcome(foreign_key) AS o;
DROP FUNCTION outcome;

--
-- Keys that are exchanged: by rows that move, and by rows that do not
--
CREATE TABLE parent (region text, id integer, UNIQUE (region, id) DEFERRABLE) PARTITION BY LIST (region);
CREATE TABLE parent_a PARTITION OF parent FOR VALUES IN ('a');
CREATE TABLE parent_b (id integer, region text);
ALTER TABLE parent ATTACH PARTITION parent_b FOR VALUES IN ('b');
CREATE TABLE child (id integer PRIMARY KEY, region text, parent_id integer);
SELECT cascade.add_relationship('parent', 'child', 'all', direction => 'one-to-many',
    source_columns => '{region, id}', target_columns => '{region, parent_id}');
INSERT INTO parent VALUES ('a', 1), ('b', 1), ('a', 2), ('a', 3), ('b', 4);
INSERT INTO child SELECT ascii(region) * 10 + id, region, id FROM parent;
UPDATE parent SET region = CASE region WHEN 'a' THEN 'b' ELSE 'a' END WHERE id = 1;
UPDATE parent SET id = 5 - id WHERE id IN (2, 3);
TABLE child ORDER BY id;
-- three, around
UPDATE parent SET region = CASE id WHEN 3 THEN 'b' ELSE 'a' END, id = CASE id WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 2 END
 WHERE id IN (2, 3, 4);
TABLE child ORDER BY id;
DROP TABLE child, parent;

--
-- A partitioned target: by range, by list of the key itself, by hash of it
--
CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (id integer, author_id integer REFERENCES authors, year integer, author text) PARTITION BY RANGE (year);
CREATE TABLE books_old PARTITION OF books FOR VALUES FROM (1900) TO (2000);
CREATE TABLE books_new (author text, author_id integer, gone integer, year integer, id integer) PARTITION BY LIST (author_id);
ALTER TABLE books_new DROP COLUMN gone;
CREATE TABLE books_new_null PARTITION OF books_new FOR VALUES IN (NULL);
CREATE TABLE books_new_odd PARTITION OF books_new FOR VALUES IN (1, 3, 5, 7, 9);
CREATE TABLE books_new_even (year integer, id integer, author text, author_id integer);
ALTER TABLE books_new ATTACH PARTITION books_new_even FOR VALUES IN (2, 4, 6, 8, 10);
ALTER TABLE books ATTACH PARTITION books_new FOR VALUES FROM (2000) TO (2100);
CREATE TABLE pages (book_id integer, n integer);
SELECT cascade.add_relationship('authors', 'books', 'all', propagate => '{"name": "author"}');
SELECT cascade.add_relationship('books', 'pages', 'all', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{book_id}');
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM pages;
    DELETE FROM books;
    DELETE FROM authors;
    INSERT INTO authors SELECT i, 'a' || i FROM generate_series(1, 5) i;
    INSERT INTO books SELECT 10 * i + j, i, CASE j WHEN 1 THEN 1990 ELSE 2010 END, 'a' || i
      FROM generate_series(1, 5) i, generate_series(1, 2) j;
    INSERT INTO pages SELECT id, n FROM books, generate_series(1, 2) n;
$$;
CREATE VIEW state AS
    SELECT b.tableoid::regclass AS partition, b.id, b.author_id, b.author,
           (SELECT count(*) FROM pages p WHERE p.book_id = b.id) AS pages
      FROM books b
     ORDER BY b.id;
CALL fill();
TABLE state;
SET cascade.trace = on;
\set VERBOSITY terse
-- delete
DELETE FROM authors WHERE id IN (1, 2);
SET cascade.trace = off;
\set VERBOSITY default
-- the key follows, and moves a row where it is what the table is divided by
UPDATE authors SET id = id + 3, name = 'b' WHERE id IN (3, 4);
TABLE state;
-- nullify
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update');
DELETE FROM authors WHERE id <> 7;
TABLE state;
SELECT count(*) FROM pages;
-- a key that no partition has room for fails, and nothing has happened
SELECT try('UPDATE authors SET id = 11 WHERE id = 7');
ALTER TABLE books_new DETACH PARTITION books_new_null;
SELECT try('DELETE FROM authors');
SELECT id FROM authors;
SELECT * FROM state WHERE author_id = 7;
ALTER TABLE books_new ATTACH PARTITION books_new_null FOR VALUES IN (NULL);

-- orphans, found through the root and through partitions
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
CALL fill();
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (11, 12);
UPDATE books_old SET author_id = NULL WHERE id = 21;
UPDATE books_new SET author_id = NULL WHERE id = 22;
UPDATE books_old SET author_id = NULL WHERE id = 31;
UPDATE books SET author_id = NULL WHERE id = 32;
-- books_new_odd cannot lose its rows' key: they move on, or nowhere
SELECT try('UPDATE books_new_odd SET author_id = NULL WHERE id = 52');
TABLE state;
UPDATE books SET author_id = 3 WHERE id IN (31, 32);
COMMIT;
TABLE state;
SELECT count(*) FROM pages;
-- pointed elsewhere, moved by that, and moved otherwise: no orphan
UPDATE books SET author_id = 4 WHERE id IN (31, 32);
UPDATE books SET year = 4000 - year WHERE id IN (31, 41, 42);
TABLE state;
-- detached, then moved; moved, then detached; detached and moved at once; and
-- more moves
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 31;
UPDATE books SET year = 1990 WHERE id = 31;
UPDATE books SET year = 2020 WHERE id = 51;
UPDATE books SET author_id = NULL WHERE id = 51;
UPDATE books SET author_id = NULL, year = 1980 WHERE id = 32;
UPDATE books SET year = 2010 WHERE id = 32;
UPDATE books SET year = 1980 WHERE id = 32;
TABLE state;
COMMIT;
TABLE state;
-- attached again: after a move, by a move, through the partition it is in
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (41, 42, 52);
UPDATE books SET year = 1980 WHERE id IN (41, 42);
UPDATE books SET author_id = 4 WHERE id = 41;
UPDATE books SET author_id = 5, year = 2010 WHERE id = 42;
UPDATE books_new SET author_id = 4 WHERE id = 52;
COMMIT;
TABLE state;
-- detached, moved, its own key changed, checked, undone, checked
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 41;
UPDATE books SET year = 2010, id = 410 WHERE id = 41;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
TABLE state;
ROLLBACK TO s;
TABLE state;
COMMIT;
TABLE state;
-- by MERGE
BEGIN;
MERGE INTO books b
USING (VALUES (42, NULL, 1990), (52, 5, 1990)) AS s (id, author_id, year)
   ON b.id = s.id
 WHEN MATCHED THEN UPDATE SET author_id = s.author_id, year = s.year;
TABLE state;
COMMIT;
TABLE state;
-- with a check pending, the partition stays where it is
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 52;
SAVEPOINT s;
\set VERBOSITY sqlstate
ALTER TABLE books DETACH PARTITION books_old;  -- fails
\set VERBOSITY default
ROLLBACK TO s;
UPDATE books SET author_id = 5 WHERE id = 52;
COMMIT;
TABLE state;
-- a row that was never attached, and moves
INSERT INTO books VALUES (1, NULL, 1990), (2, NULL, 2010);
UPDATE books SET year = 4000 - year WHERE author_id IS NULL;
UPDATE books SET author_id = NULL WHERE id IN (1, 2);
TABLE state;
-- deferred => false
SELECT cascade.alter_relationship('authors', 'books', deferred => false);
CALL fill();
BEGIN;
UPDATE books SET author_id = NULL WHERE id IN (11, 12);
UPDATE books SET author_id = NULL, year = 4000 - year WHERE id IN (21, 22);
UPDATE books SET author_id = 5, year = 4000 - year WHERE id IN (31, 32);
UPDATE books_new SET author_id = NULL WHERE id = 42;
TABLE state;
COMMIT;

-- NOT NULL keys: the row goes at the end of the statement
SELECT cascade.alter_relationship('authors', 'books', deferred => true);
DELETE FROM books WHERE author_id IS NULL;
DROP TABLE books_new_null;
ALTER TABLE books ALTER author_id SET NOT NULL;
CALL fill();
BEGIN;
\set QUIET off
UPDATE books SET author_id = NULL WHERE id IN (11, 12);
UPDATE books_old SET author_id = NULL WHERE id = 21;
UPDATE books_new_even SET author_id = NULL WHERE id = 22;
UPDATE books SET author_id = NULL, year = 1980 WHERE id = 32;
\set QUIET on
TABLE state;
COMMIT;
SELECT count(*) FROM pages;
-- moved, not detached
UPDATE books SET year = 1980 WHERE id = 42;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE pages, books, authors;

--
-- Both partitioned, by hash; the rows of a tree of three tables
--
CREATE TABLE a (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE b (id integer, a_id integer REFERENCES a, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE c (id integer, b_id integer REFERENCES b) PARTITION BY HASH (b_id);
DO $$
BEGIN
    FOR i IN 0 .. 3 LOOP
        EXECUTE format('CREATE TABLE a%1$s PARTITION OF a FOR VALUES WITH (MODULUS 4, REMAINDER %1$s)', i);
        EXECUTE format('CREATE TABLE b%1$s PARTITION OF b FOR VALUES WITH (MODULUS 4, REMAINDER %1$s)', i);
        EXECUTE format('CREATE TABLE c%1$s PARTITION OF c FOR VALUES WITH (MODULUS 4, REMAINDER %1$s)', i);
    END LOOP;
END
$$;
SELECT cascade.add_relationship('a', 'b', 'all, delete-orphan');
SELECT cascade.add_relationship('b', 'c', 'all');
INSERT INTO a SELECT generate_series(1, 1000);
INSERT INTO b SELECT i, (i + 1) / 2 FROM generate_series(1, 2000) i;
INSERT INTO c SELECT i, (i + 1) / 2 FROM generate_series(1, 4000) i;
SET cascade.trace = on;
\set VERBOSITY terse
DELETE FROM a WHERE id <= 300;
-- the rows of c change their partition with the key that they follow
UPDATE b SET id = id + 10000 WHERE id <= 1000;
UPDATE a SET id = id + 10000 WHERE id <= 400;
UPDATE b SET a_id = NULL WHERE a_id > 10300;
DELETE FROM a WHERE id > 500;
\set VERBOSITY default
SET cascade.trace = off;
SELECT count(*), min(id), max(id) FROM a;
SELECT count(*), count(a.id) FROM b LEFT JOIN a ON a.id = b.a_id;
SELECT count(*), count(b.id), count(DISTINCT c.tableoid) FROM c LEFT JOIN b ON b.id = c.b_id;
DROP TABLE c, b, a;

--
-- A partitioned tree that refers to itself
--
CREATE TABLE nodes (id integer, parent_id integer) PARTITION BY LIST (id);
CREATE TABLE nodes_even PARTITION OF nodes FOR VALUES IN (2, 4, 6, 8, 10);
CREATE TABLE nodes_odd (parent_id integer, id integer);
ALTER TABLE nodes ATTACH PARTITION nodes_odd FOR VALUES IN (1, 3, 5, 7, 9);
SELECT cascade.add_relationship('nodes', 'nodes', 'all, delete-orphan', name => 'children', direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 4), (6, 2), (7, 1);
-- the key changes, and the row moves
UPDATE nodes SET id = 10 WHERE id = 3;
SELECT tableoid::regclass AS partition, * FROM nodes ORDER BY id;
UPDATE nodes SET parent_id = NULL WHERE id = 10;
TABLE nodes ORDER BY id;
DELETE FROM nodes_even WHERE id = 2;
TABLE nodes ORDER BY id;
DELETE FROM nodes WHERE id = 1;
TABLE nodes;
DROP TABLE nodes;

--
-- Two parents, of which one is enough (orphan_when 'all'), and moves
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE publishers (id integer PRIMARY KEY);
CREATE TABLE books (id integer, author_id integer REFERENCES authors, publisher_id integer REFERENCES publishers, year integer)
    PARTITION BY RANGE (year);
CREATE TABLE books_old PARTITION OF books FOR VALUES FROM (1900) TO (2000);
CREATE TABLE books_new PARTITION OF books FOR VALUES FROM (2000) TO (2100);
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan', orphan_when => 'all');
SELECT cascade.add_relationship('publishers', 'books', 'all, delete-orphan', orphan_when => 'all');
INSERT INTO authors VALUES (1);
INSERT INTO publishers VALUES (1);
INSERT INTO books SELECT i, 1, 1, 1990 FROM generate_series(1, 4) i;
BEGIN;
UPDATE books SET author_id = NULL, year = 2000 WHERE id IN (1, 2);
UPDATE books SET publisher_id = NULL, year = 1990 WHERE id = 1;
UPDATE books SET publisher_id = NULL WHERE id = 3;
UPDATE books SET year = 2000 WHERE id = 3;
COMMIT;
SELECT tableoid::regclass AS partition, * FROM books ORDER BY id;
UPDATE books SET author_id = NULL, publisher_id = NULL, year = 2010 WHERE id = 4;
UPDATE books SET author_id = NULL, year = 1990 WHERE id = 3;
SELECT tableoid::regclass AS partition, * FROM books ORDER BY id;
DROP TABLE books, authors, publishers;

--
-- What is refused
--
CREATE TABLE p (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (100) PARTITION BY RANGE (id);
CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (1) TO (50);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer REFERENCES p, p1_id integer REFERENCES p1, p11_id integer REFERENCES p11)
    PARTITION BY RANGE (id);
CREATE TABLE c1 PARTITION OF c DEFAULT;
-- a relationship of a partition, on either side
SELECT try($$SELECT cascade.add_relationship('p11', 'c')$$);
SELECT try($$SELECT cascade.add_relationship('p1', 'c')$$);
SELECT try($$SELECT cascade.add_relationship('p', 'c1')$$);
SELECT count(*) FROM cascade.relationship WHERE source IN ('p'::regclass, 'p1'::regclass, 'p11'::regclass);
-- a table that has one, made a partition
CREATE TABLE q (id integer PRIMARY KEY);
CREATE TABLE d (id integer PRIMARY KEY, q_id integer REFERENCES q);
SELECT cascade.add_relationship('q', 'd', 'all, delete-orphan');
SELECT try('ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (100) TO (200)');
CREATE TABLE e (id integer PRIMARY KEY, q_id integer) PARTITION BY RANGE (id);
SELECT try('ALTER TABLE e ATTACH PARTITION d DEFAULT');
SELECT cascade.drop_relationship('q', 'd');
ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (100) TO (200);
ALTER TABLE e ATTACH PARTITION d DEFAULT;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA partitioned_test CASCADE;

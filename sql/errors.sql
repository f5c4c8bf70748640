--
-- errors: every kind of bad declaration, with its SQLSTATE and fields.  None
-- changes anything.
--
CREATE SCHEMA errors_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = errors_test, helper;

CREATE TABLE authors (
    id integer PRIMARY KEY,
    name text,
    born date,
    place point,
    whole integer GENERATED ALWAYS AS (1) STORED
);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer CONSTRAINT books_author REFERENCES authors,
    title text,
    place point
);
CREATE TABLE strangers (id integer PRIMARY KEY, author_id integer);
INSERT INTO authors VALUES (1, 'Jane'), (2, 'John');
INSERT INTO books VALUES (1, 1, 'First'), (2, 2, 'Second');
INSERT INTO strangers VALUES (1, 1);

-- one relationship that no error below may touch
SELECT cascade.add_relationship('authors', 'books', 'all');

CREATE TEMP TABLE before AS
    SELECT to_jsonb(r) AS row FROM cascade.relationship r
    UNION ALL
    SELECT to_jsonb(t) FROM helper.triggers t WHERE t.schema = 'errors_test'::regnamespace;

--
-- 22023: words that are not known
--
SELECT try($$SELECT cascade.add_relationship('authors', 'books', 'fake', name => 'x')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', direction => 'sideways')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', direction => 'One-To-Many')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', direction => '')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', orphan_when => 'never')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', cascade => 'fake')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', orphan_when => 'ALL')$$);

-- propagate is an object of column names
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '[]')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '"name"')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"name": 1}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"name": null}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"name": ["title"]}')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', propagate => '17')$$);

-- the direction that is given is not the one of the foreign key
SELECT try($$SELECT cascade.add_relationship('books', 'authors', name => 'x', direction => 'one-to-many')$$);

--
-- 42704: no foreign key, or no relationship
--
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', foreign_key => 'nowhere')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', foreign_key => 'books_author')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', foreign_key => 'books_pkey')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'nothing', cascade => 'all')$$);
SELECT try($$SELECT cascade.alter_relationship('books', 'books', cascade => 'all')$$);
SELECT try($$SELECT cascade.drop_relationship('authors', 'nothing')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', foreign_key => 'nowhere')$$);

--
-- 42725: several foreign keys
--
CREATE TABLE letters (
    id integer PRIMARY KEY,
    sender integer REFERENCES authors,
    receiver integer REFERENCES authors
);
SELECT try($$SELECT cascade.add_relationship('authors', 'letters')$$);
-- the two tables reference each other
CREATE TABLE man (id integer PRIMARY KEY, woman integer);
CREATE TABLE woman (id integer PRIMARY KEY, man integer REFERENCES man);
ALTER TABLE man ADD FOREIGN KEY (woman) REFERENCES woman;
SELECT try($$SELECT cascade.add_relationship('man', 'woman')$$);
CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer REFERENCES nodes);
SELECT try($$SELECT cascade.add_relationship('nodes', 'nodes')$$);
-- columns that are unique on neither side, or on both
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{name}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}', target_columns => '{id}')$$);

--
-- 42703: columns that are not there
--
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{nr}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}', target_columns => '{nr}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{ID}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"nr": "title"}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"name": "nr"}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', nullify_columns => '{nr}')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', target_columns => '{nr}')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', propagate => '{"name": "nr"}')$$);
-- system columns do not count, nor do columns that were dropped
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{tableoid}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}', target_columns => '{ctid}')$$);
ALTER TABLE strangers ADD COLUMN late integer;
ALTER TABLE strangers DROP COLUMN late;
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}', target_columns => '{........pg.dropped.3........}')$$);

-- a column that is there but not in the key
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', nullify_columns => '{title}')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', nullify_columns => '{author_id, title}')$$);

--
-- 42804: counts that differ, types that cannot be compared
--
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id, name}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}', target_columns => '{id, author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', direction => 'one-to-many', source_columns => '{name}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', direction => 'one-to-many', source_columns => '{born}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', direction => 'one-to-many', source_columns => '{place}', target_columns => '{place}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"born": "title"}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', propagate => '{"place": "place"}')$$);
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', source_columns => '{name}', target_columns => '{author_id}')$$);

-- an empty tie, a column twice, half a tie, a NULL in it
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{}', target_columns => '{}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id, id}', target_columns => '{author_id, author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', source_columns => '{NULL}', target_columns => '{author_id}')$$);
-- a foreign key and columns that are not its own
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'x', foreign_key => 'books_author', source_columns => '{id}', target_columns => '{id}')$$);

--
-- 42710: exists already
--
SELECT try($$SELECT cascade.add_relationship('authors', 'books')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'strangers', name => 'books', source_columns => '{id}', target_columns => '{author_id}')$$);

-- a trigger by the name of one of ours, which is not touched
CREATE TRIGGER "CASCADE_delete" BEFORE UPDATE ON nodes
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT try($$SELECT cascade.add_relationship('nodes', 'nodes', direction => 'one-to-many')$$);
SELECT tgname, tgfoid::regproc FROM pg_trigger WHERE tgrelid = 'nodes'::regclass AND NOT tgisinternal;
DROP TRIGGER "CASCADE_delete" ON nodes;

--
-- 42501: not the owner of all tables
--
RESET ROLE;
CREATE SCHEMA errors_other AUTHORIZATION regress_cascade_other;
GRANT ALL ON SCHEMA errors_other TO PUBLIC;
SET ROLE regress_cascade_other;
CREATE TABLE errors_other.authors (id integer PRIMARY KEY);
CREATE TABLE errors_other.books (
    id integer PRIMARY KEY,
    author_id integer REFERENCES errors_other.authors
);
SELECT cascade.add_relationship('errors_other.authors', 'errors_other.books');
GRANT ALL ON ALL TABLES IN SCHEMA errors_other TO PUBLIC;
SET ROLE regress_cascade_user;
CREATE TABLE pamphlets (id integer PRIMARY KEY, author_id integer REFERENCES errors_other.authors);
SELECT try($$SELECT cascade.add_relationship('errors_other.authors', 'pamphlets')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'errors_other.books', source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('errors_other.authors', 'errors_other.books', name => 'x')$$);
SELECT try($$SELECT cascade.alter_relationship('errors_other.authors', 'books', cascade => 'all')$$);
SELECT try($$SELECT cascade.drop_relationship('errors_other.authors', 'books')$$);
-- what one does not own is not told about
SELECT try($$SELECT cascade.drop_relationship('errors_other.authors', 'nothing')$$);
SELECT try($$SELECT cascade.add_relationship('pg_catalog.pg_class', 'pg_catalog.pg_attribute', source_columns => '{oid}', target_columns => '{attrelid}')$$);
SELECT try($$SELECT cascade.add_relationship('cascade.relationship', 'books', source_columns => '{name}', target_columns => '{title}')$$);

--
-- 42809: not a table that can have relationships
--
CREATE VIEW a_view AS SELECT * FROM authors;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM authors;
CREATE SEQUENCE a_sequence;
CREATE TYPE a_type AS (id integer);
SELECT try($$SELECT cascade.add_relationship('a_view', 'books', source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'a_view', source_columns => '{id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'a_matview', source_columns => '{id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('a_sequence', 'books', source_columns => '{last_value}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors_pkey', 'books', source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'a_type', source_columns => '{id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 0::regclass)$$);
SELECT try($$SELECT cascade.drop_relationship('a_view', 'books')$$);

-- a temporary table is no match for one that stays, as with foreign keys
CREATE TEMP TABLE passing (id integer PRIMARY KEY, author_id integer);
SELECT try($$SELECT cascade.add_relationship('authors', 'passing', source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('passing', 'books', source_columns => '{id}', target_columns => '{author_id}')$$);

-- the system's tables, even for those who own them
RESET ROLE;
SELECT try($$SELECT cascade.add_relationship('pg_catalog.pg_class', 'pg_catalog.pg_attribute', source_columns => '{oid}', target_columns => '{attrelid}')$$);
SELECT try($$SELECT cascade.add_relationship('errors_test.authors', 'cascade.relationship', direction => 'one-to-many', source_columns => '{name}', target_columns => '{name}')$$);
CREATE FOREIGN DATA WRAPPER regress_cascade_wrapper;
CREATE SERVER regress_cascade_server FOREIGN DATA WRAPPER regress_cascade_wrapper;
GRANT USAGE ON FOREIGN SERVER regress_cascade_server TO regress_cascade_user;
SET ROLE regress_cascade_user;

-- NULL where something must be said
SELECT try($$SELECT cascade.add_relationship(NULL, 'books')$$);
SELECT try($$SELECT cascade.add_relationship('authors', NULL)$$);
SELECT try($$SELECT cascade.alter_relationship('authors', NULL, cascade => 'all')$$);
SELECT try($$SELECT cascade.drop_relationship(NULL, 'books')$$);
SELECT try($$SELECT cascade.drop_relationship('authors', NULL)$$);

--
-- 42809: what a relationship cannot have
--
CREATE TABLE parted (id integer PRIMARY KEY, author_id integer REFERENCES authors) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE far (id integer, author_id integer) SERVER regress_cascade_server;
SELECT try($$SELECT cascade.add_relationship('authors', 'part')$$);
SELECT try($$SELECT cascade.add_relationship('far', 'authors', source_columns => '{id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'far', 'all, delete-orphan', source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'far', source_columns => '{id}', target_columns => '{author_id}', enforce => true)$$);

--
-- After all that nothing has changed
--
CREATE TEMP TABLE after AS
    SELECT to_jsonb(r) AS row FROM cascade.relationship r
     WHERE r.source <> 'errors_other.authors'::regclass
    UNION ALL
    SELECT to_jsonb(t) FROM helper.triggers t WHERE t.schema = 'errors_test'::regnamespace;
SELECT count(*) FROM before;
TABLE before EXCEPT ALL TABLE after;
TABLE after EXCEPT ALL TABLE before;
SELECT r.cascade FROM cascade.relationship r WHERE source = 'errors_other.authors'::regclass;
SELECT schema, "table", trigger FROM triggers
 WHERE trigger LIKE '%CASCADE%' AND schema <> 'errors_test'::regnamespace
 ORDER BY "table", trigger;

-- and the relationship does what it was declared to
DELETE FROM authors WHERE id = 1;
SELECT id, author_id, title FROM books ORDER BY id;
TABLE strangers;

RESET ROLE;
SET client_min_messages = warning;
DROP TABLE pg_temp.before, pg_temp.after, pg_temp.passing;
DROP SCHEMA errors_test CASCADE;
DROP SCHEMA errors_other CASCADE;
DROP FOREIGN DATA WRAPPER regress_cascade_wrapper CASCADE;

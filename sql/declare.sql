--
-- declare: add_relationship, alter_relationship and drop_relationship: what
-- they find by themselves, what the catalog holds, which triggers they make.
--
CREATE SCHEMA declare_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = declare_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY, deleted_at timestamp);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer REFERENCES authors,
    deleted_at timestamp
);

--
-- One foreign key: everything but source, target and cascade is found
--
SELECT cascade.add_relationship('authors', 'books');
SELECT * FROM cascade.relationship WHERE source = 'authors'::regclass \gx
SELECT * FROM cascade.relationships WHERE source = 'authors'::regclass \gx
SELECT "table", trigger FROM triggers
 WHERE schema = 'declare_test'::regnamespace
 ORDER BY "table", trigger;

-- a relationship is known by source and name: another name is another one
SELECT cascade.add_relationship('authors', 'books', 'all', name => 'works');
SELECT cascade.add_relationship('authors', 'books', 'none', name => 'Oddly "named", isn''t it');
SELECT try($$SELECT cascade.add_relationship('authors', 'books', name => 'works')$$);
SELECT name, r.cascade FROM cascade.relationship r
 WHERE source = 'authors'::regclass
 ORDER BY name;

-- dropping them one by one: the triggers go with the last that needs them
SELECT cascade.drop_relationship('authors', 'books');
SELECT cascade.drop_relationship('authors', 'Oddly "named", isn''t it');
SELECT "table", trigger FROM triggers
 WHERE schema = 'declare_test'::regnamespace
 ORDER BY "table", trigger;
SELECT cascade.drop_relationship('authors', 'works');
SELECT name FROM cascade.relationship WHERE source = 'authors'::regclass;
SELECT "table", trigger FROM triggers
 WHERE schema = 'declare_test'::regnamespace
 ORDER BY "table", trigger;

-- one that is not there: an error, or a notice with if_exists
SELECT try($$SELECT cascade.drop_relationship('authors', 'works')$$);
SELECT cascade.drop_relationship('authors', 'works', if_exists => true);
SELECT try($$SELECT cascade.alter_relationship('authors', 'works', cascade => 'all')$$);

--
-- Every option is stored
--
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan',
    name => 'oeuvre',
    foreign_key => 'books_author_id_fkey',
    direction => 'one-to-many',
    propagate => '{"deleted_at": "deleted_at"}',
    single_parent => true,
    orphan_when => 'all',
    deferred => false,
    nullify => false,
    nullify_columns => '{author_id}',
    follow_keys => false,
    enforce => false);
SELECT * FROM cascade.relationship WHERE source = 'authors'::regclass \gx
SELECT * FROM cascade.relationships WHERE source = 'authors'::regclass \gx
SELECT "table", trigger FROM triggers
 WHERE schema = 'declare_test'::regnamespace
 ORDER BY "table", trigger;

-- altering changes what is given and nothing else
SELECT cascade.alter_relationship('authors', 'oeuvre', orphan_when => 'any', nullify => true);
SELECT * FROM cascade.relationship WHERE source = 'authors'::regclass \gx
SELECT cascade.alter_relationship('authors', 'oeuvre', deferred => true, follow_keys => true,
    cascade => 'all', single_parent => false, propagate => '{}', nullify_columns => '{}');
SELECT * FROM cascade.relationship WHERE source = 'authors'::regclass \gx
SELECT cascade.alter_relationship('authors', 'oeuvre');
SELECT r.cascade, follow_keys, deferred FROM cascade.relationship r WHERE source = 'authors'::regclass;
SELECT "table", trigger FROM triggers
 WHERE schema = 'declare_test'::regnamespace
 ORDER BY "table", trigger;
SELECT cascade.drop_relationship('authors', 'oeuvre');

-- an alteration acts from the next statement on
INSERT INTO authors (id) VALUES (1), (2), (3);
INSERT INTO books (id, author_id) VALUES (1, 1), (2, 2), (3, 3);
SELECT cascade.add_relationship('authors', 'books');
DELETE FROM authors WHERE id = 1;
SELECT id, author_id FROM books ORDER BY id;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
DELETE FROM authors WHERE id = 2;
SELECT id, author_id FROM books ORDER BY id;
SELECT cascade.drop_relationship('authors', 'books');
SELECT try('DELETE FROM authors WHERE id = 3');
SELECT id, author_id FROM books ORDER BY id;
TRUNCATE authors, books;

--
-- No foreign key, or several
--
CREATE TABLE editors (id integer PRIMARY KEY, code text UNIQUE);
CREATE TABLE articles (
    id integer PRIMARY KEY,
    editor_id integer,
    first_author integer CONSTRAINT articles_first REFERENCES authors,
    second_author integer CONSTRAINT articles_second REFERENCES authors
);

-- the error says which parameter to give
SELECT try($$SELECT cascade.add_relationship('editors', 'articles')$$);
-- and lists the candidates
SELECT try($$SELECT cascade.add_relationship('authors', 'articles')$$);

SELECT cascade.add_relationship('editors', 'articles', source_columns => '{id}', target_columns => '{editor_id}');
SELECT cascade.add_relationship('authors', 'articles', name => 'main_articles', foreign_key => 'articles_first');
SELECT cascade.add_relationship('authors', 'articles', name => 'other_articles', foreign_key => 'articles_second');
-- columns of a foreign key may be named, too
SELECT cascade.add_relationship('authors', 'articles', name => 'more_articles', source_columns => '{id}', target_columns => '{second_author}');
SELECT source, name, target, source_columns, target_columns, foreign_key
  FROM cascade.relationship
 WHERE target = 'articles'::regclass
 ORDER BY source::text COLLATE "C", name;
DROP TABLE articles, editors;
SELECT count(*) FROM cascade.relationship;

--
-- Several columns: in the order of the foreign key, or as they are given
--
CREATE TABLE documents (tenant integer, number integer, PRIMARY KEY (tenant, number));
CREATE TABLE lines (
    line integer PRIMARY KEY,
    document integer,
    tenant integer,
    CONSTRAINT lines_document FOREIGN KEY (document, tenant) REFERENCES documents (number, tenant)
);
SELECT cascade.add_relationship('documents', 'lines');
SELECT cascade.add_relationship('documents', 'lines', name => 'by_columns',
    source_columns => '{tenant, number}', target_columns => '{tenant, document}');
SELECT name, source_columns, target_columns, foreign_key
  FROM cascade.relationship
 WHERE source = 'documents'::regclass
 ORDER BY name;
DROP TABLE lines, documents;

--
-- A self-referential table can be read either way: the direction is asked for
--
CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer REFERENCES nodes);
SELECT try($$SELECT cascade.add_relationship('nodes', 'nodes', name => 'children')$$);
SELECT cascade.add_relationship('nodes', 'nodes', name => 'children', direction => 'one-to-many');
SELECT source, name, target, direction, source_columns, target_columns
  FROM cascade.relationship
 WHERE source = 'nodes'::regclass;
DROP TABLE nodes;

--
-- Declaring is transactional
--
INSERT INTO authors (id) VALUES (1), (2);
INSERT INTO books (id, author_id) VALUES (1, 1), (2, 2);
BEGIN;
SELECT cascade.add_relationship('authors', 'books', 'all');
ROLLBACK;
SELECT name FROM cascade.relationship WHERE source = 'authors'::regclass;
SELECT try('DELETE FROM authors WHERE id = 1');

BEGIN;
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false);
SAVEPOINT s;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
DELETE FROM authors WHERE id = 1;
SELECT id, author_id FROM books ORDER BY id;
ROLLBACK TO s;
SELECT try('DELETE FROM authors WHERE id = 1');
SELECT id, author_id FROM books ORDER BY id;
ROLLBACK;

-- in a transaction that has already written to both tables, with a check of
-- a deferred foreign key pending
ALTER TABLE books ALTER CONSTRAINT books_author_id_fkey DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO books (id, author_id) VALUES (3, 3);
INSERT INTO authors (id) VALUES (3);
SELECT cascade.add_relationship('authors', 'books', 'all');
DELETE FROM authors WHERE id IN (1, 3);
COMMIT;
SELECT id FROM authors ORDER BY id;
SELECT id, author_id FROM books ORDER BY id;
SELECT cascade.drop_relationship('authors', 'books');

-- SHARE ROW EXCLUSIVE on both tables, as ADD FOREIGN KEY takes
BEGIN;
SELECT cascade.add_relationship('authors', 'books', 'all');
SELECT relation::regclass AS "table", mode
  FROM pg_locks
 WHERE pid = pg_backend_pid() AND relation IN ('authors'::regclass, 'books'::regclass)
   AND mode LIKE '%Exclusive%'
 ORDER BY 1, 2;
ROLLBACK;

--
-- Other sources and targets of the same tables do not get in the way
--
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer REFERENCES books);
CREATE TABLE reviews (id integer PRIMARY KEY, book_id integer REFERENCES books);
SELECT cascade.add_relationship('authors', 'books', 'all');
SELECT cascade.add_relationship('books', 'pages', 'all');
SELECT cascade.add_relationship('books', 'reviews', 'all');
INSERT INTO pages VALUES (1, 2);
INSERT INTO reviews VALUES (1, 2);
SELECT cascade.drop_relationship('books', 'reviews');
SELECT try('DELETE FROM authors WHERE id = 2');
DELETE FROM reviews;
DELETE FROM authors WHERE id = 2;
TABLE books;
TABLE pages;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA declare_test CASCADE;

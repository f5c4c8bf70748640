--
-- enforce: the extension guards the reference, as a foreign key would
--
CREATE SCHEMA enforce_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = enforce_test, helper;

--
-- One-to-many, with nothing that takes the children along
--
CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, title text);
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
SELECT source, name, target, enforce FROM cascade.relationship WHERE source = 'authors'::regclass;
INSERT INTO authors VALUES (1, 'Le Guin'), (2, 'Lem'), (3, 'Strugatsky');

-- the child's side; no key is no reference
INSERT INTO books VALUES (1, 1), (2, 2), (3, NULL);
SELECT try('INSERT INTO books VALUES (4, 9)');
SELECT try('INSERT INTO books VALUES (4, 1), (5, 2), (6, 8), (7, 1)');
UPDATE books SET author_id = 2 WHERE id = 1;
UPDATE books SET author_id = NULL WHERE id = 2;
SELECT try('UPDATE books SET author_id = 9 WHERE id = 3');
SELECT try('UPDATE books SET author_id = id + 1');
TABLE books ORDER BY id;

-- the parent's side
SELECT try('DELETE FROM authors WHERE id = 2');
SELECT try('DELETE FROM authors');
SELECT try('UPDATE authors SET id = 20 WHERE id = 2');
SELECT try('UPDATE authors SET id = id + 10');
UPDATE authors SET name = upper(name), id = id;
DELETE FROM authors WHERE id = 3;
UPDATE authors SET id = 10 WHERE id = 1;
TABLE authors ORDER BY id;
DELETE FROM books WHERE author_id = 2;
DELETE FROM authors WHERE id = 2;
TABLE authors;

-- it is the end of the statement that counts: a parent is deleted and inserted
-- again, a key goes with one parent and comes to another one
INSERT INTO authors VALUES (11, 'a'), (12, 'b');
INSERT INTO books VALUES (11, 11), (12, 12);
WITH gone AS (DELETE FROM authors WHERE id = 11 RETURNING id)
INSERT INTO authors SELECT id, 'again' FROM gone;
SELECT try($$WITH gone AS (DELETE FROM authors WHERE id = 12 RETURNING id)
             UPDATE authors a SET id = gone.id FROM gone WHERE a.id = 11$$);
WITH gone AS (DELETE FROM authors WHERE id = 12 RETURNING id)
UPDATE authors a SET id = gone.id FROM gone WHERE a.id = 10;
TABLE authors ORDER BY id;
-- a savepoint takes both back
BEGIN;
SAVEPOINT s;
DELETE FROM books WHERE author_id = 11;
DELETE FROM authors WHERE id = 11;
ROLLBACK TO s;
SELECT try('DELETE FROM authors WHERE id = 11');
COMMIT;
SELECT id, author_id FROM books ORDER BY id;
TABLE authors ORDER BY id;

--
-- Every way to write
--
TRUNCATE authors, books;
INSERT INTO authors VALUES (1), (2), (3);
COPY books (id, author_id) FROM stdin;
1	1
2	2
3	\N
\.
COPY books (id, author_id) FROM stdin;  -- fails
4	1
5	7
\.
INSERT INTO books VALUES (1, 3) ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id;
SELECT try('INSERT INTO books VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id');
SELECT try('INSERT INTO books VALUES (4, 9) ON CONFLICT DO NOTHING');
INSERT INTO books VALUES (1, 9) ON CONFLICT DO NOTHING;
MERGE INTO books b USING (VALUES (1, 1), (4, 2)) v (id, author_id) ON b.id = v.id
 WHEN MATCHED THEN UPDATE SET author_id = v.author_id
 WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.author_id);
SELECT try($$MERGE INTO books b USING (VALUES (1, 1), (5, 6)) v (id, author_id) ON b.id = v.id
              WHEN MATCHED THEN UPDATE SET author_id = v.author_id
              WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.author_id)$$);
SELECT try($$MERGE INTO books b USING (VALUES (1, 6), (5, 1)) v (id, author_id) ON b.id = v.id
              WHEN MATCHED THEN UPDATE SET author_id = v.author_id
              WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.author_id)$$);
SELECT try($$MERGE INTO authors a USING (VALUES (1), (3)) v (id) ON a.id = v.id
              WHEN MATCHED THEN DELETE$$);
CREATE VIEW shelf AS SELECT id, author_id FROM books;
SELECT try('INSERT INTO shelf VALUES (5, 9)');
SELECT try('UPDATE shelf SET author_id = 9 WHERE id = 1');
BEGIN;
DECLARE cur CURSOR FOR SELECT FROM authors WHERE id = 1 FOR UPDATE;
MOVE cur;
SAVEPOINT s;
DELETE FROM authors WHERE CURRENT OF cur;  -- fails
ROLLBACK TO s;
COMMIT;
PREPARE new_book AS INSERT INTO books VALUES ($1, $2);
EXECUTE new_book(6, 1);
SELECT try('EXECUTE new_book(7, 9)');
TABLE authors ORDER BY id;
SELECT id, author_id FROM books ORDER BY id;

-- parent and child by one statement, in both orders
WITH new_author AS (INSERT INTO authors VALUES (4) RETURNING id)
INSERT INTO books SELECT 40, id FROM new_author;
WITH new_book AS (INSERT INTO books VALUES (50, 5))
INSERT INTO authors VALUES (5);
WITH gone AS (DELETE FROM books WHERE author_id = 4)
DELETE FROM authors WHERE id = 4;
WITH gone AS (DELETE FROM authors WHERE id = 5)
DELETE FROM books WHERE author_id = 5;
WITH moved AS (UPDATE authors SET id = 6 WHERE id = 1)
UPDATE books SET author_id = 6 WHERE author_id = 1;
WITH gone AS (DELETE FROM authors WHERE id = 6)
UPDATE books SET author_id = 3 WHERE author_id = 6;
SELECT try('WITH gone AS (DELETE FROM authors WHERE id = 2) INSERT INTO books VALUES (60, 2)');
SELECT try('WITH gone AS (DELETE FROM books WHERE author_id = 3) UPDATE books SET author_id = 9 WHERE id = 2');
-- what a row held before another trigger changed it does not count, if that
-- trigger comes first, as with a foreign key
CREATE FUNCTION correct() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE books SET author_id = 3 WHERE id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER "A_correct" AFTER INSERT ON books FOR EACH ROW WHEN (NEW.author_id > 100) EXECUTE FUNCTION correct();
INSERT INTO books VALUES (70, 101);
TABLE authors ORDER BY id;
SELECT id, author_id FROM books ORDER BY id;
DROP VIEW shelf;
DEALLOCATE new_book;

-- many rows at once, the last of which has no parent
TRUNCATE authors, books;
DROP TRIGGER "A_correct" ON books;
INSERT INTO authors SELECT generate_series(1, 2000);
INSERT INTO books SELECT i, (i + 1) / 2 FROM generate_series(1, 4000) i;
SELECT try('INSERT INTO books SELECT 5000 + i, i FROM generate_series(1, 2001) i');
SELECT try('UPDATE books SET author_id = id WHERE id <= 2001');
DELETE FROM books WHERE author_id % 2 = 0 AND author_id < 2000;
SELECT try('DELETE FROM authors WHERE id % 2 = 0');
DELETE FROM authors WHERE id % 2 = 0 AND id < 2000;
SELECT (SELECT count(*) FROM authors) AS authors, (SELECT count(*) FROM books) AS books;
DROP TABLE books, authors;

--
-- Declaration: what is there is validated, and a key that could not be
-- referenced by a foreign key cannot be enforced
--
CREATE TABLE authors (id integer PRIMARY KEY, name text, part integer UNIQUE DEFERRABLE);
CREATE UNIQUE INDEX ON authors (name) WHERE name <> '';
CREATE TABLE books (id integer PRIMARY KEY, author_id integer, author_name text);
INSERT INTO authors VALUES (1, 'a', 1);
INSERT INTO books VALUES (1, 1), (2, 5), (3, NULL);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', enforce => true,
    source_columns => '{id}', target_columns => '{author_id}')$$);
SELECT count(*) FROM cascade.relationship WHERE source = 'authors'::regclass;
SELECT cascade.add_relationship('authors', 'books', 'all', source_columns => '{id}', target_columns => '{author_id}');
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', enforce => true)$$);
SELECT enforce FROM cascade.relationship WHERE source = 'authors'::regclass;
-- off: nothing is refused
INSERT INTO books VALUES (4, 6);
DELETE FROM books WHERE author_id > 1;
-- on
SELECT cascade.alter_relationship('authors', 'books', enforce => true);
SELECT enforce FROM cascade.relationship WHERE source = 'authors'::regclass;
SELECT try('INSERT INTO books VALUES (4, 6)');
-- altering something else leaves it on
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update, merge', nullify => false);
SELECT try('DELETE FROM authors');
SELECT cascade.alter_relationship('authors', 'books', enforce => false);
INSERT INTO books VALUES (4, 6);
DELETE FROM authors;
SELECT count(*) FROM books WHERE author_id IS NOT NULL;
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', enforce => true)$$);
SELECT cascade.drop_relationship('authors', 'books');
DELETE FROM books;
-- dropped: nothing is refused any more
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
SELECT cascade.drop_relationship('authors', 'books');
INSERT INTO books VALUES (5, 6);
DELETE FROM books;
-- no unique index, a partial one, one that is deferrable
SELECT try($$SELECT cascade.add_relationship('authors', 'books', enforce => true,
    source_columns => '{name}', target_columns => '{author_name}', direction => 'one-to-many')$$);
SELECT try($$SELECT cascade.add_relationship('authors', 'books', enforce => true,
    source_columns => '{part}', target_columns => '{author_id}')$$);
-- in the transaction that has written the rows
BEGIN;
INSERT INTO authors VALUES (7);
INSERT INTO books VALUES (7, 7);
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
SELECT try('DELETE FROM authors WHERE id = 7');
ROLLBACK;
INSERT INTO books VALUES (7, 7);
DROP TABLE books, authors;

-- foreign tables
RESET ROLE;
CREATE FOREIGN DATA WRAPPER enforce_wrapper;
CREATE SERVER enforce_server FOREIGN DATA WRAPPER enforce_wrapper;
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE FOREIGN TABLE books (id integer, author_id integer) SERVER enforce_server;
SELECT try($$SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}')$$);
DROP FOREIGN TABLE books;
DROP TABLE authors;
DROP SERVER enforce_server;
DROP FOREIGN DATA WRAPPER enforce_wrapper;
SET ROLE regress_cascade_user;

--
-- What the cascade takes along is no obstacle
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
CREATE TABLE pages (id integer PRIMARY KEY, book_id integer);
CREATE PROCEDURE fill()
LANGUAGE sql
AS $$
    DELETE FROM pages;
    DELETE FROM books;
    DELETE FROM authors;
    INSERT INTO authors VALUES (1), (2), (3);
    INSERT INTO books VALUES (1, 1), (2, 1), (3, 2);
    INSERT INTO pages VALUES (1, 1), (2, 2), (3, 3);
$$;
CREATE VIEW state AS
    SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM authors) AS authors,
           (SELECT string_agg(id || ':' || coalesce(author_id::text, '-'), ' ' ORDER BY id) FROM books) AS books,
           (SELECT string_agg(id || ':' || coalesce(book_id::text, '-'), ' ' ORDER BY id) FROM pages) AS pages;
SELECT cascade.add_relationship('authors', 'books', 'all', enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
SELECT cascade.add_relationship('books', 'pages', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{book_id}');
CALL fill();
-- delete: the books could go, but their pages hold them
SELECT try('DELETE FROM authors WHERE id = 1');
TABLE state;
SELECT cascade.alter_relationship('books', 'pages', cascade => 'all');
DELETE FROM authors WHERE id = 1;
TABLE state;
-- follow
UPDATE authors SET id = 20 WHERE id = 2;
UPDATE books SET id = 30 WHERE id = 3;
TABLE state;
-- follow_keys => false: refused
SELECT cascade.alter_relationship('authors', 'books', follow_keys => false);
SELECT try('UPDATE authors SET id = 2 WHERE id = 20');
-- nullify
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update', follow_keys => true);
DELETE FROM authors WHERE id = 20;
TABLE state;
-- nullify => false: refused
CALL fill();
SELECT cascade.alter_relationship('authors', 'books', nullify => false);
SELECT try('DELETE FROM authors WHERE id = 1');
-- one of those that are deleted is enough
SELECT try('DELETE FROM authors WHERE id IN (2, 3)');
DELETE FROM authors WHERE id = 3;
TABLE state;
-- of two relationships with the same key, the stronger one decides
SELECT cascade.add_relationship('authors', 'books', 'all', name => 'works',
    source_columns => '{id}', target_columns => '{author_id}');
DELETE FROM authors WHERE id = 2;
TABLE state;
SELECT try('INSERT INTO books VALUES (9, 2)');
SELECT cascade.drop_relationship('authors', 'works');
-- orphans
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
CALL fill();
UPDATE books SET author_id = NULL WHERE id = 1;
TABLE state;
BEGIN;
SELECT try('UPDATE books SET author_id = 9 WHERE id = 2');
UPDATE books SET author_id = NULL WHERE id = 2;
UPDATE books SET author_id = 3 WHERE id = 2;
COMMIT;
TABLE state;

--
-- A BEFORE trigger or a rule that keeps a child
--
CREATE FUNCTION keep() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_ARGV[0] = 'old' THEN
        RETURN OLD;
    END IF;
    RETURN NULL;
END
$$;
CALL fill();
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all', follow_keys => true);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON books FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION keep();
SELECT try('DELETE FROM authors WHERE id = 1');
SELECT try('UPDATE authors SET id = 10 WHERE id = 1');
TABLE state;
DELETE FROM authors WHERE id = 2;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update', nullify => true);
SELECT try('DELETE FROM authors WHERE id = 1');
DROP TRIGGER keep ON books;
CREATE TRIGGER keep BEFORE UPDATE ON books FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION keep('old');
SELECT try('DELETE FROM authors WHERE id = 1');
SELECT try('UPDATE authors SET id = 10 WHERE id = 1');
TABLE state;
DROP TRIGGER keep ON books;
-- a trigger that writes a child of the parent that goes
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
CREATE FUNCTION again() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO books VALUES (OLD.id + 100, OLD.author_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER again AFTER DELETE ON books FOR EACH ROW WHEN (OLD.id < 100) EXECUTE FUNCTION again();
SELECT try('DELETE FROM authors WHERE id = 1');
DROP TRIGGER again ON books;
TABLE state;
-- rules
SELECT cascade.alter_relationship('authors', 'books', cascade => 'save-update');
CREATE RULE keep AS ON UPDATE TO books WHERE OLD.id = 2 DO INSTEAD NOTHING;
SELECT try('DELETE FROM authors WHERE id = 1');
SELECT try('UPDATE authors SET id = 10 WHERE id = 1');
DROP RULE keep ON books;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all');
CREATE RULE keep AS ON DELETE TO books WHERE OLD.id = 2 DO INSTEAD NOTHING;
SELECT try('DELETE FROM authors WHERE id = 1');
DROP RULE keep ON books;
TABLE state;
DROP VIEW state;
DROP PROCEDURE fill;
DROP TABLE pages, books, authors;

--
-- Many-to-one
--
CREATE TABLE publishers (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, publisher_id integer);
SELECT cascade.add_relationship('books', 'publishers', enforce => true, name => 'publisher',
    source_columns => '{publisher_id}', target_columns => '{id}');
INSERT INTO publishers VALUES (1), (2), (3);
INSERT INTO books VALUES (1, 1), (2, NULL);
SELECT try('INSERT INTO books VALUES (3, 9)');
SELECT try('UPDATE books SET publisher_id = 9');
SELECT try('DELETE FROM publishers WHERE id = 1');
-- follows
UPDATE publishers SET id = 10 WHERE id = 1;
DELETE FROM publishers WHERE id = 2;
TABLE books ORDER BY id;
SELECT cascade.alter_relationship('books', 'publisher', cascade => 'none');
SELECT try('UPDATE publishers SET id = 1 WHERE id = 10');
-- the target goes with its last referrer, not before
SELECT cascade.alter_relationship('books', 'publisher', cascade => 'all, delete-orphan');
UPDATE books SET publisher_id = 10;
DELETE FROM books WHERE id = 1;
TABLE publishers ORDER BY id;
SELECT try('DELETE FROM publishers WHERE id = 10');
DELETE FROM books;
TABLE publishers;
-- delete without delete-orphan: other referrers hold the target
SELECT cascade.alter_relationship('books', 'publisher', cascade => 'all', deferred => false);
INSERT INTO books VALUES (1, 3), (2, 3);
SELECT try('DELETE FROM books WHERE id = 1');
DELETE FROM books;
TABLE publishers;
DROP TABLE books, publishers;

--
-- Many-to-many: both ends of a link
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY);
CREATE TABLE post_tags (post_id integer, tag_id integer);
CREATE FUNCTION declare_tags(cascade text, nullify boolean) RETURNS name
LANGUAGE sql
AS $$
    SELECT cascade.add_relationship('posts', 'tags', cascade, secondary => 'post_tags', enforce => true,
        source_columns => '{id}', secondary_source_columns => '{post_id}',
        target_columns => '{id}', secondary_target_columns => '{tag_id}', nullify => nullify)
$$;
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO tags VALUES (1), (2), (3);
INSERT INTO post_tags VALUES (1, 9);
SELECT try($$SELECT declare_tags('save-update', true)$$);
UPDATE post_tags SET post_id = 9, tag_id = 1;
SELECT try($$SELECT declare_tags('save-update', true)$$);
DELETE FROM post_tags;
SELECT declare_tags('save-update', true);
INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2), (3, 3), (1, NULL), (NULL, 1);
SELECT try('INSERT INTO post_tags VALUES (1, 9)');
SELECT try('INSERT INTO post_tags VALUES (9, 1)');
SELECT try('INSERT INTO post_tags VALUES (NULL, 9)');
SELECT try('UPDATE post_tags SET tag_id = 9 WHERE post_id = 2');
SELECT try('UPDATE post_tags SET post_id = 9 WHERE post_id = 2');
-- links go with either end, and follow it
DELETE FROM posts WHERE id = 1;
DELETE FROM tags WHERE id = 1;
UPDATE posts SET id = 20 WHERE id = 2;
UPDATE tags SET id = 20 WHERE id = 2;
TABLE post_tags ORDER BY post_id, tag_id;
-- or are left alone: then neither end goes
SELECT cascade.drop_relationship('posts', 'tags');
SELECT declare_tags('none', false);
SELECT try('DELETE FROM posts WHERE id = 20');
SELECT try('DELETE FROM tags WHERE id = 20');
SELECT try('UPDATE posts SET id = 2 WHERE id = 20');
SELECT try('UPDATE tags SET id = 2 WHERE id = 20');
-- links and both ends by one statement
WITH links AS (DELETE FROM post_tags WHERE post_id = 20), gone AS (DELETE FROM posts WHERE id = 20)
DELETE FROM tags WHERE id = 20;
TABLE post_tags ORDER BY post_id, tag_id;
DROP TABLE post_tags, posts, tags;

--
-- Polymorphic: which table is asked depends on the discriminator
--
CREATE TABLE posts (id integer PRIMARY KEY);
CREATE TABLE photos (id integer PRIMARY KEY);
CREATE TABLE comments (id integer PRIMARY KEY, type text, key bigint);
SELECT cascade.add_relationship('posts', 'comments', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "post"}');
SELECT cascade.add_relationship('photos', 'comments', 'all', enforce => true,
    source_columns => '{id}', target_columns => '{key}', discriminator => '{"type": "photo"}');
INSERT INTO posts VALUES (1), (2);
INSERT INTO photos VALUES (2), (3);
-- 'video' is nobody's
INSERT INTO comments VALUES (1, 'post', 1), (2, 'photo', 2), (3, 'video', 9), (4, NULL, 9), (5, 'post', NULL);
SELECT try($$INSERT INTO comments VALUES (6, 'post', 3)$$);
SELECT try($$INSERT INTO comments VALUES (6, 'photo', 1)$$);
SELECT try($$INSERT INTO comments VALUES (6, 'post', 5000000000)$$);
-- the discriminator alone changes
SELECT try($$UPDATE comments SET type = 'photo' WHERE id = 1$$);
SELECT try($$UPDATE comments SET type = 'post' WHERE id = 3$$);
UPDATE comments SET type = 'post' WHERE id = 2;
UPDATE comments SET type = 'video' WHERE id = 1;
-- 1 is held by nobody now, 2 by a comment on a post
DELETE FROM posts WHERE id = 1;
SELECT try('DELETE FROM posts WHERE id = 2');
SELECT try('UPDATE posts SET id = 20 WHERE id = 2');
DELETE FROM photos WHERE id = 2;
INSERT INTO comments VALUES (7, 'photo', 3);
UPDATE photos SET id = 30 WHERE id = 3;
TABLE comments ORDER BY id;
DELETE FROM photos;
TABLE comments ORDER BY id;
DROP TABLE comments, posts, photos;

--
-- Self-referential
--
CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer);
SELECT cascade.add_relationship('nodes', 'nodes', 'none', name => 'children', direction => 'one-to-many',
    nullify => false, enforce => true, source_columns => '{id}', target_columns => '{parent_id}');
-- parents may come after their children, and a row may be its own parent
INSERT INTO nodes VALUES (3, 2), (2, 1), (1, NULL), (4, 4);
SELECT try('INSERT INTO nodes VALUES (5, 6)');
SELECT try('INSERT INTO nodes VALUES (5, 7), (6, 5)');
SELECT try('DELETE FROM nodes WHERE id = 2');
SELECT try('UPDATE nodes SET id = 20 WHERE id = 2');
UPDATE nodes SET id = 40, parent_id = 40 WHERE id = 4;
SELECT try('UPDATE nodes SET id = 4 WHERE id = 40');
DELETE FROM nodes WHERE id IN (2, 3);
DELETE FROM nodes WHERE id = 40;
TABLE nodes;
-- with save-update and delete
SELECT cascade.alter_relationship('nodes', 'children', cascade => 'all');
INSERT INTO nodes VALUES (2, 1), (3, 2), (4, 4);
UPDATE nodes SET id = id * 10;
TABLE nodes ORDER BY id;
DELETE FROM nodes WHERE id = 10;
TABLE nodes;
DROP TABLE nodes;
-- many-to-one
CREATE TABLE staff (id integer PRIMARY KEY, boss integer);
SELECT cascade.add_relationship('staff', 'staff', 'none', name => 'boss', direction => 'many-to-one',
    enforce => true, source_columns => '{boss}', target_columns => '{id}');
INSERT INTO staff VALUES (2, 1), (1, NULL);
SELECT try('INSERT INTO staff VALUES (3, 9)');
SELECT try('DELETE FROM staff WHERE id = 1');
DELETE FROM staff;
DROP TABLE staff;
-- many-to-many
CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE friends (one integer, two integer);
SELECT cascade.add_relationship('people', 'people', name => 'friends', secondary => 'friends', enforce => true,
    source_columns => '{id}', secondary_source_columns => '{one}',
    target_columns => '{id}', secondary_target_columns => '{two}');
INSERT INTO people VALUES (1), (2), (3);
INSERT INTO friends VALUES (1, 2), (2, 3), (3, 3);
SELECT try('INSERT INTO friends VALUES (1, 9)');
SELECT try('INSERT INTO friends VALUES (9, 1)');
DELETE FROM people WHERE id = 2;
UPDATE people SET id = 30 WHERE id = 3;
TABLE friends;
DROP TABLE friends, people;

--
-- Two tables that refer to each other are written by one statement
--
CREATE TABLE teams (id integer PRIMARY KEY, captain_id integer NOT NULL);
CREATE TABLE players (id integer PRIMARY KEY, team_id integer NOT NULL);
SELECT cascade.add_relationship('teams', 'players', 'none', nullify => false, enforce => true, direction => 'one-to-many',
    source_columns => '{id}', target_columns => '{team_id}');
SELECT cascade.add_relationship('teams', 'players', 'none', name => 'captain', enforce => true, direction => 'many-to-one',
    source_columns => '{captain_id}', target_columns => '{id}');
SELECT try('INSERT INTO teams VALUES (1, 1)');
SELECT try('INSERT INTO players VALUES (1, 1)');
WITH team AS (INSERT INTO teams VALUES (1, 1)) INSERT INTO players VALUES (1, 1), (2, 1);
SELECT try('DELETE FROM teams');
SELECT try('DELETE FROM players');
DELETE FROM players WHERE id = 2;
WITH team AS (DELETE FROM teams) DELETE FROM players;
TABLE teams;
TABLE players;
DROP TABLE teams, players;

--
-- Keys of several columns; a NULL in one of them ties to nothing.  int4 and
-- int8, int2 and int4.
--
CREATE TABLE shops (tenant integer, id smallint, PRIMARY KEY (tenant, id));
CREATE TABLE staff (tenant integer, id integer, PRIMARY KEY (tenant, id));
CREATE TABLE sales (id integer PRIMARY KEY, tenant bigint, shop_id integer, staff_id bigint);
SELECT cascade.add_relationship('shops', 'sales', 'save-update', enforce => true, nullify_columns => '{shop_id}',
    source_columns => '{tenant, id}', target_columns => '{tenant, shop_id}');
SELECT cascade.add_relationship('staff', 'sales', 'none', nullify => false, enforce => true,
    source_columns => '{tenant, id}', target_columns => '{tenant, staff_id}');
INSERT INTO shops VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO staff VALUES (1, 1), (2, 1), (2, 2);
INSERT INTO sales VALUES (1, 1, 1, NULL), (2, 1, NULL, 1), (3, NULL, 9, 9), (4, 2, 1, 2);
SELECT try('INSERT INTO sales VALUES (5, 2, 2, 2)');
SELECT try('INSERT INTO sales VALUES (5, 1, 1, 2)');
-- not a smallint, not an integer
SELECT try('INSERT INTO sales VALUES (5, 1, 100000, NULL)');
SELECT try('INSERT INTO sales VALUES (5, 5000000000, 1, NULL)');
SELECT try('UPDATE sales SET tenant = 1 WHERE id = 4');
-- a column that is no part of the key
UPDATE sales SET id = 6 WHERE id = 4;
-- one relationship takes its column along, and the other does not agree
SELECT try('UPDATE shops SET tenant = 3 WHERE tenant = 2');
SELECT try('DELETE FROM staff WHERE tenant = 2');
UPDATE shops SET id = 5 WHERE tenant = 2;
-- the part of the key that the two share stays
DELETE FROM shops WHERE tenant = 2;
SELECT try('DELETE FROM staff WHERE tenant = 2');
DELETE FROM staff WHERE (tenant, id) = (2, 1);
TABLE sales ORDER BY id;
DROP TABLE sales, staff, shops;

-- equal is what the parent's index says: numeric 1.0 and 1.00
CREATE TABLE rates (rate numeric PRIMARY KEY);
CREATE TABLE loans (id integer PRIMARY KEY, rate numeric);
SELECT cascade.add_relationship('rates', 'loans', 'none', nullify => false, enforce => true,
    source_columns => '{rate}', target_columns => '{rate}', direction => 'one-to-many');
INSERT INTO rates VALUES (1.0), (2.5);
INSERT INTO loans VALUES (1, 1.00), (2, 2.500);
SELECT try('INSERT INTO loans VALUES (3, 1.01)');
UPDATE rates SET rate = 1.000 WHERE rate = 1;
UPDATE loans SET rate = 1 WHERE id = 1;
SELECT try('DELETE FROM rates WHERE rate = 2.5');
TABLE rates ORDER BY rate;
DROP TABLE loans, rates;

-- a domain on either side, an enum, a name in quotes
CREATE DOMAIN code AS text CHECK (value <> '');
CREATE TABLE "odd "" one" ("the key" code PRIMARY KEY);
CREATE TABLE "it's" (id integer, "the 'ref" varchar(10));
SELECT cascade.add_relationship('"odd "" one"', '"it''s"', 'none', nullify => false, enforce => true, name => 'a "b"',
    source_columns => '{the key}', target_columns => ARRAY['the ''ref'::name]);
INSERT INTO "odd "" one" VALUES ('x');
INSERT INTO "it's" VALUES (1, 'x');
SELECT try($$INSERT INTO "it's" VALUES (2, 'y')$$);
SELECT try($$DELETE FROM "odd "" one"$$);
DROP TABLE "it's", "odd "" one";
DROP DOMAIN code;

--
-- Partitioned tables as child and as parent, written through the root or
-- through a partition
--
CREATE TABLE parents (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE parents_low PARTITION OF parents FOR VALUES FROM (1) TO (100);
CREATE TABLE parents_high PARTITION OF parents FOR VALUES FROM (100) TO (200);
CREATE TABLE children (id integer, parent_id integer) PARTITION BY LIST (id);
CREATE TABLE children_1 PARTITION OF children FOR VALUES IN (1);
CREATE TABLE children_rest PARTITION OF children DEFAULT;
SELECT cascade.add_relationship('parents', 'children', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO parents VALUES (1), (2), (101), (102);
INSERT INTO children VALUES (1, 1), (2, 101);
INSERT INTO children_rest VALUES (3, 2);
SELECT try('INSERT INTO children VALUES (1, 1), (2, 9)');
SELECT try('INSERT INTO children_1 VALUES (1, 9)');
SELECT try('UPDATE children_rest SET parent_id = 9');
-- a child that moves to another partition, with its key and with another one
UPDATE children SET id = 4 WHERE id = 1;
SELECT try('UPDATE children SET id = 1, parent_id = 9 WHERE id = 4');
SELECT try('DELETE FROM parents WHERE id = 1');
SELECT try('DELETE FROM parents_low WHERE id = 2');
SELECT try('UPDATE parents SET id = 10 WHERE id = 1');
-- a parent that moves to another partition has another key here
SELECT try('UPDATE parents SET id = 110 WHERE id = 1');
SELECT try('MERGE INTO parents p USING (VALUES (1)) v (id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET id = 110');
UPDATE parents SET id = 50 WHERE id = 102;
MERGE INTO parents p USING (VALUES (50)) v (id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET id = 103;
UPDATE parents SET note = 'same key';
-- partitions that come and go
CREATE TABLE children_5 (id integer, parent_id integer);
INSERT INTO children_5 VALUES (5, 9);
SELECT try('ALTER TABLE children ATTACH PARTITION children_5 FOR VALUES IN (5)') ~ '^23503' AS refused LIMIT 1;
UPDATE children_5 SET parent_id = 2;
ALTER TABLE children ATTACH PARTITION children_5 FOR VALUES IN (5);
SELECT try('UPDATE children_5 SET parent_id = 9');
ALTER TABLE children DETACH PARTITION children_5;
UPDATE children_5 SET parent_id = 9;
SELECT try('ALTER TABLE parents DETACH PARTITION parents_low') ~ '^23503' AS refused LIMIT 1;
ALTER TABLE parents DETACH PARTITION parents_low CONCURRENTLY;  -- fails
SELECT try('DROP TABLE parents_low') ~ '^(23503|2BP01)' AS refused LIMIT 1;
SELECT try('TRUNCATE parents_low') ~ '^0A000' AS refused LIMIT 1;
TABLE parents ORDER BY id;
DELETE FROM children WHERE parent_id < 100;
ALTER TABLE parents DETACH PARTITION parents_low;
SELECT try('INSERT INTO children VALUES (6, 1)');
DELETE FROM parents_low;
SELECT tableoid::regclass, * FROM children ORDER BY id;
DROP TABLE children, children_5, parents, parents_low;

-- parents that move to other partitions take their children along
CREATE TABLE parents (id integer, region integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parents_1 PARTITION OF parents FOR VALUES IN (1);
CREATE TABLE parents_2 PARTITION OF parents FOR VALUES IN (2);
CREATE TABLE children (id integer, parent_id integer, region integer);
SELECT cascade.add_relationship('parents', 'children', 'all', enforce => true,
    source_columns => '{id, region}', target_columns => '{parent_id, region}');
INSERT INTO parents VALUES (1, 1), (2, 2);
INSERT INTO children VALUES (1, 1, 1), (2, 2, 2), (3, 1, NULL);
UPDATE parents SET region = 3 - region;
TABLE children ORDER BY id;
SELECT try('INSERT INTO children VALUES (4, 1, 1)');
DELETE FROM parents WHERE id = 1;
TABLE children ORDER BY id;
DROP TABLE children, parents;

--
-- Inheritance: a row of a table that inherits is no parent and no child, as
-- with foreign keys
--
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE heirs () INHERITS (parents);
CREATE TABLE children (id integer, parent_id integer);
CREATE TABLE grandchildren () INHERITS (children);
SELECT cascade.add_relationship('parents', 'children', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{parent_id}');
INSERT INTO heirs VALUES (1);
INSERT INTO grandchildren VALUES (1, 2);
INSERT INTO parents VALUES (2);
SELECT try('INSERT INTO children VALUES (1, 1)');
DELETE FROM parents;
SELECT cascade.alter_relationship('parents', 'children', enforce => false);
SELECT cascade.alter_relationship('parents', 'children', enforce => true);
DROP TABLE grandchildren, children, heirs, parents;

--
-- Settings, sessions that replay changes, triggers that are switched off
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
SELECT cascade.add_relationship('authors', 'books', 'all', enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 2);
RESET ROLE;
SET cascade.enabled = off;
SET ROLE regress_cascade_user;
INSERT INTO books VALUES (3, 9);
DELETE FROM authors WHERE id = 2;
SELECT id, author_id FROM books ORDER BY id;
RESET ROLE;
SET cascade.enabled = on;
SET session_replication_role = replica;
SET ROLE regress_cascade_user;
INSERT INTO books VALUES (4, 9);
RESET ROLE;
RESET session_replication_role;
SET ROLE regress_cascade_user;
SELECT try('INSERT INTO books VALUES (5, 9)');
ALTER TABLE books DISABLE TRIGGER USER;
INSERT INTO books VALUES (5, 9);
ALTER TABLE books ENABLE TRIGGER USER;
-- what has come meanwhile is not looked at until its key is written
UPDATE books SET id = 6, author_id = author_id WHERE id = 5;
SELECT try('UPDATE books SET author_id = 8 WHERE id = 6');
SELECT try('INSERT INTO books VALUES (7, 9)');
-- and is told when the declaration is made again
SELECT cascade.alter_relationship('authors', 'books', enforce => false);
DELETE FROM books WHERE author_id = 2;
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', enforce => true)$$);
DROP TABLE books, authors;

--
-- Privileges.  The checks run as the owner of the table that they read, and
-- the error shows the key to those who may read it.
--
RESET ROLE;
CREATE SCHEMA enforce_private AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
CREATE TABLE enforce_private.authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
SELECT cascade.add_relationship('enforce_private.authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
INSERT INTO enforce_private.authors VALUES (1), (2), (3);
INSERT INTO books VALUES (1, 1);
GRANT USAGE ON SCHEMA enforce_test TO regress_cascade_other;
GRANT INSERT, UPDATE ON books TO regress_cascade_other;
SET ROLE regress_cascade_other;
INSERT INTO books VALUES (2, 2);
SELECT try('INSERT INTO books VALUES (3, 9)');
SELECT try('UPDATE books SET author_id = 9');
SET ROLE regress_cascade_user;
GRANT SELECT ON books TO regress_cascade_other;
GRANT USAGE ON SCHEMA enforce_private TO regress_cascade_other;
GRANT DELETE, UPDATE ON enforce_private.authors TO regress_cascade_other;
SET ROLE regress_cascade_other;
SELECT try('INSERT INTO books VALUES (3, 9)');
SELECT try('DELETE FROM enforce_private.authors');
SET ROLE regress_cascade_user;
GRANT SELECT ON enforce_private.authors TO regress_cascade_other;
SET ROLE regress_cascade_other;
SELECT try('DELETE FROM enforce_private.authors WHERE id = 1');
-- row security hides rows from the role, but not from the check
SET ROLE regress_cascade_user;
CREATE POLICY none_of_them ON enforce_private.authors FOR SELECT USING (false);
CREATE POLICY write_all ON enforce_private.authors FOR DELETE USING (true);
CREATE POLICY none_of_them ON books FOR SELECT USING (false);
CREATE POLICY write_all ON books FOR INSERT WITH CHECK (true);
ALTER TABLE enforce_private.authors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE books ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO books VALUES (3, 3);
SELECT try('INSERT INTO books VALUES (4, 9)');
SELECT try('DELETE FROM enforce_private.authors');
SET ROLE regress_cascade_other;
INSERT INTO books VALUES (5, 3);
SELECT try('INSERT INTO books VALUES (6, 9)');
SELECT try('DELETE FROM enforce_private.authors');
SET ROLE regress_cascade_user;
ALTER TABLE enforce_private.authors NO FORCE ROW LEVEL SECURITY;
ALTER TABLE books NO FORCE ROW LEVEL SECURITY;
SELECT * FROM enforce_private.authors ORDER BY id;
TABLE books ORDER BY id;
-- an owner without rights on its own table is no match for it, as with a
-- foreign key
REVOKE ALL ON enforce_private.authors FROM regress_cascade_user;
SELECT try('INSERT INTO books VALUES (9, 3)');
GRANT ALL ON enforce_private.authors TO regress_cascade_user;
-- the tables' owner may alter it, and nobody else
SELECT cascade.alter_relationship('enforce_private.authors', 'books', enforce => false);
SELECT cascade.alter_relationship('enforce_private.authors', 'books', enforce => true);
SET ROLE regress_cascade_other;
SELECT try($$SELECT cascade.alter_relationship('enforce_private.authors', 'books', enforce => false)$$);
SET ROLE regress_cascade_user;
-- operators that lie in wait
CREATE FUNCTION always(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (LEFTARG = integer, RIGHTARG = integer, FUNCTION = always);
SET search_path = enforce_test, helper, pg_catalog;
SELECT try('INSERT INTO books VALUES (9, 9)');
SET search_path = enforce_test, helper;
DROP OPERATOR enforce_test.= (integer, integer);
DROP TABLE books, enforce_private.authors;

--
-- A collation under which 'a' = 'A'.  Where ICU is missing, the test runs with
-- 'A' alone.
--
DO $$
BEGIN
    IF getdatabaseencoding() = 'UTF8' AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    ELSE
        CREATE COLLATION no_case FROM "C";
    END IF;
END
$$;
SELECT CASE WHEN collisdeterministic THEN 'A' ELSE 'a' END AS lower
  FROM pg_collation WHERE collname = 'no_case' AND collnamespace = 'enforce_test'::regnamespace \gset
CREATE TABLE words (word text COLLATE no_case PRIMARY KEY);
CREATE TABLE uses (id integer, word text COLLATE no_case);
SELECT cascade.add_relationship('words', 'uses', 'none', nullify => false, enforce => true,
    source_columns => '{word}', target_columns => '{word}', direction => 'one-to-many');
INSERT INTO words VALUES ('A'), ('B');
INSERT INTO uses VALUES (1, :'lower'), (2, 'B');
SELECT try($$INSERT INTO uses VALUES (3, 'C'), (4, 'b')$$) ~ '^23503' AS refused LIMIT 1;
SELECT try($$DELETE FROM words WHERE word = 'A'$$);
-- another way to write the same key
UPDATE words SET word = :'lower' WHERE word = 'A';
DELETE FROM uses WHERE word = 'A';
DELETE FROM words WHERE word = 'A';
SELECT id FROM uses;
DROP TABLE uses, words;
DROP COLLATION no_case;

--
-- Beside foreign keys.  From PostgreSQL 18 on, one that is NOT ENFORCED
-- documents what the extension enforces; before, the constraint is left out.
--
CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'ALTER TABLE books ADD FOREIGN KEY (author_id) REFERENCES authors NOT ENFORCED';
        PERFORM cascade.add_relationship('authors', 'books', enforce => true);
    ELSE
        PERFORM cascade.add_relationship('authors', 'books', enforce => true,
            source_columns => '{id}', target_columns => '{author_id}');
    END IF;
END
$$;
SELECT source_columns, target_columns, enforce FROM cascade.relationship WHERE source = 'authors'::regclass;
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1), (2, 2);
SELECT try('INSERT INTO books VALUES (3, 9)');
DELETE FROM authors WHERE id = 1;
UPDATE authors SET id = 3;
TABLE books ORDER BY id;
-- to a foreign key, and both for a while, and back
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'ALTER TABLE books ALTER CONSTRAINT books_author_id_fkey ENFORCED';
    ELSE
        ALTER TABLE books ADD FOREIGN KEY (author_id) REFERENCES authors;
    END IF;
END
$$;
SELECT try('INSERT INTO books VALUES (3, 9)') ~ '^23503' AS refused LIMIT 1;
SELECT cascade.drop_relationship('authors', 'books');
SELECT try('INSERT INTO books VALUES (3, 9)');
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true);
SELECT try('INSERT INTO books VALUES (3, 9)') ~ '^23503' AS refused LIMIT 1;
SELECT try('DELETE FROM authors') ~ '^23503' AS refused LIMIT 1;
ALTER TABLE books DROP CONSTRAINT books_author_id_fkey;
SELECT try('INSERT INTO books VALUES (3, 9)');
SELECT try('DELETE FROM authors');
TABLE books ORDER BY id;
DROP TABLE books, authors;

--
-- DDL on what is enforced
--
CREATE TABLE authors (id integer PRIMARY KEY, code integer UNIQUE);
CREATE TABLE books (id integer PRIMARY KEY, author_id integer);
SELECT cascade.add_relationship('authors', 'books', 'none', nullify => false, enforce => true,
    source_columns => '{id}', target_columns => '{author_id}');
INSERT INTO authors VALUES (1), (2);
INSERT INTO books VALUES (1, 1);
ALTER TABLE books RENAME author_id TO writer_id;
ALTER TABLE authors RENAME id TO number;
ALTER TABLE authors RENAME TO writers;
ALTER TABLE books ALTER writer_id TYPE bigint;
SELECT try('INSERT INTO books VALUES (2, 9)');
SELECT try('DELETE FROM writers WHERE number = 1');
SELECT try('TRUNCATE writers');
TRUNCATE writers, books;
INSERT INTO writers VALUES (1);
INSERT INTO books VALUES (1, 1);
SELECT try('INSERT INTO books VALUES (2, 2)');
DROP TABLE writers;
-- nothing to refer to any more
INSERT INTO books VALUES (2, 2);
DROP TABLE books;

--
-- Keys that are equal to several parents, or to each other, in the type of one
-- side only
--
-- a day was left out there, so two dates are one instant
SET timezone = 'Pacific/Apia';
CREATE TABLE days (day date PRIMARY KEY);
CREATE TABLE events (at timestamptz);
SELECT cascade.add_relationship('days', 'events', 'none', nullify => false, enforce => true,
    source_columns => '{day}', target_columns => '{at}');
INSERT INTO days SELECT date '2011-12-01' + i FROM generate_series(1, 100) i;
SELECT count(*) FROM days WHERE day = timestamptz '2011-12-31';
SELECT try($$INSERT INTO events SELECT day FROM days UNION SELECT '2012-06-01'$$);
INSERT INTO events SELECT day FROM days;
-- one key that has two parents
INSERT INTO events VALUES ('2011-12-31');
INSERT INTO events VALUES ('2011-12-31'), ('2011-12-31');
RESET timezone;
DROP TABLE days, events;

RESET ROLE;
CREATE EXTENSION citext SCHEMA enforce_test;
SET ROLE regress_cascade_user;
CREATE TABLE words (word text PRIMARY KEY);
CREATE TABLE uses (word citext);
CREATE TABLE native (word citext REFERENCES words ON UPDATE CASCADE ON DELETE CASCADE);
SELECT cascade.add_relationship('words', 'uses', 'all', enforce => true,
    source_columns => '{word}', target_columns => '{word}', direction => 'one-to-many');
INSERT INTO words VALUES ('A'), ('b');
SELECT try($$INSERT INTO native VALUES ('A'), ('a')$$);
SELECT try($$INSERT INTO uses VALUES ('A'), ('a')$$);
SELECT try($$INSERT INTO uses VALUES ('b'), ('A'), ('B')$$);
SELECT try($$WITH gone AS (DELETE FROM words WHERE word = 'A') INSERT INTO uses VALUES ('a')$$);
INSERT INTO uses VALUES ('A'), ('b'), ('b');
INSERT INTO native TABLE uses;
INSERT INTO words VALUES ('a');
UPDATE words SET word = 'B' WHERE word = 'b';
DELETE FROM words WHERE word = 'a';
TABLE native ORDER BY word;
TABLE uses ORDER BY word;
DROP TABLE words, uses, native;
RESET ROLE;
DROP EXTENSION citext;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA enforce_test, enforce_private CASCADE;

-- Authors, their books and the books' reviews: declare once, and the server
-- keeps them together.  Run by "make demo"; by hand, in an empty database:
--     psql -f examples/author_book.sql

\set ON_ERROR_STOP on
\set QUIET on
\set VERBOSITY terse
\pset footer off
\pset linestyle ascii
\pset border 1
\pset null '-'

CREATE EXTENSION IF NOT EXISTS cascade;
CREATE SCHEMA library;
SET search_path = library;

CREATE TABLE authors (id int PRIMARY KEY, name text, deleted_at date);
CREATE TABLE editors (id int PRIMARY KEY, name text);
CREATE TABLE books (
    id         int PRIMARY KEY,
    title      text,
    author_id  int REFERENCES authors,  -- NO ACTION
    editor_id  int REFERENCES editors,
    deleted_at date);
CREATE TABLE reviews (
    id         int PRIMARY KEY,
    book_id    int NOT NULL REFERENCES books,
    stars      int);
CREATE INDEX ON books (author_id);
CREATE INDEX ON books (editor_id);
CREATE INDEX ON reviews (book_id);

INSERT INTO authors VALUES
    (1, 'Jane Austen'), (2, 'Mary Shelley'), (3, 'Bram Stoker'), (4, 'Jules Verne');
INSERT INTO editors VALUES (1, 'Ada'), (2, 'Ben');
INSERT INTO books VALUES
    (1, 'Emma', 1, 1), (2, 'Persuasion', 1, 2), (3, 'Frankenstein', 2, 1),
    (4, 'The Last Man', 2, 2), (5, 'Dracula', 3, 2), (6, 'The Lair', 3, 1), (7, 'Off on a Comet', 4, 2);
INSERT INTO reviews VALUES
    (1, 1, 5), (2, 1, 4), (3, 2, 5), (4, 3, 5), (5, 4, 3), (6, 5, 4), (7, 6, 1), (8, 7, 4);

-- Every author, book and review, and whatever is left hanging in the air.
CREATE VIEW shelf AS
    SELECT a.id AS "author", a.name, b.id AS "book", b.title, e.name AS "editor",
           r.reviews, b.deleted_at AS "deleted"
      FROM authors a
      FULL JOIN books b ON b.author_id = a.id
      LEFT JOIN editors e ON e.id = b.editor_id
      FULL JOIN (SELECT book_id, count(*) AS reviews FROM reviews GROUP BY book_id) r ON r.book_id = b.id
     ORDER BY a.id, b.id, r.book_id;

\echo 'cascade: the Author/Book example'
\echo '================================'
\echo
\echo 'The foreign keys are plain ones: of themselves they only refuse.  What belongs'
\echo 'together is declared in the words of an ORM:'
\echo
\o /dev/null
\set ECHO queries
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan',
                                propagate => '{"deleted_at": "deleted_at"}');
SELECT cascade.add_relationship('books', 'reviews', 'all');
SELECT cascade.add_relationship('editors', 'books');
\set ECHO none
\o
\echo
SELECT source, name, on_delete, orphans, on_key_change, propagate FROM cascade.relationships;

\set QUIET off

\echo 'Before'
\echo '------'
TABLE shelf;

\echo '1. Delete: an author goes, with books and reviews'
\echo '-------------------------------------------------'
\echo
\set ECHO queries
SET cascade.trace = on;
DELETE FROM authors WHERE name = 'Jane Austen';
\set ECHO none
\set QUIET on
SET cascade.trace = off;
\set QUIET off
\echo
TABLE shelf;

\echo '2. Detach: a book that loses its author goes at commit; one that finds another stays'
\echo '------------------------------------------------------------------------------------'
\echo
\set ECHO queries
BEGIN;
UPDATE books SET author_id = NULL WHERE title IN ('The Last Man', 'The Lair');
UPDATE books SET author_id = 2 WHERE title = 'The Lair';
\set ECHO none
\echo
TABLE shelf;
\set ECHO queries
COMMIT;
\set ECHO none
\echo
TABLE shelf;

\echo '3. Re-key: the books follow their author to the new id'
\echo '------------------------------------------------------'
\echo
\set ECHO queries
UPDATE authors SET id = 30 WHERE name = 'Bram Stoker';
\set ECHO none
\echo
TABLE shelf;

\echo '4. Propagate: a soft delete travels down'
\echo '----------------------------------------'
\echo
\set ECHO queries
UPDATE authors SET deleted_at = '2024-02-29' WHERE name = 'Jules Verne';
\set ECHO none
\echo
TABLE shelf;

\echo '5. Nullify: an editor goes, the books stay'
\echo '------------------------------------------'
\echo
\set ECHO queries
DELETE FROM editors WHERE name = 'Ben';
\set ECHO none
\echo
TABLE shelf;

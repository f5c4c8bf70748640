--
-- options: the text of the cascade parameter, read as SQLAlchemy reads it.
--
CREATE SCHEMA options_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = options_test, helper;

CREATE TABLE authors (id integer PRIMARY KEY);
CREATE TABLE books (
    id integer PRIMARY KEY,
    author_id integer REFERENCES authors
);

-- what a text is stored as
CREATE FUNCTION stored(option text) RETURNS text[]
LANGUAGE plpgsql
AS $$
DECLARE
    answer text[];
BEGIN
    PERFORM cascade.add_relationship('authors', 'books', option);
    SELECT r.cascade INTO STRICT answer
      FROM cascade.relationship r
     WHERE r.source = 'authors'::regclass AND r.name = 'books';
    PERFORM cascade.drop_relationship('authors', 'books');
    RETURN answer;
END
$$;

-- the words one by one
SELECT option, stored(option)
  FROM unnest(ARRAY['save-update', 'merge', 'refresh-expire', 'expunge', 'delete']) AS option;

-- "all" is the five of them, without delete-orphan
SELECT option, stored(option)
  FROM unnest(ARRAY['all', 'all, delete-orphan', 'delete-orphan, all', 'all, delete']) AS option;

-- "none" anywhere empties the set, and so does nothing at all
SELECT option, stored(option)
  FROM unnest(ARRAY['none', 'none, all', 'all, none', 'delete, none, delete-orphan', '', ' ', ',']) AS option;

-- spaces are free, empty words are dropped, a word twice is once
SELECT quote_literal(option) AS option, stored(option)
  FROM unnest(ARRAY['save-update,merge', '  save-update  ,  merge  ', E'\tall\n,\ndelete-orphan\n',
                    'delete,', ',delete', 'delete,,merge', 'delete, delete']) AS option;

-- delete-orphan without delete draws a warning, but not where "none" empties
SELECT stored('delete-orphan');
SELECT stored('save-update, merge, delete-orphan');
SELECT stored('delete-orphan, none');
SELECT stored('delete, delete-orphan');

-- unknown words are named, all of them; case matters, "none" excuses nothing
SELECT try($$SELECT stored('fake')$$);
SELECT try($$SELECT stored('all, fake2, delete, fake')$$);
SELECT try($$SELECT stored('All')$$);
SELECT try($$SELECT stored('DELETE')$$);
SELECT try($$SELECT stored('none, fake')$$);
SELECT try($$SELECT stored('delete orphan')$$);
SELECT try($$SELECT stored('delete; merge')$$);
SELECT try($$SELECT stored('delete_orphan')$$);
SELECT try($$SELECT stored('"')$$);

-- the default
SELECT cascade.add_relationship('authors', 'books');
SELECT r.cascade FROM cascade.relationship r WHERE source = 'authors'::regclass;

-- altering reads the same words
SELECT cascade.alter_relationship('authors', 'books', cascade => 'all, delete-orphan');
SELECT r.cascade FROM cascade.relationship r WHERE source = 'authors'::regclass;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'delete-orphan');
SELECT r.cascade FROM cascade.relationship r WHERE source = 'authors'::regclass;
SELECT try($$SELECT cascade.alter_relationship('authors', 'books', cascade => 'delete, fake')$$);
SELECT r.cascade FROM cascade.relationship r WHERE source = 'authors'::regclass;
SELECT cascade.alter_relationship('authors', 'books', cascade => 'none');
SELECT r.cascade FROM cascade.relationship r WHERE source = 'authors'::regclass;
SELECT cascade.drop_relationship('authors', 'books');

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA options_test CASCADE;

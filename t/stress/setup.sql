-- The tables of tools/stress, their relationships, and what must hold of them.
-- :enforce says who guards the references: the extension, or foreign keys that
-- stand beside the relationships.  A polymorphic reference has no foreign key,
-- so the extension guards that one always.
--
-- Rows are made so that one query can tell a leak: a target of delete-orphan is
-- never inserted without a reference, so one without a reference has lost it.
-- Rows with a key of 0 or less are there from the start, tied to each other, and
-- are touched by no action: they must not go.
--
-- Some tables are partitioned.  Where two sessions meet at a row that moves to
-- another partition, PostgreSQL reports a serialization failure at READ
-- COMMITTED too.

CREATE EXTENSION cascade;

-- one-to-many, three levels
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author_id int);
CREATE TABLE notes (id int PRIMARY KEY, book_id int NOT NULL);
CREATE TABLE desks (id int PRIMARY KEY, author_id int);
CREATE INDEX ON books (author_id);
CREATE INDEX ON notes (book_id);
CREATE INDEX ON desks (author_id);
-- a parent that its children keep, with a key of two columns
CREATE TABLE halls (house int, number int, PRIMARY KEY (house, number));
CREATE TABLE seats (id int PRIMARY KEY, house int, hall int);
CREATE INDEX ON seats (house, hall);
-- a tree, with cycles when chance makes them
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int);
CREATE INDEX ON nodes (parent_id);
-- many-to-one
CREATE TABLE avatars (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, avatar_id int);
CREATE INDEX ON users (avatar_id);
-- many-to-many; a changed key can take a post to the other partition
CREATE TABLE posts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE posts_low PARTITION OF posts FOR VALUES FROM (MINVALUE) TO (5);
CREATE TABLE posts_high PARTITION OF posts FOR VALUES FROM (5) TO (MAXVALUE);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE post_tags (post_id int, tag_id int, PRIMARY KEY (post_id, tag_id));
CREATE INDEX ON post_tags (tag_id);
-- polymorphic; a comment that is given to another kind moves to the other partition
CREATE TABLE photos (id int PRIMARY KEY);
CREATE TABLE comments (id int, subject_type text, subject_id int, PRIMARY KEY (id, subject_type))
       PARTITION BY LIST (subject_type);
CREATE TABLE comments_of_posts PARTITION OF comments FOR VALUES IN ('post');
CREATE TABLE comments_of_others PARTITION OF comments DEFAULT;
CREATE INDEX ON comments (subject_type, subject_id);

INSERT INTO authors SELECT generate_series(0, 8);
INSERT INTO books VALUES (0, 0);
INSERT INTO notes VALUES (0, 0);
INSERT INTO desks VALUES (0, 0);
INSERT INTO halls VALUES (0, 0);
INSERT INTO halls SELECT house, number FROM generate_series(1, 2) house, generate_series(1, 3) number;
INSERT INTO seats VALUES (0, 0, 0);
INSERT INTO nodes VALUES (-1, NULL), (0, -1);
INSERT INTO avatars VALUES (0);
INSERT INTO users VALUES (0, 0);
INSERT INTO posts SELECT generate_series(0, 8);
INSERT INTO tags VALUES (0);
INSERT INTO post_tags VALUES (0, 0);
INSERT INTO photos SELECT generate_series(0, 8);
INSERT INTO comments VALUES (0, 'post', 0), (-1, 'photo', 0);

\if :enforce
\else
ALTER TABLE books ADD FOREIGN KEY (author_id) REFERENCES authors;
ALTER TABLE notes ADD FOREIGN KEY (book_id) REFERENCES books;
ALTER TABLE desks ADD FOREIGN KEY (author_id) REFERENCES authors;
ALTER TABLE seats ADD FOREIGN KEY (house, hall) REFERENCES halls;
ALTER TABLE nodes ADD FOREIGN KEY (parent_id) REFERENCES nodes;
ALTER TABLE users ADD FOREIGN KEY (avatar_id) REFERENCES avatars;
ALTER TABLE post_tags ADD FOREIGN KEY (post_id) REFERENCES posts, ADD FOREIGN KEY (tag_id) REFERENCES tags;
\endif

SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{author_id}', enforce => :enforce);
-- NOT NULL: a note without its book goes at the end of the statement
SELECT cascade.add_relationship('books', 'notes', 'all, delete-orphan', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{book_id}', enforce => :enforce);
SELECT cascade.add_relationship('authors', 'desks', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{author_id}', enforce => :enforce);
SELECT cascade.add_relationship('halls', 'seats', nullify => false, direction => 'one-to-many',
                                source_columns => '{house, number}', target_columns => '{house, hall}',
                                enforce => :enforce);
SELECT cascade.add_relationship('nodes', 'nodes', 'all', name => 'children', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{parent_id}', enforce => :enforce);
SELECT cascade.add_relationship('users', 'avatars', 'all, delete-orphan', direction => 'many-to-one',
                                source_columns => '{avatar_id}', target_columns => '{id}', enforce => :enforce);
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags',
                                source_columns => '{id}', secondary_source_columns => '{post_id}',
                                target_columns => '{id}', secondary_target_columns => '{tag_id}',
                                enforce => :enforce);
SELECT cascade.add_relationship('posts', 'comments', 'all, delete-orphan', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{subject_id}',
                                discriminator => '{"subject_type": "post"}', enforce => true);
SELECT cascade.add_relationship('photos', 'comments', 'all, delete-orphan', direction => 'one-to-many',
                                source_columns => '{id}', target_columns => '{subject_id}',
                                discriminator => '{"subject_type": "photo"}', enforce => true);

-- What is wrong with the rows that a snapshot sees: one query, so one snapshot.
CREATE VIEW problems AS
SELECT 'dangling' AS problem, 'books' AS relation, b::text AS row
  FROM books b WHERE author_id NOT IN (TABLE authors)
UNION ALL
SELECT 'dangling', 'notes', n::text FROM notes n WHERE NOT EXISTS (SELECT FROM books WHERE id = n.book_id)
UNION ALL
SELECT 'dangling', 'desks', d::text FROM desks d WHERE author_id NOT IN (TABLE authors)
UNION ALL
SELECT 'dangling', 'seats', s::text
  FROM seats s WHERE NOT EXISTS (SELECT FROM halls h WHERE (h.house, h.number) = (s.house, s.hall))
                 AND s.house IS NOT NULL AND s.hall IS NOT NULL
UNION ALL
SELECT 'dangling', 'nodes', n::text FROM nodes n WHERE parent_id NOT IN (SELECT id FROM nodes)
UNION ALL
SELECT 'dangling', 'users', u::text FROM users u WHERE avatar_id NOT IN (TABLE avatars)
UNION ALL
SELECT 'dangling', 'post_tags', l::text
  FROM post_tags l WHERE post_id NOT IN (TABLE posts) OR tag_id NOT IN (TABLE tags)
UNION ALL
SELECT 'dangling', 'comments', c::text
  FROM comments c
 WHERE CASE subject_type WHEN 'post' THEN subject_id NOT IN (TABLE posts)
                         WHEN 'photo' THEN subject_id NOT IN (TABLE photos) END
UNION ALL
SELECT 'leaked', 'books', b::text FROM books b WHERE author_id IS NULL
UNION ALL
SELECT 'leaked', 'avatars', a::text FROM avatars a WHERE NOT EXISTS (SELECT FROM users WHERE avatar_id = a.id)
UNION ALL
SELECT 'leaked', 'tags', t::text FROM tags t WHERE NOT EXISTS (SELECT FROM post_tags WHERE tag_id = t.id)
UNION ALL
SELECT 'leaked', 'comments', c::text
  FROM comments c WHERE subject_id IS NULL OR subject_type NOT IN ('post', 'photo')
UNION ALL
SELECT 'lost', relation, row
  FROM (VALUES ('authors', '(0)'), ('books', '(0,0)'), ('notes', '(0,0)'), ('desks', '(0,0)'), ('halls', '(0,0)'),
               ('seats', '(0,0,0)'), ('nodes', '(-1,)'), ('nodes', '(0,-1)'), ('avatars', '(0)'), ('users', '(0,0)'),
               ('posts', '(0)'), ('tags', '(0)'), ('post_tags', '(0,0)'), ('photos', '(0)'),
               ('comments', '(0,post,0)'), ('comments', '(-1,photo,0)')) kept (relation, row)
 WHERE (relation, row) NOT IN (
       SELECT 'authors', authors::text FROM authors UNION ALL SELECT 'books', books::text FROM books UNION ALL
       SELECT 'notes', notes::text FROM notes UNION ALL SELECT 'desks', desks::text FROM desks UNION ALL
       SELECT 'halls', halls::text FROM halls UNION ALL SELECT 'seats', seats::text FROM seats UNION ALL
       SELECT 'nodes', nodes::text FROM nodes UNION ALL SELECT 'avatars', avatars::text FROM avatars UNION ALL
       SELECT 'users', users::text FROM users UNION ALL SELECT 'posts', posts::text FROM posts UNION ALL
       SELECT 'tags', tags::text FROM tags UNION ALL SELECT 'post_tags', post_tags::text FROM post_tags UNION ALL
       SELECT 'photos', photos::text FROM photos UNION ALL SELECT 'comments', comments::text FROM comments);

-- Sequences count what a rollback would take back.
CREATE SEQUENCE refused MINVALUE 0 START 0;
CREATE SEQUENCE taken MINVALUE 0 START 0;

-- For statements that may come too late for their parent, or to a key that is
-- taken.  pgbench would end the client on such an error.
CREATE FUNCTION attempt(statements text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statements;
EXCEPTION
    WHEN foreign_key_violation THEN PERFORM nextval('refused');
    WHEN unique_violation THEN PERFORM nextval('taken');
END $$;

CREATE FUNCTION look() RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    seen text := (SELECT string_agg(concat_ws(' ', problem, relation, row), ', ') FROM problems);
BEGIN
    IF seen IS NOT NULL THEN
        RAISE 'a snapshot has %', seen;
    END IF;
END $$;

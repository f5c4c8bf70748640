--
-- errors_shapes: every kind of bad declaration that many-to-one, many-to-many
-- and polymorphic relationships bring, with its SQLSTATE and fields.  None
-- changes anything.
--
CREATE SCHEMA errors_shapes_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = errors_shapes_test, helper;

CREATE TABLE posts (id integer PRIMARY KEY, title text, place point);
CREATE TABLE tags (id integer PRIMARY KEY, name text, place point);
CREATE TABLE post_tags (
    post_id integer CONSTRAINT to_post REFERENCES posts,
    tag_id integer CONSTRAINT to_tag REFERENCES tags,
    weight integer,
    kind text,
    place point
);
CREATE TABLE comments (id integer PRIMARY KEY, post_id integer REFERENCES posts, kind text, level integer);
-- no foreign keys
CREATE TABLE loose (post_id integer, tag_id integer);
-- to posts only
CREATE TABLE half (post_id integer REFERENCES posts, tag_id integer);
-- several
CREATE TABLE double (
    post_id integer CONSTRAINT double_post REFERENCES posts,
    other_post_id integer CONSTRAINT double_other_post REFERENCES posts,
    tag_id integer CONSTRAINT double_tag REFERENCES tags,
    other_tag_id integer CONSTRAINT double_other_tag REFERENCES tags
);
CREATE TABLE people (id integer PRIMARY KEY, boss integer REFERENCES people);
CREATE TABLE friends (a integer REFERENCES people, b integer REFERENCES people);
INSERT INTO posts VALUES (1), (2);
INSERT INTO tags VALUES (1), (2);
INSERT INTO post_tags VALUES (1, 1), (1, 2), (2, 2);
INSERT INTO comments VALUES (1, 1), (2, 1), (3, 2);

-- relationships that no error below may touch
SELECT cascade.add_relationship('posts', 'tags', 'all, delete-orphan', secondary => 'post_tags');
SELECT cascade.add_relationship('comments', 'posts', name => 'post');
SELECT cascade.add_relationship('posts', 'comments', 'all');

CREATE TEMP TABLE before AS
    SELECT to_jsonb(r) AS row FROM cascade.relationship r
    UNION ALL
    SELECT to_jsonb(t) FROM helper.triggers t WHERE t.schema = 'errors_shapes_test'::regnamespace;

--
-- 22023: parameters that do not go together
--
-- direction and secondary
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', direction => 'one-to-many')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', direction => 'many-to-one')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', direction => 'many-to-few')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', direction => 'many-to-many')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', direction => 'one-to-many')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'comments', direction => 'many-to-many')$$);
-- columns of a secondary that is not there
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', secondary_source_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', secondary_target_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'comments', secondary_source_columns => '{post_id}')$$);
-- which foreign key is meant cannot be said by one name
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', foreign_key => 'to_post')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', foreign_key => 'to_tag')$$);
-- propagate and nullify_columns are for one-to-many
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', propagate => '{"kind": "title"}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', propagate => '{"title": "name"}')$$);
SELECT try($$SELECT cascade.alter_relationship('comments', 'post', propagate => '{"kind": "title"}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', propagate => '{"title": "name"}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', nullify_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', nullify_columns => '{post_id}')$$);

--
-- 22023: a discriminator is an object of columns and their values
--
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '[]')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '"kind"')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '["kind", "post"]')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => 'null')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"kind": null}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"kind": ["post"]}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"kind": {"is": "post"}}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'comments', discriminator => '{"kind": null}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', discriminator => '17')$$);
-- a column of the table that holds the key
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"title": "post"}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', discriminator => '{"title": "post"}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', discriminator => '{"title": "post"}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', discriminator => '{"name": "post"}')$$);
SELECT try($$SELECT cascade.alter_relationship('comments', 'post', discriminator => '{"nr": "1"}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"ctid": "(0,1)"}')$$);
-- a value of its type, which has an equality
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"level": "high"}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', discriminator => '{"place": "(1,1)"}')$$);
-- not a column of the key
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', discriminator => '{"post_id": "1"}')$$);

--
-- 42704: no foreign key
--
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'loose')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'loose', secondary_source_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'half')$$);
SELECT try($$SELECT cascade.add_relationship('tags', 'posts', name => 'x', secondary => 'half')$$);
SELECT try($$SELECT cascade.add_relationship('tags', 'comments', name => 'x', secondary => 'post_tags')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', secondary => 'half')$$);
-- the direction that is given is not the foreign key's
SELECT try($$SELECT cascade.add_relationship('posts', 'comments', name => 'x', direction => 'many-to-one')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', direction => 'many-to-one')$$);
SELECT try($$SELECT cascade.add_relationship('tags', 'posts', name => 'x')$$);
-- of a table with no primary key, whose columns are not said either
CREATE TABLE bare (id integer);
SELECT try($$SELECT cascade.add_relationship('bare', 'tags', secondary => 'loose', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);

--
-- 42725: several foreign keys
--
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'double')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'double', secondary_source_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'double', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', secondary => 'double')$$);
SELECT try($$SELECT cascade.add_relationship('people', 'people', name => 'friends', secondary => 'friends')$$);
SELECT try($$SELECT cascade.add_relationship('people', 'people', name => 'friends', secondary => 'friends', direction => 'many-to-many')$$);
SELECT try($$SELECT cascade.add_relationship('people', 'people', name => 'boss')$$);

--
-- 42703: columns that are not there
--
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_source_columns => '{nr}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_target_columns => '{nr}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', source_columns => '{nr}', secondary_source_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', target_columns => '{nr}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_source_columns => '{tableoid}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', source_columns => '{nr}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', source_columns => '{post_id}', target_columns => '{nr}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', secondary_source_columns => '{nr}')$$);
SELECT try($$SELECT cascade.alter_relationship('comments', 'post', source_columns => '{nr}')$$);

--
-- 42804: counts that differ, types that cannot be compared
--
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_source_columns => '{post_id, weight}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_target_columns => '{tag_id, weight}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', source_columns => '{id, title}', secondary_source_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_source_columns => '{kind}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', target_columns => '{place}', secondary_target_columns => '{place}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', source_columns => '{kind}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', source_columns => '{post_id, id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', secondary_target_columns => '{kind}')$$);
-- an empty tie, a column twice, a NULL in it, half a tie
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'loose', secondary_source_columns => '{}', secondary_target_columns => '{}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', source_columns => '{id, id}', secondary_source_columns => '{post_id, post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', secondary_source_columns => '{NULL}')$$);
SELECT try($$SELECT cascade.add_relationship('loose', 'posts', source_columns => '{post_id}')$$);

--
-- 42710: exists already
--
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', secondary => 'post_tags')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', secondary => 'loose', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'post')$$);

--
-- 23505: single_parent, and targets that have two
--
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', single_parent => true)$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'post_tags', single_parent => true)$$);
SELECT try($$SELECT cascade.alter_relationship('comments', 'post', single_parent => true)$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'posts', name => 'x', single_parent => true)$$);

--
-- 42501: not the owner of all three tables
--
RESET ROLE;
CREATE SCHEMA errors_shapes_other AUTHORIZATION regress_cascade_other;
GRANT ALL ON SCHEMA errors_shapes_other TO PUBLIC;
SET ROLE regress_cascade_other;
CREATE TABLE errors_shapes_other.post_tags (post_id integer, tag_id integer);
CREATE TABLE errors_shapes_other.tags (id integer PRIMARY KEY);
GRANT ALL ON ALL TABLES IN SCHEMA errors_shapes_other TO PUBLIC;
SET ROLE regress_cascade_user;
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'errors_shapes_other.post_tags', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'errors_shapes_other.tags', name => 'x', secondary => 'loose', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('errors_shapes_other.tags', 'posts', secondary => 'loose', secondary_source_columns => '{tag_id}', secondary_target_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('comments', 'errors_shapes_other.tags', source_columns => '{post_id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.alter_relationship('posts', 'tags', secondary => 'errors_shapes_other.post_tags', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);

--
-- 42809: not tables that can hold links, or the key of many-to-one
--
CREATE VIEW a_view AS SELECT * FROM loose;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM loose;
CREATE SEQUENCE a_sequence;
CREATE TYPE a_type AS (post_id integer, tag_id integer);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'a_view', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'a_matview', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'a_sequence', secondary_source_columns => '{last_value}', secondary_target_columns => '{last_value}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'posts_pkey', secondary_source_columns => '{id}', secondary_target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'a_type', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 0::regclass)$$);
SELECT try($$SELECT cascade.add_relationship('a_view', 'posts', direction => 'many-to-one', source_columns => '{post_id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'a_view', secondary => 'loose', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
-- a temporary table is no match for one that stays
CREATE TEMP TABLE passing (post_id integer, tag_id integer);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'passing', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('passing', 'posts', source_columns => '{post_id}', target_columns => '{id}')$$);
-- a partition, whose root it is that has relationships
CREATE TABLE parted (post_id integer, tag_id integer, id integer) PARTITION BY RANGE (post_id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'part', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('part', 'posts', source_columns => '{post_id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'part', name => 'x', direction => 'one-to-many', source_columns => '{id}', target_columns => '{post_id}')$$);
-- foreign tables can be targets, and only where they need not be looked at
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_cascade_wrapper;
CREATE SERVER regress_cascade_server FOREIGN DATA WRAPPER regress_cascade_wrapper;
GRANT USAGE ON FOREIGN SERVER regress_cascade_server TO regress_cascade_user;
SET ROLE regress_cascade_user;
CREATE FOREIGN TABLE far (id integer, post_id integer, tag_id integer) SERVER regress_cascade_server;
SELECT try($$SELECT cascade.add_relationship('posts', 'tags', name => 'x', secondary => 'far', secondary_source_columns => '{post_id}', secondary_target_columns => '{tag_id}')$$);
SELECT try($$SELECT cascade.add_relationship('far', 'posts', direction => 'many-to-one', source_columns => '{post_id}', target_columns => '{id}')$$);
SELECT try($$SELECT cascade.add_relationship('far', 'comments', direction => 'one-to-many', source_columns => '{id}', target_columns => '{post_id}')$$);
SELECT try($$SELECT cascade.add_relationship('posts', 'far', 'all, delete-orphan', name => 'x', source_columns => '{id}', target_columns => '{post_id}')$$);
-- the system's tables, even for those who own them
RESET ROLE;
SELECT try($$SELECT cascade.add_relationship('errors_shapes_test.posts', 'errors_shapes_test.tags', name => 'x', secondary => 'pg_catalog.pg_depend', secondary_source_columns => '{objsubid}', secondary_target_columns => '{refobjsubid}')$$);
SELECT try($$SELECT cascade.add_relationship('errors_shapes_test.posts', 'errors_shapes_test.tags', name => 'x', secondary => 'cascade.relationship', source_columns => '{title}', secondary_source_columns => '{name}', target_columns => '{name}', secondary_target_columns => '{direction}')$$);
SELECT try($$SELECT cascade.add_relationship('errors_shapes_test.comments', 'pg_catalog.pg_class', source_columns => '{id}', target_columns => '{oid}')$$);
SET ROLE regress_cascade_user;

--
-- After all that nothing has changed
--
CREATE TEMP TABLE after AS
    SELECT to_jsonb(r) AS row FROM cascade.relationship r
    UNION ALL
    SELECT to_jsonb(t) FROM helper.triggers t WHERE t.schema = 'errors_shapes_test'::regnamespace;
SELECT count(*) > 3 AS some FROM before;
TABLE before EXCEPT ALL TABLE after;
TABLE after EXCEPT ALL TABLE before;
SELECT schema, "table", trigger FROM triggers
 WHERE trigger LIKE '%CASCADE%' AND schema <> 'errors_shapes_test'::regnamespace
 ORDER BY "table", trigger;

-- and the relationships do what they were declared to
DELETE FROM posts WHERE id = 1;
SELECT id FROM tags ORDER BY id;
SELECT post_id, tag_id FROM post_tags ORDER BY post_id, tag_id;
SELECT id, post_id FROM comments ORDER BY id;
UPDATE posts SET id = 20;
SELECT post_id, tag_id FROM post_tags ORDER BY post_id, tag_id;
SELECT id, post_id FROM comments ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP TABLE pg_temp.before, pg_temp.after, pg_temp.passing;
DROP SCHEMA errors_shapes_test CASCADE;
DROP SCHEMA errors_shapes_other CASCADE;
DROP FOREIGN DATA WRAPPER regress_cascade_wrapper CASCADE;

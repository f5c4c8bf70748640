# A database with a relationship of every shape, for the tests of what happens
# to a whole database: restore, replication, crash, upgrade.
#
#	declare_shapes($node, $db)	tables and relationships
#	fill_shapes($node, $db)		the rows that check_shapes starts from
#	check_shapes($node, $db, $what)	do the relationships work?

package Shapes;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  create_tables declare_relationships declare_shapes fill_shapes state_of state_query
  check_shapes check_guards run_deletes run_orphans run_follows $after_deletes
  $after_orphans $after_follows relationships_of triggers_of sqlstate_of
);

# Names that need quotes, columns dropped in between (a restore renumbers the
# others), partitions whose columns have an order of their own.  The partitioned
# tables are tied without a foreign key, as two steps of pg_restore -j would wait
# for each other there, with and without this extension.
sub create_tables
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'EOSQL');
CREATE SCHEMA "sch ema";
CREATE TABLE authors (gone int, id int PRIMARY KEY, deleted_at date);
CREATE TABLE editors (id int PRIMARY KEY);
CREATE TABLE covers (id int PRIMARY KEY);
CREATE TABLE books (
	id int PRIMARY KEY,
	gone int,
	author_id int CONSTRAINT "written by" REFERENCES authors,
	editor_id int REFERENCES editors,
	cover_id int REFERENCES covers,
	deleted_at date
);
CREATE TABLE "sch ema"."re'view""s\" (id int PRIMARY KEY, gone int, "book	id" int NOT NULL REFERENCES books);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE "sch ema"."book's tags" (gone int, "book's" int REFERENCES books, tag int REFERENCES tags, PRIMARY KEY ("book's", tag));
CREATE TABLE photos (id int PRIMARY KEY);
CREATE TABLE comments (id int PRIMARY KEY, gone int, on_type text, on_id int);
CREATE INDEX ON comments (on_type, on_id);
CREATE TABLE customers (region text, id int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE customers_eu PARTITION OF customers FOR VALUES IN ('eu');
CREATE TABLE customers_us (gone int, id int NOT NULL, region text NOT NULL);
ALTER TABLE customers_us DROP COLUMN gone;
ALTER TABLE customers ATTACH PARTITION customers_us FOR VALUES IN ('us');
CREATE TABLE orders (
	id int,
	gone int,
	year int,
	region text,
	customer int,
	PRIMARY KEY (id, year)
) PARTITION BY RANGE (year);
CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (1900) TO (2000);
CREATE TABLE orders_new PARTITION OF orders FOR VALUES FROM (2000) TO (2100) PARTITION BY RANGE (id);
CREATE TABLE orders_new_1 PARTITION OF orders_new FOR VALUES FROM (0) TO (1000);
CREATE TABLE lines (id int PRIMARY KEY, order_id int, year int, FOREIGN KEY (order_id, year) REFERENCES orders);
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes);
CREATE TABLE makers (id int PRIMARY KEY);
CREATE TABLE parts (id int PRIMARY KEY, maker_id int);
CREATE TABLE manuals (id int PRIMARY KEY, maker_id int);

ALTER TABLE authors DROP COLUMN gone;
ALTER TABLE books DROP COLUMN gone;
ALTER TABLE "sch ema"."re'view""s\" DROP COLUMN gone;
ALTER TABLE "sch ema"."book's tags" DROP COLUMN gone;
ALTER TABLE comments DROP COLUMN gone;
ALTER TABLE orders DROP COLUMN gone;
EOSQL
}

# What a trigger or a dump knows of a relationship must not be what it was when
# it was declared: some names change afterwards, and one option.
sub declare_relationships
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'EOSQL');
ALTER SCHEMA "sch ema" RENAME TO before;
ALTER TABLE books RENAME TO works;
ALTER TABLE works RENAME COLUMN author_id TO "author's";
ALTER TABLE works RENAME CONSTRAINT "written by" TO by;
ALTER TABLE comments RENAME COLUMN on_type TO kind;
ALTER TABLE before."book's tags" RENAME COLUMN tag TO label;
ALTER TABLE authors RENAME COLUMN deleted_at TO ended;

SELECT cascade.add_relationship('authors', 'works', 'all', name => 'books', propagate => '{"ended": "deleted_at"}');
SELECT cascade.add_relationship('works', 'before."re''view""s\"', 'all, delete-orphan');
SELECT cascade.add_relationship('editors', 'works', name => 'ed"it''ed \');
SELECT cascade.add_relationship('works', 'covers', 'all, delete-orphan', name => 'cover', single_parent => true);
SELECT cascade.add_relationship('works', 'tags', 'all, delete-orphan', secondary => 'before."book''s tags"');
SELECT cascade.add_relationship('tags', 'works', secondary => 'before."book''s tags"');
SELECT cascade.add_relationship('works', 'comments', 'all, delete-orphan', source_columns => '{id}', target_columns => '{on_id}',
	discriminator => '{"kind": "a \"book\\''s\""}');
SELECT cascade.add_relationship('photos', 'comments', 'all, delete-orphan', source_columns => '{id}', target_columns => '{on_id}',
	discriminator => '{"kind": "photo"}', enforce => true);
SELECT cascade.add_relationship('customers', 'orders', source_columns => '{region,id}', target_columns => '{region,customer}',
	nullify_columns => '{customer}');
SELECT cascade.add_relationship('orders', 'lines', 'all, delete-orphan');
SELECT cascade.add_relationship('nodes', 'nodes', 'all, delete-orphan', name => 'children',
	direction => 'one-to-many', deferred => false);
SELECT cascade.add_relationship('makers', 'parts', 'all', source_columns => '{id}', target_columns => '{maker_id}',
	enforce => true);
SELECT cascade.add_relationship('makers', 'manuals', nullify => false, source_columns => '{id}', target_columns => '{maker_id}',
	enforce => true);

ALTER SCHEMA before RENAME TO "sch ema";
ALTER TABLE works RENAME TO books;
ALTER TABLE books RENAME COLUMN "author's" TO author_id;
ALTER TABLE books RENAME CONSTRAINT by TO "written by";
ALTER TABLE comments RENAME COLUMN kind TO on_type;
ALTER TABLE "sch ema"."book's tags" RENAME COLUMN label TO tag;
ALTER TABLE authors RENAME COLUMN ended TO deleted_at;
SELECT cascade.alter_relationship('authors', 'books', 'all, delete-orphan');
EOSQL
}

sub declare_shapes
{
	my ($node, $db) = @_;

	create_tables($node, $db);
	$node->safe_psql($db, 'CREATE EXTENSION cascade');
	return declare_relationships($node, $db);
}

# Author 1000 is added with as many books as wanted.
sub fill_shapes
{
	my ($node, $db, $many) = @_;
	$many //= 0;

	return $node->safe_psql($db, <<"EOSQL");
BEGIN;
TRUNCATE authors, editors, covers, books, "sch ema"."re'view""s\\", tags, "sch ema"."book's tags", photos, comments,
	customers, orders, lines, nodes, makers, parts, manuals;
INSERT INTO authors SELECT generate_series(1, 4);
INSERT INTO editors VALUES (1), (2);
INSERT INTO covers SELECT generate_series(1, 8);
INSERT INTO books SELECT i, (i + 1) / 2, i % 2 + 1, i FROM generate_series(1, 8) i;
INSERT INTO "sch ema"."re'view""s\\" SELECT i, (i + 1) / 2 FROM generate_series(1, 16) i;
INSERT INTO tags SELECT generate_series(1, 8);
INSERT INTO "sch ema"."book's tags" SELECT i, i FROM generate_series(1, 8) i;
INSERT INTO "sch ema"."book's tags" SELECT i, i % 8 + 1 FROM generate_series(1, 8) i;
INSERT INTO photos SELECT generate_series(1, 8);
INSERT INTO comments SELECT i, 'a "book\\''s"', i FROM generate_series(1, 8) i;
INSERT INTO comments SELECT i + 10, 'photo', i FROM generate_series(1, 8) i;
INSERT INTO customers VALUES ('eu', 1), ('eu', 2), ('eu', 3), ('us', 1), ('us', 2), ('us', 3);
INSERT INTO orders VALUES (1, 1990, 'eu', 1), (2, 2010, 'eu', 2), (3, 1990, 'eu', 3),
	(4, 2010, 'us', 1), (5, 1990, 'us', 2), (6, 2010, 'us', 3);
INSERT INTO lines SELECT 2 * id - i, id, year FROM orders, generate_series(0, 1) i;
INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2), (4, NULL), (5, 4);
INSERT INTO makers VALUES (1), (2), (3);
INSERT INTO parts SELECT i, (i + 1) / 2 FROM generate_series(1, 6) i;
INSERT INTO manuals VALUES (1, 3);

INSERT INTO authors SELECT 1000 WHERE $many > 0;
INSERT INTO covers SELECT 1000 + i FROM generate_series(1, $many) i;
INSERT INTO books SELECT 1000 + i, 1000, i % 2 + 1, 1000 + i FROM generate_series(1, $many) i;
INSERT INTO "sch ema"."re'view""s\\" SELECT 1000 + i, 1000 + (i + 1) / 2 FROM generate_series(1, 2 * $many) i;
INSERT INTO tags SELECT 1000 + i FROM generate_series(1, $many) i;
INSERT INTO "sch ema"."book's tags" SELECT 1000 + i, 1000 + i FROM generate_series(1, $many) i;
INSERT INTO comments SELECT 1000 + i, 'a "book\\''s"', 1000 + i FROM generate_series(1, $many) i;
COMMIT;
EOSQL
}

# Every row of every table, a line a table; of the rows from 1000 on the number.
my $state = <<'EOSQL';
SELECT name || ':' || concat(' ' || rows, ' +' || nullif(many, 0))
  FROM (
	SELECT 1, 'authors', string_agg(concat_ws('/', id, deleted_at), ' ' ORDER BY id) FILTER (WHERE id < 1000),
		   count(*) FILTER (WHERE id >= 1000)
	  FROM authors
	UNION ALL
	SELECT 2, 'editors', string_agg(id::text, ' ' ORDER BY id), 0 FROM editors
	UNION ALL
	SELECT 3, 'books', string_agg(concat(id, '-', author_id, '-', editor_id, '-', cover_id, '/' || deleted_at), ' ' ORDER BY id)
		   FILTER (WHERE id < 1000), count(*) FILTER (WHERE id >= 1000)
	  FROM books
	UNION ALL
	SELECT 4, 'covers', string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE id < 1000), count(*) FILTER (WHERE id >= 1000)
	  FROM covers
	UNION ALL
	SELECT 5, 'reviews', string_agg(concat(id, '-', "book	id"), ' ' ORDER BY id) FILTER (WHERE id < 1000),
		   count(*) FILTER (WHERE id >= 1000)
	  FROM "sch ema"."re'view""s\"
	UNION ALL
	SELECT 6, 'links', string_agg(concat("book's", '-', tag), ' ' ORDER BY "book's", tag) FILTER (WHERE "book's" < 1000),
		   count(*) FILTER (WHERE "book's" >= 1000)
	  FROM "sch ema"."book's tags"
	UNION ALL
	SELECT 7, 'tags', string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE id < 1000), count(*) FILTER (WHERE id >= 1000)
	  FROM tags
	UNION ALL
	SELECT 8, 'photos', string_agg(id::text, ' ' ORDER BY id), 0 FROM photos
	UNION ALL
	SELECT 9, 'comments', string_agg(concat(id, '-', substr(on_type, 1, 5), '-', on_id), ' ' ORDER BY id) FILTER (WHERE id < 1000),
		   count(*) FILTER (WHERE id >= 1000)
	  FROM comments
	UNION ALL
	SELECT 10, 'customers', string_agg(region || id, ' ' ORDER BY region, id), 0 FROM customers
	UNION ALL
	SELECT 11, 'orders', string_agg(concat(id, '-', year, '-', region, customer), ' ' ORDER BY id), 0 FROM orders
	UNION ALL
	SELECT 12, 'lines', string_agg(concat(id, '-', order_id, '-', year), ' ' ORDER BY id), 0 FROM lines
	UNION ALL
	SELECT 13, 'nodes', string_agg(concat(id, '-', parent_id), ' ' ORDER BY id), 0 FROM nodes
	UNION ALL
	SELECT 14, 'makers', string_agg(id::text, ' ' ORDER BY id), 0 FROM makers
	UNION ALL
	SELECT 15, 'parts', string_agg(concat(id, '-', maker_id), ' ' ORDER BY id) FILTER (WHERE id < 1000),
		   count(*) FILTER (WHERE id >= 1000)
	  FROM parts
	UNION ALL
	SELECT 16, 'manuals', string_agg(concat(id, '-', maker_id), ' ' ORDER BY id), 0 FROM manuals
  ) AS t (n, name, rows, many)
 ORDER BY n
EOSQL

sub state_query
{
	return $state =~ s/\s*\z/;\n/r;
}

sub state_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, $state) . "\n";
}

my $triggers = <<'EOSQL';
SELECT tgenabled, pg_get_triggerdef(oid)
  FROM pg_trigger
 WHERE tgname LIKE '%CASCADE\_%' AND NOT tgisinternal
 ORDER BY tgrelid::regclass::text, tgname
EOSQL

# Each of the next three is a session of its own.
my $deletes = <<'EOSQL';
DELETE FROM authors WHERE id = 1;
DELETE FROM editors WHERE id = 1;
DELETE FROM tags WHERE id = 8;
DELETE FROM photos WHERE id = 1;
DELETE FROM customers WHERE id = 1;
DELETE FROM customers_us WHERE id = 2;
DELETE FROM orders WHERE id = 6;
DELETE FROM nodes WHERE id = 1;
DELETE FROM makers WHERE id = 1;
EOSQL

# Books 1 and 2 go with author 1; tag 2 has no other links, tags 1 and 3 have.
our $after_deletes = <<'EOT';
authors: 2 3 4
editors: 2
books: 3-2-2-3 4-2--4 5-3-2-5 6-3--6 7-4-2-7 8-4--8
covers: 3 4 5 6 7 8
reviews: 5-3 6-3 7-4 8-4 9-5 10-5 11-6 12-6 13-7 14-7 15-8 16-8
links: 3-3 3-4 4-4 4-5 5-5 5-6 6-6 6-7 7-7 8-1
tags: 1 3 4 5 6 7
photos: 2 3 4 5 6 7 8
comments: 3-a "bo-3 4-a "bo-4 5-a "bo-5 6-a "bo-6 7-a "bo-7 8-a "bo-8 12-photo-2 13-photo-3 14-photo-4 15-photo-5 16-photo-6 17-photo-7 18-photo-8
customers: eu2 eu3 us3
orders: 1-1990-eu 2-2010-eu2 3-1990-eu3 4-2010-us 5-1990-us
lines: 1-1-1990 2-1-1990 3-2-2010 4-2-2010 5-3-1990 6-3-1990 7-4-2010 8-4-2010 9-5-1990 10-5-1990
nodes: 4- 5-4
makers: 2 3
parts: 3-2 4-2 5-3 6-3
manuals: 1-3
EOT

my $orphans = <<'EOSQL';
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 3;
UPDATE books SET author_id = NULL WHERE id = 5;
UPDATE books SET author_id = 3 WHERE id = 5;
SAVEPOINT a;
UPDATE books SET author_id = NULL WHERE id = 6;
ROLLBACK TO a;
DELETE FROM "sch ema"."book's tags" WHERE tag = 5;
DELETE FROM "sch ema"."book's tags" WHERE tag = 7;
INSERT INTO "sch ema"."book's tags" VALUES (6, 7);
UPDATE books SET cover_id = NULL WHERE id = 4;
UPDATE comments SET on_type = 'photo', on_id = 2 WHERE id = 5;
UPDATE comments SET on_type = 'video' WHERE id = 6;
UPDATE lines SET order_id = NULL WHERE id = 1;
UPDATE nodes SET parent_id = NULL WHERE id = 5;
SELECT (SELECT count(*) FROM books WHERE id = 3), (SELECT count(*) FROM tags WHERE id IN (5, 7)),
	   (SELECT count(*) FROM covers WHERE id = 4), (SELECT count(*) FROM comments WHERE id = 6),
	   (SELECT count(*) FROM lines WHERE id = 1), (SELECT count(*) FROM nodes WHERE id = 5);
COMMIT;
EOSQL

# Tag 3 has lost its other link before.
our $after_orphans = <<'EOT';
authors: 2 3 4
editors: 2
books: 4-2-- 5-3-2-5 6-3--6 7-4-2-7 8-4--8
covers: 5 6 7 8
reviews: 7-4 8-4 9-5 10-5 11-6 12-6 13-7 14-7 15-8 16-8
links: 4-4 5-6 6-6 6-7 8-1
tags: 1 4 6 7
photos: 2 3 4 5 6 7 8
comments: 4-a "bo-4 5-photo-2 7-a "bo-7 8-a "bo-8 12-photo-2 13-photo-3 14-photo-4 15-photo-5 16-photo-6 17-photo-7 18-photo-8
customers: eu2 eu3 us3
orders: 1-1990-eu 2-2010-eu2 3-1990-eu3 4-2010-us 5-1990-us
lines: 2-1-1990 3-2-2010 4-2-2010 5-3-1990 6-3-1990 7-4-2010 8-4-2010 9-5-1990 10-5-1990
nodes: 4-
makers: 2 3
parts: 3-2 4-2 5-3 6-3
manuals: 1-3
EOT

my $follows = <<'EOSQL';
UPDATE authors SET id = 30 WHERE id = 3;
UPDATE authors SET deleted_at = '2024-02-29' WHERE id = 4;
UPDATE editors SET id = 20 WHERE id = 2;
UPDATE covers SET id = 50 WHERE id = 5;
UPDATE tags SET id = 60 WHERE id = 6;
UPDATE books SET id = 70 WHERE id = 7;
UPDATE photos SET id = 20 WHERE id = 2;
UPDATE customers SET region = 'us' WHERE region = 'eu' AND id = 2;
UPDATE customers SET id = 30 WHERE id = 3;
UPDATE orders SET year = 1991 WHERE id = 2;
UPDATE makers SET id = 20 WHERE id = 2;
EOSQL

our $after_follows = <<'EOT';
authors: 2 4/2024-02-29 30
editors: 20
books: 4-2-- 5-30-20-50 6-30--6 8-4--8/2024-02-29 70-4-20-7/2024-02-29
covers: 6 7 8 50
reviews: 7-4 8-4 9-5 10-5 11-6 12-6 13-70 14-70 15-8 16-8
links: 4-4 5-60 6-7 6-60 8-1
tags: 1 4 7 60
photos: 3 4 5 6 7 8 20
comments: 4-a "bo-4 5-photo-20 7-a "bo-70 8-a "bo-8 12-photo-20 13-photo-3 14-photo-4 15-photo-5 16-photo-6 17-photo-7 18-photo-8
customers: eu30 us2 us30
orders: 1-1990-eu 2-1991-us2 3-1990-eu30 4-2010-us 5-1990-us
lines: 2-1-1990 3-2-1991 4-2-1991 5-3-1990 6-3-1990 7-4-2010 8-4-2010 9-5-1990 10-5-1990
nodes: 4-
makers: 3 20
parts: 3-20 4-20 5-3 6-3
manuals: 1-3
EOT

# Run scripts, each in a session of its own.  Returns for each what psql showed,
# errors as SQLSTATE.
sub run_sessions
{
	my ($node, $db, @scripts) = @_;
	my $mark = '-- end of session';
	my ($out, $err);

	# \connect is a new session, and quicker than a new psql
	my $input = join("\\connect\n", map { "$_\n;\n\\echo $mark\n\\warn $mark\n" } @scripts);
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr($db), '-f', '-' ],
		'<', \$input, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	my @out = split(/^$mark\n/m, $out, -1);
	my @err = map { s/^psql:<stdin>:\d+: //mgr } split(/^$mark\n/m, $err, -1);
	return map { $out[$_] . ($err[$_] // '') } 0 .. $#scripts;
}

sub sqlstate_of
{
	my ($node, $db, $sql) = @_;

	my ($shown) = run_sessions($node, $db, $sql);
	return $shown =~ /(?:ERROR|FATAL):  ([0-9A-Z]{5})$/m ? $1 : 'none';
}

sub run_deletes
{
	my ($node, $db, $what) = @_;

	is((run_sessions($node, $db, $deletes))[0], '', "$what: deletes run");
	return;
}

my $during_orphans = "1|2|1|1|1|0\n";

sub run_orphans
{
	my ($node, $db, $what) = @_;

	is((run_sessions($node, $db, $orphans))[0], $during_orphans, "$what: orphans are there until commit, the immediate one is not");
	return;
}

sub run_follows
{
	my ($node, $db, $what) = @_;

	is((run_sessions($node, $db, $follows))[0], '', "$what: key changes run");
	return;
}

# Takes the rows of fill_shapes through every kind of event.
sub check_shapes
{
	my ($node, $db, $what) = @_;

	my @refused = (
		[ 'single_parent', '23505', 'UPDATE books SET cover_id = 50 WHERE id = 6' ],
		[ 'a child of nobody', '23503', 'INSERT INTO parts VALUES (9, 9)' ],
		[ 'a polymorphic child of nobody', '23503', q{INSERT INTO comments VALUES (99, 'photo', 99)} ],
		[ 'a parent with other children', '23503', 'DELETE FROM makers WHERE id = 3' ]);
	my @shown = run_sessions($node, $db, $deletes, $state, $orphans, $state, $follows, $state,
		(map { $_->[2] } @refused), $state);

	is($shown[0] . $shown[1], $after_deletes, "$what: deletes");
	is($shown[2] . $shown[3], $during_orphans . $after_orphans, "$what: orphans are there until commit, the immediate one is not");
	is($shown[4] . $shown[5], $after_follows, "$what: key changes and propagated columns");
	is($shown[ 6 + $_ ], "ERROR:  $refused[$_][1]\n", "$what: refused, $refused[$_][0]") foreach (0 .. $#refused);
	is($shown[-1], $after_follows, "$what: what is refused changes nothing");
	return;
}

# What ties our triggers to tables and columns is not part of a dump.
sub check_guards
{
	my ($node, $db, $what) = @_;

	my @refused = (
		[ 'DROP COLUMN of a child', '2BP01', 'ALTER TABLE parts DROP COLUMN maker_id' ],
		[ 'DROP COLUMN of a parent', '2BP01', 'ALTER TABLE makers DROP COLUMN id' ],
		[ 'DROP COLUMN of a discriminator', '2BP01', 'ALTER TABLE comments DROP COLUMN on_type' ],
		[ 'DROP COLUMN of a secondary', '2BP01', q{ALTER TABLE "sch ema"."book's tags" DROP COLUMN tag} ],
		[ 'DROP TRIGGER', '2BP01', 'DROP TRIGGER "CASCADE_delete" ON makers' ],
		[ 'TRUNCATE', '0A000', 'TRUNCATE makers' ]);
	my @shown = run_sessions($node, $db, (map { $_->[2] } @refused),
		'DROP TABLE photos',
		q{SELECT source FROM cascade.relationship WHERE target = 'comments'::regclass},
		'DROP EXTENSION cascade',
		$triggers,
		q{SELECT count(*) FROM pg_namespace WHERE nspname = 'cascade'});

	is(shift(@shown), "ERROR:  $_->[1]\n", "$what: refused, $_->[0]") foreach (@refused);
	is("$shown[0]$shown[1]", "books\n", "$what: a dropped table takes its relationships along");
	is("$shown[2]$shown[3]", '', "$what: DROP EXTENSION leaves no trigger");
	is($shown[4], "0\n", "$what: nor the schema");
	return;
}

sub relationships_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, <<'EOSQL');
SELECT jsonb_strip_nulls(to_jsonb(r)) - 'rebuilt' FROM cascade.relationship r ORDER BY source::text, name
EOSQL
}

sub triggers_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, $triggers);
}

1;

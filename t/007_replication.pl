# Replication.  A standby carries the relationships over a promotion.  Logical
# replication hands cascaded changes on as ordinary row changes, and a
# subscriber that has declared the same relationships does not cascade again.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Shapes;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical');
$primary->append_conf('postgresql.conf', "autovacuum = off\nmax_connections = 20");
$primary->start;
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->append_conf('postgresql.conf', "autovacuum = off\nmax_connections = 20\nmax_logical_replication_workers = 10");
$subscriber->start;

#
# Physical standby.  One of its sessions has looked at the tables before
# anything was declared on the primary, and lives through all of it.
#
create_tables($primary, 'postgres');
$primary->safe_psql('postgres', 'CREATE EXTENSION cascade');
$primary->wait_for_catchup($standby);
my $session = $standby->background_psql('postgres', on_error_stop => 0);
is($session->query(q{LOAD 'cascade'; SELECT count(*) FROM cascade.relationships}), '0', 'standby: nothing is declared');

declare_relationships($primary, 'postgres');
fill_shapes($primary, 'postgres');
$primary->wait_for_catchup($standby);
is(relationships_of($standby, 'postgres'), relationships_of($primary, 'postgres'), 'standby: same relationships');
is($session->query('SELECT count(*) FROM cascade.relationships'), '13', 'standby: a session sees them come');

my @read_only = (
	q{DELETE FROM authors WHERE id = 1},
	q{SELECT cascade.add_relationship('authors', 'books', name => 'more')},
	q{SELECT cascade.alter_relationship('authors', 'books', 'all')},
	q{SELECT cascade.drop_relationship('authors', 'books')});
is(sqlstate_of($standby, 'postgres', $_), '25006', "standby: read-only: $_") foreach @read_only;

run_deletes($primary, 'postgres', 'primary');
$primary->wait_for_catchup($standby);
is(state_of($standby, 'postgres'), $after_deletes, 'standby: has what the cascade did');

# What has not been committed when the primary dies has not happened, nor have
# its checks.
my $pending = $primary->background_psql('postgres');
$pending->query_safe('BEGIN; UPDATE books SET author_id = NULL');
$primary->safe_psql('postgres', 'CREATE TABLE marker ()');
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
$standby->promote;
is(state_of($standby, 'postgres'), $after_deletes, 'promoted: as it was');
run_orphans($standby, 'postgres', 'promoted');
is(state_of($standby, 'postgres'), $after_orphans, 'promoted: a new session');
# the old session
$session->query('DELETE FROM editors; DELETE FROM makers WHERE id = 2; DELETE FROM books WHERE id = 4');
is(state_of($standby, 'postgres'), <<'EOT', 'promoted: the session from before');
authors: 2 3 4
editors:
books: 5-3--5 6-3--6 7-4--7 8-4--8
covers: 5 6 7 8
reviews: 9-5 10-5 11-6 12-6 13-7 14-7 15-8 16-8
links: 5-6 6-6 6-7 8-1
tags: 1 6 7
photos: 2 3 4 5 6 7 8
comments: 5-photo-2 7-a "bo-7 8-a "bo-8 12-photo-2 13-photo-3 14-photo-4 15-photo-5 16-photo-6 17-photo-7 18-photo-8
customers: eu2 eu3 us3
orders: 1-1990-eu 2-2010-eu2 3-1990-eu3 4-2010-us 5-1990-us
lines: 2-1-1990 3-2-2010 4-2-2010 5-3-1990 6-3-1990 7-4-2010 8-4-2010 9-5-1990 10-5-1990
nodes: 4-
makers: 3
parts: 5-3 6-3
manuals: 1-3
EOT
$session->quit;
fill_shapes($standby, 'postgres');
check_shapes($standby, 'postgres', 'promoted, filled anew');

#
# Logical replication, from the promoted server
#
my $publisher = $standby;
my $connection = $publisher->connstr('postgres') =~ s/'/''/gr;

fill_shapes($publisher, 'postgres');
$publisher->safe_psql('postgres', 'DROP TABLE marker');
$publisher->safe_psql('postgres', 'CREATE PUBLICATION shapes FOR TABLE ' . $publisher->safe_psql('postgres', <<'EOSQL'));
SELECT string_agg(oid::regclass::text, ', ')
  FROM pg_class
 WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, '"sch ema"'::regnamespace)
EOSQL
declare_shapes($subscriber, 'postgres');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION shapes CONNECTION '$connection' PUBLICATION shapes");
$subscriber->wait_for_subscription_sync($publisher, 'shapes');
is(state_of($subscriber, 'postgres'), state_of($publisher, 'postgres'), 'subscriber: initial copy');

# Rows that only the subscriber has.  A cascade there would take them along:
# by the deletion, by the lost parent, by the changed key.
$subscriber->safe_psql('postgres', <<'EOSQL');
INSERT INTO covers VALUES (1009);
INSERT INTO books VALUES (1001, 1, 1, 1009), (1003, 3, 2, NULL), (1004, 4, NULL, NULL);
INSERT INTO "sch ema"."re'view""s\" VALUES (1002, 3);
INSERT INTO "sch ema"."book's tags" VALUES (1001, 2);
INSERT INTO comments VALUES (1001, 'photo', 1), (1005, 'photo', 2);
INSERT INTO parts VALUES (1001, 1), (1002, 2);
EOSQL
my $local = q{
SELECT 'books', string_agg(concat(id, '-', author_id, '-', editor_id, '-', cover_id, '/' || deleted_at), ' ' ORDER BY id) FROM books WHERE id > 1000
UNION ALL
SELECT 'reviews', string_agg(concat(id, '-', "book	id"), ' ' ORDER BY id) FROM "sch ema"."re'view""s\\" WHERE id > 1000
UNION ALL
SELECT 'links', string_agg(concat("book's", '-', tag), ' ' ORDER BY tag) FROM "sch ema"."book's tags" WHERE "book's" > 1000
UNION ALL
SELECT 'comments', string_agg(concat(id, '-', on_type, '-', on_id), ' ' ORDER BY id) FROM comments WHERE id > 1000
UNION ALL
SELECT 'parts', string_agg(concat(id, '-', maker_id), ' ' ORDER BY id) FROM parts WHERE id > 1000
};
my $local_rows = $subscriber->safe_psql('postgres', $local);

# the rows that both have
sub common_state
{
	my ($node) = @_;
	return state_of($node, 'postgres') =~ s/ \+\d+$//gmr;
}

sub check_subscriber
{
	my ($what) = @_;

	$publisher->wait_for_catchup('shapes');
	is(common_state($subscriber), state_of($publisher, 'postgres'), "subscriber: $what");
	is($subscriber->safe_psql('postgres', $local), $local_rows, "subscriber: $what, not cascaded again");
	return;
}

run_deletes($publisher, 'postgres', 'publisher');
check_subscriber('deletes');
run_orphans($publisher, 'postgres', 'publisher');
check_subscriber('orphans');
run_follows($publisher, 'postgres', 'publisher');
check_subscriber('key changes and propagated columns');
$publisher->safe_psql('postgres', 'TRUNCATE authors CASCADE; TRUNCATE customers, orders, lines');
$publisher->wait_for_catchup('shapes');
is($subscriber->safe_psql('postgres', <<'EOSQL'), '0|0|0|0|0', 'subscriber: TRUNCATE');
SELECT (SELECT count(*) FROM authors), (SELECT count(*) FROM books), (SELECT count(*) FROM "sch ema"."re'view""s\"),
	   (SELECT count(*) FROM customers), (SELECT count(*) FROM orders)
EOSQL
# 19 counts the errors of more kinds of sync
my $error_count = q{
SELECT sum(value::bigint)
  FROM pg_stat_subscription_stats s, jsonb_each_text(to_jsonb(s))
 WHERE key LIKE '%error\_count'};
is($subscriber->safe_psql('postgres', $error_count), '0', 'subscriber: without an error');

# The subscriber's own sessions cascade.
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION shapes DISABLE');
fill_shapes($subscriber, 'postgres');
check_shapes($subscriber, 'postgres', 'subscriber, its own writes');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION shapes SET (slot_name = NONE); DROP SUBSCRIPTION shapes');
$publisher->safe_psql('postgres', q{SELECT pg_drop_replication_slot('shapes'); DROP PUBLICATION shapes});

#
# FOR ALL TABLES publishes the catalog table, too.  What each side has declared
# stays its own.
#
fill_shapes($publisher, 'postgres');
$publisher->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
$subscriber->safe_psql('postgres', 'CREATE DATABASE everything');
declare_shapes($subscriber, 'everything');
$subscriber->safe_psql('everything', q{SELECT cascade.alter_relationship('orders', 'lines', orphan_when => 'all')});
my $declared = relationships_of($subscriber, 'everything');
$subscriber->safe_psql('everything', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$publisher->wait_for_catchup('everything');
ok($subscriber->poll_query_until('everything', <<"EOSQL"), 'FOR ALL TABLES: every table is copied') or done_testing(), exit 1;
SELECT NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's'))
	OR ($error_count) > 0
EOSQL
is(state_of($subscriber, 'everything'), state_of($publisher, 'postgres'), 'FOR ALL TABLES: same rows');
my $later = 'CREATE TABLE leaves (id int PRIMARY KEY, node_id int REFERENCES nodes)';
$subscriber->safe_psql('everything', $later);
$publisher->safe_psql('postgres', <<"EOSQL");
$later;
SELECT cascade.add_relationship('nodes', 'leaves', 'all');
SELECT cascade.add_relationship('nodes', 'leaves', 'all', name => 'gone');
SELECT cascade.drop_relationship('nodes', 'gone');
SELECT cascade.alter_relationship('makers', 'parts', 'all, delete-orphan');
SELECT cascade.drop_relationship('photos', 'comments');
EOSQL
run_deletes($publisher, 'postgres', 'FOR ALL TABLES: publisher');
$publisher->wait_for_catchup('everything');
is($subscriber->safe_psql('everything', $error_count), '0', 'FOR ALL TABLES: without an error');
is(relationships_of($subscriber, 'everything'), $declared, 'FOR ALL TABLES: what the subscriber declared stays');
$subscriber->safe_psql('everything', 'ALTER SUBSCRIPTION everything DISABLE; DROP TABLE leaves');
fill_shapes($subscriber, 'everything');
check_shapes($subscriber, 'everything', 'FOR ALL TABLES');

$subscriber->stop;
$publisher->stop('immediate');
done_testing();

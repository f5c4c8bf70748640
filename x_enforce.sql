create extension cascade; create schema e; set search_path=e;
create table a(id int primary key); 
create table big(id int primary key, aid int);
select cascade.add_relationship('a','big','all', source_columns=>'{id}', target_columns=>'{aid}', enforce=>true);
insert into a select generate_series(1000,51000);
create table big2(id int primary key, aid int references a);
\timing on
set synchronous_commit=off;
insert into big select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;
insert into big2 select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;
truncate big; truncate big2;
insert into big2 select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;
insert into big select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;
truncate big; truncate big2;
set cascade.trace=on;
insert into big2 select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;
insert into big select i, 1000+(i::bigint*7919)%50000 from generate_series(1,500000) i;

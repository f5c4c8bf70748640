/* cascade--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION cascade" to load this file. \quit

-- Made here and not by the control file, so that a schema that somebody else
-- made, and may own, is never reused.
CREATE SCHEMA cascade;
COMMENT ON SCHEMA cascade IS 'ORM-style cascades kept by the server';

-- ---------------------------------------------------------------------------
-- The catalog
-- ---------------------------------------------------------------------------

-- Columns are kept by name: attribute numbers do not survive dump and restore.
CREATE TABLE cascade.relationship (
	source						regclass NOT NULL,
	name						name NOT NULL,
	target						regclass NOT NULL,
	direction					text NOT NULL,
	cascade						text[] NOT NULL,
	foreign_key					name,
	source_columns				name[] NOT NULL,
	target_columns				name[] NOT NULL,
	secondary					regclass,
	secondary_source_columns	name[],
	secondary_target_columns	name[],
	discriminator_columns		name[],
	discriminator_values		text[],
	propagate_source_columns	name[] NOT NULL,
	propagate_target_columns	name[] NOT NULL,
	single_parent				boolean NOT NULL,
	orphan_when					text NOT NULL,
	deferred					boolean NOT NULL,
	nullify						boolean NOT NULL,
	nullify_columns				name[],
	follow_keys					boolean NOT NULL,
	enforce						boolean NOT NULL,
	rebuilt						boolean NOT NULL,
	PRIMARY KEY (source, name)
);
COMMENT ON TABLE cascade.relationship IS
	'declared relationships, one row each; written by cascade.add_relationship, alter_relationship and drop_relationship';
COMMENT ON COLUMN cascade.relationship.source IS 'table that the relationship is declared on';
COMMENT ON COLUMN cascade.relationship.name IS 'name of the relationship, unique on its source table';
COMMENT ON COLUMN cascade.relationship.target IS 'table that the relationship leads to';
COMMENT ON COLUMN cascade.relationship.direction IS 'one-to-many: the foreign key columns are on the target table; many-to-one: on the source; many-to-many: on the secondary';
COMMENT ON COLUMN cascade.relationship.cascade IS 'cascade options, sorted';
COMMENT ON COLUMN cascade.relationship.foreign_key IS 'foreign key constraint that ties the tables; null where columns were given';
COMMENT ON COLUMN cascade.relationship.source_columns IS 'columns of the source table that tie it to the target table';
COMMENT ON COLUMN cascade.relationship.target_columns IS 'columns of the target table, in the order of source_columns';
COMMENT ON COLUMN cascade.relationship.secondary IS 'many-to-many: table that links the two';
COMMENT ON COLUMN cascade.relationship.secondary_source_columns IS 'columns of the secondary that reference source_columns';
COMMENT ON COLUMN cascade.relationship.secondary_target_columns IS 'columns of the secondary that reference target_columns';
COMMENT ON COLUMN cascade.relationship.discriminator_columns IS 'polymorphic: columns, of the table that holds the key, that tell which rows are the relationship''s';
COMMENT ON COLUMN cascade.relationship.discriminator_values IS 'their values, in the same order';
COMMENT ON COLUMN cascade.relationship.propagate_source_columns IS 'columns of the source table whose changes are propagated';
COMMENT ON COLUMN cascade.relationship.propagate_target_columns IS 'columns of the target table that take them, in the same order';
COMMENT ON COLUMN cascade.relationship.single_parent IS 'a second reference to the same target row is refused';
COMMENT ON COLUMN cascade.relationship.orphan_when IS 'any: losing this parent makes an orphan; all: only when no other delete-orphan relationship holds the row';
COMMENT ON COLUMN cascade.relationship.deferred IS 'orphans are looked for at commit (true) or at the end of the statement (false)';
COMMENT ON COLUMN cascade.relationship.nullify IS 'without delete: the target''s key columns are set to null when the source row goes';
COMMENT ON COLUMN cascade.relationship.nullify_columns IS 'which key columns are set to null; null means all';
COMMENT ON COLUMN cascade.relationship.follow_keys IS 'with save-update: the target''s key columns follow a changed key';
COMMENT ON COLUMN cascade.relationship.rebuilt IS 'made from what a trigger tells, after a restore of the schema alone';
COMMENT ON COLUMN cascade.relationship.enforce IS 'the extension guards the reference as a foreign key would';

CREATE INDEX relationship_target_index ON cascade.relationship (target);
COMMENT ON INDEX cascade.relationship_pkey IS 'a relationship is known by its source table and its name';
COMMENT ON INDEX cascade.relationship_target_index IS 'finds the relationships that lead to a table';

SELECT pg_catalog.pg_extension_config_dump('cascade.relationship', '');

CREATE FUNCTION cascade.relationship_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_relationship_changed';
COMMENT ON FUNCTION cascade.relationship_changed() IS
	'trigger: tells every backend that the catalog table was written, by a restore for example';

-- ALWAYS: a restore may run with session_replication_role = replica.
CREATE FUNCTION cascade.relationship_restored() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_relationship_restored';
COMMENT ON FUNCTION cascade.relationship_restored() IS
	'trigger: a row that a restore brings takes the place of one that was rebuilt; rows that replication brings are left out';

CREATE TRIGGER relationship_restored
	BEFORE INSERT OR UPDATE OR DELETE ON cascade.relationship
	FOR EACH ROW EXECUTE FUNCTION cascade.relationship_restored();
ALTER TABLE cascade.relationship ENABLE ALWAYS TRIGGER relationship_restored;
COMMENT ON TRIGGER relationship_restored ON cascade.relationship IS 'lets a dump of the data be restored after one of the schema, and nothing be replicated';

CREATE TRIGGER relationship_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON cascade.relationship
	FOR EACH STATEMENT EXECUTE FUNCTION cascade.relationship_changed();
ALTER TABLE cascade.relationship ENABLE ALWAYS TRIGGER relationship_changed;
COMMENT ON TRIGGER relationship_changed ON cascade.relationship IS 'keeps the backends'' caches true';

CREATE VIEW cascade.relationships AS
	SELECT r.source,
		   r.name,
		   r.direction,
		   r.target,
		   CASE r.direction
				WHEN 'one-to-many' THEN
					pg_catalog.format('%s(%s) <- %s(%s)',
									  r.source, pg_catalog.array_to_string(r.source_columns, ', '),
									  r.target, pg_catalog.array_to_string(r.target_columns, ', '))
				WHEN 'many-to-one' THEN
					pg_catalog.format('%s(%s) -> %s(%s)',
									  r.source, pg_catalog.array_to_string(r.source_columns, ', '),
									  r.target, pg_catalog.array_to_string(r.target_columns, ', '))
				ELSE
					pg_catalog.format('%s(%s) <- %s(%s), (%s) -> %s(%s)',
									  r.source, pg_catalog.array_to_string(r.source_columns, ', '),
									  r.secondary, pg_catalog.array_to_string(r.secondary_source_columns, ', '),
									  pg_catalog.array_to_string(r.secondary_target_columns, ', '),
									  r.target, pg_catalog.array_to_string(r.target_columns, ', '))
		   END AS tie,
		   (SELECT pg_catalog.jsonb_object_agg(d.c, d.v)
			  FROM ROWS FROM (pg_catalog.unnest(r.discriminator_columns),
							  pg_catalog.unnest(r.discriminator_values)) AS d(c, v)) AS discriminator,
		   pg_catalog.array_to_string(r.cascade, ', ') AS cascade,
		   CASE WHEN r.direction OPERATOR(pg_catalog.=) 'many-to-one' THEN
					CASE WHEN 'delete-orphan' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'delete with last reference'
						 WHEN 'delete' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'delete'
						 ELSE 'nothing' END
				WHEN r.direction OPERATOR(pg_catalog.=) 'many-to-many' THEN
					CASE WHEN 'delete' OPERATOR(pg_catalog.=) ANY (r.cascade) OR r.nullify THEN
							 CASE WHEN 'delete-orphan' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'unlink, delete with last link'
								  WHEN 'delete' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'unlink, delete'
								  ELSE 'unlink' END
						 ELSE 'nothing' END
				WHEN 'delete' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'delete'
				WHEN r.nullify THEN 'nullify'
				ELSE 'nothing' END AS on_delete,
		   CASE WHEN NOT 'delete-orphan' OPERATOR(pg_catalog.=) ANY (r.cascade) THEN 'kept'
				WHEN r.deferred THEN 'deleted at commit'
				ELSE 'deleted at end of statement' END AS orphans,
		   CASE WHEN 'save-update' OPERATOR(pg_catalog.=) ANY (r.cascade) AND r.follow_keys THEN 'follow'
				ELSE 'nothing' END AS on_key_change,
		   (SELECT pg_catalog.jsonb_object_agg(p.s, p.t)
			  FROM ROWS FROM (pg_catalog.unnest(r.propagate_source_columns),
							  pg_catalog.unnest(r.propagate_target_columns)) AS p(s, t)) AS propagate,
		   r.foreign_key
	  FROM cascade.relationship r
	 ORDER BY r.source::pg_catalog.text, r.name;
COMMENT ON VIEW cascade.relationships IS 'declared relationships in words: what each does on which event';

-- ---------------------------------------------------------------------------
-- Declaring
-- ---------------------------------------------------------------------------

CREATE FUNCTION cascade.add_relationship(
	source						regclass,
	target						regclass,
	cascade						text DEFAULT 'save-update, merge',
	name						name DEFAULT NULL,
	foreign_key					name DEFAULT NULL,
	source_columns				name[] DEFAULT NULL,
	target_columns				name[] DEFAULT NULL,
	secondary					regclass DEFAULT NULL,
	secondary_source_columns	name[] DEFAULT NULL,
	secondary_target_columns	name[] DEFAULT NULL,
	direction					text DEFAULT NULL,
	discriminator				jsonb DEFAULT NULL,
	propagate					jsonb DEFAULT NULL,
	single_parent				boolean DEFAULT false,
	orphan_when					text DEFAULT 'any',
	deferred					boolean DEFAULT true,
	nullify						boolean DEFAULT true,
	nullify_columns				name[] DEFAULT NULL,
	follow_keys					boolean DEFAULT true,
	enforce						boolean DEFAULT false
) RETURNS name
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'cascade_add_relationship';
COMMENT ON FUNCTION cascade.add_relationship(regclass, regclass, text, name, name, name[], name[], regclass, name[], name[],
	text, jsonb, jsonb, boolean, text, boolean, boolean, name[], boolean, boolean) IS
	'declares a relationship from a source table to a target table; returns its name';

-- NULL means: as it is.
CREATE FUNCTION cascade.alter_relationship(
	source						regclass,
	name						name,
	cascade						text DEFAULT NULL,
	foreign_key					name DEFAULT NULL,
	source_columns				name[] DEFAULT NULL,
	target_columns				name[] DEFAULT NULL,
	secondary					regclass DEFAULT NULL,
	secondary_source_columns	name[] DEFAULT NULL,
	secondary_target_columns	name[] DEFAULT NULL,
	direction					text DEFAULT NULL,
	discriminator				jsonb DEFAULT NULL,
	propagate					jsonb DEFAULT NULL,
	single_parent				boolean DEFAULT NULL,
	orphan_when					text DEFAULT NULL,
	deferred					boolean DEFAULT NULL,
	nullify						boolean DEFAULT NULL,
	nullify_columns				name[] DEFAULT NULL,
	follow_keys					boolean DEFAULT NULL,
	enforce						boolean DEFAULT NULL
) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'cascade_alter_relationship';
COMMENT ON FUNCTION cascade.alter_relationship(regclass, name, text, name, name[], name[], regclass, name[], name[],
	text, jsonb, jsonb, boolean, text, boolean, boolean, name[], boolean, boolean) IS
	'changes the options that are given of a relationship; an empty object or array takes propagate or nullify_columns back';

CREATE FUNCTION cascade.drop_relationship(
	source						regclass,
	name						name,
	if_exists					boolean DEFAULT false
) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'cascade_drop_relationship';
COMMENT ON FUNCTION cascade.drop_relationship(regclass, name, boolean) IS
	'takes a relationship back; the rows stay as they are';

-- ---------------------------------------------------------------------------
-- The triggers' functions
-- ---------------------------------------------------------------------------

CREATE FUNCTION cascade.capture(VARIADIC "any") RETURNS boolean
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'cascade_capture';
COMMENT ON FUNCTION cascade.capture("any") IS
	'WHEN condition of our triggers: takes the keys of a row that is written; true for the first row of a statement';

CREATE FUNCTION cascade.to_verify(VARIADIC "any") RETURNS boolean
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'cascade_to_verify';
COMMENT ON FUNCTION cascade.to_verify("any") IS
	'WHEN condition of our deferred triggers: true for a row that has to be looked at, where no check is queued yet';

CREATE FUNCTION cascade.run() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_run';
COMMENT ON FUNCTION cascade.run() IS
	'trigger: carries a statement''s captured keys along the relationships, through every depth';

CREATE FUNCTION cascade.verify() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_verify';
COMMENT ON FUNCTION cascade.verify() IS
	'deferred trigger: deletes rows that have lost their parent or last reference, and refuses a second reference';

CREATE FUNCTION cascade.keep_key() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_keep_key';
COMMENT ON FUNCTION cascade.keep_key() IS
	'trigger: lets an orphan keep its NOT NULL key until the end of the statement, which deletes it';

CREATE FUNCTION cascade.truncate() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_truncate';
COMMENT ON FUNCTION cascade.truncate() IS
	'trigger: refuses to empty a table to which rows of others belong, or empties those with CASCADE';

CREATE FUNCTION cascade.after_create_trigger() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_after_create_trigger';
COMMENT ON FUNCTION cascade.after_create_trigger() IS
	'event trigger: a new BEFORE UPDATE trigger may change columns that a command does not name; one of ours may tell of relationships that a dump left out';

CREATE EVENT TRIGGER cascade_after_create_trigger ON ddl_command_end
	WHEN TAG IN ('CREATE TRIGGER')
	EXECUTE FUNCTION cascade.after_create_trigger();
COMMENT ON EVENT TRIGGER cascade_after_create_trigger IS
	'keeps the triggers of extension cascade right';

CREATE FUNCTION cascade.after_create_table() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_after_create_table';
COMMENT ON FUNCTION cascade.after_create_table() IS
	'event trigger: a new partition gets the trigger that is not cloned';

CREATE EVENT TRIGGER cascade_after_create_table ON ddl_command_end
	WHEN TAG IN ('CREATE TABLE', 'CREATE SCHEMA')
	EXECUTE FUNCTION cascade.after_create_table();
COMMENT ON EVENT TRIGGER cascade_after_create_table IS
	'keeps the triggers of extension cascade right';

CREATE FUNCTION cascade.before_alter_table() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_before_alter_table';
COMMENT ON FUNCTION cascade.before_alter_table() IS
	'event trigger: our triggers make room for a change of a key column''s type';

CREATE EVENT TRIGGER cascade_before_alter_table ON ddl_command_start
	WHEN TAG IN ('ALTER TABLE')
	EXECUTE FUNCTION cascade.before_alter_table();
COMMENT ON EVENT TRIGGER cascade_before_alter_table IS
	'lets the type of a key column be altered';

CREATE FUNCTION cascade.before_drop_index() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_before_drop_index';
COMMENT ON FUNCTION cascade.before_drop_index() IS
	'event trigger: the unique index under an enforced key is not dropped concurrently';

CREATE EVENT TRIGGER cascade_before_drop_index ON ddl_command_start
	WHEN TAG IN ('DROP INDEX')
	EXECUTE FUNCTION cascade.before_drop_index();
COMMENT ON EVENT TRIGGER cascade_before_drop_index IS
	'keeps the unique index that an enforced relationship needs';

CREATE FUNCTION cascade.after_alter_table() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_after_alter_table';
COMMENT ON FUNCTION cascade.after_alter_table() IS
	'event trigger: relationships follow renamed columns and columns made NOT NULL';

CREATE EVENT TRIGGER cascade_after_alter_table ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE',
				 'ALTER TRIGGER', 'ALTER SCHEMA', 'ALTER INDEX', 'ALTER SEQUENCE')
	EXECUTE FUNCTION cascade.after_alter_table();
COMMENT ON EVENT TRIGGER cascade_after_alter_table IS
	'keeps relationships and their triggers right when a table changes';

CREATE FUNCTION cascade.after_drop() RETURNS event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'cascade_after_drop';
COMMENT ON FUNCTION cascade.after_drop() IS
	'event trigger: a relationship goes with its tables and columns, and its triggers with it';

CREATE EVENT TRIGGER cascade_after_drop ON sql_drop
	EXECUTE FUNCTION cascade.after_drop();
COMMENT ON EVENT TRIGGER cascade_after_drop IS
	'drops relationships with their tables and columns';

-- ALWAYS: DDL is DDL, whatever session_replication_role says of rows.
ALTER EVENT TRIGGER cascade_after_create_table ENABLE ALWAYS;
ALTER EVENT TRIGGER cascade_after_create_trigger ENABLE ALWAYS;
ALTER EVENT TRIGGER cascade_before_alter_table ENABLE ALWAYS;
ALTER EVENT TRIGGER cascade_before_drop_index ENABLE ALWAYS;
ALTER EVENT TRIGGER cascade_after_alter_table ENABLE ALWAYS;
ALTER EVENT TRIGGER cascade_after_drop ENABLE ALWAYS;

-- ---------------------------------------------------------------------------
-- Privileges: said in full, whatever ALTER DEFAULT PRIVILEGES has made of them.
-- The triggers' functions are for everyone because a trigger's condition runs
-- as whoever writes the table, and act on nothing but declared relationships.
-- ---------------------------------------------------------------------------

REVOKE ALL ON SCHEMA cascade FROM PUBLIC;
GRANT USAGE ON SCHEMA cascade TO PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA cascade FROM PUBLIC;
GRANT SELECT ON cascade.relationship, cascade.relationships TO PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cascade TO PUBLIC;

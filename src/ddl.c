/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  keeping relationships and triggers right when DDL changes what they
 *	  rest on
 *
 * Event triggers, and not a hook, because they load the library in every
 * session.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "cascade.h"
#include "compat.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/cmdtag.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static Oid	table_of_trigger(Oid trigger, bool *ours);
static bool is_declared(Oid relid);
static void rebuild_relationships(Oid relid);
static void note_not_null(const AlterTableStmt *stmt);
static Bitmapset *not_null_columns(Oid relid);
static bool was_not_null(Oid relid);
static void refuse_concurrent_detach(const AlterTableStmt *stmt);
static bool alters_type(const AlterTableStmt *stmt);
static List *altered_tables(const AlterTableStmt *stmt);
static void follow_partition(RangeVar *table);
static void follow_partitions(void);
static void validate_enforced(Oid relid, bool more);
static void validate_partitioned(void);
static bool is_losing_partition(Oid relid);
static void take_truncate(RangeVar *table);
static void make_room(const AlterTableStmt *stmt);
static void rebuild_all(void);
static List *declared_tables(void);
static void refuse_schema_rename(const RenameStmt *stmt);
static void refresh_triggers(RangeVar *table);
static void refuse_partition(const AlterTableStmt *stmt);
static void follow_rename(const RenameStmt *stmt);
static Oid	key_holder(const CascadeRelationship *rel);
static bool rename_in_list(Oid relid, List *names, const RenameStmt *stmt);
static void refuse_restrict(const CascadeRelationship *rel, Node *parsetree);
static bool is_of(const CascadeRelationship *rel, Oid relid);
static void refuse_independence(const AlterObjectDependsStmt *stmt);
static bool uses_column(const CascadeRelationship *rel, const char *name);
static void refuse_ours(RangeVar *table, const char *trigger);
static void follow_not_null(const AlterTableStmt *stmt);
static bool rests_on_what_is_gone(const CascadeRelationship *rel);
static bool columns_exist(Oid relid, List *names);
static bool column_was_dropped(Oid relid, const char *name);

/* the columns that were NOT NULL before an ALTER TABLE */
typedef struct NotNullColumns
{
	Oid			relid;
	Bitmapset  *attnos;
} NotNullColumns;

static List *not_null_before = NIL; /* in TopTransactionContext of ... */
static TransactionId not_null_transaction = InvalidTransactionId;

PG_FUNCTION_INFO_V1(cascade_before_alter_table);
PG_FUNCTION_INFO_V1(cascade_after_create_table);
PG_FUNCTION_INFO_V1(cascade_after_create_trigger);
PG_FUNCTION_INFO_V1(cascade_after_drop);
PG_FUNCTION_INFO_V1(cascade_after_alter_table);

/*
 * cascade.after_create_trigger() RETURNS event_trigger
 *		On ddl_command_end of CREATE TRIGGER: a BEFORE UPDATE trigger that
 *		may change key columns has come to a table, so our UPDATE triggers
 *		must not rely on the columns that a command names; see install.c.
 *
 * A trigger of ours tells of relationships, which are rebuilt where a dump
 * of the schema alone has left them out; see portable.c.  Error 42710 if one
 * of ours was replaced by another.
 */
Datum
cascade_after_create_trigger(PG_FUNCTION_ARGS)
{
	ListCell   *lc;

	cascade_check_event_trigger(fcinfo, "after_create_trigger");
	if (cascade_ignores_ddl())
		PG_RETURN_NULL();

	foreach(lc, cascade_read_oids("SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands()"
								  " WHERE classid OPERATOR(pg_catalog.=)"
								  " 'pg_catalog.pg_trigger'::pg_catalog.regclass"))
	{
		bool		ours;
		Oid			relid = table_of_trigger(lfirst_oid(lc), &ours);

		if (!OidIsValid(relid))
			continue;
		if (ours && !cascade_is_installing())
			rebuild_relationships(relid);
		if (!is_declared(cascade_partition_root(relid)))
			continue;
		if (ours)
			cascade_check_replaced(relid);
		else if (is_declared(relid))
			cascade_install_without_of(relid);
	}
	PG_RETURN_NULL();
}

/*
 * Make the relationships that the table's triggers tell of and the catalog
 * does not.
 */
static void
rebuild_relationships(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;
	Oid			run;
	Oid			verify;
	CascadeCache *cache = cascade_cache_pin();
	List	   *texts = NIL;
	ListCell   *lc;

	cascade_cache_function_oids(cache, &run, &verify);
	cascade_cache_unpin(cache);
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgfoid != run || trigger->tgisclone ||
			!cascade_is_our_trigger(trigger->tgname) || trigger->tgnargs == 0)
			continue;
		/* who may only make triggers must not have others restore his word */
		if (!cascade_owns_table(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
		for (int j = 0; j < trigger->tgnargs; j++)
			texts = lappend(texts, pstrdup(trigger->tgargs[j]));
	}
	table_close(rel, AccessShareLock);
	foreach(lc, texts)
		cascade_portable_rebuild(lfirst(lc), owner);
}

/*
 * cascade.before_alter_table() RETURNS event_trigger
 *		On ddl_command_start of ALTER TABLE: PostgreSQL refuses to alter the
 *		type of a column that a trigger's condition reads, so ours are taken
 *		away, and made again by after_alter_table().
 *
 * Error 0A000 for a DETACH PARTITION CONCURRENTLY that could leave references
 * behind: at its end it could not be taken back.
 */
Datum
cascade_before_alter_table(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = cascade_check_event_trigger(fcinfo, "before_alter_table");
	ListCell   *lc;

	if (cascade_ignores_ddl() || !IsA(trigdata->parsetree, AlterTableStmt))
		PG_RETURN_NULL();
	refuse_concurrent_detach((AlterTableStmt *) trigdata->parsetree);
	note_not_null((AlterTableStmt *) trigdata->parsetree);
	if (!alters_type((AlterTableStmt *) trigdata->parsetree))
		PG_RETURN_NULL();
	foreach(lc, altered_tables((AlterTableStmt *) trigdata->parsetree))
	{
		/* whoever may not alter the table is told so by the command */
		if (cascade_owns_table(lfirst_oid(lc), GetUserId()))
			cascade_uninstall(lfirst_oid(lc));
	}
	PG_RETURN_NULL();
}

static void
refuse_concurrent_detach(const AlterTableStmt *stmt)
{
	Oid			root = stmt->relation ? RangeVarGetRelid(stmt->relation, NoLock, true) : InvalidOid;
	ListCell   *lc;
	ListCell   *lcr;

	if (!OidIsValid(root))
		return;
	root = cascade_partition_root(root);
	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype != AT_DetachPartition || !((PartitionCmd *) cmd->def)->concurrent)
			continue;
		foreach(lcr, cascade_catalog_read())
		{
			CascadeRelationship *rel = lfirst(lcr);

			if (rel->enforce && (rel->source == root || rel->target == root))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot detach a partition of table \"%s\" concurrently because relationship \"%s\" of table \"%s\" is enforced",
								get_rel_name(root), NameStr(rel->name), get_rel_name(rel->source)),
						 errhint("Use DETACH PARTITION without CONCURRENTLY."),
						 cascade_errtable(root)));
		}
	}
}

static bool
alters_type(const AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		if (lfirst_node(AlterTableCmd, lc)->subtype == AT_AlterColumnType)
			return true;
	}
	return false;
}

/*
 * The declared tables that an ALTER TABLE reaches: the one it names and those
 * that inherit from it.
 */
static List *
altered_tables(const AlterTableStmt *stmt)
{
	Oid			relid = stmt->relation ? RangeVarGetRelid(stmt->relation, NoLock, true) : InvalidOid;
	List	   *tables = NIL;
	ListCell   *lc;

	if (!OidIsValid(relid))
		return NIL;
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		if (is_declared(lfirst_oid(lc)))
			tables = lappend_oid(tables, lfirst_oid(lc));
	}
	return tables;
}

/*
 * cascade.after_create_table() RETURNS event_trigger
 *		On ddl_command_end of CREATE TABLE and CREATE SCHEMA: a new partition
 *		gets the trigger for TRUNCATE, which is not cloned.
 */
Datum
cascade_after_create_table(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = cascade_check_event_trigger(fcinfo, "after_create_table");

	if (cascade_ignores_ddl())
		PG_RETURN_NULL();
	if (IsA(trigdata->parsetree, CreateSchemaStmt))
		follow_partitions();
	else if (IsA(trigdata->parsetree, CreateStmt) &&
			 ((CreateStmt *) trigdata->parsetree)->partbound != NULL)
		follow_partition(((CreateStmt *) trigdata->parsetree)->relation);
	PG_RETURN_NULL();
}

/*
 * CREATE SCHEMA may have made partitions of any declared table.
 */
static void
follow_partitions(void)
{
	ListCell   *lc;

	foreach(lc, declared_tables())
	{
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_PARTITIONED_TABLE)
			cascade_install_for_truncate(lfirst_oid(lc));
	}
}

/*
 * A table has become a partition.
 */
static void
follow_partition(RangeVar *table)
{
	Oid			relid = RangeVarGetRelid(table, NoLock, true);
	Oid			root = OidIsValid(relid) ? cascade_partition_root(relid) : InvalidOid;

	if (OidIsValid(root) && root != relid && is_declared(root))
		cascade_install_for_truncate(root);
}

/*
 * The rows of a partitioned table have become more, or less: references that
 * are enforced must hold all the same.  More parents, and less children, break
 * none.
 */
static void
validate_enforced(Oid relid, bool more)
{
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (!rel->enforce || !is_of(rel, relid))
			continue;
		if (more ? key_holder(rel) != relid :
			key_holder(rel) == relid && rel->source != rel->target)
			continue;
		/* as ATTACH PARTITION locks what a foreign key references */
		LockRelationOid(rel->source, ShareRowExclusiveLock);
		LockRelationOid(rel->target, ShareRowExclusiveLock);
		cascade_resolve_relationship(rel);
		cascade_event_validate(rel, cascade_enforce_validate);
	}
}

/*
 * cascade.after_drop() RETURNS event_trigger
 *		On sql_drop: a relationship goes with a table or a column of its own,
 *		an enforced one also with the unique index on its key, and the table
 *		that stays loses the triggers that nothing needs now.
 *
 * Error 2BP01 if one of our triggers was dropped by hand, or a column or an
 * index without CASCADE; 55006 if checks of the transaction are pending.
 */
Datum
cascade_after_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = cascade_check_event_trigger(fcinfo, "after_drop");
	List	   *dropped;
	List	   *left = NIL;
	bool		index_dropped;
	ListCell   *lc;

	if (cascade_ignores_ddl())
		PG_RETURN_NULL();

	/* tables, columns' tables, and the tables of triggers of ours */
	dropped = cascade_read_oids("SELECT objid FROM pg_catalog.pg_event_trigger_dropped_objects()"
								" WHERE classid OPERATOR(pg_catalog.=)"
								" 'pg_catalog.pg_class'::pg_catalog.regclass"
								" AND object_type OPERATOR(pg_catalog.=) ANY"
								" ('{table,table column,foreign table,foreign table column}'::pg_catalog.text[])");
	index_dropped = cascade_read_oids("SELECT objid FROM pg_catalog.pg_event_trigger_dropped_objects()"
									  " WHERE object_type OPERATOR(pg_catalog.=) 'index'") != NIL;
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if ((list_member_oid(dropped, rel->source) || list_member_oid(dropped, rel->target) ||
			 list_member_oid(dropped, rel->secondary)) && rests_on_what_is_gone(rel))
			refuse_restrict(rel, trigdata->parsetree);
		else if (!index_dropped || !cascade_unique_is_lost(rel, trigdata->parsetree))
			continue;
		cascade_check_not_pending(rel->target);
		cascade_catalog_delete(rel->source, NameStr(rel->name));
		left = list_append_unique_oid(left, rel->source);
		left = list_append_unique_oid(left, rel->target);
		if (OidIsValid(rel->secondary))
			left = list_append_unique_oid(left, rel->secondary);
	}
	if (trigdata->tag == CMDTAG_DROP_TRIGGER)
	{
		foreach(lc, cascade_read_oids("SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I',"
									  " address_names[1], address_names[2]))"
									  " FROM pg_catalog.pg_event_trigger_dropped_objects()"
									  " WHERE classid OPERATOR(pg_catalog.=)"
									  " 'pg_catalog.pg_trigger'::pg_catalog.regclass"))
			cascade_check_triggers(lfirst_oid(lc));
	}
	/* triggers of ours go with a table that is not declared: a partition */
	if (cascade_read_oids("SELECT t.objid"
						  " FROM pg_catalog.pg_event_trigger_dropped_objects() t"
						  " WHERE t.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass"
						  " AND t.address_names[3] OPERATOR(pg_catalog.~) '^~?CASCADE_'"
						  " AND NOT t.original") != NIL)
		validate_partitioned();
	/* a trigger goes with one of its columns; other relationships still need it */
	left = list_concat_unique_oid(left, dropped);
	foreach(lc, left)
	{
		Oid			relid = lfirst_oid(lc);

		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			cascade_install_triggers(relid);
	}
	PG_RETURN_NULL();
}

static bool
is_of(const CascadeRelationship *rel, Oid relid)
{
	return rel->source == relid || rel->target == relid || rel->secondary == relid;
}

/*
 * A table that was dropped may have been a partition, with rows that others
 * reference; nothing tells of which table.
 */
static void
validate_partitioned(void)
{
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->enforce && get_rel_relkind(rel->source) == RELKIND_PARTITIONED_TABLE)
			tables = list_append_unique_oid(tables, rel->source);
		if (rel->enforce && get_rel_relkind(rel->target) == RELKIND_PARTITIONED_TABLE)
			tables = list_append_unique_oid(tables, rel->target);
	}
	foreach(lc, tables)
	{
		if (is_losing_partition(lfirst_oid(lc)))
			validate_enforced(lfirst_oid(lc), false);
	}
}

/*
 * A table that loses a partition is locked against everybody by then.
 */
static bool
is_losing_partition(Oid relid)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		if (cascade_locked_by_me(lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * Is it the name of a column of the relationship's?
 */
static bool
uses_column(const CascadeRelationship *rel, const char *name)
{
	return cascade_name_in_list(rel->source_columns, name) ||
		cascade_name_in_list(rel->target_columns, name) ||
		cascade_name_in_list(rel->secondary_source_columns, name) ||
		cascade_name_in_list(rel->secondary_target_columns, name) ||
		cascade_name_in_list(rel->discriminator_columns, name) ||
		cascade_name_in_list(rel->propagate_source, name) ||
		cascade_name_in_list(rel->propagate_target, name);
}

/*
 * A column that a relationship needs goes only with CASCADE.
 */
static void
refuse_restrict(const CascadeRelationship *rel, Node *parsetree)
{
	ListCell   *lc;

	if (!IsA(parsetree, AlterTableStmt))
		return;
	foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_DropColumn && cmd->behavior == DROP_RESTRICT &&
			uses_column(rel, cmd->name))
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop column \"%s\" because relationship \"%s\" of table \"%s\" needs it",
							cmd->name, NameStr(rel->name), get_rel_name(rel->source)),
					 errhint("Use DROP ... CASCADE to drop the relationship too.")));
	}
}

/*
 * cascade.after_alter_table() RETURNS event_trigger
 *		On ddl_command_end of ALTER TABLE, or another command that can rename
 *		a column or a trigger: follows renamed columns and constraints, and a
 *		key column that has become NOT NULL or ceased to be.
 *
 * Errors 0A000 if a table with relationships has become a partition, 2BP01 if
 * one of our triggers was renamed or cut loose from the extension.
 */
Datum
cascade_after_alter_table(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = cascade_check_event_trigger(fcinfo, "after_alter_table");

	if (IsA(trigdata->parsetree, RenameStmt))
		refuse_schema_rename((RenameStmt *) trigdata->parsetree);
	if (cascade_ignores_ddl())
		PG_RETURN_NULL();
	if (IsA(trigdata->parsetree, RenameStmt))
	{
		follow_rename((RenameStmt *) trigdata->parsetree);
		refresh_triggers(((RenameStmt *) trigdata->parsetree)->renameType == OBJECT_TABCONSTRAINT ?
						 ((RenameStmt *) trigdata->parsetree)->relation : NULL);
	}
	else if (IsA(trigdata->parsetree, AlterObjectSchemaStmt))
		refresh_triggers(NULL);
	else if (IsA(trigdata->parsetree, AlterObjectDependsStmt))
		refuse_independence((AlterObjectDependsStmt *) trigdata->parsetree);
	else if (IsA(trigdata->parsetree, AlterTableStmt))
	{
		make_room((AlterTableStmt *) trigdata->parsetree);
		refuse_partition((AlterTableStmt *) trigdata->parsetree);
		follow_not_null((AlterTableStmt *) trigdata->parsetree);
		if (alters_type((AlterTableStmt *) trigdata->parsetree))
		{
			ListCell   *lc;

			foreach(lc, altered_tables((AlterTableStmt *) trigdata->parsetree))
				cascade_install_triggers(lfirst_oid(lc));
		}
	}
	PG_RETURN_NULL();
}

/*
 * ALTER TABLE cascade.relationship DISABLE TRIGGER ALL, before its rows are
 * restored, and ENABLE TRIGGER ALL after it.
 */
static void
make_room(const AlterTableStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	ListCell   *lc;

	if (!OidIsValid(relid) || relid != cascade_catalog_relid(true))
		return;
	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_DisableTrigAll)
			cascade_portable_make_room();
		else if (cmd->subtype == AT_EnableTrigAll)
		{
			cascade_portable_settle();
			rebuild_all();
		}
	}
}

/*
 * What was restored of the catalog may be less than the triggers tell, or more
 * than there are triggers for.
 */
static void
rebuild_all(void)
{
	ListCell   *lc;

	foreach(lc, cascade_read_oids("SELECT tgrelid FROM pg_catalog.pg_trigger"
								  " WHERE tgfoid OPERATOR(pg_catalog.=)"
								  " pg_catalog.to_regprocedure('cascade.run()')::pg_catalog.oid"
								  " AND tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid"))
		rebuild_relationships(lfirst_oid(lc));
	foreach(lc, declared_tables())
		cascade_install_triggers(lfirst_oid(lc));
}

static List *
declared_tables(void)
{
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		tables = list_append_unique_oid(tables, rel->source);
		tables = list_append_unique_oid(tables, rel->target);
		if (OidIsValid(rel->secondary))
			tables = list_append_unique_oid(tables, rel->secondary);
	}
	return tables;
}

/*
 * The triggers tell of relationships by name; give those new ones that tell of
 * what has another name now.
 */
static void
refresh_triggers(RangeVar *table)
{
	List	   *renamed = cascade_read_oids("SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands()");
	List	   *tables = NIL;
	ListCell   *lc;

	/* of a constraint, its table */
	if (table != NULL)
		renamed = list_append_unique_oid(renamed, RangeVarGetRelid(table, NoLock, true));
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);
		Oid			relids[] = {rel->source, rel->target, rel->secondary};
		bool		touched = false;

		for (int i = 0; i < lengthof(relids); i++)
			touched |= OidIsValid(relids[i]) &&
				(list_member_oid(renamed, relids[i]) ||
				 list_member_oid(renamed, get_rel_namespace(relids[i])));
		for (int i = 0; touched && i < lengthof(relids); i++)
		{
			if (OidIsValid(relids[i]))
				tables = list_append_unique_oid(tables, relids[i]);
		}
	}
	foreach(lc, tables)
		cascade_refresh_triggers(lfirst_oid(lc));
}

/*
 * Our schema keeps its name: whoever made another one of it would supply the
 * catalog.
 */
static void
refuse_schema_rename(const RenameStmt *stmt)
{
	if (stmt->renameType == OBJECT_SCHEMA && strcmp(stmt->subname, CASCADE_SCHEMA) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot rename schema \"%s\" because extension \"cascade\" needs it",
						CASCADE_SCHEMA)));
}

/*
 * cascade_ignores_ddl
 *		Is the command not to be looked at?  pg_upgrade brings triggers and
 *		rows as they were, and an extension's script, our own update for one,
 *		may find the catalog in another form than this library knows.
 */
bool
cascade_ignores_ddl(void)
{
	return IsBinaryUpgrade || creating_extension ||
		!OidIsValid(cascade_catalog_relid(true));
}

/*
 * ATTACH PARTITION of a table that has relationships of its own, and DETACH
 * while rows of the whole wait for a check: the partition's triggers go.
 */
static void
refuse_partition(const AlterTableStmt *stmt)
{
	Oid			root = RangeVarGetRelid(stmt->relation, NoLock, true);
	ListCell   *lc;

	if (OidIsValid(root))
		root = cascade_partition_root(root);

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		Oid			relid;

		if (cmd->subtype == AT_DetachPartition && OidIsValid(root))
			cascade_check_not_pending(root);
		if (cmd->subtype == AT_DetachPartition)
		{
			take_truncate(((PartitionCmd *) cmd->def)->name);
			if (OidIsValid(root))
				validate_enforced(root, false);
		}
		if (cmd->subtype == AT_AttachPartition)
		{
			follow_partition(((PartitionCmd *) cmd->def)->name);
			if (OidIsValid(root))
				validate_enforced(root, true);
		}
		if (cmd->subtype != AT_AttachPartition)
			continue;
		relid = RangeVarGetRelid(((PartitionCmd *) cmd->def)->name, NoLock, true);
		if (OidIsValid(relid) && is_declared(relid))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("table \"%s\" cannot become a partition because it has relationships",
							get_rel_name(relid)),
					 errhint("Use cascade.drop_relationship first."),
					 cascade_errtable(relid)));
	}
}

/*
 * A table that is no partition any more has no relationships; its other
 * triggers were clones, and are gone.
 */
static void
take_truncate(RangeVar *table)
{
	Oid			relid = RangeVarGetRelid(table, NoLock, true);

	if (OidIsValid(relid) && !get_rel_relispartition(relid) && !is_declared(relid))
		cascade_install_for_truncate(relid);
}

/*
 * Give a renamed column or constraint its new name in the relationships.  The
 * command may have named another table, from which theirs inherit.
 */
static void
follow_rename(const RenameStmt *stmt)
{
	ListCell   *lc;

	if (stmt->renameType == OBJECT_TRIGGER)
		refuse_ours(stmt->relation, stmt->subname);
	if (stmt->renameType != OBJECT_COLUMN && stmt->renameType != OBJECT_TABCONSTRAINT)
		return;
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);
		bool		renamed = false;

		if (stmt->renameType == OBJECT_COLUMN)
		{
			renamed |= rename_in_list(rel->source, rel->source_columns, stmt);
			renamed |= rename_in_list(rel->source, rel->propagate_source, stmt);
			renamed |= rename_in_list(rel->target, rel->target_columns, stmt);
			renamed |= rename_in_list(rel->target, rel->propagate_target, stmt);
			renamed |= rename_in_list(rel->target, rel->nullify_columns, stmt);
			renamed |= rename_in_list(rel->secondary, rel->secondary_source_columns, stmt);
			renamed |= rename_in_list(rel->secondary, rel->secondary_target_columns, stmt);
			renamed |= rename_in_list(key_holder(rel), rel->discriminator_columns, stmt);
		}
		else if (rel->foreign_key && strcmp(rel->foreign_key, stmt->subname) == 0 &&
				 !OidIsValid(get_relation_constraint_oid(key_holder(rel), stmt->subname, true)) &&
				 OidIsValid(get_relation_constraint_oid(key_holder(rel), stmt->newname, true)))
		{
			rel->foreign_key = stmt->newname;
			renamed = true;
		}
		if (renamed)
			cascade_catalog_update(rel);
	}
}

/*
 * The table whose columns reference another's.
 */
static Oid
key_holder(const CascadeRelationship *rel)
{
	return rel->direction == CASCADE_ONE_TO_MANY ? rel->target :
		rel->direction == CASCADE_MANY_TO_ONE ? rel->source : rel->secondary;
}

/*
 * Replace the old name in a list of a table's columns, if the table has lost
 * that column and has one of the new name.
 */
static bool
rename_in_list(Oid relid, List *names, const RenameStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), stmt->subname) == 0 &&
			get_attnum(relid, stmt->subname) <= 0 && get_attnum(relid, stmt->newname) > 0)
		{
			lfirst(lc) = stmt->newname;
			return true;
		}
	}
	return false;
}

static void
refuse_independence(const AlterObjectDependsStmt *stmt)
{
	if (stmt->objectType == OBJECT_TRIGGER && stmt->remove)
		refuse_ours(stmt->relation, strVal(llast((List *) stmt->object)));
}

/*
 * Error if this is a trigger of ours that relationships need.
 */
static void
refuse_ours(RangeVar *table, const char *trigger)
{
	Oid			relid = table ? RangeVarGetRelid(table, NoLock, true) : InvalidOid;

	if (cascade_is_our_trigger(trigger) && OidIsValid(relid) &&
		is_declared(cascade_partition_root(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot alter trigger \"%s\" on table \"%s\" because relationships need it",
						trigger, get_rel_name(relid)),
				 cascade_errtable(relid)));
}

/*
 * A key column that is NOT NULL now needs keep_key().  The command reaches the
 * tables that inherit as well.
 */
static void
follow_not_null(const AlterTableStmt *stmt)
{
	bool		may_matter = false;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		/* a foreign key never makes a column NOT NULL; a restore adds many */
		may_matter |= cmd->subtype == AT_SetNotNull || cmd->subtype == AT_DropNotNull ||
			(cmd->subtype == AT_AddConstraint && cmd->def && IsA(cmd->def, Constraint) &&
			 ((Constraint *) cmd->def)->contype != CONSTR_FOREIGN);
	}
	if (!may_matter)
		return;
	foreach(lc, altered_tables(stmt))
	{
		if (!was_not_null(lfirst_oid(lc)))
			cascade_install_keep(lfirst_oid(lc));
	}
}

/*
 * Before the command: which columns are NOT NULL?  A restore that adds a
 * primary key changes nothing of that, and must not have triggers made that
 * are still to come.
 */
static void
note_not_null(const AlterTableStmt *stmt)
{
	MemoryContext oldcontext;
	List	   *tables = altered_tables(stmt);
	ListCell   *lc;

	oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	not_null_before = NIL;
	foreach(lc, tables)
	{
		NotNullColumns *columns = palloc(sizeof(NotNullColumns));

		columns->relid = lfirst_oid(lc);
		columns->attnos = not_null_columns(columns->relid);
		not_null_before = lappend(not_null_before, columns);
	}
	not_null_transaction = GetTopTransactionId();
	MemoryContextSwitchTo(oldcontext);
}

static Bitmapset *
not_null_columns(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Bitmapset  *attnos = NULL;

	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i)->attnotnull)
			attnos = bms_add_member(attnos, i + 1);
	}
	table_close(rel, AccessShareLock);
	return attnos;
}

/*
 * Were the same columns NOT NULL before the command?
 */
static bool
was_not_null(Oid relid)
{
	ListCell   *lc;

	if (not_null_transaction != GetTopTransactionId())
		return false;
	foreach(lc, not_null_before)
	{
		NotNullColumns *columns = lfirst(lc);

		if (columns->relid == relid)
			return bms_equal(columns->attnos, not_null_columns(relid));
	}
	return false;
}

/*
 * cascade_read_oids
 *		The first column of a query's rows, as a List of OIDs in the current
 *		memory context; nulls are left out.
 */
List *
cascade_read_oids(const char *sql)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *oids = NIL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", sql);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			oid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContext oldcontext = MemoryContextSwitchTo(caller);

		if (!isnull)
			oids = list_append_unique_oid(oids, oid);
		MemoryContextSwitchTo(oldcontext);
	}
	SPI_finish();
	return oids;
}

/*
 * The table of a BEFORE UPDATE row trigger, or of one with a name of ours,
 * and which of them it is; else InvalidOid.
 */
static Oid
table_of_trigger(Oid trigger, bool *ours)
{
	Relation	tgrel = table_open(TriggerRelationId, AccessShareLock);
	Oid			relid = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(tgrel, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		*ours = cascade_is_our_trigger(NameStr(form->tgname));
		if (*ours || (TRIGGER_FOR_ROW(form->tgtype) && TRIGGER_FOR_BEFORE(form->tgtype) &&
					  TRIGGER_FOR_UPDATE(form->tgtype)))
			relid = form->tgrelid;
	}
	systable_endscan(scan);
	table_close(tgrel, AccessShareLock);
	return relid;
}

/*
 * Has the table relationships?  Asked of the catalog, and not of the cache,
 * which would lock the tables at their other ends.
 */
static bool
is_declared(Oid relid)
{
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->source == relid || rel->target == relid || rel->secondary == relid)
			return true;
	}
	return false;
}

static bool
rests_on_what_is_gone(const CascadeRelationship *rel)
{
	return !columns_exist(rel->source, rel->source_columns) ||
		!columns_exist(rel->source, rel->propagate_source) ||
		!columns_exist(rel->target, rel->target_columns) ||
		!columns_exist(key_holder(rel), rel->discriminator_columns) ||
		(OidIsValid(rel->secondary) &&
		 (!columns_exist(rel->secondary, rel->secondary_source_columns) ||
		  !columns_exist(rel->secondary, rel->secondary_target_columns))) ||
		!columns_exist(rel->target, rel->propagate_target);
}

/*
 * Does a table exist, with these columns?
 */
static bool
columns_exist(Oid relid, List *names)
{
	ListCell   *lc;

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return false;
	foreach(lc, names)
	{
		if (get_attnum(relid, lfirst(lc)) <= 0 || column_was_dropped(relid, lfirst(lc)))
			return false;
	}
	return true;
}

/*
 * Did the command drop a column of this name?  It may have added another one.
 */
static bool
column_was_dropped(Oid relid, const char *name)
{
	return cascade_read_oids(psprintf("SELECT objid FROM pg_catalog.pg_event_trigger_dropped_objects()"
									  " WHERE classid OPERATOR(pg_catalog.=)"
									  " 'pg_catalog.pg_class'::pg_catalog.regclass"
									  " AND objid OPERATOR(pg_catalog.=) %u::pg_catalog.oid"
									  " AND objsubid OPERATOR(pg_catalog.>) 0"
									  " AND address_names[3] OPERATOR(pg_catalog.=) %s",
									  relid, quote_literal_cstr(name))) != NIL;
}

/*
 * cascade_check_event_trigger
 *		What an event trigger's function was called for.  Error 39P01 if it
 *		was called otherwise.
 */
EventTriggerData *
cascade_check_event_trigger(FunctionCallInfo fcinfo, const char *function)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by event trigger manager", function)));
	return (EventTriggerData *) fcinfo->context;
}

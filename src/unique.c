/*-------------------------------------------------------------------------
 *
 * unique.c
 *	  keeping the unique index under a key that is enforced
 *
 * Without it the parents' rows could not be locked against a change of their
 * key.  A foreign key depends on its index; our triggers cannot, because
 * ALTER COLUMN TYPE drops an index and makes it anew, and would be refused.  So
 * a command that has dropped an index is asked whether the key is still unique.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/unique.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "cascade.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void refuse_concurrent_drop(Oid index);
static bool may_drop(Oid index, Oid table);
static bool is_unique(Oid index);
static bool is_lost(CascadeRelationship *rel, Oid parent, List *columns, Oid except);
static bool loses_index(CascadeRelationship *rel, Oid parent, List *columns, Node *parsetree);
static bool is_restricted(Node *parsetree, Oid parent, List *columns);
static bool is_dropped_by(Node *parsetree, Oid parent, List *columns, DropBehavior behavior);
static bool was_dropped(Oid parent, List *columns, const char *names, const char *name);
pg_noreturn static void error_index_needed(const CascadeRelationship *rel);

PG_FUNCTION_INFO_V1(cascade_before_drop_index);

/*
 * cascade.before_drop_index() RETURNS event_trigger
 *		On ddl_command_start of DROP INDEX.
 *
 * Error 2BP01 if the last unique index on a key that is enforced is to be
 * dropped CONCURRENTLY: at the command's end it could not be had back.
 */
Datum
cascade_before_drop_index(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = cascade_check_event_trigger(fcinfo, "before_drop_index");
	DropStmt   *stmt = (DropStmt *) trigdata->parsetree;
	ListCell   *lc;

	if (cascade_ignores_ddl() || !IsA(stmt, DropStmt) || !stmt->concurrent)
		PG_RETURN_NULL();
	foreach(lc, stmt->objects)
	{
		Oid			index = RangeVarGetRelid(makeRangeVarFromNameList(lfirst(lc)), NoLock, true);

		if (OidIsValid(index))
			refuse_concurrent_drop(index);
	}
	PG_RETURN_NULL();
}

/*
 * The table is locked first, and as the command will lock it: nothing can be
 * declared, and no other index dropped, between this look and the drop.
 */
static void
refuse_concurrent_drop(Oid index)
{
	Oid			table = IndexGetRelation(index, true);
	ListCell   *lc;

	if (!OidIsValid(table) || !is_unique(index) || !may_drop(index, table))
		return;
	LockRelationOid(table, ShareUpdateExclusiveLock);
	if (!is_unique(index))
		return;
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (!rel->enforce)
			continue;
		if ((rel->direction != CASCADE_MANY_TO_ONE && rel->source == table &&
			 is_lost(rel, table, rel->source_columns, index)) ||
			(rel->direction != CASCADE_ONE_TO_MANY && rel->target == table &&
			 is_lost(rel, table, rel->target_columns, index)))
			error_index_needed(rel);
	}
}

/*
 * Whoever may not drop the index is told so by the command.
 */
static bool
may_drop(Oid index, Oid table)
{
	return cascade_owns_table(table, GetUserId()) ||
		cascade_owns_schema(get_rel_namespace(index), GetUserId());
}

static bool
is_unique(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool		unique;

	if (!HeapTupleIsValid(tuple))
		return false;
	unique = ((Form_pg_index) GETSTRUCT(tuple))->indisunique;
	ReleaseSysCache(tuple);
	return unique;
}

/*
 * cascade_unique_is_lost
 *		On sql_drop of a command that dropped an index: has an enforced
 *		relationship lost the unique index under its key?  Error 2BP01 if it
 *		was to be dropped without CASCADE.
 *
 * The table of an index that was dropped is locked against everybody; the
 * others are not looked at, nor waited for.
 */
bool
cascade_unique_is_lost(CascadeRelationship *rel, Node *parsetree)
{
	if (!rel->enforce)
		return false;
	return (rel->direction != CASCADE_MANY_TO_ONE &&
			loses_index(rel, rel->source, rel->source_columns, parsetree)) ||
		(rel->direction != CASCADE_ONE_TO_MANY &&
		 loses_index(rel, rel->target, rel->target_columns, parsetree));
}

static bool
loses_index(CascadeRelationship *rel, Oid parent, List *columns, Node *parsetree)
{
	if (!cascade_locked_by_me(parent) || !is_lost(rel, parent, columns, InvalidOid))
		return false;
	if (is_restricted(parsetree, parent, columns))
		error_index_needed(rel);
	return true;
}

/*
 * Has a locked parent no unique index on the key any more, or none but this
 * one?  Only where that hangs on the equality of the two columns is the child
 * opened.
 */
static bool
is_lost(CascadeRelationship *rel, Oid parent, List *columns, Oid except)
{
	switch (cascade_unique_index(parent, columns, except))
	{
		case CASCADE_UNIQUE_NONE:
			return true;
		case CASCADE_UNIQUE_BY_DEFAULT:
			return false;
		case CASCADE_UNIQUE_BY_OTHER:
			break;
	}
	cascade_resolve_relationship(rel);
	return !cascade_key_is_referenceable(rel->tie, false, except) ||
		(rel->reference != NULL && !cascade_key_is_referenceable(rel->reference, false, except));
}

/*
 * cascade_locked_by_me
 *		Is a table locked by this transaction against everybody?
 */
bool
cascade_locked_by_me(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	return cascade_lock_held_by_me(&tag, AccessExclusiveLock);
}

/*
 * Was the index dropped without CASCADE?
 */
static bool
is_restricted(Node *parsetree, Oid parent, List *columns)
{
	bool		cascades = false;
	bool		restricted = false;
	ListCell   *lc;

	if (IsA(parsetree, DropStmt))
		return ((DropStmt *) parsetree)->behavior == DROP_RESTRICT;
	if (IsA(parsetree, DropOwnedStmt))
		return ((DropOwnedStmt *) parsetree)->behavior == DROP_RESTRICT;
	if (!IsA(parsetree, AlterTableStmt))
		return true;
	foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype != AT_DropConstraint && cmd->subtype != AT_DropColumn)
			continue;
		if (cmd->behavior == DROP_CASCADE)
			cascades = true;
		else
			restricted = true;
	}
	if (cascades && restricted)
		return !is_dropped_by(parsetree, parent, columns, DROP_CASCADE) ||
			is_dropped_by(parsetree, parent, columns, DROP_RESTRICT);
	return !cascades;
}

/*
 * Did a part of ALTER TABLE with this behavior drop a unique index on the key?
 * A constraint's index has its name, a column's has it among its columns.
 */
static bool
is_dropped_by(Node *parsetree, Oid parent, List *columns, DropBehavior behavior)
{
	ListCell   *lc;

	foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->behavior != behavior)
			continue;
		if (cmd->subtype == AT_DropConstraint &&
			was_dropped(parent, columns, "d.object_name", cmd->name))
			return true;
		if (cmd->subtype == AT_DropColumn &&
			was_dropped(parent, columns,
						"ANY (SELECT a.attname FROM pg_catalog.pg_attribute a"
						" WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
						" AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey))", cmd->name))
			return true;
	}
	return false;
}

/*
 * Was a unique index on the key dropped that bears this name, or has a column
 * of it?  The query sees the catalog as it was before the command.
 */
static bool
was_dropped(Oid parent, List *columns, const char *names, const char *name)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT d.objid FROM pg_catalog.pg_event_trigger_dropped_objects() d,"
					 " pg_catalog.pg_index i"
					 " WHERE d.object_type OPERATOR(pg_catalog.=) 'index'"
					 " AND i.indexrelid OPERATOR(pg_catalog.=) d.objid"
					 " AND i.indrelid OPERATOR(pg_catalog.=) %u::pg_catalog.oid"
					 " AND i.indisunique AND i.indnkeyatts OPERATOR(pg_catalog.=) %d"
					 " AND %s::pg_catalog.name OPERATOR(pg_catalog.=) %s"
					 " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a"
					 " WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
					 " AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey[0:i.indnkeyatts OPERATOR(pg_catalog.-) 1])"
					 " AND a.attname OPERATOR(pg_catalog.<>) ALL (ARRAY[",
					 parent, list_length(columns), quote_literal_cstr(name), names);
	foreach(lc, columns)
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) == 0 ? "" : ", ",
						 quote_literal_cstr(lfirst(lc)));
	appendStringInfoString(&sql, "]::pg_catalog.name[]))");
	return cascade_read_oids(sql.data) != NIL;
}

static void
error_index_needed(const CascadeRelationship *rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop the unique key because relationship \"%s\" of table \"%s\" is enforced",
					NameStr(rel->name), get_rel_name(rel->source)),
			 errdetail("Only a reference to a unique key can be enforced."),
			 errhint("Use DROP ... CASCADE to drop the relationship too.")));
}

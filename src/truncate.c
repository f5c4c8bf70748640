/*-------------------------------------------------------------------------
 *
 * truncate.c
 *	  TRUNCATE of a table that others belong to
 *
 * No row is deleted one by one, so nothing is captured.  A statement trigger
 * looks, when the tables are empty, whether children are left that had their
 * parents there.  If so the command is refused, as for a foreign key; with
 * CASCADE the children's tables are truncated too, or of a table that they
 * share with the children of others, deleted.
 *
 * A trigger is not told whether CASCADE was given.  A utility hook notes it;
 * in a session whose first call of the library is this very trigger, the
 * command is looked up in the portal that runs it, or in a function in the
 * context that an error would tell.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/truncate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "cascade.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"

/* the TRUNCATE under way, innermost, if the hook has seen it */
static const TruncateStmt *current_truncate = NULL;
static ProcessUtility_hook_type previous_hook = NULL;

static void note_truncate(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
						  ProcessUtilityContext context, ParamListInfo params,
						  QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc);
static const TruncateStmt *find_truncate(void);
static const TruncateStmt *truncate_of_function(void);
static void look_at_children(CascadeTie *tie, const TruncateStmt *stmt);
static CascadeRelationship *relationship_of(const CascadeTie *tie);
static void truncate_child(CascadeTie *tie, const TruncateStmt *stmt);
static List *tables_to_truncate(Oid relid, List **relids, List **logged);

PG_FUNCTION_INFO_V1(cascade_truncate);

/*
 * cascade_truncate_init
 *		Install the hook, when the library is loaded.
 */
void
cascade_truncate_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = note_truncate;
}

static void
note_truncate(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
			  ProcessUtilityContext context, ParamListInfo params,
			  QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	const TruncateStmt *outer = current_truncate;

	PG_TRY();
	{
		if (IsA(pstmt->utilityStmt, TruncateStmt))
			current_truncate = (TruncateStmt *) pstmt->utilityStmt;
		if (previous_hook)
			previous_hook(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
		else
			standard_ProcessUtility(pstmt, queryString, readOnlyTree, context, params, queryEnv,
									dest, qc);
	}
	PG_FINALLY();
	{
		current_truncate = outer;
	}
	PG_END_TRY();
}

/*
 * cascade.truncate() RETURNS trigger
 *		AFTER TRUNCATE FOR EACH STATEMENT of a table that has children.
 *
 * Follows heap_truncate_check_FKs(), but for that a table of which no row
 * belongs to the emptied one is none of its business.  Errors: 0A000 if
 * children are left and CASCADE was not given, 42501 if the caller may not
 * truncate their table, 39P01 if called otherwise.
 */
Datum
cascade_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const TruncateStmt *stmt;
	Oid			relid;
	CascadeCache *cache;
	CascadeTable *table;
	ListCell   *lc;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", "truncate")));
	if (!cascade_enabled)
		return PointerGetDatum(NULL);
	stmt = find_truncate();
	relid = cascade_partition_root(RelationGetRelid(trigdata->tg_relation));
	cache = cascade_cache_pin();
	table = cascade_cache_table(cache, relid);
	foreach(lc, table ? table->ties : NIL)
	{
		CascadeTie *tie = lfirst(lc);

		if (relationship_of(tie) != NULL)
			look_at_children(tie, stmt);
	}
	cascade_cache_unpin(cache);
	return PointerGetDatum(NULL);
}

/*
 * The command that is under way; NULL if it cannot be found.
 */
static const TruncateStmt *
find_truncate(void)
{
	ListCell   *lc;

	if (current_truncate != NULL)
		return current_truncate;
	/* a function's command is not the portal's; this asks whether it is one */
	if (SPI_unregister_relation("") != SPI_ERROR_UNCONNECTED)
		return truncate_of_function();
	foreach(lc, ActivePortal ? ActivePortal->stmts : NIL)
	{
		PlannedStmt *pstmt = lfirst_node(PlannedStmt, lc);

		if (pstmt->utilityStmt && IsA(pstmt->utilityStmt, TruncateStmt))
			return (TruncateStmt *) pstmt->utilityStmt;
	}
	return NULL;
}

/*
 * The command that a function runs: the innermost line of context is
 * 'SQL statement "..."'.  It is parsed, and must be a TRUNCATE.
 */
static const TruncateStmt *
truncate_of_function(void)
{
	static const char prefix[] = "SQL statement \"";
	MemoryContext oldcontext = CurrentMemoryContext;
	char	   *context = GetErrorContextStack();
	List	   *parsed = NIL;

	if (context == NULL || strncmp(context, prefix, strlen(prefix)) != 0)
		return NULL;
	/* it may hold quotes and lines itself, so what is longest is tried first */
	for (char *end = context + strlen(context); end > context + strlen(prefix) && parsed == NIL; end--)
	{
		if (*end != '"' || (end[1] != '\0' && end[1] != '\n'))
			continue;
		PG_TRY();
		{
			parsed = raw_parser(pnstrdup(context + strlen(prefix), end - context - strlen(prefix)),
								RAW_PARSE_DEFAULT);
		}
		PG_CATCH();
		{
			MemoryContextSwitchTo(oldcontext);
			FlushErrorState();
		}
		PG_END_TRY();
	}
	if (list_length(parsed) != 1 || !IsA(linitial_node(RawStmt, parsed)->stmt, TruncateStmt))
		return NULL;
	return (TruncateStmt *) linitial_node(RawStmt, parsed)->stmt;
}

/*
 * The relationship that would do something to the children of deleted rows.
 */
static CascadeRelationship *
relationship_of(const CascadeTie *tie)
{
	return tie->unlink_by ? tie->unlink_by : tie->delete_by ? tie->delete_by :
		tie->nullify_by ? tie->nullify_by : tie->enforce_by;
}

static void
look_at_children(CascadeTie *tie, const TruncateStmt *stmt)
{
	CascadeRelationship *rel = relationship_of(tie);
	/* of a partitioned table other partitions may have the parents */
	if (get_rel_relkind(tie->parent) == RELKIND_PARTITIONED_TABLE ?
		!cascade_event_is_dangling(tie, rel) :
		cascade_event_run_alone(CASCADE_ACTION_ANY_HELD, tie, rel) == 0)
		return;
	if (stmt == NULL || stmt->behavior != DROP_CASCADE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot truncate a table referenced in a relationship"),
				 errdetail("Table \"%s\" references \"%s\" by relationship \"%s\" of table \"%s\".",
						   get_rel_name(tie->child), get_rel_name(tie->parent),
						   NameStr(rel->name), NameStr(rel->source_name)),
				 errhint("Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.",
						 get_rel_name(tie->child)),
				 cascade_errtable(tie->child)));
	truncate_child(tie, stmt);
}

/*
 * With the caller's privileges, as TRUNCATE ... CASCADE asks for them.
 */
static void
truncate_child(CascadeTie *tie, const TruncateStmt *stmt)
{
	AclResult	aclresult = pg_class_aclcheck(tie->child, GetUserId(), ACL_TRUNCATE);
	List	   *rels;
	List	   *relids;
	List	   *logged;
	ListCell   *lc;

	if (aclresult != ACLCHECK_OK)
		aclcheck_error(aclresult, OBJECT_TABLE, get_rel_name(tie->child));
	if (tie->ndiscriminators > 0)
	{
		(void) cascade_event_run_alone(CASCADE_ACTION_DELETE_HOLDERS, tie, relationship_of(tie));
		/* a trigger may have kept some */
		if (tie->enforce_by &&
			cascade_event_run_alone(CASCADE_ACTION_ANY_HELD, tie, tie->enforce_by) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("truncate of table \"%s\" violates enforced relationship \"%s\" of table \"%s\"",
							get_rel_name(tie->parent), NameStr(tie->enforce_by->name),
							NameStr(tie->enforce_by->source_name)),
					 errdetail("Rows of table \"%s\" still reference it.", get_rel_name(tie->child)),
					 cascade_errtable(tie->child)));
		return;
	}
	ereport(NOTICE,
			(errmsg("truncate cascades to table \"%s\"", get_rel_name(tie->child))));
	rels = tables_to_truncate(tie->child, &relids, &logged);
	if (rels != NIL)
		cascade_truncate_guts(rels, relids, logged, DROP_CASCADE, stmt->restart_seqs);
	foreach(lc, rels)
		table_close(lfirst(lc), NoLock);
}

/*
 * A table without those that inherit from it, or a partitioned one with its
 * partitions; but for those that the command under way has open because the
 * table references itself, which are empty.
 */
static List *
tables_to_truncate(Oid relid, List **relids, List **logged)
{
	List	   *members = get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ?
		find_all_inheritors(relid, AccessExclusiveLock, NULL) : list_make1_oid(relid);
	List	   *rels = NIL;
	ListCell   *lc;

	*relids = *logged = NIL;
	foreach(lc, members)
	{
		Relation	rel = table_open(lfirst_oid(lc), AccessExclusiveLock);

		if (rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE ||
			(rel->rd_refcnt > 1 && RELKIND_HAS_STORAGE(rel->rd_rel->relkind) ?
			 RelationGetNumberOfBlocks(rel) == 0 : rel->rd_refcnt > 1))
		{
			table_close(rel, NoLock);
			continue;
		}
		CheckTableNotInUse(rel, "TRUNCATE");
		rels = lappend(rels, rel);
		*relids = lappend_oid(*relids, RelationGetRelid(rel));
		if (RelationIsLogicallyLogged(rel))
			*logged = lappend_oid(*logged, RelationGetRelid(rel));
	}
	return rels;
}

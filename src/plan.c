/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  saved plans: their shape, and how a statement is run
 *
 * A statement has up to three shapes, chosen by the number of its keys:
 *
 *	ONE		A parameter per key column.  What ri_triggers.c runs, and what most
 *			transactions need.
 *	SOME	Arrays, and one generic plan for them: an index is probed for each
 *			key, and planning would cost more than it could save.  Only where
 *			the target has such an index.  Under SERIALIZABLE for any number:
 *			a scan of the whole table would conflict with every writer of it.
 *	MANY	Arrays, planned anew each time with the keys as constants, so that
 *			the planner sees their number and chooses index, bitmap or a scan
 *			with a hash table.  (A generic plan guesses ten elements, never
 *			hashes them, and is a disaster on a large table.)
 *
 * The plans hang on the ties and relationships of the cache and go with them.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/plan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "cascade.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Up to how many keys a generic plan is used.  Planning costs about as much
 * as probing an index for this number of keys.
 */
#define CASCADE_SOME_KEYS	64

static List *retired_plans = NIL;	/* in TopTransactionContext */

static void retire(SPIPlanPtr *slot);
static bool sees_snapshot_only(const CascadeStatement *stmt, Relation parent);
static SPIPlanPtr *plan_slot(CascadeStatement *stmt);
static SPIPlanPtr prepare(const CascadeStatement *stmt);
static int	expected_result(CascadeAction action);
static void trace(const CascadeStatement *stmt, uint64 rows, instr_time start);

/*
 * cascade_statement_begin
 *		A statement without its arguments yet, in the current memory context.
 */
CascadeStatement *
cascade_statement_begin(CascadeAction action, CascadeTie *tie,
						CascadeRelationship *rel, uint64 nkeys, bool indexed)
{
	CascadeStatement *stmt = palloc0(sizeof(CascadeStatement));
	int			max_args = 2 * tie->ncolumns + 3 * rel->npropagate + 2;

	stmt->action = action;
	stmt->tie = tie;
	stmt->rel = rel;
	stmt->nkeys = nkeys;
	if (nkeys == 1)
		stmt->shape = CASCADE_SHAPE_ONE;
	else if (indexed && (nkeys <= CASCADE_SOME_KEYS || IsolationIsSerializable()))
		stmt->shape = CASCADE_SHAPE_SOME;
	else
		stmt->shape = CASCADE_SHAPE_MANY;
	stmt->argtypes = palloc(sizeof(Oid) * max_args);
	stmt->args = palloc(sizeof(Datum) * max_args);
	stmt->nulls = palloc(sizeof(char) * max_args);
	return stmt;
}

void
cascade_statement_argument(CascadeStatement *stmt, Oid type, Datum value, bool isnull)
{
	stmt->argtypes[stmt->nargs] = type;
	stmt->args[stmt->nargs] = value;
	stmt->nulls[stmt->nargs] = isnull ? 'n' : ' ';
	stmt->nargs++;
}

/*
 * cascade_statement_values
 *		n values as the next parameter: the value itself in shape ONE, else an
 *		array.  nulls may be NULL.
 */
void
cascade_statement_values(CascadeStatement *stmt, Oid type, Oid array, Datum *values, bool *nulls,
						 uint64 n)
{
	if (stmt->shape == CASCADE_SHAPE_ONE)
		cascade_statement_argument(stmt, type, values[0], nulls != NULL && nulls[0]);
	else
		cascade_statement_argument(stmt, array,
								   cascade_keys_array(type, array, values, nulls, n), false);
}

/*
 * cascade_statement_keys, cascade_statement_held_keys
 *		n keys from this one on, of parents or as children held them.
 */
void
cascade_statement_keys(CascadeStatement *stmt, Datum **values, uint64 first, uint64 n)
{
	for (int i = 0; i < stmt->tie->ncolumns; i++)
		cascade_statement_values(stmt, stmt->tie->columns[i].key_type,
								 stmt->tie->columns[i].key_array, values[i] + first, NULL, n);
}

void
cascade_statement_held_keys(CascadeStatement *stmt, Datum **values, uint64 first, uint64 n)
{
	for (int i = 0; i < stmt->tie->ncolumns; i++)
		cascade_statement_values(stmt, stmt->tie->columns[i].held_type,
								 stmt->tie->columns[i].held_array, values[i] + first, NULL, n);
}

/*
 * cascade_statement_numbers
 *		The numbers 0 to n - 1, to know keys again in the result.
 */
void
cascade_statement_numbers(CascadeStatement *stmt, uint64 n)
{
	Datum	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (n + 1));

	for (uint64 i = 0; i < n; i++)
		numbers[i] = Int32GetDatum((int32) i);
	cascade_statement_argument(stmt, INT4ARRAYOID,
							   cascade_keys_array(INT4OID, INT4ARRAYOID, numbers, NULL, n), false);
}

/*
 * cascade_statement_run
 *		Run a statement and return the number of rows it touched; one that
 *		asks leaves its rows in SPI_tuptable.  The caller is connected to SPI.
 *
 * As ri_PerformCheck does: as the owner of the table that is touched, without
 * its row security; under REPEATABLE READ and SERIALIZABLE it sees the latest
 * rows and fails if one of them is not visible to the transaction's snapshot.
 *
 * Within a statement's own triggers the events that this one makes are queued
 * behind those that are there (unless own_level is set): our own triggers find
 * their work done, the user's and the foreign keys' fire after the cascade.
 */
uint64
cascade_statement_run(CascadeStatement *stmt)
{
	LOCKMODE	lockmode;
	Oid			relid = cascade_statement_table(stmt, &lockmode);
	Relation	rel = table_open(relid, lockmode);
	SPIPlanPtr *slot = plan_slot(stmt);
	Snapshot	test_snapshot = InvalidSnapshot;
	Snapshot	crosscheck_snapshot = InvalidSnapshot;
	Oid			save_userid;
	int			save_sec_context;
	instr_time	start;
	int			result;
	uint64		rows;

	INSTR_TIME_SET_ZERO(start);
	if (cascade_trace)
		INSTR_TIME_SET_CURRENT(start);

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	/* it looks at two tables, both of which the caller may read; see enforce.c */
	SetUserIdAndSecContext(stmt->action == CASCADE_ACTION_VALIDATE ?
						   save_userid : rel->rd_rel->relowner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);

	/*
	 * As ri_FetchPreparedPlan: the text of an invalid plan may name things
	 * that are called otherwise now, a renamed schema for one, so it is made
	 * anew and not left to the plan cache.
	 */
	if (*slot != NULL && !SPI_plan_is_valid(*slot))
		retire(slot);
	if (*slot == NULL)
		*slot = prepare(stmt);

	if (IsolationUsesXactSnapshot() && !sees_snapshot_only(stmt, rel))
	{
		CommandCounterIncrement();
		test_snapshot = GetLatestSnapshot();
		crosscheck_snapshot = GetTransactionSnapshot();
	}
	result = SPI_execute_snapshot(*slot, stmt->args, stmt->nulls,
								  test_snapshot, crosscheck_snapshot,
								  false, stmt->own_level, 0);
	rows = SPI_processed;

	SetUserIdAndSecContext(save_userid, save_sec_context);

	if (result != expected_result(stmt->action))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("cascade to table \"%s\" gave an unexpected result: %s",
						RelationGetRelationName(rel),
						result < 0 ? SPI_result_code_string(result) : "another command was run"),
				 errhint("This is most likely due to a rule having rewritten the query."),
				 errtable(rel)));
	table_close(rel, NoLock);

	if (result != SPI_OK_SELECT)
	{
		if (cascade_trace)
			trace(stmt, rows, start);
		cascade_event_count_rows(rows);
	}
	return rows;
}

/*
 * A child's parent must be one that the transaction can see, as RI_FKey_check
 * has it; of a partitioned table, one that is there.
 */
static bool
sees_snapshot_only(const CascadeStatement *stmt, Relation parent)
{
	return (stmt->action == CASCADE_ACTION_SHARE_PARENTS ||
			stmt->action == CASCADE_ACTION_NUMBER_PARENTS ||
			stmt->action == CASCADE_ACTION_MISSING) &&
		parent->rd_rel->relkind != RELKIND_PARTITIONED_TABLE;
}

/*
 * cascade_statement_table
 *		The one table that a statement reads or writes, as its owner.
 */
Oid
cascade_statement_table(const CascadeStatement *stmt, LOCKMODE *lockmode)
{
	switch (stmt->action)
	{
		case CASCADE_ACTION_UNLINK:
		case CASCADE_ACTION_DELETE:
		case CASCADE_ACTION_NULLIFY:
		case CASCADE_ACTION_FOLLOW:
		case CASCADE_ACTION_PROPAGATE:
		case CASCADE_ACTION_ORPHAN:
		case CASCADE_ACTION_REMOVE:
		case CASCADE_ACTION_DELETE_HOLDERS:
			*lockmode = RowExclusiveLock;
			return stmt->tie->child;
		case CASCADE_ACTION_LOCK_ROWS:
		case CASCADE_ACTION_SHARE:
		case CASCADE_ACTION_REFERENCED:
			*lockmode = RowShareLock;
			return stmt->tie->child;
		case CASCADE_ACTION_READ_ROWS:
		case CASCADE_ACTION_UNREFERENCED:
		case CASCADE_ACTION_COUNT:
		case CASCADE_ACTION_COUNT_ALL:
		case CASCADE_ACTION_HELD:
		case CASCADE_ACTION_VALIDATE:
		case CASCADE_ACTION_ALL_HELD:
		case CASCADE_ACTION_ANY_HELD:
			*lockmode = AccessShareLock;
			return stmt->tie->child;
		case CASCADE_ACTION_LOCK:
		case CASCADE_ACTION_LOCK_NO_KEY:
		case CASCADE_ACTION_SHARE_PARENTS:
		case CASCADE_ACTION_NUMBER_PARENTS:
			*lockmode = RowShareLock;
			return stmt->tie->parent;
		case CASCADE_ACTION_DELETE_PARENT:
		case CASCADE_ACTION_ORPHAN_PARENT:
			*lockmode = RowExclusiveLock;
			return stmt->tie->parent;
		case CASCADE_ACTION_FIND:
		case CASCADE_ACTION_RECHECK:
		case CASCADE_ACTION_MISSING:
		case CASCADE_ACTION_MATCH:
			*lockmode = AccessShareLock;
			return stmt->tie->parent;
	}
	pg_unreachable();
}

/*
 * Statements that depend on more than the tie are the relationship's.
 */
static SPIPlanPtr *
plan_slot(CascadeStatement *stmt)
{
	switch (stmt->action)
	{
		case CASCADE_ACTION_UNLINK:
		case CASCADE_ACTION_DELETE:
		case CASCADE_ACTION_NULLIFY:
		case CASCADE_ACTION_FOLLOW:
		case CASCADE_ACTION_RECHECK:
		case CASCADE_ACTION_MATCH:
		case CASCADE_ACTION_SHARE_PARENTS:
		case CASCADE_ACTION_NUMBER_PARENTS:
		case CASCADE_ACTION_MISSING:
		case CASCADE_ACTION_HELD:
		case CASCADE_ACTION_REFERENCED:
		case CASCADE_ACTION_VALIDATE:
		case CASCADE_ACTION_ALL_HELD:
		case CASCADE_ACTION_ANY_HELD:
		case CASCADE_ACTION_DELETE_HOLDERS:
			return &stmt->tie->plans[stmt->action][stmt->shape];
		default:
			return &stmt->rel->plans[stmt->action][stmt->shape];
	}
}

/*
 * Let go of a plan.  It may be running further up, where a trigger of the
 * user's has led to the same statement again; at the end of the transaction
 * nothing runs.
 */
static void
retire(SPIPlanPtr *slot)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);

	retired_plans = lappend(retired_plans, *slot);
	*slot = NULL;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * cascade_plan_reset
 *		At the end of a transaction, free the plans that were let go of.
 */
void
cascade_plan_reset(void)
{
	ListCell   *lc;

	foreach(lc, retired_plans)
		SPI_freeplan(lfirst(lc));
	retired_plans = NIL;
}

static SPIPlanPtr
prepare(const CascadeStatement *stmt)
{
	char	   *sql = cascade_query_text(stmt);
	int			cursor_options = 0;
	SPIPlanPtr	plan;

	if (stmt->shape == CASCADE_SHAPE_SOME)
		cursor_options = CURSOR_OPT_GENERIC_PLAN;
	else if (stmt->shape == CASCADE_SHAPE_MANY)
		cursor_options = CURSOR_OPT_CUSTOM_PLAN;
	plan = SPI_prepare_cursor(sql, stmt->nargs, stmt->argtypes, cursor_options);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor returned %s for %s",
			 SPI_result_code_string(SPI_result), sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed for %s", sql);
	return plan;
}

/* what each action is called, and what SPI says when it was done */
static const struct
{
	const char *word;
	int			result;
}			actions[] = {
	[CASCADE_ACTION_UNLINK] = {"unlink", SPI_OK_DELETE},
	[CASCADE_ACTION_DELETE] = {"delete", SPI_OK_DELETE},
	[CASCADE_ACTION_ORPHAN] = {"delete-orphan", SPI_OK_DELETE},
	[CASCADE_ACTION_REMOVE] = {"delete-orphan", SPI_OK_DELETE},
	[CASCADE_ACTION_DELETE_PARENT] = {"delete", SPI_OK_DELETE},
	[CASCADE_ACTION_ORPHAN_PARENT] = {"delete-orphan", SPI_OK_DELETE},
	[CASCADE_ACTION_DELETE_HOLDERS] = {"delete", SPI_OK_DELETE},
	[CASCADE_ACTION_NULLIFY] = {"nullify", SPI_OK_UPDATE},
	[CASCADE_ACTION_FOLLOW] = {"follow", SPI_OK_UPDATE},
	[CASCADE_ACTION_PROPAGATE] = {"propagate", SPI_OK_UPDATE},
	[CASCADE_ACTION_READ_ROWS] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_LOCK_ROWS] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_FIND] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_LOCK] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_LOCK_NO_KEY] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_RECHECK] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_UNREFERENCED] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_SHARE] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_COUNT] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_COUNT_ALL] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_SHARE_PARENTS] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_NUMBER_PARENTS] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_MISSING] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_HELD] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_REFERENCED] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_VALIDATE] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_ALL_HELD] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_ANY_HELD] = {"check", SPI_OK_SELECT},
	[CASCADE_ACTION_MATCH] = {"check", SPI_OK_SELECT},
};

static int
expected_result(CascadeAction action)
{
	return actions[action].result;
}

/*
 * cascade_action_word
 *		What an action is called in notices and in errors' context.
 */
const char *
cascade_action_word(CascadeAction action)
{
	return actions[action].word;
}

static void
trace(const CascadeStatement *stmt, uint64 rows, instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	ereport(NOTICE,
			(errmsg_plural("cascade: %s.%s %s: %llu row",
						   "cascade: %s.%s %s: %llu rows",
						   rows,
						   NameStr(stmt->rel->source_name), NameStr(stmt->rel->name),
						   cascade_action_word(stmt->action),
						   (unsigned long long) rows),
			 errdetail_plural("%llu key, %.3f ms.", "%llu keys, %.3f ms.",
							  stmt->nkeys,
							  (unsigned long long) stmt->nkeys,
							  INSTR_TIME_GET_MILLISEC(now))));
}

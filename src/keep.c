/*-------------------------------------------------------------------------
 *
 * keep.c
 *	  orphans whose key is NOT NULL
 *
 * There is no detached state for such a row to wait in.  The UPDATE that
 * sets its key to NULL must be counted, and so be done, and the row must be
 * gone at the end of the statement.  A BEFORE trigger gives the row its old
 * key back and condemns it; when the row's new version is captured, the set
 * learns that it has to be deleted.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/keep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "cascade.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* a row that was given its key back and is about to be updated */
typedef struct CondemnedRow
{
	Oid			relid;
	ItemPointerData tid;		/* old version */
	Bitmapset  *columns;		/* whose old values were restored */
	MemoryContext statement;	/* memory of the execution that updates it */
	int			nest_level;
} CondemnedRow;

static List *condemned = NIL;	/* in TopTransactionContext */

static HeapTuple restore_keys(TriggerData *trigdata, CascadeTable *table, Bitmapset **restored);
static void condemn(FunctionCallInfo fcinfo, TriggerData *trigdata, Bitmapset *columns);
static void statement_ends(void *arg);

PG_FUNCTION_INFO_V1(cascade_keep_key);

/*
 * cascade.keep_key() RETURNS trigger
 *		BEFORE UPDATE FOR EACH ROW of a table whose NOT NULL key is set to
 *		NULL: lets an orphan keep the key, so that the update can be done and
 *		counted, and has the row deleted at the end of the statement.
 *
 * A row that is no orphan under its rule is left to fail.  Errors 39P01 if
 * called otherwise.
 */
Datum
cascade_keep_key(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	CascadeCache *cache;
	CascadeTable *table;
	HeapTuple	tuple;
	Bitmapset  *restored = NULL;

	trigdata = cascade_check_trigger(fcinfo, "keep_key", TRIGGER_EVENT_BEFORE,
							 CALLED_AS_TRIGGER(fcinfo) &&
							 TRIGGER_FIRED_BY_UPDATE(((TriggerData *) fcinfo->context)->tg_event));
	tuple = trigdata->tg_newtuple;
	if (!cascade_enabled)
		return PointerGetDatum(tuple);

	cache = cascade_cache_pin();
	table = cascade_cache_table(cache, RelationGetRelid(trigdata->tg_relation));
	if (table && table->orphans != NIL)
		tuple = restore_keys(trigdata, table, &restored);
	cascade_cache_unpin(cache);
	if (restored)
		condemn(fcinfo, trigdata, restored);
	return PointerGetDatum(tuple);
}

/*
 * The new row with its NOT NULL keys restored, if a relationship makes it an
 * orphan; else as it is.
 */
static HeapTuple
restore_keys(TriggerData *trigdata, CascadeTable *table, Bitmapset **restored)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Datum	   *old_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *old_nulls = palloc(sizeof(bool) * desc->natts);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	bool	   *replace = palloc0(sizeof(bool) * desc->natts);
	bool		orphan = false;
	ListCell   *lc;

	heap_deform_tuple(trigdata->tg_trigtuple, desc, old_values, old_nulls);
	heap_deform_tuple(trigdata->tg_newtuple, desc, values, nulls);
	foreach(lc, table->orphans)
	{
		CascadeRelationship *rel = lfirst(lc);
		bool		loses_not_null = false;
		bool		had_parent = true;

		for (int i = 0; i < rel->tie->ncolumns; i++)
		{
			int			att = rel->tie->columns[i].target_attno - 1;

			had_parent &= !old_nulls[att];
			if (TupleDescAttr(desc, att)->attnotnull && nulls[att])
				loses_not_null = replace[att] = true;
		}
		if (loses_not_null && had_parent && cascade_orphan_without(rel, table->orphans, nulls))
			orphan = true;
	}
	if (!orphan)
		return trigdata->tg_newtuple;
	for (int att = 0; att < desc->natts; att++)
	{
		if (replace[att])
			*restored = bms_add_member(*restored, att + 1);
	}
	return heap_modify_tuple(trigdata->tg_newtuple, desc, old_values, old_nulls, replace);
}

/*
 * Note the row.  Its update may yet be suppressed by another trigger, so the
 * note goes, at the latest, with the memory of the statement.
 */
static void
condemn(FunctionCallInfo fcinfo, TriggerData *trigdata, Bitmapset *columns)
{
	MemoryContext statement = fcinfo->flinfo->fn_mcxt;
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	CondemnedRow *row = palloc(sizeof(CondemnedRow));

	row->relid = RelationGetRelid(trigdata->tg_relation);
	row->tid = trigdata->tg_trigtuple->t_self;
	row->columns = bms_copy(columns);
	row->statement = statement;
	row->nest_level = GetCurrentTransactionNestLevel();
	condemned = lappend(condemned, row);
	MemoryContextSwitchTo(oldcontext);

	/* once an execution of the statement */
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContextCallback *callback = MemoryContextAlloc(statement,
															 sizeof(MemoryContextCallback));

		callback->func = statement_ends;
		callback->arg = statement;
		MemoryContextRegisterResetCallback(statement, callback);
		fcinfo->flinfo->fn_extra = callback;
	}
}

/*
 * Forget the rows that the statement condemned and did not update after all.
 */
static void
statement_ends(void *arg)
{
	ListCell   *lc;

	foreach(lc, condemned)
	{
		if (((CondemnedRow *) lfirst(lc))->statement == arg)
			condemned = foreach_delete_current(condemned, lc);
	}
}

/*
 * cascade_keep_take
 *		The columns that were restored for the update of this version of a
 *		row, by attribute number, for the caller to free; NULL if none were.
 *
 * It is the last row noted, but for what other BEFORE triggers did between.
 */
Bitmapset *
cascade_keep_take(Oid relid, ItemPointer tid)
{
	for (int i = list_length(condemned) - 1; i >= 0; i--)
	{
		CondemnedRow *row = list_nth(condemned, i);

		if (row->relid == relid && ItemPointerEquals(&row->tid, tid))
		{
			Bitmapset  *columns = row->columns;

			condemned = list_delete_nth_cell(condemned, i);
			pfree(row);
			return columns;
		}
	}
	return NULL;
}

/*
 * cascade_keep_reset
 *		At the end of a transaction; the memory goes with the transaction's.
 */
void
cascade_keep_reset(void)
{
	condemned = NIL;
}

/*
 * cascade_keep_subxact_abort
 *		The updates of an aborted subtransaction have not happened.
 */
void
cascade_keep_subxact_abort(int nest_level)
{
	ListCell   *lc;

	foreach(lc, condemned)
	{
		if (((CondemnedRow *) lfirst(lc))->nest_level >= nest_level)
			condemned = foreach_delete_current(condemned, lc);
	}
}

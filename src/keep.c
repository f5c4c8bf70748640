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
#include "utils/lsyscache.h"
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

/* a row that is about to be updated, as its table or partition has it */
typedef struct KeepRow
{
	Oid			leaf;
	Oid			root;			/* the declared table */
	Datum	   *old_values;
	bool	   *old_nulls;
	Datum	   *values;
	bool	   *nulls;
} KeepRow;

static AttrNumber leaf_attno(const KeepRow *row, AttrNumber attno);
static bool holds(const KeepRow *row, CascadeTie *tie, bool before);
static bool is_orphan(const KeepRow *row, CascadeRelationship *rel, CascadeTable *table);
static bool is_referenced(const KeepRow *row, CascadeRelationship *rel);
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
	table = cascade_cache_table(cache, cascade_partition_root(RelationGetRelid(trigdata->tg_relation)));
	if (table && table->losing != NIL)
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
	KeepRow		row;
	bool	   *replace = palloc0(sizeof(bool) * desc->natts);
	bool		orphan = false;
	ListCell   *lc;

	row.leaf = RelationGetRelid(trigdata->tg_relation);
	row.root = table->relid;
	row.old_values = palloc(sizeof(Datum) * desc->natts);
	row.old_nulls = palloc(sizeof(bool) * desc->natts);
	row.values = palloc(sizeof(Datum) * desc->natts);
	row.nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(trigdata->tg_trigtuple, desc, row.old_values, row.old_nulls);
	heap_deform_tuple(trigdata->tg_newtuple, desc, row.values, row.nulls);
	foreach(lc, table->losing)
	{
		CascadeRelationship *rel = lfirst(lc);
		Bitmapset  *columns = cascade_tie_child_columns(rel->tie);
		bool		loses_not_null = false;
		int			attno = -1;

		while ((attno = bms_next_member(columns, attno)) >= 0)
		{
			int			att = leaf_attno(&row, attno) - 1;

			if (TupleDescAttr(desc, att)->attnotnull && row.nulls[att])
			{
				loses_not_null = replace[att] = true;
				*restored = bms_add_member(*restored, attno);
			}
		}
		if (loses_not_null && holds(&row, rel->tie, true) && is_orphan(&row, rel, table))
			orphan = true;
	}
	if (!orphan)
	{
		*restored = NULL;
		return trigdata->tg_newtuple;
	}
	return heap_modify_tuple(trigdata->tg_newtuple, desc, row.old_values, row.old_nulls, replace);
}

/*
 * Number in the partition of a column of the declared table.
 */
static AttrNumber
leaf_attno(const KeepRow *row, AttrNumber attno)
{
	return row->leaf == row->root ? attno :
		get_attnum(row->leaf, get_attname(row->root, attno, false));
}

/*
 * Has the row a key of the tie, of its kind: before, or now?
 */
static bool
holds(const KeepRow *row, CascadeTie *tie, bool before)
{
	Datum	   *values = before ? row->old_values : row->values;
	bool	   *nulls = before ? row->old_nulls : row->nulls;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		if (nulls[leaf_attno(row, tie->columns[i].child_attno) - 1])
			return false;
	}
	for (int i = 0; i < tie->ndiscriminators; i++)
	{
		CascadeDiscriminator *kind = &tie->discriminators[i];
		int			att = leaf_attno(row, kind->attno) - 1;

		if (nulls[att] ||
			!DatumGetBool(FunctionCall2Coll(&kind->eq, kind->collation, values[att], kind->value)))
			return false;
	}
	return true;
}

/*
 * Is the row, as it is to become, an orphan under a relationship's rule?
 */
static bool
is_orphan(const KeepRow *row, CascadeRelationship *rel, CascadeTable *table)
{
	List	   *rels = rel->orphan_all ? table->orphans : list_make1(rel);
	ListCell   *lc;
	ListCell   *lct;

	foreach(lc, rels)
	{
		CascadeRelationship *other = lfirst(lc);

		if (other->direction != CASCADE_ONE_TO_MANY)
		{
			if (is_referenced(row, other))
				return false;
			continue;
		}
		if (holds(row, other->tie, false))
			return false;
		foreach(lct, other->alternatives)
		{
			if (holds(row, lfirst(lct), false))
				return false;
		}
	}
	return true;
}

static bool
is_referenced(const KeepRow *row, CascadeRelationship *rel)
{
	Datum	   *key = palloc(sizeof(Datum) * rel->reference->ncolumns);

	for (int i = 0; i < rel->reference->ncolumns; i++)
	{
		int			att = leaf_attno(row, rel->reference->columns[i].parent_attno) - 1;

		if (row->old_nulls[att])
			return false;
		key[i] = row->old_values[att];
	}
	return cascade_event_is_referenced(rel, key);
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

/*-------------------------------------------------------------------------
 *
 * action.c
 *	  what is done along a tie: delete, nullify, follow, propagate
 *
 * Each takes a key set and runs one statement for it.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/action.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "cascade.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "pgstat.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Above this number or size of keys, deletes and nullifies are cut in pieces:
 * an array cannot be longer than 1 GB, and the planner looks at each element.
 */
#define CASCADE_MAX_KEYS	4000000
#define CASCADE_MAX_BYTES	(256 * 1024 * 1024)

static Size size_of_keys(const CascadeKeys *keys, const CascadeTie *tie, bool held, uint64 first,
						 uint64 n);
static bool key_may_exist_again(const CascadeTie *tie);
static void add_new_keys(CascadeStatement *stmt, const CascadeKeys *keys);
static CascadeKeys *changed_rows(List *sets, CascadeRelationship *rel, Datum ***values,
								 bool ***nulls);
static bool add_changed_row(CascadeKeys *keys, const CaptureSet *set, uint64 row, const int *key,
							int npropagate, const int *propagated, Datum **values, bool **nulls);
/*
 * cascade_action_delete
 *		Delete, or nullify, the children of deleted parents.
 */
void
cascade_action_delete(List *sets, CascadeTie *tie, CascadeAction action)
{
	CascadeRelationship *rel = action == CASCADE_ACTION_UNLINK ? tie->unlink_by :
		action == CASCADE_ACTION_DELETE ? tie->delete_by : tie->nullify_by;
	CascadeKeys *keys = cascade_keys_deleted(sets, tie);

	cascade_action_drop_existing(keys, tie, rel, false);
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, tie, false, first);
		CascadeStatement *stmt = cascade_statement_begin(action, tie, rel, n, tie->child_indexed);

		cascade_statement_keys(stmt, keys->values, first, n);
		cascade_event_run(stmt);
		first += n;
	}
}

/*
 * cascade_action_follow
 *		Let the children's keys follow changed ones.  One statement, so that
 *		two keys can be swapped.
 */
void
cascade_action_follow(List *sets, CascadeTie *tie)
{
	CascadeKeys *keys = cascade_keys_changed(sets, tie);
	CascadeStatement *stmt;

	/* a key that is not unique may still be held by another row */
	if (!tie->parent_unique_late)
		cascade_action_drop_existing(keys, tie, tie->follow_by, true);
	if (keys->nkeys == 0)
		return;
	/* a second piece would find rows again that followed in the first */
	if (keys->nkeys > 1 && size_of_keys(keys, tie, false, 0, keys->nkeys) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("keys changed by one statement are too large to be followed"),
				 errhint("Change fewer rows in one statement."),
				 cascade_errtable(tie->parent)));
	stmt = cascade_statement_begin(CASCADE_ACTION_FOLLOW, tie, tie->follow_by, keys->nkeys,
								   tie->child_indexed);
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	add_new_keys(stmt, keys);
	cascade_event_run(stmt);
}

/*
 * cascade_action_propagate
 *		Give the targets, by their key as it is now, the changed columns'
 *		values, where they still hold the old ones.
 */
void
cascade_action_propagate(List *sets, CascadeRelationship *rel)
{
	Datum	  **values;
	bool	  **nulls;
	CascadeKeys *keys = changed_rows(sets, rel, &values, &nulls);
	CascadeStatement *stmt;

	if (keys->nkeys == 0)
		return;
	stmt = cascade_statement_begin(CASCADE_ACTION_PROPAGATE, rel->tie, rel, keys->nkeys,
								   rel->tie->child_indexed);
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	for (int i = 0; i < rel->npropagate; i++)
	{
		CascadePropagation *pair = &rel->propagations[i];

		cascade_statement_values(stmt, pair->type, pair->array, values[3 * i], nulls[3 * i], keys->nkeys);
		cascade_statement_values(stmt, pair->type, pair->array, values[3 * i + 1], nulls[3 * i + 1], keys->nkeys);
		cascade_statement_values(stmt, BOOLOID, BOOLARRAYOID, values[3 * i + 2], nulls[3 * i + 2], keys->nkeys);
	}
	cascade_event_run(stmt);
}

/*
 * Bytes of n keys, as far as they are of variable length.
 */
static Size
size_of_keys(const CascadeKeys *keys, const CascadeTie *tie, bool held, uint64 first, uint64 n)
{
	Size		size = 0;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		if (get_typlen(held ? tie->columns[i].held_type : tie->columns[i].key_type) != -1)
			continue;
		for (uint64 j = first; j < first + n; j++)
			size += VARSIZE_ANY(DatumGetPointer(keys->values[i][j]));
	}
	return size;
}

/*
 * cascade_action_piece
 *		How many keys from here on one statement takes.
 */
uint64
cascade_action_piece(const CascadeKeys *keys, const CascadeTie *tie, bool held, uint64 first)
{
	uint64		n = Min(keys->nkeys - first, CASCADE_MAX_KEYS);

	while (n > 1 && size_of_keys(keys, tie, held, first, n) > CASCADE_MAX_BYTES)
		n /= 2;
	return n;
}

/*
 * Can a key that has just been deleted exist in the parent all the same?
 *
 * Not if it was unique and the transaction has put no row in: the row counts
 * that the statistics system keeps of the transaction, exact and current,
 * tell.  When in doubt (they are off, or the table is partitioned or not a
 * heap, whose rows are counted elsewhere) the rows are looked up.
 */
static bool
key_may_exist_again(const CascadeTie *tie)
{
	Relation	parent;
	bool		doubt;

	if (!tie->parent_unique)
		return true;
	parent = table_open(tie->parent, AccessShareLock);
	doubt = !pgstat_track_counts || parent->pgstat_info == NULL ||
		parent->rd_rel->relkind != RELKIND_RELATION ||
		parent->rd_rel->relam != HEAP_TABLE_AM_OID;
	if (!doubt)
	{
		PgStat_TableXactStatus *counts = parent->pgstat_info->trans;

		for (; counts != NULL; counts = counts->upper)
			doubt |= counts->tuples_inserted > 0 || counts->tuples_updated > 0 ||
				counts->truncdropped;
	}
	table_close(parent, NoLock);
	return doubt;
}

/*
 * cascade_action_drop_existing
 *		Keep only the keys that no parent row has now; unless certain, look
 *		only if there can be any.
 */
void
cascade_action_drop_existing(CascadeKeys *keys, CascadeTie *tie, CascadeRelationship *rel,
							 bool certain)
{
	uint64	   *positions;
	uint64		nleft = 0;

	if (keys->nkeys == 0 || !(certain || key_may_exist_again(tie)))
		return;
	positions = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * keys->nkeys);
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, tie, false, first);
		CascadeStatement *stmt = cascade_statement_begin(CASCADE_ACTION_RECHECK, tie, rel, n,
														 tie->parent_unique);
		uint64		nfound;
		uint64	   *found;

		/* the keys come as arrays even if there is one */
		if (stmt->shape == CASCADE_SHAPE_ONE)
			stmt->shape = CASCADE_SHAPE_SOME;
		cascade_statement_keys(stmt, keys->values, first, n);
		cascade_statement_numbers(stmt, n);
		nfound = cascade_event_run(stmt);
		found = cascade_action_positions(nfound);
		for (uint64 i = 0; i < nfound; i++)
			positions[nleft++] = first + found[i];
		first += n;
	}
	if (nleft < keys->nkeys)
		cascade_keys_select(keys, positions, nleft);
}

/*
 * cascade_action_positions
 *		The numbers that a question answered with, n rows; frees its result.
 */
uint64 *
cascade_action_positions(uint64 n)
{
	uint64	   *positions = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (n + 1));

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		positions[i] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
												   1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return positions;
}

static void
add_new_keys(CascadeStatement *stmt, const CascadeKeys *keys)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
		cascade_statement_values(stmt, tie->columns[i].key_type, tie->columns[i].key_array,
				   keys->new_values[i], keys->new_nulls[i], keys->nkeys);
}

/*
 * Collect the rows of which a propagated column has changed: their new keys,
 * and for each column three lists, old values, new values and whether it is
 * this column that changed.
 */
static CascadeKeys *
changed_rows(List *sets, CascadeRelationship *rel, Datum ***values, bool ***nulls)
{
	const CascadeTie *tie = rel->tie;
	CascadeKeys *keys = palloc0(sizeof(CascadeKeys));
	int			nlists = 3 * rel->npropagate;
	uint64		capacity = 0;
	ListCell   *lc;

	foreach(lc, sets)
		capacity += ((CaptureSet *) lfirst(lc))->nrows;
	capacity = Max(capacity, 1);
	keys->ncolumns = tie->ncolumns;
	keys->values = palloc(sizeof(Datum *) * tie->ncolumns);
	for (int i = 0; i < tie->ncolumns; i++)
		keys->values[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * capacity);
	*values = palloc(sizeof(Datum *) * nlists);
	*nulls = palloc(sizeof(bool *) * nlists);
	for (int i = 0; i < nlists; i++)
	{
		(*values)[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * capacity);
		(*nulls)[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * capacity);
	}

	foreach(lc, sets)
	{
		const CaptureSet *set = lfirst(lc);
		int		   *propagated = palloc(sizeof(int) * rel->npropagate);
		int		   *key = palloc(sizeof(int) * tie->ncolumns);

		for (int i = 0; i < rel->npropagate; i++)
			propagated[i] = cascade_capture_column(set, rel->propagations[i].parent_attno);
		for (int i = 0; i < tie->ncolumns; i++)
			key[i] = cascade_capture_column(set, tie->columns[i].parent_attno);
		for (uint64 row = 0; row < set->nrows; row++)
		{
			if (set->states != NULL && set->states[row] != CAPTURE_ROW_LIVE)
				continue;
			if (add_changed_row(keys, set, row, key, rel->npropagate, propagated, *values, *nulls))
				keys->nkeys++;
		}
	}
	return keys;
}

/*
 * Write one row behind the others; false if none of its propagated columns
 * changed, or its new key ties to nothing.
 */
static bool
add_changed_row(CascadeKeys *keys, const CaptureSet *set, uint64 row, const int *key,
				int npropagate, const int *propagated, Datum **values, bool **nulls)
{
	uint64		start = row * set->ncolumns;
	uint64		n = keys->nkeys;
	bool		changed = false;

	for (int i = 0; i < npropagate; i++)
	{
		uint64		pos = start + propagated[i];
		bool		differs = cascade_capture_changed(set, row, propagated[i]);

		values[3 * i][n] = set->old_values[pos];
		nulls[3 * i][n] = set->old_nulls[pos];
		values[3 * i + 1][n] = set->new_values[pos];
		nulls[3 * i + 1][n] = set->new_nulls[pos];
		values[3 * i + 2][n] = BoolGetDatum(differs);
		nulls[3 * i + 2][n] = false;
		changed |= differs;
	}
	for (int i = 0; i < keys->ncolumns; i++)
	{
		uint64		pos = start + key[i];

		if (set->new_nulls[pos])
			return false;
		keys->values[i][n] = set->new_values[pos];
	}
	return changed;
}

/*-------------------------------------------------------------------------
 *
 * orphan.c
 *	  one-to-many: rows that lost their parent are found, looked at again,
 *	  deleted
 *
 * A row is known by the version that lost its parent.  Our transaction has
 * written it and so holds the row; whatever it did to the row since, the
 * latest version is found from it (version.c), and what counts is that
 * version.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/orphan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* up to this number a plan that does not know it will do */
#define CASCADE_FEW_ROWS	64

static void note_moved(CascadeRelationship *rel, const CaptureSet *set);
static void note_lost(CascadeRelationship *rel, const CaptureSet *set);
static void add_row(CascadeRows *rows, const CaptureSet *set, uint64 row);
static void add_version(CascadeRows *rows, Oid leaf, const ItemPointerData *tid);
static CascadeRows *rows_of_check(const PendingCheck *check);
static CascadeRows *drop_referenced(CascadeRelationship *rel, CascadeTable *table,
									CascadeRows *rows);
static CascadeStatement *begin_statement(CascadeAction action, CascadeRelationship *rel,
										 CascadeTable *table, const CascadeRows *rows);

/*
 * cascade_orphans_collect
 *		Note the rows of a set that lost their parent.  Returns the condemned
 *		ones, whose NOT NULL key was set to NULL: they go at once.
 */
CascadeRows *
cascade_orphans_collect(const CaptureSet *set, CascadeTable *table)
{
	CascadeRows *condemned = palloc0(sizeof(CascadeRows));
	ListCell   *lc;

	if (!set->watches_orphans)
		return condemned;
	foreach(lc, table->losing)
	{
		if (set->new_leaves != NULL && cascade_pending_logged(lfirst(lc)))
			note_moved(lfirst(lc), set);
		note_lost(lfirst(lc), set);
	}
	for (uint64 row = 0; row < set->nrows; row++)
	{
		if (set->condemned[row] && (set->states == NULL || set->states[row] == CAPTURE_ROW_LIVE))
			add_row(condemned, set, row);
	}
	return condemned;
}

/*
 * Rows that were noted before may be among those that went to another
 * partition.
 */
static void
note_moved(CascadeRelationship *rel, const CaptureSet *set)
{
	MemoryContext context;
	PendingBatch *batch = cascade_pending_add(rel, PENDING_MOVED, &context);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);

	for (uint64 row = 0; row < set->nrows; row++)
	{
		add_version(&batch->rows, set->leaf, &set->old_tids[row]);
		add_version(&batch->moved_to, set->new_leaves[row], &set->new_tids[row]);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Had the row a parent by this relationship, and has it none now?
 */
static void
note_lost(CascadeRelationship *rel, const CaptureSet *set)
{
	PendingBatch *batch = NULL;
	MemoryContext context;

	for (uint64 row = 0; row < set->nrows; row++)
	{
		MemoryContext oldcontext;

		if ((set->states != NULL && set->states[row] != CAPTURE_ROW_LIVE) ||
			set->condemned[row] ||
			!cascade_tie_holds(rel->tie, set, row, false) ||
			cascade_tie_holds(rel->tie, set, row, true))
			continue;
		if (batch == NULL)
			batch = cascade_pending_add(rel, PENDING_ROWS, &context);
		oldcontext = MemoryContextSwitchTo(context);
		add_row(&batch->rows, set, row);
		MemoryContextSwitchTo(oldcontext);
	}
}

/*
 * Add the new version of a row, in memory of the current context.
 */
static void
add_row(CascadeRows *rows, const CaptureSet *set, uint64 row)
{
	add_version(rows, set->new_leaves ? set->new_leaves[row] : set->leaf, &set->new_tids[row]);
}

static void
add_version(CascadeRows *rows, Oid leaf, const ItemPointerData *tid)
{
	if (rows->n == rows->capacity)
	{
		rows->capacity = rows->capacity == 0 ? 16 : rows->capacity * 2;
		rows->leaves = rows->leaves == NULL ? palloc(sizeof(Oid) * rows->capacity) :
			repalloc_huge(rows->leaves, sizeof(Oid) * rows->capacity);
		rows->tids = rows->tids == NULL ? palloc(sizeof(ItemPointerData) * rows->capacity) :
			repalloc_huge(rows->tids, sizeof(ItemPointerData) * rows->capacity);
	}
	rows->leaves[rows->n] = leaf;
	rows->tids[rows->n] = *tid;
	rows->n++;
}

/*
 * cascade_orphans_verify
 *		Delete the rows of a check that are orphans as they are now.
 */
void
cascade_orphans_verify(CascadeTable *table, CascadeRelationship *rel, const PendingCheck *check,
					   bool own_level)
{
	CascadeRows *rows = rows_of_check(check);
	CascadeStatement *stmt;

	rows = drop_referenced(rel, table, rows);
	if (rows->n == 0)
		return;
	stmt = begin_statement(CASCADE_ACTION_ORPHAN, rel, table, rows);
	stmt->own_level = own_level;
	cascade_event_run(stmt);
}

/*
 * cascade_orphans_remove
 *		Delete rows whatever their keys say.
 */
void
cascade_orphans_remove(CascadeTable *table, CascadeRows *rows)
{
	CascadeVersions *versions = cascade_versions_begin();

	for (uint64 i = 0; i < rows->n; i++)
		cascade_versions_latest(versions, &rows->leaves[i], &rows->tids[i]);
	cascade_versions_end(versions);
	/* of several relationships, the first speaks for them */
	cascade_event_run(begin_statement(CASCADE_ACTION_REMOVE, linitial(table->losing), table, rows));
}

/*
 * The rows that were noted since the last check, as they are now.
 */
static CascadeRows *
rows_of_check(const PendingCheck *check)
{
	CascadeVersions *versions = cascade_versions_begin();
	CascadeRows *rows = palloc0(sizeof(CascadeRows));
	ListCell   *lc;

	foreach(lc, check->batches)
	{
		PendingBatch *batch = lfirst(lc);

		for (uint64 i = 0; batch->kind == PENDING_MOVED && i < batch->rows.n; i++)
			cascade_versions_moved(versions, batch->rows.leaves[i], &batch->rows.tids[i],
								   batch->moved_to.leaves[i], &batch->moved_to.tids[i]);
	}
	for_each_from(lc, check->batches, check->nchecked)
	{
		PendingBatch *batch = lfirst(lc);

		for (uint64 i = 0; batch->kind == PENDING_ROWS && i < batch->rows.n; i++)
		{
			Oid			leaf = batch->rows.leaves[i];
			ItemPointerData tid = batch->rows.tids[i];

			cascade_versions_latest(versions, &leaf, &tid);
			add_version(rows, leaf, &tid);
		}
	}
	cascade_versions_end(versions);
	return rows;
}

/*
 * With orphan_when 'all', rows that are referenced by a relationship of
 * another direction stay.  The others are locked, so that nobody comes to
 * reference them meanwhile, and looked at again; see verify.c.
 */
static CascadeRows *
drop_referenced(CascadeRelationship *rel, CascadeTable *table, CascadeRows *rows)
{
	static const CascadeAction looks[] = {CASCADE_ACTION_READ_ROWS, CASCADE_ACTION_LOCK_ROWS};
	List	   *counted = cascade_verify_counted(rel, table);

	for (int i = 0; i < lengthof(looks) && counted != NIL && rows->n > 0; i++)
	{
		uint64		n = cascade_event_run(begin_statement(looks[i], rel, table, rows));
		SPITupleTable *found = SPI_tuptable;
		uint64	   *positions = cascade_verify_drop_referenced(counted, found, 3, &n);

		rows = palloc0(sizeof(CascadeRows));
		for (uint64 j = 0; j < n; j++)
		{
			HeapTuple	tuple = found->vals[positions[j]];
			bool		isnull;

			add_version(rows,
						DatumGetObjectId(SPI_getbinval(tuple, found->tupdesc, 1, &isnull)),
						(ItemPointer) DatumGetPointer(SPI_getbinval(tuple, found->tupdesc, 2, &isnull)));
		}
		SPI_freetuptable(found);
	}
	return rows;
}

static CascadeStatement *
begin_statement(CascadeAction action, CascadeRelationship *rel, CascadeTable *table,
				const CascadeRows *rows)
{
	CascadeStatement *stmt = cascade_statement_begin(action, rel->tie, rel, rows->n,
														 rows->n <= CASCADE_FEW_ROWS);
	Datum	   *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (rows->n + 1));

	/* row versions are found by themselves, but for which partition they are in */
	if (stmt->shape != CASCADE_SHAPE_MANY ||
		get_rel_relkind(table->relid) != RELKIND_PARTITIONED_TABLE)
		stmt->shape = CASCADE_SHAPE_SOME;
	stmt->target = table;
	for (uint64 i = 0; i < rows->n; i++)
		values[i] = PointerGetDatum(&rows->tids[i]);
	cascade_statement_values(stmt, TIDOID, TIDARRAYOID, values, NULL, rows->n);
	if (get_rel_relkind(table->relid) == RELKIND_PARTITIONED_TABLE)
	{
		values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (rows->n + 1));
		for (uint64 i = 0; i < rows->n; i++)
			values[i] = ObjectIdGetDatum(rows->leaves[i]);
		cascade_statement_values(stmt, OIDOID, OIDARRAYOID, values, NULL, rows->n);
	}
	return stmt;
}

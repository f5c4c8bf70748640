/*-------------------------------------------------------------------------
 *
 * orphan.c
 *	  rows that lost their parent: found, looked at again, deleted
 *
 * A row is known by the version that lost its parent.  Our transaction has
 * written it and so holds the row; whatever it did to the row since, the
 * latest version is found along the update chain, and what counts is that
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

#include "access/table.h"
#include "access/tableam.h"
#include "cascade.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static bool lost_parent(const CaptureSet *set, uint64 row, const CascadeTie *tie);
static void latest_versions(Oid relid, ItemPointerData *tids, uint64 ntids);

/*
 * cascade_orphans_collect
 *		Add to checks the rows of a set that lost their parent at once: by
 *		relationships that are not deferred, or by a NOT NULL key that was
 *		set to NULL.  A List of PendingCheck.
 */
List *
cascade_orphans_collect(List *checks, const CaptureSet *set, List *orphans)
{
	ListCell   *lc;

	if (!set->watches_orphans)
		return checks;
	foreach(lc, orphans)
	{
		CascadeRelationship *rel = lfirst(lc);
		PendingCheck *check = palloc0(sizeof(PendingCheck));
		PendingCheck *doomed = palloc0(sizeof(PendingCheck));

		check->target = doomed->target = set->relid;
		check->source = doomed->source = rel->source;
		check->name = doomed->name = rel->name;
		doomed->condemned = true;
		check->tids = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(ItemPointerData) * (set->nrows + 1));
		doomed->tids = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(ItemPointerData) * (set->nrows + 1));
		for (uint64 row = 0; row < set->nrows; row++)
		{
			if (set->states != NULL && set->states[row] != CAPTURE_ROW_LIVE)
				continue;
			/* of several relationships, the first speaks for the condemned */
			if (set->condemned[row])
			{
				if (foreach_current_index(lc) == 0)
					doomed->tids[doomed->ntids++] = set->new_tids[row];
			}
			else if (!rel->deferred && lost_parent(set, row, rel->tie))
				check->tids[check->ntids++] = set->new_tids[row];
		}
		if (check->ntids > 0)
			checks = lappend(checks, check);
		if (doomed->ntids > 0)
			checks = lappend(checks, doomed);
	}
	return checks;
}

/*
 * Had the row a key without NULL, and has it none now?
 */
static bool
lost_parent(const CaptureSet *set, uint64 row, const CascadeTie *tie)
{
	bool		has_parent = true;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		uint64		pos = row * set->ncolumns +
			cascade_capture_column(set, tie->columns[i].target_attno);

		if (set->old_nulls[pos])
			return false;
		has_parent &= !set->new_nulls[pos];
	}
	return !has_parent;
}

/*
 * cascade_orphans_delete
 *		Delete the rows of a check that are orphans as they are now.
 */
void
cascade_orphans_delete(CascadeCache *cache, PendingCheck *check, bool own_level)
{
	CascadeTable *table = cascade_cache_table(cache, check->target);
	CascadeRelationship *rel = cascade_cache_relationship(cache, check->source,
														  NameStr(check->name));
	CascadeStatement *stmt;
	Datum	   *values;

	if (table == NULL || rel == NULL || rel->target != check->target)
		return;					/* dropped since */
	latest_versions(check->target, check->tids, check->ntids);
	values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * check->ntids);
	for (uint64 i = 0; i < check->ntids; i++)
		values[i] = PointerGetDatum(&check->tids[i]);

	stmt = cascade_statement_begin(check->condemned ? CASCADE_ACTION_REMOVE : CASCADE_ACTION_ORPHAN,
								   rel->tie, rel, check->ntids, true);
	stmt->shape = CASCADE_SHAPE_SOME;	/* row versions are found by themselves */
	stmt->orphans = table->orphans;
	stmt->own_level = own_level;
	cascade_statement_argument(stmt, TIDARRAYOID,
							   cascade_keys_array(TIDOID, TIDARRAYOID, values, NULL, check->ntids),
							   false);
	cascade_event_run(stmt);
}

/*
 * Replace row versions by the latest ones of their rows.
 */
static void
latest_versions(Oid relid, ItemPointerData *tids, uint64 ntids)
{
	Relation	rel = table_open(relid, RowExclusiveLock);
	TableScanDesc scan = table_beginscan_tid(rel, SnapshotSelf);

	for (uint64 i = 0; i < ntids; i++)
		table_tuple_get_latest_tid(scan, &tids[i]);
	table_endscan(scan);
	table_close(rel, NoLock);
}

/*
 * cascade_orphan_without
 *		Would a row be an orphan under a relationship's rule?  nulls says
 *		which of its columns are NULL, by attribute number.
 */
bool
cascade_orphan_without(const CascadeRelationship *rel, List *orphans, const bool *nulls)
{
	List	   *rels = rel->orphan_all ? orphans : list_make1(unconstify(CascadeRelationship *, rel));
	ListCell   *lc;

	foreach(lc, rels)
	{
		const CascadeTie *tie = ((CascadeRelationship *) lfirst(lc))->tie;
		bool		has_parent = true;

		for (int i = 0; i < tie->ncolumns; i++)
			has_parent &= !nulls[tie->columns[i].target_attno - 1];
		if (has_parent)
			return false;
	}
	return true;
}

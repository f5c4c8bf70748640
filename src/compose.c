/*-------------------------------------------------------------------------
 *
 * compose.c
 *	  several changes of one row in one round, made into one
 *
 * Two relationships, or a native cascade and one of ours, may change the same
 * row one after the other before its own children have been looked at: its
 * key goes from (1,1) to (2,1) to (2,2), or it is re-keyed and then deleted.
 * The children still hold the first key, and must get the last.
 *
 * Changes are known to be of one row by the end of its chain of versions.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/compose.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "catalog/pg_class.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* the first change of a row; the key is hashed by bytes and has no padding */
typedef struct RowEnd
{
	Oid			leaf;
	BlockNumber block;
	uint32		offset;
} RowEnd;

typedef struct FirstChange
{
	RowEnd		end;			/* hash key; must be first */
	CaptureSet *set;
	uint64		row;
} FirstChange;

static bool can_meet(List *sets);
static bool has_addresses(const CaptureSet *set);
static CascadeVersions *find_versions(List *sets);
static RowEnd row_end(CascadeVersions *versions, const CaptureSet *set, uint64 row);
static void merge_change(CaptureSet *first, uint64 first_row, const CaptureSet *set, uint64 row);

/*
 * cascade_compose
 *		Compose the changes that sets of one table, oldest first, have in
 *		common.  Marks them in their states.
 */
void
cascade_compose(List *sets)
{
	CascadeVersions *versions;
	HTAB	   *first_changes;
	HASHCTL		ctl;
	ListCell   *lc;

	if (!can_meet(sets))
		return;
	ctl.keysize = sizeof(RowEnd);
	ctl.entrysize = sizeof(FirstChange);
	ctl.hcxt = CurrentMemoryContext;
	first_changes = hash_create("cascade composed rows", 256, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	versions = find_versions(sets);
	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);

		if (set->event == CAPTURE_INSERT || !has_addresses(set))
			continue;
		if (set->event == CAPTURE_UPDATE)
			set->states = MemoryContextAllocExtended(set->context,
													 sizeof(CaptureRowState) * (set->nrows + 1),
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		for (uint64 row = 0; row < set->nrows; row++)
		{
			RowEnd		end = row_end(versions, set, row);
			bool		found;
			FirstChange *first = hash_search(first_changes, &end,
											 set->event == CAPTURE_UPDATE ? HASH_ENTER : HASH_FIND,
											 &found);

			if (found && set->event == CAPTURE_DELETE)
				first->set->states[first->row] = CAPTURE_ROW_GONE;
			else if (found)
			{
				merge_change(first->set, first->row, set, row);
				set->states[row] = CAPTURE_ROW_MERGED;
			}
			else if (set->event == CAPTURE_UPDATE)
			{
				first->set = set;
				first->row = row;
			}
		}
	}
	cascade_versions_end(versions);
	hash_destroy(first_changes);
}

/*
 * One statement changes a row once, so it takes two, the first an update.
 */
static bool
can_meet(List *sets)
{
	ListCell   *lc;

	if (list_length(sets) < 2)
		return false;
	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);

		if (set->event == CAPTURE_UPDATE && has_addresses(set))
			return true;
	}
	return false;
}

/*
 * Rows of a foreign table have none.
 */
static bool
has_addresses(const CaptureSet *set)
{
	return get_rel_relkind(set->leaf) != RELKIND_FOREIGN_TABLE;
}

/*
 * Where the rows that were moved between partitions went.
 */
static CascadeVersions *
find_versions(List *sets)
{
	CascadeVersions *versions = cascade_versions_begin();
	ListCell   *lc;

	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);

		for (uint64 row = 0; set->new_leaves != NULL && row < set->nrows; row++)
			cascade_versions_moved(versions, set->leaf, &set->old_tids[row],
								   set->new_leaves[row], &set->new_tids[row]);
	}
	return versions;
}

static RowEnd
row_end(CascadeVersions *versions, const CaptureSet *set, uint64 row)
{
	ItemPointerData tid = set->event == CAPTURE_UPDATE ? set->new_tids[row] : set->old_tids[row];
	Oid			leaf = set->new_leaves ? set->new_leaves[row] : set->leaf;
	RowEnd		end;

	cascade_versions_end_of_chain(versions, &leaf, &tid);
	end.leaf = leaf;
	end.block = ItemPointerGetBlockNumber(&tid);
	end.offset = ItemPointerGetOffsetNumber(&tid);
	return end;
}

/*
 * The first change of the row now ends where this later one does.
 */
static void
merge_change(CaptureSet *first, uint64 first_row, const CaptureSet *set, uint64 row)
{
	for (int i = 0; i < set->ncolumns; i++)
	{
		uint64		from = row * set->ncolumns + i;
		uint64		to;

		if (!cascade_capture_has_column(first, set->attnos[i]))
			continue;
		to = first_row * first->ncolumns + cascade_capture_column(first, set->attnos[i]);
		first->new_values[to] = set->new_values[from];
		first->new_nulls[to] = set->new_nulls[from];
	}
	first->new_tids[first_row] = set->new_tids[row];
	if (first->new_leaves == NULL && (set->new_leaves != NULL || set->leaf != first->leaf))
	{
		first->new_leaves = MemoryContextAllocHuge(first->context, sizeof(Oid) * first->nrows);
		for (uint64 i = 0; i < first->nrows; i++)
			first->new_leaves[i] = first->leaf;
	}
	if (first->new_leaves != NULL)
		first->new_leaves[first_row] = set->new_leaves ? set->new_leaves[row] : set->leaf;
	if (first->condemned && set->condemned)
		first->condemned[first_row] |= set->condemned[row];
}

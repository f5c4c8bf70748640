/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  references to targets that statements took away or made
 *
 * A many-to-one relationship's source rows, and the rows of a secondary, hold
 * references to target rows.  When a target is to go with its last reference,
 * or with whoever referenced it, the keys that rows held and do not hold any
 * more are noted for the check (verify.c), which decides.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/reference.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "cascade.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static bool watches_loss(const CascadeRelationship *rel, CaptureEvent event);
static void note_held(CascadeRelationship *rel, const CaptureSet *set, PendingKind kind);
static bool row_counts(CascadeRelationship *rel, const CaptureSet *set, uint64 row,
					   PendingKind kind);
static bool row_changed(const CascadeTie *tie, const CaptureSet *set, uint64 row);
static bool tie_follows(const CascadeTable *table, const CascadeTie *tie);
static void note_keys(CascadeRelationship *rel, PendingKind kind, const CascadeKeys *keys,
					  const CascadeTie *tie);

/*
 * cascade_tie_holds
 *		Does a captured row hold a key of the tie, and as a link row its other
 *		key as well?
 */
bool
cascade_tie_holds(const CascadeTie *tie, const CaptureSet *set, uint64 row, bool new)
{
	bool	   *nulls = (new ? set->new_nulls : set->old_nulls) + row * set->ncolumns;

	for (int i = 0; i < tie->npartners; i++)
	{
		if (nulls[cascade_capture_column(set, tie->partners[i])])
			return false;
	}
	return cascade_tie_has_key(tie, set, row, new);
}

/*
 * cascade_tie_has_key
 *		Does a captured row hold a key of the tie: without NULL, and of the
 *		tie's kind?
 */
bool
cascade_tie_has_key(const CascadeTie *tie, const CaptureSet *set, uint64 row, bool new)
{
	Datum	   *values = (new ? set->new_values : set->old_values) + row * set->ncolumns;
	bool	   *nulls = (new ? set->new_nulls : set->old_nulls) + row * set->ncolumns;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		if (nulls[cascade_capture_column(set, tie->columns[i].child_attno)])
			return false;
	}
	for (int i = 0; i < tie->ndiscriminators; i++)
	{
		CascadeDiscriminator *kind = &tie->discriminators[i];
		int			column = cascade_capture_column(set, kind->attno);

		if (nulls[column] ||
			!DatumGetBool(FunctionCall2Coll(&kind->eq, kind->collation, values[column], kind->value)))
			return false;
	}
	return true;
}

/*
 * cascade_forgives_attached
 *		Does a target that was to be deleted stay if it is referenced anew?
 *		One that is deleted only with its last reference need not be told.
 */
bool
cascade_forgives_attached(const CascadeRelationship *rel)
{
	return rel->reference != NULL &&
		(rel->cascade & (CASCADE_DELETE | CASCADE_DELETE_ORPHAN)) == CASCADE_DELETE;
}

/*
 * cascade_references_lost
 *		Note the keys that rows of the table held before.
 */
void
cascade_references_lost(CascadeTable *table, List *sets)
{
	ListCell   *lc;
	ListCell   *lcs;

	foreach(lc, table->references)
	{
		foreach(lcs, sets)
		{
			CaptureSet *set = lfirst(lcs);

			if (watches_loss(lfirst(lc), set->event))
				note_held(lfirst(lc), set, PENDING_LOST);
		}
	}
}

/*
 * An UPDATE loses a reference where they are counted; and takes a link away,
 * whose target goes if its source does.
 */
static bool
watches_loss(const CascadeRelationship *rel, CaptureEvent event)
{
	if (event == CAPTURE_INSERT)
		return false;
	if (rel->cascade & CASCADE_DELETE_ORPHAN)
		return true;
	return (rel->cascade & CASCADE_DELETE) &&
		(event == CAPTURE_DELETE || rel->direction == CASCADE_MANY_TO_MANY);
}

/*
 * cascade_references_attached
 *		Note the keys that rows of the table have come to hold, where that
 *		matters.
 */
void
cascade_references_attached(CascadeTable *table, List *sets)
{
	ListCell   *lc;
	ListCell   *lcs;

	foreach(lc, table->references)
	{
		CascadeRelationship *rel = lfirst(lc);

		if (!rel->single_parent &&
			!(cascade_forgives_attached(rel) && cascade_pending_logged(rel)))
			continue;
		foreach(lcs, sets)
		{
			if (((CaptureSet *) lfirst(lcs))->event != CAPTURE_DELETE)
				note_held(rel, lfirst(lcs), PENDING_ATTACHED);
		}
	}
}

static void
note_held(CascadeRelationship *rel, const CaptureSet *set, PendingKind kind)
{
	uint64	   *rows;
	uint64		n = 0;
	bool		new = kind == PENDING_ATTACHED;
	bool		remembers = rel->direction == CASCADE_MANY_TO_MANY && cascade_forgives_attached(rel);
	MemoryContext context;
	PendingBatch *batch;

	/*
	 * A key that followed its target's was neither lost nor gained; and a
	 * target that is gone has lost nothing that another of its key could have.
	 */
	if (cascade_set_came_by(set, CASCADE_ACTION_FOLLOW, rel->reference) ||
		cascade_set_came_by(set, CASCADE_ACTION_UNLINK, rel->reference) ||
		(remembers && cascade_set_came_by(set, CASCADE_ACTION_FOLLOW, rel->tie)))
		return;
	rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (set->nrows + 1));
	for (uint64 row = 0; row < set->nrows; row++)
	{
		if (row_counts(rel, set, row, kind))
			rows[n++] = row;
	}
	if (n == 0)
		return;
	batch = cascade_pending_add(rel, kind, &context);
	batch->keys = cascade_keys_copy(cascade_held_keys(rel->reference, set, rows, n, new),
									rel->reference, true, context);
	if (kind == PENDING_ATTACHED)
		batch->due = rel->single_parent;
	else if (remembers)
	{
		batch->sources = cascade_keys_copy(cascade_held_keys(rel->tie, set, rows, n, new),
										   rel->tie, true, context);
		/* links that went because their source did */
		batch->due = cascade_set_came_by(set, CASCADE_ACTION_UNLINK, rel->tie);
	}
	else
		batch->due = true;
}

/*
 * Did this row lose, or come to hold, a reference?
 */
static bool
row_counts(CascadeRelationship *rel, const CaptureSet *set, uint64 row, PendingKind kind)
{
	if (!cascade_tie_holds(rel->reference, set, row, kind == PENDING_ATTACHED))
		return false;
	if (set->event != CAPTURE_UPDATE)
		return true;
	/* what a row came to hold and does not hold at the end it never held */
	if (kind == PENDING_ATTACHED && set->states != NULL && set->states[row] != CAPTURE_ROW_LIVE)
		return false;
	return row_changed(rel->reference, set, row);
}

/*
 * Has anything of what an updated child holds changed?
 */
static bool
row_changed(const CascadeTie *tie, const CaptureSet *set, uint64 row)
{
	Bitmapset  *columns = cascade_tie_child_columns(tie);
	int			attno = -1;

	while ((attno = bms_next_member(columns, attno)) >= 0)
	{
		if (cascade_capture_changed(set, row, cascade_capture_column(set, attno)))
			return true;
	}
	return false;
}

/*
 * cascade_set_came_by
 *		Were the rows written by this action of ours along the tie, and by
 *		nothing else?  A BEFORE trigger could write what it likes meanwhile.
 */
bool
cascade_set_came_by(const CaptureSet *set, CascadeAction action, const CascadeTie *tie)
{
	return set->own && set->cause->action == action &&
		cascade_same_key(set->cause->tie, tie) &&
		!cascade_has_before_trigger(set->relid, set->event);
}

/*
 * cascade_has_before_trigger
 *		Can a BEFORE trigger of the table, or of one of its partitions, or a
 *		rule meddle with rows that are deleted or updated?
 */
bool
cascade_has_before_trigger(Oid relid, CaptureEvent event)
{
	List	   *members = list_make1_oid(relid);
	bool		found = false;
	ListCell   *lc;

	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		members = find_all_inheritors(relid, AccessShareLock, NULL);
	foreach(lc, members)
	{
		Relation	rel = table_open(lfirst_oid(lc), AccessShareLock);

		found = rel->rd_rules != NULL;
		for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers && !found; i++)
		{
			const Trigger *trigger = &rel->trigdesc->triggers[i];

			found = TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_BEFORE(trigger->tgtype) &&
				(event == CAPTURE_DELETE ? TRIGGER_FOR_DELETE(trigger->tgtype) :
				 TRIGGER_FOR_UPDATE(trigger->tgtype)) &&
				strcmp(trigger->tgname, CASCADE_TRIGGER_KEEP) != 0;
		}
		table_close(rel, NoLock);
		if (found)
			break;
	}
	return found;
}

/*
 * cascade_held_keys
 *		The keys, new or old, that these rows of a set hold.
 */
CascadeKeys *
cascade_held_keys(const CascadeTie *tie, const CaptureSet *set, const uint64 *rows, uint64 n, bool new)
{
	CascadeKeys *keys = cascade_keys_make(tie->ncolumns, n, false);
	Datum	   *values = new ? set->new_values : set->old_values;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		int			column = cascade_capture_column(set, tie->columns[i].child_attno);

		for (uint64 j = 0; j < n; j++)
			keys->values[i][j] = values[rows[j] * set->ncolumns + column];
	}
	keys->nkeys = n;
	return keys;
}

/*
 * cascade_references_rekeyed
 *		The table's keys changed; those that wait for a check change with
 *		them, where references would.
 */
void
cascade_references_rekeyed(CascadeTable *table, List *updated)
{
	ListCell   *lc;

	foreach(lc, table->referenced)
	{
		CascadeRelationship *rel = lfirst(lc);

		/* what the same statement does to referrers may be noted later */
		if (tie_follows(table, rel->reference))
			note_keys(rel, PENDING_REKEYED, cascade_keys_changed(updated, rel->reference),
					  rel->reference);
	}
	foreach(lc, table->origins)
	{
		CascadeRelationship *rel = lfirst(lc);

		if (cascade_pending_logged(rel) && tie_follows(table, rel->tie))
			note_keys(rel, PENDING_SOURCES_REKEYED, cascade_keys_changed(updated, rel->tie),
					  rel->tie);
	}
}

/*
 * cascade_references_gone
 *		Targets were deleted: if one that waits for a check is, another row
 *		that takes its key is not meant.
 */
void
cascade_references_gone(CascadeTable *table, List *sets)
{
	ListCell   *lc;

	foreach(lc, table->referenced)
	{
		CascadeRelationship *rel = lfirst(lc);

		if ((rel->cascade & (CASCADE_DELETE | CASCADE_DELETE_ORPHAN)) &&
			cascade_pending_logged(rel))
			note_keys(rel, PENDING_GONE, cascade_keys_deleted(sets, rel->reference),
					  rel->reference);
	}
}

/*
 * Do children follow along this tie, by any relationship that shares its key?
 */
static bool
tie_follows(const CascadeTable *table, const CascadeTie *tie)
{
	ListCell   *lc;

	foreach(lc, table->ties)
	{
		if (cascade_same_key(lfirst(lc), tie))
			return ((CascadeTie *) lfirst(lc))->follow_by != NULL;
	}
	return false;
}

/*
 * cascade_origins_gone
 *		Note the keys of deleted sources that take along what they were
 *		linked to.
 */
void
cascade_origins_gone(CascadeTable *table, List *sets)
{
	ListCell   *lc;

	foreach(lc, table->origins)
	{
		CascadeRelationship *rel = lfirst(lc);
		CascadeKeys *keys = cascade_keys_deleted(sets, rel->tie);

		cascade_action_drop_existing(keys, rel->tie, rel, false);
		note_keys(rel, PENDING_SOURCES_GONE, keys, rel->tie);
	}
}

static void
note_keys(CascadeRelationship *rel, PendingKind kind, const CascadeKeys *keys,
		  const CascadeTie *tie)
{
	MemoryContext context;
	PendingBatch *batch;

	if (keys->nkeys == 0)
		return;
	batch = cascade_pending_add(rel, kind, &context);
	batch->keys = cascade_keys_copy(keys, tie, false, context);
}

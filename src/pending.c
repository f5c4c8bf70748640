/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  rows that lost their parent and are looked at when the check is due
 *
 * A deferred relationship notes the rows here, and one event of the
 * constraint trigger CASCADE_orphan, the first since the last check, will
 * look at all of them: at commit, at PREPARE TRANSACTION, or when SET
 * CONSTRAINTS says so.
 *
 * The trigger manager takes queued events back with an aborted
 * subtransaction, and revives those that fired in it.  So do we: before the
 * first change within a subtransaction the state is put aside, to be brought
 * back if it aborts.  Entries behind the restored end are thus forgotten, and
 * those checked since are to be checked again.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/pending.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "cascade.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* a noted row */
typedef struct PendingRow
{
	ItemPointerData tid;		/* a version of it; later ones are found from it */
	uint16		rel;			/* index in rels */
} PendingRow;

/* a relationship; by name, because the cache does not last */
typedef struct PendingRelationship
{
	Oid			source;
	NameData	name;
} PendingRelationship;

typedef struct PendingState
{
	int			nest_level;		/* of the subtransaction that changed it since */
	uint64		nrows;
	uint64		nchecked;		/* the first rows were looked at */
	bool		armed;			/* an event is queued */
} PendingState;

/* what is noted of one target table */
typedef struct PendingTable
{
	Oid			target;
	List	   *rels;			/* of PendingRelationship */
	PendingRow *rows;
	uint64		capacity;
	PendingState now;
	List	   *saved;			/* of PendingState, innermost last */
} PendingTable;

static List *pending = NIL;		/* of PendingTable; all in TopTransactionContext */

static PendingTable *find_table(Oid target, bool create);
static void save_state(PendingTable *table);

/*
 * cascade_pending_add
 *		Note that a row of target lost its parent by this relationship.
 */
void
cascade_pending_add(Oid target, Oid source, const char *name, ItemPointer tid)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	PendingTable *table = find_table(target, true);
	int			index;

	save_state(table);
	for (index = 0; index < list_length(table->rels); index++)
	{
		PendingRelationship *rel = list_nth(table->rels, index);

		if (rel->source == source && strcmp(NameStr(rel->name), name) == 0)
			break;
	}
	if (index == list_length(table->rels))
	{
		PendingRelationship *rel = palloc0(sizeof(PendingRelationship));

		rel->source = source;
		namestrcpy(&rel->name, name);
		table->rels = lappend(table->rels, rel);
	}
	if (table->now.nrows == table->capacity)
	{
		table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
		table->rows = table->rows == NULL ?
			palloc(sizeof(PendingRow) * table->capacity) :
			repalloc_huge(table->rows, sizeof(PendingRow) * table->capacity);
	}
	table->rows[table->now.nrows].tid = *tid;
	table->rows[table->now.nrows].rel = index;
	table->now.nrows++;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * cascade_pending_arm
 *		Must an event be queued for the table's rows?
 */
bool
cascade_pending_arm(Oid target)
{
	PendingTable *table = find_table(target, false);

	if (table->now.armed)
		return false;
	save_state(table);
	table->now.armed = true;
	return true;
}

/*
 * cascade_pending_take
 *		The rows of a table to be looked at now, as a List of PendingCheck in
 *		the current memory context, one for each relationship.
 */
List *
cascade_pending_take(Oid target)
{
	PendingTable *table = find_table(target, false);
	List	   *checks = NIL;
	ListCell   *lc;

	if (table == NULL)
		return NIL;
	save_state(table);
	foreach(lc, table->rels)
	{
		PendingRelationship *rel = lfirst(lc);
		PendingCheck *check = palloc0(sizeof(PendingCheck));

		check->target = target;
		check->source = rel->source;
		check->name = rel->name;
		check->tids = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(ItemPointerData) *
											 (table->now.nrows - table->now.nchecked + 1));
		for (uint64 i = table->now.nchecked; i < table->now.nrows; i++)
		{
			if (table->rows[i].rel == foreach_current_index(lc))
				check->tids[check->ntids++] = table->rows[i].tid;
		}
		if (check->ntids > 0)
			checks = lappend(checks, check);
	}
	table->now.armed = false;
	table->now.nchecked = table->now.nrows;
	/* nothing can bring them back? */
	if (table->saved == NIL)
		table->now.nchecked = table->now.nrows = 0;
	return checks;
}

/*
 * cascade_pending_on
 *		Are rows of the table waiting to be looked at?
 */
bool
cascade_pending_on(Oid target)
{
	PendingTable *table = find_table(target, false);

	return table && table->now.nrows > table->now.nchecked;
}

static PendingTable *
find_table(Oid target, bool create)
{
	PendingTable *table;
	ListCell   *lc;

	foreach(lc, pending)
	{
		table = lfirst(lc);
		if (table->target == target)
			return table;
	}
	if (!create)
		return NULL;
	table = palloc0(sizeof(PendingTable));
	table->target = target;
	pending = lappend(pending, table);
	return table;
}

/*
 * Put the state aside, once in a subtransaction; the outermost transaction
 * needs none, since nothing outlives it.
 */
static void
save_state(PendingTable *table)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	PendingState *saved = table->saved == NIL ? NULL : llast(table->saved);
	MemoryContext oldcontext;

	if (nest_level == 1 || (saved && saved->nest_level >= nest_level))
		return;
	oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	saved = palloc(sizeof(PendingState));
	*saved = table->now;
	saved->nest_level = nest_level;
	table->saved = lappend(table->saved, saved);
	MemoryContextSwitchTo(oldcontext);
}

/*
 * cascade_pending_subxact_abort
 *		Bring back what was before the subtransaction.
 */
void
cascade_pending_subxact_abort(int nest_level)
{
	ListCell   *lc;

	foreach(lc, pending)
	{
		PendingTable *table = lfirst(lc);

		while (table->saved != NIL &&
			   ((PendingState *) llast(table->saved))->nest_level >= nest_level)
		{
			table->now = *(PendingState *) llast(table->saved);
			table->saved = list_delete_last(table->saved);
		}
	}
}

/*
 * cascade_pending_subxact_commit
 *		What was put aside is now the parent's to bring back, unless it has
 *		put something older aside, or is the outermost transaction.
 */
void
cascade_pending_subxact_commit(int nest_level)
{
	ListCell   *lc;

	foreach(lc, pending)
	{
		PendingTable *table = lfirst(lc);
		PendingState *saved;
		int			n = list_length(table->saved);

		if (n == 0)
			continue;
		saved = llast(table->saved);
		if (saved->nest_level < nest_level)
			continue;
		if (nest_level == 2 ||
			(n > 1 && ((PendingState *) list_nth(table->saved, n - 2))->nest_level == nest_level - 1))
			table->saved = list_delete_last(table->saved);
		else
			saved->nest_level = nest_level - 1;
	}
}

/*
 * cascade_pending_reset
 *		At the end of a transaction; the memory goes with the transaction's.
 */
void
cascade_pending_reset(void)
{
	pending = NIL;
}

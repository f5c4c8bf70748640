/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  many-to-one and many-to-many: which targets go, now that a check is due
 *
 * A target goes with its last reference (delete-orphan), or because a row
 * that referenced it was deleted (delete).  The log of the relationship
 * (pending.c) is read from its beginning, so that a target that was
 * referenced again is forgiven, and one whose key has changed is found.
 *
 * References are counted in steps, each a statement with a snapshot of its
 * own.  Targets that no reference is seen of are locked FOR UPDATE, which waits
 * for whoever has come to reference one and keeps others from it; after that,
 * those still without a reference go.  Targets of which references are seen
 * are locked FOR NO KEY UPDATE only, which nobody who references one waits for:
 * of two transactions that each take one of the last two references away, the
 * second to lock the target looks again and sees what the first did.
 *
 * Each statement touches one table, as its owner: see ri_triggers.c.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/verify.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "compat.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"

/* up to how many targets are looked at before any of them is locked */
#define CASCADE_FEW_KEYS	64

/* keys of one kind of batches, each with the number of its batch */
typedef struct NotedKeys
{
	CascadeKeys *keys;
	uint64	   *batch;			/* counted from 1 */
	bool	   *old;			/* noted before the last check */
} NotedKeys;

/* keys of targets that lost a reference, as the references held them */
typedef struct LostKeys
{
	CascadeKeys *keys;
	uint64	   *batch;
	CascadeKeys *sources;		/* many-to-many: the other ends, or NULL */
	bool	   *dead;			/* forgiven, or dealt with */
	bool	   *due;			/* not only if the source is gone */
	bool	   *old;			/* noted before the last check */

	/* what was noted since keys were last changed */
	NotedKeys	attached;
	NotedKeys	gone;
	NotedKeys	sources_gone;
} LostKeys;

static void verify_references(CascadeTable *target, CascadeRelationship *rel,
							  const PendingCheck *check, bool own_level);
static void verify_counted(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys,
						   uint64 first, uint64 n, bool own_level);
static void lock_and_delete(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys,
							bool own_level);
static uint64 run_find(CascadeAction action, CascadeTable *target, CascadeRelationship *rel,
					   CascadeKeys *keys, uint64 first, uint64 n);
static void find_and_delete(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys,
							bool own_level);
static uint64 *count_references(CascadeRelationship *rel, CascadeKeys *keys, uint64 *n);
static CascadeKeys *room_for_attached(CascadeRelationship *rel, const PendingCheck *check);
static void verify_single_keys(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys);
static void verify_single(CascadeTable *target, CascadeRelationship *rel,
						  const PendingCheck *check);
pg_noreturn static void error_not_single(const CascadeRelationship *rel, CascadeKeys *keys,
										 uint64 position, bool held);
static CascadeKeys *lost_keys(CascadeRelationship *rel, const PendingCheck *check);
static LostKeys *make_lost(const CascadeRelationship *rel, const PendingCheck *check);
static CascadeKeys *keys_as_rekeyed(CascadeRelationship *rel, List *rekeyed,
									const PendingBatch *batch);
static void make_noted(NotedKeys *noted, int ncolumns, uint64 capacity);
static void add_noted(NotedKeys *noted, const CascadeKeys *keys, uint64 number, bool old);
static void settle(CascadeRelationship *rel, LostKeys *lost);
static void add_lost(LostKeys *lost, const PendingBatch *batch, const CascadeKeys *keys,
					 uint64 number, bool old);
static void forgive(LostKeys *lost, const NotedKeys *attached, const CascadeTie *tie);
static void rekey(CascadeRelationship *rel, CascadeTie *tie, CascadeKeys *keys, bool *dead,
				  const CascadeKeys *changed);
static void match_and_drop(CascadeRelationship *rel, LostKeys *lost, const NotedKeys *gone);
static void match_gone(CascadeRelationship *rel, LostKeys *lost, const CascadeKeys *gone,
					   const NotedKeys *noted, bool old);
static CascadeKeys *still_gone(CascadeRelationship *rel, const PendingCheck *check, bool old);
static void append_keys(CascadeKeys *keys, const CascadeKeys *more);
static uint64 match_keys(CascadeRelationship *rel, CascadeTie *tie, const CascadeKeys *parents,
						 const CascadeKeys *held, uint64 **parent, uint64 **child);
static Datum convert(Datum value, Oid from, Oid to);
static CascadeKeys *keys_of_rows(SPITupleTable *found, int column, const CascadeTie *tie,
								 uint64 *rows, uint64 *nrows, uint64 *without_key);
static void delete_targets(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys,
						   bool own_level);

/*
 * cascade_verify_counted
 *		The relationships whose references keep a target that this one would
 *		delete as an orphan, its own first: a List of CascadeRelationship.
 */
List *
cascade_verify_counted(CascadeRelationship *rel, CascadeTable *target)
{
	List	   *counted = rel->reference ? list_make1(rel) : NIL;
	ListCell   *lc;

	if (!rel->orphan_all)
		return counted;
	foreach(lc, target->orphans)
	{
		CascadeRelationship *other = lfirst(lc);

		if (other != rel && other->reference != NULL)
			counted = lappend(counted, other);
	}
	return counted;
}

/*
 * cascade_verify_check
 *		Do what a relationship has to do now that its check is due.
 */
void
cascade_verify_check(CascadeCache *cache, PendingCheck *check, bool own_level)
{
	CascadeRelationship *rel = cascade_cache_relationship(cache, check->source,
														  NameStr(check->name));
	CascadeTable *target = rel ? cascade_cache_table(cache, rel->target) : NULL;

	/* it may have been dropped, or have got other options, since */
	if (target != NULL && rel->tie != NULL)
	{
		if (rel->direction != CASCADE_ONE_TO_MANY)
			verify_references(target, rel, check, own_level);
		else if (rel->cascade & CASCADE_DELETE_ORPHAN)
			cascade_orphans_verify(target, rel, check, own_level);
	}
	cascade_pending_forget(check);
}

static void
verify_references(CascadeTable *target, CascadeRelationship *rel, const PendingCheck *check,
				  bool own_level)
{
	CascadeKeys *keys;

	if (rel->single_parent)
		verify_single(target, rel, check);
	if (!(rel->cascade & (CASCADE_DELETE | CASCADE_DELETE_ORPHAN)))
		return;
	keys = lost_keys(rel, check);
	if (!(rel->cascade & CASCADE_DELETE_ORPHAN))
	{
		find_and_delete(target, rel, keys, own_level);
		return;
	}
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, rel->reference, true, first);

		verify_counted(target, rel, keys, first, n, own_level);
		first += n;
	}
}

/*
 * Delete the targets of a piece of the keys that nothing references.
 */
static void
verify_counted(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys, uint64 first,
			   uint64 n, bool own_level)
{
	static const CascadeAction looks[] = {CASCADE_ACTION_FIND, CASCADE_ACTION_LOCK_NO_KEY};

	/* with many keys that look is dear, and not to lock for it buys little */
	for (int i = n > CASCADE_FEW_KEYS ? 1 : 0; i < lengthof(looks); i++)
	{
		uint64		all = run_find(looks[i], target, rel, keys, first, n);
		uint64		left = all;
		SPITupleTable *found = SPI_tuptable;
		uint64	   *rows = cascade_verify_drop_referenced(cascade_verify_counted(rel, target),
														  found, 1, &left);

		lock_and_delete(target, rel, keys_of_rows(found, 1, rel->reference, rows, &left, NULL),
						own_level);
		SPI_freetuptable(found);
		/* none that others may be counting at this moment? */
		if (left == all)
			break;
	}
}

/*
 * Lock targets, by their own keys, and delete those that are still without a
 * reference.
 */
static void
lock_and_delete(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys, bool own_level)
{
	CascadeStatement *stmt;
	SPITupleTable *found;
	uint64	   *rows;
	uint64		left;

	if (keys->nkeys == 0)
		return;
	stmt = cascade_statement_begin(CASCADE_ACTION_LOCK, rel->reference, rel, keys->nkeys,
								   rel->reference->parent_unique);
	stmt->target = target;
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	left = cascade_event_run(stmt);
	found = SPI_tuptable;
	rows = cascade_verify_drop_referenced(cascade_verify_counted(rel, target), found, 1, &left);
	delete_targets(target, rel, keys_of_rows(found, 1, rel->reference, rows, &left, NULL),
				   own_level);
	SPI_freetuptable(found);
}

/*
 * Run FIND, or one that locks as well, for a piece of the keys.  Leaves the
 * targets' own keys in SPI_tuptable, and returns their number.
 */
static uint64
run_find(CascadeAction action, CascadeTable *target, CascadeRelationship *rel,
		 CascadeKeys *keys, uint64 first, uint64 n)
{
	CascadeStatement *stmt = cascade_statement_begin(action, rel->reference, rel, n,
													 rel->reference->parent_unique);

	stmt->target = target;
	cascade_statement_held_keys(stmt, keys->values, first, n);
	return cascade_event_run(stmt);
}

/*
 * Delete the targets of these keys, whatever else references them.
 */
static void
find_and_delete(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys, bool own_level)
{
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, rel->reference, true, first);
		uint64		nfound = run_find(CASCADE_ACTION_FIND, target, rel, keys, first, n);
		SPITupleTable *found = SPI_tuptable;
		uint64	   *rows = cascade_verify_drop_referenced(NIL, found, 1, &nfound);

		delete_targets(target, rel, keys_of_rows(found, 1, rel->reference, rows, &nfound, NULL),
					   own_level);
		SPI_freetuptable(found);
		first += n;
	}
}

static void
delete_targets(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys, bool own_level)
{
	bool		counts = (rel->cascade & CASCADE_DELETE_ORPHAN) != 0;
	CascadeStatement *stmt;

	if (keys->nkeys == 0)
		return;
	stmt = cascade_statement_begin(counts ? CASCADE_ACTION_ORPHAN_PARENT : CASCADE_ACTION_DELETE_PARENT,
								   rel->reference, rel, keys->nkeys, rel->reference->parent_unique);
	stmt->target = target;
	stmt->own_level = own_level;
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	cascade_event_run(stmt);
}

/*
 * cascade_verify_drop_referenced
 *		Positions of the rows found that nothing references by these
 *		relationships, whose keys stand side by side from this column on.
 *		*n is their number, before and after.
 */
uint64 *
cascade_verify_drop_referenced(List *counted, SPITupleTable *found, int column, uint64 *n)
{
	uint64	   *rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (*n + 1));
	ListCell   *lc;

	for (uint64 i = 0; i < *n; i++)
		rows[i] = i;
	foreach(lc, counted)
	{
		CascadeRelationship *rel = lfirst(lc);
		uint64		nwithout;
		CascadeKeys *keys = keys_of_rows(found, column, rel->reference, rows, n, &nwithout);
		uint64		nleft;
		uint64	   *left = cascade_verify_unreferenced(rel, keys, &nleft);
		uint64	   *rows_left = MemoryContextAllocHuge(CurrentMemoryContext,
													   sizeof(uint64) * (nwithout + nleft + 1));

		/* those without a key, which nothing can reference, stand behind */
		for (uint64 i = 0; i < nleft; i++)
			rows_left[i] = rows[left[i]];
		for (uint64 i = 0; i < nwithout; i++)
			rows_left[nleft + i] = rows[*n + i];
		rows = rows_left;
		*n = nleft + nwithout;
		column += rel->reference->ncolumns;
	}
	return rows;
}

/*
 * The keys of a tie's parent in rows found, from this column on.  Rows with a
 * NULL in their key go behind the others, *nrows is the number of those that
 * have one.
 */
static CascadeKeys *
keys_of_rows(SPITupleTable *found, int column, const CascadeTie *tie, uint64 *rows,
			 uint64 *nrows, uint64 *without_key)
{
	CascadeKeys *keys = cascade_keys_make(tie->ncolumns, *nrows, false);
	uint64	   *without = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (*nrows + 1));
	uint64		nwithout = 0;

	for (uint64 i = 0; i < *nrows; i++)
	{
		uint64		row = rows[i];
		bool		isnull = false;

		for (int c = 0; c < tie->ncolumns && !isnull; c++)
			keys->values[c][keys->nkeys] = SPI_getbinval(found->vals[row], found->tupdesc,
														 column + c, &isnull);
		if (isnull)
			without[nwithout++] = row;
		else
			rows[keys->nkeys++] = row;
	}
	memcpy(rows + keys->nkeys, without, sizeof(uint64) * nwithout);
	*nrows = keys->nkeys;
	if (without_key)
		*without_key = nwithout;
	return keys;
}

/*
 * cascade_verify_unreferenced
 *		Positions of the keys of targets that no row references, *n of them.
 */
uint64 *
cascade_verify_unreferenced(CascadeRelationship *rel, CascadeKeys *keys, uint64 *n)
{
	CascadeTie *tie = rel->reference;
	CascadeStatement *stmt;

	*n = 0;
	if (keys->nkeys == 0)
		return NULL;
	stmt = cascade_statement_begin(CASCADE_ACTION_UNREFERENCED, tie, rel, keys->nkeys,
								   tie->child_indexed);
	if (stmt->shape == CASCADE_SHAPE_ONE)
		stmt->shape = CASCADE_SHAPE_SOME;
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	cascade_statement_numbers(stmt, keys->nkeys);
	*n = cascade_event_run(stmt);
	return cascade_action_positions(*n);
}

/*
 * single_parent: no target that has come to be referenced may be referenced
 * twice, by its key then or by the one it has now.  Error 23505 if one is.
 */
static void
verify_single(CascadeTable *target, CascadeRelationship *rel, const PendingCheck *check)
{
	CascadeKeys *moved = room_for_attached(rel, check);
	bool		changed = false;
	List	   *rekeyed = NIL;
	ListCell   *lc;

	for_each_from(lc, check->batches, check->nchecked)
	{
		PendingBatch *batch = lfirst(lc);

		if (batch->kind == PENDING_REKEYED)
		{
			/* a target without a key is found by the one that is left: not at all */
			bool	   *dead = palloc0(sizeof(bool) * (moved->nkeys + 1));

			rekeyed = lappend(rekeyed, batch);
			if (moved->nkeys > 0)
				rekey(rel, rel->reference, moved, dead, batch->keys);
			changed |= moved->nkeys > 0;
			pfree(dead);
		}
		else if (batch->kind == PENDING_ATTACHED)
		{
			CascadeKeys *keys = keys_as_rekeyed(rel, rekeyed, batch);

			verify_single_keys(target, rel, keys);
			append_keys(moved, keys);
		}
	}
	if (changed)
		verify_single_keys(target, rel, moved);
}

/*
 * No keys yet, with room for all that have come to be held.
 */
static CascadeKeys *
room_for_attached(CascadeRelationship *rel, const PendingCheck *check)
{
	uint64		capacity = 0;
	ListCell   *lc;

	for_each_from(lc, check->batches, check->nchecked)
	{
		PendingBatch *batch = lfirst(lc);

		if (batch->kind == PENDING_ATTACHED)
			capacity += batch->keys->nkeys;
	}
	return cascade_keys_make(rel->reference->ncolumns, capacity, false);
}

static void
verify_single_keys(CascadeTable *target, CascadeRelationship *rel, CascadeKeys *keys)
{
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, rel->reference, true, first);
		uint64		nfound = run_find(CASCADE_ACTION_LOCK_NO_KEY, target, rel, keys, first, n);
		SPITupleTable *found = SPI_tuptable;
		uint64	   *rows = cascade_verify_drop_referenced(NIL, found, 1, &nfound);

		cascade_verify_single(rel, keys_of_rows(found, 1, rel->reference, rows, &nfound, NULL));
		SPI_freetuptable(found);
		first += n;
	}
}

/*
 * cascade_verify_single
 *		Error 23505 if one of these keys of targets is referenced twice.
 *
 * A second reference may be about to go in another transaction: that is waited
 * for, as a unique index does.
 */
void
cascade_verify_single(CascadeRelationship *rel, CascadeKeys *keys)
{
	CascadeTie *tie = rel->reference;
	CascadeStatement *stmt;
	uint64	   *twice;
	uint64		n;

	if (keys->nkeys == 0)
		return;
	if (keys->nkeys > 1)
		cascade_keys_drop_duplicates(keys, tie, false);
	twice = count_references(rel, keys, &n);
	if (n == 0)
		return;
	cascade_keys_select(keys, twice, n);
	stmt = cascade_statement_begin(CASCADE_ACTION_SHARE, tie, rel, n, tie->child_indexed);
	cascade_statement_keys(stmt, keys->values, 0, n);
	(void) cascade_event_run(stmt);
	SPI_freetuptable(SPI_tuptable);
	twice = count_references(rel, keys, &n);
	if (n > 0)
		error_not_single(rel, keys, twice[0], false);
}

/*
 * Positions of the keys of targets that are referenced more than once, *n of
 * them.
 */
static uint64 *
count_references(CascadeRelationship *rel, CascadeKeys *keys, uint64 *n)
{
	CascadeStatement *stmt = cascade_statement_begin(CASCADE_ACTION_COUNT, rel->reference, rel,
													 keys->nkeys, rel->reference->child_indexed);

	if (stmt->shape == CASCADE_SHAPE_ONE)
		stmt->shape = CASCADE_SHAPE_SOME;
	cascade_statement_keys(stmt, keys->values, 0, keys->nkeys);
	cascade_statement_numbers(stmt, keys->nkeys);
	*n = cascade_event_run(stmt);
	return cascade_action_positions(*n);
}

/*
 * cascade_verify_all_single
 *		Error 23505 if any target is referenced twice.
 */
void
cascade_verify_all_single(CascadeRelationship *rel)
{
	CascadeTie *tie = rel->reference;
	CascadeStatement *stmt = cascade_statement_begin(CASCADE_ACTION_COUNT_ALL, tie, rel, 1, false);
	SPITupleTable *found;
	uint64		row = 0;
	uint64		n = cascade_event_run(stmt);

	found = SPI_tuptable;
	if (n > 0)
		error_not_single(rel, keys_of_rows(found, 1, tie, &row, &n, NULL), 0, true);
	SPI_freetuptable(found);
}

/*
 * The key is told to those who may read the table, as ri_ReportViolation does.
 */
static void
error_not_single(const CascadeRelationship *rel, CascadeKeys *keys, uint64 position, bool held)
{
	const CascadeTie *tie = rel->reference;
	bool		may_read = check_enable_rls(tie->child, InvalidOid, true) != RLS_ENABLED &&
		pg_class_aclcheck(tie->child, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(held ? tie->columns[i].held_type : tie->columns[i].key_type,
						  &output, &varlena);
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 get_attname(tie->child, tie->columns[i].child_attno, false));
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "",
						 OidOutputFunctionCall(output, keys->values[i][position]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("row of table \"%s\" is referenced more than once by relationship \"%s\" of table \"%s\"",
					get_rel_name(rel->target), NameStr(rel->name), NameStr(rel->source_name)),
			 may_read ?
			 errdetail("Key (%s)=(%s) is held by several rows of table \"%s\", and the relationship is single_parent.",
					   names.data, values.data, get_rel_name(tie->child)) :
			 errdetail("The relationship is single_parent."),
			 cascade_errtable(tie->child)));
}

/*
 * The keys of targets that are to be looked at, as the log has them.
 */
static CascadeKeys *
lost_keys(CascadeRelationship *rel, const PendingCheck *check)
{
	bool		forgives = cascade_forgives_attached(rel);
	LostKeys   *lost = make_lost(rel, check);
	List	   *rekeyed = NIL;
	uint64	   *positions;
	uint64		n = 0;
	ListCell   *lc;

	foreach(lc, check->batches)
	{
		PendingBatch *batch = lfirst(lc);
		uint64		number = foreach_current_index(lc) + 1;
		bool		old = foreach_current_index(lc) < check->nchecked;

		switch (batch->kind)
		{
			case PENDING_LOST:
				if (!old || lost->sources != NULL)
					add_lost(lost, batch, keys_as_rekeyed(rel, rekeyed, batch), number, old);
				break;
			case PENDING_ATTACHED:
				if (forgives)
					add_noted(&lost->attached, keys_as_rekeyed(rel, rekeyed, batch), number, old);
				break;
			case PENDING_GONE:
				add_noted(&lost->gone, batch->keys, number, old);
				break;
			case PENDING_SOURCES_GONE:
				add_noted(&lost->sources_gone, batch->keys, number, old);
				break;
			case PENDING_REKEYED:
				settle(rel, lost);
				rekey(rel, rel->reference, lost->keys, lost->dead, batch->keys);
				rekeyed = lappend(rekeyed, batch);
				break;
			case PENDING_SOURCES_REKEYED:
				settle(rel, lost);
				if (lost->sources != NULL)
					rekey(rel, rel->tie, lost->sources, lost->dead, batch->keys);
				break;
			case PENDING_ROWS:
			case PENDING_MOVED:
				break;
		}
	}
	settle(rel, lost);
	if (lost->sources != NULL)
	{
		match_gone(rel, lost, still_gone(rel, check, true), NULL, true);
		match_gone(rel, lost, still_gone(rel, check, false), NULL, false);
	}
	positions = MemoryContextAllocHuge(CurrentMemoryContext,
									   sizeof(uint64) * (lost->keys->nkeys + 1));
	for (uint64 i = 0; i < lost->keys->nkeys; i++)
	{
		if (!lost->dead[i] && lost->due[i])
			positions[n++] = i;
	}
	if (n < lost->keys->nkeys)
		cascade_keys_select(lost->keys, positions, n);
	if (n > 1)
		cascade_keys_drop_duplicates(lost->keys, rel->reference, true);
	return lost->keys;
}

static LostKeys *
make_lost(const CascadeRelationship *rel, const PendingCheck *check)
{
	LostKeys   *lost = palloc0(sizeof(LostKeys));
	uint64		capacity[PENDING_SOURCES_REKEYED + 1] = {0};
	uint64		nlost;
	ListCell   *lc;

	foreach(lc, check->batches)
	{
		PendingBatch *batch = lfirst(lc);

		if (batch->keys != NULL)
			capacity[batch->kind] += batch->keys->nkeys;
	}
	nlost = capacity[PENDING_LOST] + 1;
	lost->keys = cascade_keys_make(rel->reference->ncolumns, nlost, false);
	if (rel->direction == CASCADE_MANY_TO_MANY && cascade_forgives_attached(rel))
		lost->sources = cascade_keys_make(rel->tie->ncolumns, nlost, false);
	lost->batch = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * nlost);
	lost->dead = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * nlost);
	lost->due = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * nlost);
	lost->old = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * nlost);
	make_noted(&lost->attached, rel->reference->ncolumns, capacity[PENDING_ATTACHED]);
	make_noted(&lost->gone, rel->reference->ncolumns, capacity[PENDING_GONE]);
	make_noted(&lost->sources_gone, rel->tie->ncolumns, capacity[PENDING_SOURCES_GONE]);
	return lost;
}

static void
make_noted(NotedKeys *noted, int ncolumns, uint64 capacity)
{
	noted->keys = cascade_keys_make(ncolumns, capacity, false);
	noted->batch = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (capacity + 1));
	noted->old = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * (capacity + 1));
}

static void
add_noted(NotedKeys *noted, const CascadeKeys *keys, uint64 number, bool old)
{
	for (uint64 i = 0; i < keys->nkeys; i++)
	{
		noted->batch[noted->keys->nkeys + i] = number;
		noted->old[noted->keys->nkeys + i] = old;
	}
	append_keys(noted->keys, keys);
}

/*
 * Let what was noted since keys were last changed have its effect on what was
 * lost before it, all of it together: a transaction may have noted row by row.
 */
static void
settle(CascadeRelationship *rel, LostKeys *lost)
{
	forgive(lost, &lost->attached, rel->reference);
	match_and_drop(rel, lost, &lost->gone);
	if (lost->sources != NULL)
		match_gone(rel, lost, lost->sources_gone.keys, &lost->sources_gone, false);
	lost->attached.keys->nkeys = lost->gone.keys->nkeys = lost->sources_gone.keys->nkeys = 0;
}

/*
 * The keys of a batch, as what was noted before it in the same statement has
 * changed them: rows are written round by round, and still held the key that
 * their target had before.
 */
static CascadeKeys *
keys_as_rekeyed(CascadeRelationship *rel, List *rekeyed, const PendingBatch *batch)
{
	CascadeKeys *keys = batch->keys;
	ListCell   *lc;

	foreach(lc, rekeyed)
	{
		PendingBatch *before = lfirst(lc);
		bool	   *dead;

		if (before->run != batch->run)
			continue;
		if (keys == batch->keys)
			keys = cascade_keys_copy(keys, rel->reference, true, CurrentMemoryContext);
		/* a target without a key is found by the one that is left here: not at all */
		dead = palloc0(sizeof(bool) * (keys->nkeys + 1));
		rekey(rel, rel->reference, keys, dead, before->keys);
	}
	return keys;
}

static void
add_lost(LostKeys *lost, const PendingBatch *batch, const CascadeKeys *keys, uint64 number,
		 bool old)
{
	for (uint64 i = 0; i < keys->nkeys; i++)
	{
		uint64		to = lost->keys->nkeys + i;

		/* what was due then has been dealt with */
		lost->dead[to] = old && batch->due;
		lost->due[to] = batch->due;
		lost->batch[to] = number;
		lost->old[to] = old;
	}
	append_keys(lost->keys, keys);
	if (lost->sources != NULL && batch->sources != NULL)
		append_keys(lost->sources, batch->sources);
}

/*
 * Behind keys that have the room.
 */
static void
append_keys(CascadeKeys *keys, const CascadeKeys *more)
{
	for (int c = 0; c < keys->ncolumns; c++)
		memcpy(keys->values[c] + keys->nkeys, more->values[c], sizeof(Datum) * more->nkeys);
	keys->nkeys += more->nkeys;
}

/*
 * Targets that are referenced again have not been lost.
 */
static void
forgive(LostKeys *lost, const NotedKeys *attached, const CascadeTie *tie)
{
	uint64	   *latest;

	if (lost->keys->nkeys == 0 || attached->keys->nkeys == 0)
		return;
	latest = cascade_keys_latest(lost->keys, attached->keys, attached->batch, tie);
	for (uint64 i = 0; i < lost->keys->nkeys; i++)
		lost->dead[i] |= latest[i] > lost->batch[i];
}

/*
 * Give keys that have changed since their new values.
 */
static void
rekey(CascadeRelationship *rel, CascadeTie *tie, CascadeKeys *keys, bool *dead,
	  const CascadeKeys *changed)
{
	uint64	   *parent;
	uint64	   *child;
	uint64		n = match_keys(rel, tie, changed, keys, &parent, &child);

	for (uint64 i = 0; i < n; i++)
	{
		for (int c = 0; c < tie->ncolumns; c++)
		{
			if (changed->new_nulls[c][parent[i]])
				dead[child[i]] = true;
			else
				keys->values[c][child[i]] = convert(changed->new_values[c][parent[i]],
													tie->columns[c].parent_type,
													tie->columns[c].child_type);
		}
	}
}

/*
 * Targets that are gone are not looked for any more.
 */
static void
match_and_drop(CascadeRelationship *rel, LostKeys *lost, const NotedKeys *gone)
{
	uint64	   *parent;
	uint64	   *child;
	uint64		n = match_keys(rel, rel->reference, gone->keys, lost->keys, &parent, &child);

	for (uint64 i = 0; i < n; i++)
		lost->dead[child[i]] |= gone->batch[parent[i]] > lost->batch[child[i]];
}

/*
 * Links whose source went after them, if noted is given, or is still gone, make their targets due; those of which both were
 * there to be seen at the last check have been dealt with.
 */
static void
match_gone(CascadeRelationship *rel, LostKeys *lost, const CascadeKeys *gone,
		   const NotedKeys *noted, bool old)
{
	uint64	   *parent;
	uint64	   *child;
	uint64		n;
	bool		all_due = true;

	for (uint64 i = 0; i < lost->keys->nkeys; i++)
		all_due &= lost->due[i] || lost->dead[i];
	if (all_due)
		return;
	n = match_keys(rel, rel->tie, gone, lost->sources, &parent, &child);
	for (uint64 i = 0; i < n; i++)
	{
		if (noted != NULL)
		{
			old = noted->old[parent[i]];
			if (noted->batch[parent[i]] < lost->batch[child[i]])
				continue;
		}
		if (old && lost->old[child[i]])
			lost->dead[child[i]] = true;
		else
			lost->due[child[i]] = true;
	}
}

/*
 * Keys of the sources that went before the last check, or since, and whose
 * links may have gone after them; but one that is there again has links to
 * lose by itself.
 */
static CascadeKeys *
still_gone(CascadeRelationship *rel, const PendingCheck *check, bool old)
{
	CascadeKeys *gone;
	uint64		capacity = 0;
	ListCell   *lc;

	foreach(lc, check->batches)
	{
		PendingBatch *batch = lfirst(lc);

		if (batch->kind == PENDING_SOURCES_GONE)
			capacity += batch->keys->nkeys;
	}
	gone = cascade_keys_make(rel->tie->ncolumns, capacity, false);
	foreach(lc, check->batches)
	{
		PendingBatch *batch = lfirst(lc);

		if (batch->kind == PENDING_SOURCES_GONE &&
			(foreach_current_index(lc) < check->nchecked) == old)
			append_keys(gone, batch->keys);
	}
	cascade_action_drop_existing(gone, rel->tie, rel, false);
	return gone;
}

/*
 * Which parents' keys are equal to which held ones?  The server compares them,
 * as their types may differ.
 */
static uint64
match_keys(CascadeRelationship *rel, CascadeTie *tie, const CascadeKeys *parents,
		   const CascadeKeys *held, uint64 **parent, uint64 **child)
{
	CascadeStatement *stmt;
	uint64		n;

	if (parents->nkeys == 0 || held->nkeys == 0)
		return 0;
	stmt = cascade_statement_begin(CASCADE_ACTION_MATCH, tie, rel, held->nkeys, false);
	stmt->shape = CASCADE_SHAPE_MANY;
	cascade_statement_keys(stmt, parents->values, 0, parents->nkeys);
	cascade_statement_numbers(stmt, parents->nkeys);
	cascade_statement_held_keys(stmt, held->values, 0, held->nkeys);
	cascade_statement_numbers(stmt, held->nkeys);
	n = cascade_event_run(stmt);
	*parent = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (n + 1));
	*child = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (n + 1));
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		(*parent)[i] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
												   1, &isnull));
		(*child)[i] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
												  2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/*
 * A value as an assignment to a column of another type would make it.
 */
static Datum
convert(Datum value, Oid from, Oid to)
{
	Oid			function;
	Oid			output;
	Oid			input;
	Oid			param;
	bool		varlena;

	from = getBaseType(from);
	to = getBaseType(to);
	if (from == to)
		return value;
	switch (find_coercion_pathway(to, from, COERCION_ASSIGNMENT, &function))
	{
		case COERCION_PATH_RELABELTYPE:
			return value;
		case COERCION_PATH_FUNC:
			if (get_func_nargs(function) == 1)
				return OidFunctionCall1(function, value);
			return OidFunctionCall3(function, value, Int32GetDatum(-1), BoolGetDatum(false));
		default:
			getTypeOutputInfo(from, &output, &varlena);
			getTypeInputInfo(to, &input, &param);
			return OidInputFunctionCall(input, OidOutputFunctionCall(output, value), param, -1);
	}
}

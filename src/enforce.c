/*-------------------------------------------------------------------------
 *
 * enforce.c
 *	  references that the extension guards itself, as a foreign key would
 *
 * A child that has come to hold a key must find a parent of that key, which is
 * locked FOR KEY SHARE: it cannot go, or change its key, before our
 * transaction ends.  A key that went from the parent must not be held by a
 * child when the cascade has done what it does.  Both are looked at when all
 * else of a statement is done, for all its rows together.
 *
 * Follows RI_FKey_check() and RI_FKey_noaction_del(), their snapshots
 * included.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/enforce.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "cascade.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* keys of one tie to look at; by name, because the cache does not last */
typedef struct EnforceCheck
{
	Oid			source;			/* the relationship that guards it ... */
	NameData	name;
	bool		reference;		/* ... and which of its ties it is */
	bool		gone;			/* keys that went from the parent; else that
								 * children hold */
	CascadeKeys *keys;
} EnforceCheck;

static List *add_check(List *checks, const CascadeTie *tie, CascadeKeys *keys, bool gone);
static CascadeKeys *held_by(const CascadeTie *tie, List *sets);
static CascadeKeys *gone_from(CascadeTie *tie, List *sets);
static bool row_came_to_hold(const CascadeTie *tie, const CaptureSet *set, uint64 row);
static bool leaves_none(const CascadeTie *tie, CaptureEvent event);
static void check_parents(CascadeTie *tie, CascadeKeys *keys);
static bool lock_parents(CascadeTie *tie, const CascadeKeys *keys, uint64 first, uint64 n);
static bool has_one_parent(const CascadeTie *tie);
static CascadeKeys *without_parent(CascadeTie *tie, const CascadeKeys *keys, uint64 first, uint64 n);
static void check_missing(CascadeTie *tie, CascadeKeys *keys);
static void check_children(CascadeTie *tie, CascadeKeys *keys);
static CascadeStatement *begin_question(CascadeAction action, CascadeTie *tie,
										CascadeRelationship *rel, uint64 n, bool indexed);
static CascadeKeys *without(const CascadeKeys *keys, const CascadeTie *tie, uint64 first, uint64 n,
							const uint64 *positions, uint64 nfound);
static Datum **find_dangling(CascadeTie *tie, CascadeRelationship *rel);
static bool may_read(Oid relid);
pg_noreturn static void error_no_parent(const CascadeTie *tie, Datum **values, uint64 position);
pg_noreturn static void error_has_children(const CascadeTie *tie, CascadeKeys *keys,
										   uint64 position);
static char *key_text(Oid relid, const CascadeTie *tie, Datum **values, uint64 position,
					  bool held);

/*
 * cascade_enforce_collect
 *		Add to a list of checks, in the current memory context, what the
 *		table's captured rows ask for.
 */
List *
cascade_enforce_collect(List *checks, CascadeTable *table, List *sets)
{
	ListCell   *lc;

	foreach(lc, table->enforced)
		checks = add_check(checks, lfirst(lc), held_by(lfirst(lc), sets), false);
	foreach(lc, table->ties)
	{
		CascadeTie *tie = lfirst(lc);

		if (tie->enforce_by != NULL)
			checks = add_check(checks, tie, gone_from(tie, sets), true);
	}
	return checks;
}

static List *
add_check(List *checks, const CascadeTie *tie, CascadeKeys *keys, bool gone)
{
	const CascadeRelationship *rel = tie->enforce_by;
	EnforceCheck *check;

	if (keys == NULL || keys->nkeys == 0)
		return checks;
	check = palloc(sizeof(EnforceCheck));
	check->source = rel->source;
	check->name = rel->name;
	check->reference = !cascade_same_key(rel->tie, tie);
	check->gone = gone;
	check->keys = cascade_keys_copy(keys, tie, !gone, CurrentMemoryContext);
	return lappend(checks, check);
}

/*
 * The keys that rows have come to hold.
 */
static CascadeKeys *
held_by(const CascadeTie *tie, List *sets)
{
	CascadeKeys *keys;
	uint64		capacity = 0;
	ListCell   *lc;

	foreach(lc, sets)
		capacity += ((CaptureSet *) lfirst(lc))->nrows;
	keys = cascade_keys_make(tie->ncolumns, capacity, false);
	foreach(lc, sets)
	{
		const CaptureSet *set = lfirst(lc);

		/* a key that follows its parent's has one */
		if (set->event == CAPTURE_DELETE || cascade_set_came_by(set, CASCADE_ACTION_FOLLOW, tie))
			continue;
		for (uint64 row = 0; row < set->nrows; row++)
		{
			if (!row_came_to_hold(tie, set, row))
				continue;
			for (int i = 0; i < tie->ncolumns; i++)
				keys->values[i][keys->nkeys] =
					set->new_values[row * set->ncolumns +
									cascade_capture_column(set, tie->columns[i].child_attno)];
			keys->nkeys++;
		}
	}
	return keys;
}

static bool
row_came_to_hold(const CascadeTie *tie, const CaptureSet *set, uint64 row)
{
	if (!cascade_tie_has_key(tie, set, row, true))
		return false;
	if (set->event == CAPTURE_INSERT)
		return true;
	if (set->states != NULL && set->states[row] != CAPTURE_ROW_LIVE)
		return false;
	if (!cascade_tie_has_key(tie, set, row, false))
		return true;
	for (int i = 0; i < tie->ncolumns; i++)
	{
		if (cascade_capture_changed(set, row,
									cascade_capture_column(set, tie->columns[i].child_attno)))
			return true;
	}
	return false;
}

/*
 * The keys that went from the parent and may have left children behind.
 */
static CascadeKeys *
gone_from(CascadeTie *tie, List *sets)
{
	CascadeKeys *deleted = leaves_none(tie, CAPTURE_DELETE) ? NULL : cascade_keys_deleted(sets, tie);
	CascadeKeys *changed = leaves_none(tie, CAPTURE_UPDATE) ? NULL : cascade_keys_changed(sets, tie);
	CascadeKeys *keys;

	if (deleted == NULL || deleted->nkeys == 0)
		return changed;
	if (changed == NULL || changed->nkeys == 0)
		return deleted;
	keys = cascade_keys_make(tie->ncolumns, deleted->nkeys + changed->nkeys, false);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		memcpy(keys->values[i], deleted->values[i], sizeof(Datum) * deleted->nkeys);
		memcpy(keys->values[i] + deleted->nkeys, changed->values[i], sizeof(Datum) * changed->nkeys);
	}
	keys->nkeys = deleted->nkeys + changed->nkeys;
	return keys;
}

/*
 * Does the action of the relationships leave no child behind?  Only a BEFORE
 * trigger can keep a row that the statement finds from being written; and no
 * child can have come since, because the parent's row is ours.
 */
static bool
leaves_none(const CascadeTie *tie, CaptureEvent event)
{
	if (event == CAPTURE_DELETE && (tie->unlink_by || tie->delete_by))
		return !cascade_has_before_trigger(tie->child, CAPTURE_DELETE);
	if (event == CAPTURE_DELETE ? tie->nullify_by != NULL : tie->follow_by != NULL)
		return !cascade_has_before_trigger(tie->child, CAPTURE_UPDATE);
	return false;
}

/*
 * cascade_enforce_check
 *		Error 23503 if a child has no parent, or a parent that went has left
 *		children behind.
 */
void
cascade_enforce_check(CascadeCache *cache, List *checks)
{
	ListCell   *lc;

	foreach(lc, checks)
	{
		EnforceCheck *check = lfirst(lc);
		CascadeRelationship *rel = cascade_cache_relationship(cache, check->source,
															  NameStr(check->name));
		CascadeTie *tie;

		/* it may have been dropped, or made otherwise, since */
		if (rel == NULL || !rel->enforce ||
			cascade_cache_table(cache, rel->source) == NULL)
			continue;
		tie = check->reference ? rel->reference : rel->tie;
		if (check->gone)
			check_children(tie, check->keys);
		else
			check_parents(tie, check->keys);
	}
}

/*
 * Lock the parents of keys that children have come to hold.
 */
static void
check_parents(CascadeTie *tie, CascadeKeys *keys)
{
	if (keys->nkeys > 1)
		cascade_keys_drop_duplicates(keys, tie, true);
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, tie, true, first);

		if (!lock_parents(tie, keys, first, n))
			check_missing(tie, without_parent(tie, keys, first, n));
		first += n;
	}
}

/*
 * Lock the parents of a piece of the keys; false if not all were found.
 * Where a key has one parent at most it is enough to count them.
 */
static bool
lock_parents(CascadeTie *tie, const CascadeKeys *keys, uint64 first, uint64 n)
{
	CascadeStatement *stmt;
	uint64		found;

	if (n > 1 && !has_one_parent(tie))
		return false;
	stmt = cascade_statement_begin(CASCADE_ACTION_SHARE_PARENTS, tie, tie->enforce_by, n, true);
	cascade_statement_held_keys(stmt, keys->values, first, n);
	found = cascade_event_run(stmt);
	SPI_freetuptable(SPI_tuptable);
	return n == 1 ? found > 0 : found == n;
}

/*
 * Has a key one parent at most?  An operator between two types may find it
 * equal to several that differ, a timestamp with time zone for one.
 */
static bool
has_one_parent(const CascadeTie *tie)
{
	for (int i = 0; i < tie->ncolumns; i++)
	{
		if (tie->columns[i].eq_opr != tie->columns[i].parent_eq_opr)
			return false;
	}
	return tie->parent_unique;
}

/*
 * The keys of a piece whose parent was not found to be locked.
 *
 * Of several keys this takes a look that locks again what it finds: a parent
 * that has come since is as good, as it is for the rows that a foreign key
 * checks later than others.  A single key is not looked for twice, as
 * RI_FKey_check has it.
 */
static CascadeKeys *
without_parent(CascadeTie *tie, const CascadeKeys *keys, uint64 first, uint64 n)
{
	CascadeStatement *stmt;
	uint64		found;

	if (n == 1)
		return without(keys, tie, first, n, NULL, 0);
	stmt = begin_question(CASCADE_ACTION_NUMBER_PARENTS, tie, tie->enforce_by, n, true);
	cascade_statement_held_keys(stmt, keys->values, first, n);
	cascade_statement_numbers(stmt, n);
	found = cascade_event_run(stmt);
	return without(keys, tie, first, n, cascade_action_positions(found), found);
}

/*
 * A piece of the keys but for those at these positions.
 */
static CascadeKeys *
without(const CascadeKeys *keys, const CascadeTie *tie, uint64 first, uint64 n,
		const uint64 *positions, uint64 nfound)
{
	CascadeKeys *missing = cascade_keys_make(tie->ncolumns, n, false);
	bool	   *found = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(bool) * (n + 1),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (uint64 i = 0; i < nfound; i++)
		found[positions[i]] = true;
	for (uint64 i = 0; i < n; i++)
	{
		if (found[i])
			continue;
		for (int c = 0; c < tie->ncolumns; c++)
			missing->values[c][missing->nkeys] = keys->values[c][first + i];
		missing->nkeys++;
	}
	return missing;
}

/*
 * Keys that have no parent; an error if a child holds such a key now.  The one
 * that did may have been deleted or changed by the same statement.
 */
static void
check_missing(CascadeTie *tie, CascadeKeys *keys)
{
	CascadeStatement *stmt;
	uint64		n;
	uint64	   *positions;

	if (keys->nkeys == 0)
		return;
	stmt = begin_question(CASCADE_ACTION_HELD, tie, tie->enforce_by, keys->nkeys,
						  tie->child_indexed);
	cascade_statement_held_keys(stmt, keys->values, 0, keys->nkeys);
	cascade_statement_numbers(stmt, keys->nkeys);
	n = cascade_event_run(stmt);
	positions = cascade_action_positions(n);
	if (n > 0)
		error_no_parent(tie, keys->values, positions[0]);
}

/*
 * An error if a child holds a key that no parent has any more.
 */
static void
check_children(CascadeTie *tie, CascadeKeys *keys)
{
	cascade_action_drop_existing(keys, tie, tie->enforce_by, true);
	for (uint64 first = 0; first < keys->nkeys;)
	{
		uint64		n = cascade_action_piece(keys, tie, false, first);
		CascadeStatement *stmt = begin_question(CASCADE_ACTION_REFERENCED, tie, tie->enforce_by,
												n, tie->child_indexed);
		uint64		found;
		uint64	   *positions;

		cascade_statement_keys(stmt, keys->values, first, n);
		cascade_statement_numbers(stmt, n);
		found = cascade_event_run(stmt);
		positions = cascade_action_positions(found);
		if (found > 0)
			error_has_children(tie, keys, first + positions[0]);
		first += n;
	}
}

/*
 * A statement that numbers its keys, and so takes arrays of them.
 */
static CascadeStatement *
begin_question(CascadeAction action, CascadeTie *tie, CascadeRelationship *rel, uint64 n,
			   bool indexed)
{
	CascadeStatement *stmt = cascade_statement_begin(action, tie, rel, n, indexed);

	if (stmt->shape == CASCADE_SHAPE_ONE)
		stmt->shape = CASCADE_SHAPE_SOME;
	return stmt;
}

/*
 * cascade_enforce_validate
 *		Error 23503 if a row that is there has no parent.
 */
void
cascade_enforce_validate(CascadeRelationship *rel)
{
	CascadeTie *ties[] = {rel->tie, rel->reference};

	for (int i = 0; i < lengthof(ties); i++)
	{
		CascadeTie *tie = ties[i];
		Datum	  **values;

		if (tie == NULL || (i > 0 && tie == rel->tie))
			continue;
		values = find_dangling(tie, rel);
		if (values != NULL)
			error_no_parent(tie, values, 0);
	}
}

/*
 * cascade_enforce_is_dangling
 *		Does a child hold a key of which there is no parent?
 */
bool
cascade_enforce_is_dangling(CascadeTie *tie, CascadeRelationship *rel)
{
	return find_dangling(tie, rel) != NULL;
}

/*
 * A key that a child holds and no parent has; NULL if there is none.
 *
 * With one query if the caller may read both tables in full; otherwise each is
 * read as its owner, who need not be the other's.
 */
static Datum **
find_dangling(CascadeTie *tie, CascadeRelationship *rel)
{
	bool		one_query = may_read(tie->parent) && may_read(tie->child);
	CascadeStatement *stmt = cascade_statement_begin(one_query ? CASCADE_ACTION_VALIDATE :
													 CASCADE_ACTION_ALL_HELD, tie, rel, 1, false);
	uint64		n = cascade_event_run(stmt);
	SPITupleTable *found = SPI_tuptable;
	CascadeKeys *keys = cascade_keys_make(tie->ncolumns, n, false);

	for (keys->nkeys = 0; keys->nkeys < n; keys->nkeys++)
	{
		bool		isnull;

		for (int c = 0; c < tie->ncolumns; c++)
			keys->values[c][keys->nkeys] = SPI_getbinval(found->vals[keys->nkeys], found->tupdesc,
														 c + 1, &isnull);
	}
	if (n > 0 && !one_query)
	{
		uint64	   *positions;

		stmt = begin_question(CASCADE_ACTION_MISSING, tie, rel, n, true);
		cascade_statement_held_keys(stmt, keys->values, 0, n);
		cascade_statement_numbers(stmt, n);
		n = cascade_event_run(stmt);
		positions = cascade_action_positions(n);
		cascade_keys_select(keys, positions, n);
	}
	return n > 0 ? keys->values : NULL;
}

static bool
may_read(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		(cascade_owns_table(relid, GetUserId()) ||
		 check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED);
}

static void
error_no_parent(const CascadeTie *tie, Datum **values, uint64 position)
{
	Relation	child = table_open(tie->child, NoLock);
	char	   *key = key_text(tie->child, tie, values, position, true);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates enforced relationship \"%s\" of table \"%s\"",
					RelationGetRelationName(child), NameStr(tie->enforce_by->name),
					NameStr(tie->enforce_by->source_name)),
			 key ? errdetail("Key %s is not present in table \"%s\".", key, get_rel_name(tie->parent)) :
			 errdetail("Key is not present in table \"%s\".", get_rel_name(tie->parent)),
			 errtableconstraint(child, NameStr(tie->enforce_by->name))));
}

static void
error_has_children(const CascadeTie *tie, CascadeKeys *keys, uint64 position)
{
	Relation	child = table_open(tie->child, NoLock);
	char	   *key = key_text(tie->parent, tie, keys->values, position, false);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("update or delete on table \"%s\" violates enforced relationship \"%s\" of table \"%s\"",
					get_rel_name(tie->parent), NameStr(tie->enforce_by->name),
					NameStr(tie->enforce_by->source_name)),
			 key ? errdetail("Key %s is still referenced from table \"%s\".", key,
							 RelationGetRelationName(child)) :
			 errdetail("Key is still referenced from table \"%s\".", RelationGetRelationName(child)),
			 errtableconstraint(child, NameStr(tie->enforce_by->name))));
}

/*
 * "(columns)=(values)" for those who may read the table they are of, as
 * ri_ReportViolation decides; else NULL.
 */
static char *
key_text(Oid relid, const CascadeTie *tie, Datum **values, uint64 position, bool held)
{
	StringInfoData names;
	StringInfoData texts;

	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED ||
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return NULL;
	initStringInfo(&names);
	initStringInfo(&texts);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(held ? column->held_type : column->key_type, &output, &varlena);
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 get_attname(relid, held ? column->child_attno : column->parent_attno, false));
		appendStringInfo(&texts, "%s%s", i > 0 ? ", " : "",
						 OidOutputFunctionCall(output, values[i][position]));
	}
	return psprintf("(%s)=(%s)", names.data, texts.data);
}

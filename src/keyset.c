/*-------------------------------------------------------------------------
 *
 * keyset.c
 *	  from captured rows to the key set of a tie
 *
 * A key with a NULL in any column ties to nothing (MATCH SIMPLE) and is left
 * out.  Duplicates go only where there can be any: where no unique index of
 * the source forbids them.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/keyset.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"

/* the order in which keys are sorted, by their own values */
typedef struct KeyOrder
{
	const CascadeKeys *keys;
	const CascadeKeys *others;	/* the second of those compared is of these */
	SortSupport support;		/* one per column */
} KeyOrder;

/* a key's place; its first column beside it, as most comparisons end there */
typedef struct KeyPosition
{
	Datum		first;
	uint64		position;
} KeyPosition;

static CascadeKeys *make_keys(List *sets, const CascadeTie *tie, bool changed);
static bool add_row(CascadeKeys *keys, const CaptureSet *set, uint64 row, const int *column,
					bool changed);
static Datum *copy_values(const Datum *values, const bool *nulls, uint64 n, Oid type);
static void begin_order(KeyOrder *order, const CascadeKeys *keys, const CascadeTie *tie, bool held);
static KeyPosition *sort_keys(KeyOrder *order);

/*
 * cascade_keys_deleted
 *		The old keys of deleted rows; of a row that was re-keyed before it was
 *		deleted, the key that its children still hold as well.
 */
CascadeKeys *
cascade_keys_deleted(List *sets, const CascadeTie *tie)
{
	return make_keys(sets, tie, false);
}

/*
 * cascade_keys_changed
 *		The old and new keys of updated rows whose key changed.  Like
 *		foreign keys we call a key changed when its bytes have: 1.0 made 1.00
 *		is passed on.
 */
CascadeKeys *
cascade_keys_changed(List *sets, const CascadeTie *tie)
{
	return make_keys(sets, tie, true);
}

/*
 * cascade_keys_make
 *		No keys yet, with room for some.
 */
CascadeKeys *
cascade_keys_make(int ncolumns, uint64 capacity, bool changed)
{
	CascadeKeys *keys = palloc0(sizeof(CascadeKeys));

	capacity = Max(capacity, 1);
	keys->ncolumns = ncolumns;
	keys->values = palloc(sizeof(Datum *) * ncolumns);
	keys->new_values = palloc0(sizeof(Datum *) * ncolumns);
	keys->new_nulls = palloc0(sizeof(bool *) * ncolumns);
	for (int i = 0; i < ncolumns; i++)
	{
		keys->values[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * capacity);
		if (!changed)
			continue;
		keys->new_values[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * capacity);
		keys->new_nulls[i] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * capacity);
	}
	return keys;
}

static CascadeKeys *
make_keys(List *sets, const CascadeTie *tie, bool changed)
{
	CascadeKeys *keys;
	int		   *column = palloc(sizeof(int) * tie->ncolumns);
	uint64		capacity = 0;
	ListCell   *lc;

	foreach(lc, sets)
		capacity += ((CaptureSet *) lfirst(lc))->nrows;
	keys = cascade_keys_make(tie->ncolumns, capacity, changed);

	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);

		/* an update counts as a deletion only if the row was deleted after it */
		if (!changed && set->event == CAPTURE_UPDATE && (set->states == NULL || tie->follow_by == NULL))
			continue;
		if (set->event == CAPTURE_INSERT || (changed && set->event != CAPTURE_UPDATE))
			continue;
		for (int i = 0; i < tie->ncolumns; i++)
			column[i] = cascade_capture_column(set, tie->columns[i].parent_attno);
		for (uint64 row = 0; row < set->nrows; row++)
		{
			if (add_row(keys, set, row, column, changed))
				keys->nkeys++;
		}
	}
	if (keys->nkeys > 1 && !tie->parent_unique)
		cascade_keys_drop_duplicates(keys, tie, false);
	return keys;
}

/*
 * Write the key of one row behind the others; false if it is not wanted.
 */
static bool
add_row(CascadeKeys *keys, const CaptureSet *set, uint64 row, const int *column, bool changed)
{
	bool		differs = false;

	if (set->event == CAPTURE_UPDATE && set->states != NULL &&
		set->states[row] != (changed ? CAPTURE_ROW_LIVE : CAPTURE_ROW_GONE))
		return false;
	for (int i = 0; i < keys->ncolumns; i++)
	{
		uint64		pos = row * set->ncolumns + column[i];

		if (set->old_nulls[pos])
			return false;
		keys->values[i][keys->nkeys] = set->old_values[pos];
		if (changed)
		{
			keys->new_values[i][keys->nkeys] = set->new_values[pos];
			keys->new_nulls[i][keys->nkeys] = set->new_nulls[pos];
			differs |= cascade_capture_changed(set, row, column[i]);
		}
	}
	return differs || !changed;
}

/*
 * cascade_keys_copy
 *		Keys in memory of their own: a tie's parents', or those that children
 *		held.
 */
CascadeKeys *
cascade_keys_copy(const CascadeKeys *keys, const CascadeTie *tie, bool held, MemoryContext context)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	CascadeKeys *copy = palloc0(sizeof(CascadeKeys));

	copy->nkeys = keys->nkeys;
	copy->ncolumns = keys->ncolumns;
	copy->values = palloc(sizeof(Datum *) * keys->ncolumns);
	copy->new_values = palloc0(sizeof(Datum *) * keys->ncolumns);
	copy->new_nulls = palloc0(sizeof(bool *) * keys->ncolumns);
	for (int i = 0; i < keys->ncolumns; i++)
	{
		Oid			type = held ? tie->columns[i].child_type : tie->columns[i].parent_type;

		copy->values[i] = copy_values(keys->values[i], NULL, keys->nkeys, type);
		if (keys->new_values[0] == NULL)
			continue;
		copy->new_values[i] = copy_values(keys->new_values[i], keys->new_nulls[i], keys->nkeys, type);
		copy->new_nulls[i] = memcpy(MemoryContextAllocHuge(context, sizeof(bool) * (keys->nkeys + 1)),
									keys->new_nulls[i], sizeof(bool) * keys->nkeys);
	}
	MemoryContextSwitchTo(oldcontext);
	return copy;
}

static Datum *
copy_values(const Datum *values, const bool *nulls, uint64 n, Oid type)
{
	Datum	   *copy = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (n + 1));
	int16		typlen;
	bool		typbyval;

	get_typlenbyval(type, &typlen, &typbyval);
	for (uint64 i = 0; i < n; i++)
	{
		if (nulls == NULL || !nulls[i])
			copy[i] = datumCopy(values[i], typbyval, typlen);
	}
	return copy;
}

static inline int
compare_keys(const void *a, const void *b, void *arg)
{
	const KeyOrder *order = arg;
	const KeyPosition *ka = a;
	const KeyPosition *kb = b;
	int			cmp = ApplySortComparator(ka->first, false, kb->first, false, &order->support[0]);

	for (int i = 1; i < order->keys->ncolumns && cmp == 0; i++)
		cmp = ApplySortComparator(order->keys->values[i][ka->position], false,
								  order->others->values[i][kb->position], false,
								  &order->support[i]);
	return cmp;
}

#define ST_SORT sort_key_positions
#define ST_ELEMENT_TYPE KeyPosition
#define ST_COMPARE(a, b, order) compare_keys(a, b, order)
#define ST_COMPARE_ARG_TYPE KeyOrder
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Keys are compared as the parent's index compares them, in the type that the
 * tie's operator takes.
 */
static void
begin_order(KeyOrder *order, const CascadeKeys *keys, const CascadeTie *tie, bool held)
{
	order->keys = order->others = keys;
	order->support = palloc0(sizeof(SortSupportData) * keys->ncolumns);
	for (int i = 0; i < keys->ncolumns; i++)
	{
		TypeCacheEntry *type = lookup_type_cache(held ? tie->columns[i].held_type :
												 tie->columns[i].key_type, TYPECACHE_LT_OPR);

		order->support[i].ssup_cxt = CurrentMemoryContext;
		order->support[i].ssup_collation = tie->columns[i].parent_collation;
		PrepareSortSupportFromOrderingOp(type->lt_opr, &order->support[i]);
	}
}

/*
 * The keys in order.
 */
static KeyPosition *
sort_keys(KeyOrder *order)
{
	uint64		n = order->keys->nkeys;
	KeyPosition *sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(KeyPosition) * (n + 1));

	for (uint64 i = 0; i < n; i++)
		sorted[i] = (KeyPosition) {order->keys->values[0][i], i};
	sort_key_positions(sorted, n, order);
	return sorted;
}

/*
 * cascade_keys_drop_duplicates
 *		Keep one key of those that are equal.  Of two rows that had the same
 *		key and were given different ones, which one the children follow is as
 *		open as whose children they were.
 */
void
cascade_keys_drop_duplicates(CascadeKeys *keys, const CascadeTie *tie, bool held)
{
	KeyOrder	order;
	KeyPosition *sorted;
	uint64	   *kept = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (keys->nkeys + 1));
	uint64		n = 0;

	begin_order(&order, keys, tie, held);
	sorted = sort_keys(&order);
	for (uint64 i = 0; i < keys->nkeys; i++)
	{
		if (i == 0 || compare_keys(&sorted[i - 1], &sorted[i], &order) != 0)
			kept[n++] = sorted[i].position;
	}
	if (n < keys->nkeys)
		cascade_keys_select(keys, kept, n);
}

/*
 * cascade_keys_latest
 *		For each of these keys that children held the highest number of one
 *		that is equal among others; 0 if none is.
 */
uint64 *
cascade_keys_latest(const CascadeKeys *keys, const CascadeKeys *others, const uint64 *numbers,
					const CascadeTie *tie)
{
	uint64	   *latest = MemoryContextAllocExtended(CurrentMemoryContext,
													sizeof(uint64) * (keys->nkeys + 1),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint64	   *highest;
	KeyOrder	order;
	KeyPosition *sorted;
	uint64		n = 0;

	begin_order(&order, others, tie, true);
	sorted = sort_keys(&order);
	highest = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * (others->nkeys + 1));
	for (uint64 i = 0; i < others->nkeys; i++)
	{
		if (n == 0 || compare_keys(&sorted[n - 1], &sorted[i], &order) != 0)
		{
			highest[n] = 0;
			sorted[n++] = sorted[i];
		}
		highest[n - 1] = Max(highest[n - 1], numbers[sorted[i].position]);
	}
	order.keys = keys;
	order.others = others;
	for (uint64 i = 0; i < keys->nkeys; i++)
	{
		KeyPosition wanted = {keys->values[0][i], i};
		KeyPosition *found = bsearch_arg(&wanted, sorted, n, sizeof(KeyPosition),
										 compare_keys, &order);

		if (found != NULL)
			latest[i] = highest[found - sorted];
	}
	return latest;
}

/*
 * cascade_keys_select
 *		Keep the n keys at these positions, in this order.
 */
void
cascade_keys_select(CascadeKeys *keys, const uint64 *positions, uint64 n)
{
	for (int i = 0; i < keys->ncolumns; i++)
	{
		Datum	   *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);

		for (uint64 j = 0; j < n; j++)
			values[j] = keys->values[i][positions[j]];
		keys->values[i] = values;
	}
	if (keys->new_values[0] != NULL)
	{
		for (int i = 0; i < keys->ncolumns; i++)
		{
			Datum	   *values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
			bool	   *nulls = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * n);

			for (uint64 j = 0; j < n; j++)
			{
				values[j] = keys->new_values[i][positions[j]];
				nulls[j] = keys->new_nulls[i][positions[j]];
			}
			keys->new_values[i] = values;
			keys->new_nulls[i] = nulls;
		}
	}
	keys->nkeys = n;
}

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

/*
 * cascade_keys_array
 *		Values of one type as an array of type array; nulls may be NULL.
 *
 * A type without arrays, an array type that is, travels as text; query.c
 * casts it back.
 */
Datum
cascade_keys_array(Oid type, Oid array, Datum *values, bool *nulls, uint64 n)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			dims[1] = {(int) n};
	int			lbs[1] = {1};
	Oid			elemtype = type;

	if (n > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys in one cascade")));
	if (array == TEXTARRAYOID && type != TEXTOID)
	{
		Datum	   *texts = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * n);
		Oid			output;
		bool		varlena;

		/* a form that reads back the same under any setting */
		int			nestlevel = NewGUCNestLevel();

		set_local("datestyle", "ISO");
		set_local("intervalstyle", "iso_8601");
		set_local("extra_float_digits", "3");
		set_local("search_path", "pg_catalog");
		getTypeOutputInfo(type, &output, &varlena);
		for (uint64 i = 0; i < n; i++)
		{
			if (nulls == NULL || !nulls[i])
				texts[i] = CStringGetTextDatum(OidOutputFunctionCall(output, values[i]));
		}
		AtEOXact_GUC(true, nestlevel);
		values = texts;
		elemtype = TEXTOID;
	}
	get_typlenbyvalalign(elemtype, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, elemtype,
											  typlen, typbyval, typalign));
}
